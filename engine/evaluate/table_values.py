"""What a table gives for a column of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import ABSENT, Codes, Column, Kind, WordColumn
from engine.rulebook.definitions import Table
from engine.rulebook.tables import Bands, Knots, Lookup, Result, ValueOf, word_column

MOST_KEPT = 1024


def table_value(table: Table, names: Mapping[str, Any]) -> Column:
    """The column of results; NaN, or an absent word, where the input is absent and there is no `otherwise`."""
    column = names[table.input]
    if isinstance(table.rows, Knots):
        return table.rows.at(column)
    if isinstance(table.rows, Lookup):
        return _look_up(table, table.rows, column, names)
    return _band(table, table.rows, column)


def _band(table: Table, bands: Bands, column: Any) -> Column:
    places = bands.place(column)
    absent = np.isnan(column)  # sorts after every number, and must not take the last band
    if table.kind is Kind.WORD:
        words = word_column(bands.results, places)
        return WordColumn(np.where(absent, ABSENT, words.codes), words.words)
    return np.where(absent, np.nan, np.array(bands.results, dtype=float)[places])


@dataclass(frozen=True)
class _Results:
    """What a lookup gives for each of some words, with the result for an absent word last, where code -1 finds it.

    `numbers` is NaN, and `conditions` false, where a result is taken from another name; `taken` says for each such name
    where.
    """

    all: tuple[Result | ValueOf | None, ...]
    numbers: NDArray[np.float64]
    conditions: NDArray[np.bool_]
    taken: Mapping[str, NDArray[np.bool_]]


@lru_cache(maxsize=MOST_KEPT)
def _results(lookup: Lookup, words: tuple[str, ...]) -> _Results:
    results = (*(lookup.rows.get(word, lookup.otherwise) for word in words), lookup.otherwise)
    numbers = np.array([result if isinstance(result, float) else np.nan for result in results])
    names = {result.name for result in results if isinstance(result, ValueOf)}
    taken = {name: np.array([result == ValueOf(name) for result in results]) for name in names}
    return _Results(results, numbers, np.array([result is True for result in results]), taken)


def _words(results: _Results, codes: Codes, names: Mapping[str, Any]) -> WordColumn:
    """The words of a lookup, its own and those that are taken from other names."""
    own = tuple(str(result) for result in results.all if isinstance(result, str))
    words = tuple(dict.fromkeys((*own, *(word for name in results.taken for word in names[name].words))))
    number = {word: at for at, word in enumerate(words)}
    codes_of = np.array([number.get(str(result), ABSENT) for result in results.all], dtype=np.int64)
    found: Codes = codes_of[codes]
    for name, where in results.taken.items():
        taken = np.array([number[word] for word in names[name].words] + [ABSENT], dtype=np.int64)[names[name].codes]
        found = np.where(where[codes], taken, found)
    return WordColumn(found, words)


def _look_up(table: Table, lookup: Lookup, column: WordColumn, names: Mapping[str, Any]) -> Column:
    results = _results(lookup, column.words)
    if table.kind is Kind.WORD:
        return _words(results, column.codes, names)
    found: Any = (results.conditions if table.kind is Kind.CONDITION else results.numbers)[column.codes]
    for name, where in results.taken.items():
        found = np.where(where[column.codes], names[name], found)
    gives: Column = found
    return gives
