"""How many entries of a catalog are about what a question asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Catalog
from fitcard.compiler.batch import QuestionBatch
from fitcard.language.definitions import Count
from fitcard.language.question_fields import entry_field
from fitcard.values import ABSENT, Column, Numbers, WordColumn, cell, nan_comparable


@dataclass(frozen=True)
class _There:
    """What entries say, as one rising number each, and how many entries say it; the last is said by no question.

    What is said by one axis is numbered by its place among the words of the question, by an input among the `values`.
    """

    values: tuple[Any, ...]
    combinations: Any
    counts: Any


def count_entries(count: Count, asked: QuestionBatch, *said: Column) -> Numbers:
    """The number of entries for each question, in the shape that what it says by axes and inputs broadcasts to."""
    catalog, words = asked.catalogs[count.catalog], [one.words for one in said if isinstance(one, WordColumn)]
    if not any(isinstance(_data(one), np.ndarray) for one in said):
        values = {entry_field(word): cell(one, ()) for word, one in zip(count.same, said, strict=True)}
        return np.float64(len(catalog.saying(values, asked.subject.input_defaults, count.having)))
    there: _There = count.kept.get((catalog, *words), lambda: _there(count, asked, catalog, said))
    wanted, known = _combined([_numbered(one, values) for one, values in zip(said, there.values, strict=True)])
    place = np.searchsorted(there.combinations, wanted)
    number: Numbers = np.where(known & (there.combinations[place] == wanted), there.counts[place], 0.0)[()]
    return number


def _there(count: Count, asked: QuestionBatch, catalog: Catalog, said: tuple[Column, ...]) -> _There:
    having = catalog.having(count.having)
    values: list[Any] = []
    numbered: list[tuple[Any, int]] = []
    for word, column in zip(count.same, said, strict=True):
        field = entry_field(word)
        if isinstance(column, WordColumn):
            values.append(column.words)
            numbered.append(_numbered_anew(catalog.column(field), column.words, having))
        else:
            numbers = catalog.said_numbers(field, asked.subject.inputs[field].default)[having]
            values.append(np.append(np.unique(numbers), np.inf))
            numbered.append(_numbered(numbers, values[-1]))
    combined, known = _combined(numbered)
    combinations, counts = np.unique(combined[known], return_counts=True)
    return _There(tuple(values), np.append(combinations, np.iinfo(np.int64).max), np.append(counts, 0.0))


def _data(said: Column) -> Any:
    return said.codes if isinstance(said, WordColumn) else said


def _numbered(said: Column, values: Any) -> tuple[Any, int]:
    """The place of each among the values, ABSENT where it is none of them, and how many values there are."""
    if isinstance(said, WordColumn):
        return said.codes, len(values)
    numbers = nan_comparable(said)
    place = np.searchsorted(values, numbers)
    return np.where(values[place] == numbers, place, ABSENT), len(values)


def _numbered_anew(column: Column, words: tuple[str, ...], rows: Any) -> tuple[Any, int]:
    """The place among these words of what each row says."""
    assert isinstance(column, WordColumn)
    number = {word: at for at, word in enumerate(words)}
    codes = np.array([*(number.get(word, ABSENT) for word in column.words), ABSENT])  # the last for rows that say none
    return codes[column.codes[rows]], len(words)


def _combined(numbered: list[tuple[Any, int]]) -> tuple[Any, Any]:
    """One number for what is said by all, and whether none of it is absent."""
    combined: Any = np.int64(0)
    known: Any = np.bool_(True)
    for codes, size in numbered:
        combined = combined * size + codes
        known = known & (codes != ABSENT)
    return combined, known
