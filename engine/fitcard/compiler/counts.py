"""Compiled counts: the number of catalog entries, such as measured runs, that agree with each question."""

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
    """The number of entries (`counts`) for each combination of values, encoded as an integer, in ascending order.

    `values` are the distinct values of each axis or input, by which they are encoded: the words of the batch, or
    numbers. The last combination is a sentinel.
    """

    values: tuple[Any, ...]
    combinations: Any
    counts: Any


class CompiledCount:
    """Counts entries for each question; the catalog is indexed once for the words of a batch."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._indexes = IdentityCache()

    def __call__(self, batch: QuestionBatch, *columns: Column) -> Numbers:
        """The number of entries with these values of the axes and inputs `same`, in their broadcast shape."""
        count, catalog = self._count, batch.columns[self._count.catalog]
        if not any(isinstance(_data(column), np.ndarray) for column in columns):
            values = {entry_field(word): cell(column, ()) for word, column in zip(count.same, columns, strict=True)}
            return np.float64(len(catalog.rows_matching(values, batch.question_fields.input_defaults, count.having)))
        words = [column.words for column in columns if isinstance(column, WordColumn)]
        index: _Index = self._indexes.get_or_compute((catalog, *words), lambda: self._index(batch, catalog, columns))
        codes = [_encode(column, values) for column, values in zip(columns, index.values, strict=True)]
        combinations, known = _combine(codes)
        at = np.searchsorted(index.combinations, combinations)
        counts: Numbers = np.where(known & (index.combinations[at] == combinations), index.counts[at], 0.0)[()]
        return counts

    def _index(self, batch: QuestionBatch, catalog: CatalogColumns, columns: tuple[Column, ...]) -> _Index:
        rows = catalog.rows_with(self._count.having)
        values: list[Any] = []
        codes: list[tuple[Any, int]] = []
        for word, column in zip(self._count.same, columns, strict=True):
            field = entry_field(word)
            if isinstance(column, WordColumn):
                values.append(column.words)
                codes.append(_recode(catalog.column(field), column.words, rows))
            else:
                numbers = catalog.input_numbers(field, batch.question_fields.inputs[field].default)[rows]
                values.append(np.append(np.unique(numbers), np.inf))
                codes.append(_encode(numbers, values[-1]))
        all_combinations, known = _combine(codes)
        combinations, counts = np.unique(all_combinations[known], return_counts=True)
        return _Index(tuple(values), np.append(combinations, np.iinfo(np.int64).max), np.append(counts, 0.0))


def _data(column: Column) -> Any:
    return column.codes if isinstance(column, WordColumn) else column


def _encode(column: Column, values: Any) -> tuple[Any, int]:
    """The index of each value of a column in the sorted `values`, ABSENT if it is none of them, and their number."""
    if isinstance(column, WordColumn):
        return column.codes, len(values)
    numbers = nan_comparable(column)
    at = np.searchsorted(values, numbers)
    return np.where(values[at] == numbers, at, ABSENT), len(values)


def _recode(column: Column, words: tuple[str, ...], rows: Any) -> tuple[Any, int]:
    """The index in `words` of the word in each row, ABSENT if it is none of them, and their number."""
    assert isinstance(column, WordColumn)
    code_of = {word: code for code, word in enumerate(words)}
    codes = np.array([*(code_of.get(word, ABSENT) for word in column.words), ABSENT])  # the last is for absent words
    return codes[column.codes[rows]], len(words)


def _combine(codes: list[tuple[Any, int]]) -> tuple[Any, Any]:
    """The combination of codes as one integer, and whether none of them is ABSENT."""
    combined: Any = np.int64(0)
    known: Any = np.bool_(True)
    for column, size in codes:
        combined = combined * size + column
        known = known & (column != ABSENT)
    return combined, known
