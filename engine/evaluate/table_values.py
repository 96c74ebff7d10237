"""What a table gives for a column of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.columns import ABSENT, Column, Kind, WordColumn
from engine.rulebook.definitions import Table
from engine.rulebook.functions import choose
from engine.rulebook.tables import Bands, Knots, Lookup, ValueOf

Words = tuple[str, ...]
NONE: Mapping[str, Any] = {}


def table_value(table: Table, column: Any, *taken: Any) -> Column:
    """The column of results; NaN, or an absent word, where the input is absent and there is no `otherwise`.

    `taken` are the columns of the other names that the table reads, whose values rows take.
    """
    if isinstance(table.rows, Lookup):
        return _look_up(table, table.rows, column, taken)
    if isinstance(table.rows, Knots):
        return table.rows.at(column)
    return _band(table, table.rows, column)


def _band(table: Table, bands: Bands, column: Any) -> Column:
    places = bands.place(column)
    if table.kind is Kind.WORD:
        return WordColumn(bands.words.codes[places], bands.words.words)
    numbers: Any = bands.numbers[places]
    return numbers  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Results:
    """What a lookup gives for each of some words, with the result for an absent word last, where code -1 finds it.

    `numbers` is NaN, and `conditions` false, where a result is taken from another name; `codes` number the `words`, its
    own and those of the names that are taken; `taken` says for each such name where, and the numbers of its words.
    """

    numbers: NDArray[np.float64]
    conditions: NDArray[np.bool_]
    codes: NDArray[np.int64]
    words: Words
    taken: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.int64]]]


def _look_up(table: Table, lookup: Lookup, column: WordColumn, taken: tuple[Any, ...]) -> Column:
    names = dict(zip(table.reads[1:], taken, strict=True)) if taken else NONE
    if table.kind is Kind.WORD:
        return _words_looked_up(lookup, column, names)
    results, word = _results(lookup, column.words), column.codes
    by_word: Any = results.conditions if table.kind is Kind.CONDITION else results.numbers
    if not isinstance(word, np.ndarray):  # one word for all questions, which takes a tenth of the time of a column
        return next((names[name] for name, (where, _) in results.taken.items() if where[word]), by_word[word])  # type: ignore[no-any-return]
    for name, (where, _) in results.taken.items():
        if not isinstance(names[name], np.ndarray):  # the same for all questions, so for all of a word
            by_word = np.where(where, names[name], by_word)
    found: Column = by_word.take(word, mode="wrap")
    for name, (where, _) in results.taken.items():
        if isinstance(names[name], np.ndarray):
            found = choose(where.take(word, mode="wrap"), names[name], found)
    return found


def _words_looked_up(lookup: Lookup, column: WordColumn, names: Mapping[str, Any]) -> Column:
    results = _results(lookup, column.words, {name: taken.words for name, taken in names.items()})
    word = column.codes
    if not isinstance(word, np.ndarray):
        of_names = (numbers[names[name].codes] for name, (where, numbers) in results.taken.items() if where[word])
        return WordColumn(next(of_names, results.codes[word]), results.words)
    codes: Any = results.codes.take(word, mode="wrap")
    for name, (where, numbers) in results.taken.items():
        codes = choose(where.take(word, mode="wrap"), numbers.take(names[name].codes, mode="wrap"), codes)
    return WordColumn(codes, results.words)


def _results(lookup: Lookup, words: Words, taken: Mapping[str, Words] = NONE) -> _Results:
    """The results for these words, worked out once: words of a catalog stay the same object, and so do those here."""
    found: _Results = lookup.kept.get((words, *taken.values()), lambda: _work_out(lookup, words, taken))
    return found


def _work_out(lookup: Lookup, words: Words, taken: Mapping[str, Words]) -> _Results:
    results = (*(lookup.rows.get(word, lookup.otherwise) for word in words), lookup.otherwise)
    own = tuple(result for result in results if isinstance(result, str))
    every = tuple(dict.fromkeys((*own, *(word for name in taken.values() for word in name))))
    number = {word: at for at, word in enumerate(every)}
    names = {result.name for result in results if isinstance(result, ValueOf)}
    return _Results(
        np.array([result if isinstance(result, float) else np.nan for result in results]),
        np.array([result is True for result in results]),
        np.array([number.get(str(result), ABSENT) for result in results], dtype=np.int64),
        every,
        {
            name: (
                np.array([result == ValueOf(name) for result in results]),
                np.array([*(number[word] for word in taken.get(name, ())), ABSENT], dtype=np.int64),
            )
            for name in names
        },
    )
