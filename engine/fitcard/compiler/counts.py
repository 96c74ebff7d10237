"""Counts compiled: how many entries of a catalog, such as measured runs, are about what a question asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.identity_cache import IdentityCache
from fitcard.language.definitions import Count
from fitcard.language.question_fields import entry_field
from fitcard.values import ABSENT, Column, Numbers, WordColumn, cell, nan_comparable


@dataclass(frozen=True)
class _Index:
    """How many entries have each combination of values, as one rising number each; the last is that of no question.

    The value of an axis is numbered by its place among the words of the batch, that of an input among `values`.
    """

    values: tuple[Any, ...]
    combinations: Any
    counts: Any


class CompiledCount:
    """The number of entries for each question; what a catalog says is indexed once for the words of a batch."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._indexes = IdentityCache()

    def __call__(self, batch: QuestionBatch, *values: Column) -> Numbers:
        """How many entries have these values of the axes and inputs `same`, in the shape these broadcast to."""
        count, columns = self._count, batch.columns[self._count.catalog]
        if not any(isinstance(_data(one), np.ndarray) for one in values):
            said = {entry_field(word): cell(one, ()) for word, one in zip(count.same, values, strict=True)}
            return np.float64(len(columns.rows_matching(said, batch.question_fields.input_defaults, count.having)))
        words = [one.words for one in values if isinstance(one, WordColumn)]
        index: _Index = self._indexes.get_or_compute((columns, *words), lambda: self._index(batch, columns, values))
        wanted, known = _combined([_numbered(one, those) for one, those in zip(values, index.values, strict=True)])
        place = np.searchsorted(index.combinations, wanted)
        number: Numbers = np.where(known & (index.combinations[place] == wanted), index.counts[place], 0.0)[()]
        return number

    def _index(self, batch: QuestionBatch, columns: CatalogColumns, said: tuple[Column, ...]) -> _Index:
        having = columns.rows_with(self._count.having)
        values: list[Any] = []
        numbered: list[tuple[Any, int]] = []
        for word, column in zip(self._count.same, said, strict=True):
            field = entry_field(word)
            if isinstance(column, WordColumn):
                values.append(column.words)
                numbered.append(_numbered_anew(columns.column(field), column.words, having))
            else:
                numbers = columns.input_numbers(field, batch.question_fields.inputs[field].default)[having]
                values.append(np.append(np.unique(numbers), np.inf))
                numbered.append(_numbered(numbers, values[-1]))
        combined, known = _combined(numbered)
        combinations, counts = np.unique(combined[known], return_counts=True)
        return _Index(tuple(values), np.append(combinations, np.iinfo(np.int64).max), np.append(counts, 0.0))


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
