"""Batches of questions, evaluated at once: a list, a grid and its chunks, and variations of a list."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.language.functions import select
from fitcard.language.question_fields import QuestionFields
from fitcard.values import ABSENT, Codes, Column, Numbers, WordColumn


@dataclass(frozen=True)
class QuestionBatch(ABC):
    """Questions as codes of catalog rows for each axis.

    Where an axis is left to `default_by`, its columns take the shape of that table's input.
    """

    question_fields: QuestionFields
    columns: Mapping[str, CatalogColumns]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape to which columns broadcast."""

    @property
    @abstractmethod
    def named(self) -> frozenset[str]:
        """The axes on which every question names an entry."""

    @abstractmethod
    def codes(self, axis: str) -> Codes:
        """The catalog row of the entry of each question, ABSENT where none is named; in a shape that broadcasts.

        A scalar if it is the same for all questions.
        """

    def columns_of(self, axis: str) -> CatalogColumns:
        """The columns of the catalog of an axis."""
        return self.columns[self.question_fields.axes[axis].catalog]

    def column(self, name: str) -> Column:
        """The catalog field `axis.field` of the named entries."""
        axis, _, field = name.partition(".")
        (column,) = self.columns_of(axis).at((field,), self.codes(axis))
        return column

    def codes_or_default(self, axis: str, defaults: WordColumn) -> Codes:
        """The catalog row of the named entry of each question, or of the entry of this id where none is named.

        Raises KeyError for an unknown id.
        """
        named = self.codes(axis)
        return select(named == ABSENT, self.columns_of(axis).rows_by_id(defaults.words)[defaults.codes], named)

    def entry(self, axis: str, index: tuple[int, ...]) -> str | None:
        """The id of the entry that one question names on an axis; None without one."""
        if axis not in self.question_fields.axes:
            return None
        codes: Any = self.codes(axis)
        if codes.ndim:
            codes = codes[tuple(0 if length == 1 else at for at, length in zip(index, codes.shape, strict=True))]
        return self.columns_of(axis).ids[int(codes)] if codes != ABSENT else None

    def row(self, index: tuple[int, ...]) -> dict[str, str]:
        """The ids of the entries that one question names, by axis."""
        entries = {axis: self.entry(axis, index) for axis in self.question_fields.axes}
        return {axis: entry for axis, entry in entries.items() if entry is not None}


@dataclass(frozen=True)
class QuestionList(QuestionBatch):
    """A list of `length` questions; `rows` are the codes of each axis."""

    length: int
    rows: Mapping[str, Codes]

    @classmethod
    def of(
        cls,
        question_fields: QuestionFields,
        columns: Mapping[str, CatalogColumns],
        questions: Sequence[Mapping[str, str]],
    ) -> QuestionList:
        """The list of these questions, each with ids by axis. Raises KeyError for an unknown id."""
        index = {name: columns[axis.catalog].index for name, axis in question_fields.axes.items()}
        rows = {
            axis: np.array(
                [rows_of_ids[question[axis]] if axis in question else ABSENT for question in questions], np.int64
            )
            for axis, rows_of_ids in index.items()
        }
        return cls(question_fields, columns, len(questions), rows)

    @classmethod
    def repeated(
        cls,
        question_fields: QuestionFields,
        columns: Mapping[str, CatalogColumns],
        question: Mapping[str, str],
        length: int,
    ) -> QuestionList:
        """One question, repeated for different inputs. Raises KeyError for an unknown id."""
        rows = {
            name: np.int64(columns[axis.catalog].index[question[name]] if name in question else ABSENT)
            for name, axis in question_fields.axes.items()
        }
        return cls(question_fields, columns, length, rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of questions."""
        return (self.length,)

    @cached_property
    def named(self) -> frozenset[str]:
        """The axes on which every question names an entry."""
        if not self.length:
            return frozenset()
        lowest = {axis: codes.min() if isinstance(codes, np.ndarray) else codes for axis, codes in self.rows.items()}
        return frozenset(axis for axis, code in lowest.items() if code != ABSENT)

    def codes(self, axis: str) -> Codes:
        """The catalog row of the entry of each question."""
        return self.rows[axis]

    def at(self, positions: Sequence[int] | Any) -> QuestionList:
        """The questions at these positions."""
        rows = {axis: codes[positions] if codes.ndim else codes for axis, codes in self.rows.items()}
        return replace(self, length=len(positions), rows=rows)

    def with_entry(self, axis: str, entry: str) -> QuestionList:
        """The questions with another entry on one axis."""
        return replace(self, rows={**self.rows, axis: np.int64(self.columns_of(axis).index[entry])})


@dataclass(frozen=True)
class QuestionGrid(QuestionBatch):
    """All combinations of the `ids` of each axis, in the order of axes; an axis without ids has no dimension."""

    ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, question_fields: QuestionFields, columns: Mapping[str, CatalogColumns], ids: Mapping[str, Sequence[str]]
    ) -> QuestionGrid:
        """The grid of these ids, in any order of axes."""
        return cls(question_fields, columns, {axis: tuple(ids[axis]) for axis in question_fields.axes if axis in ids})

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of entries of each axis."""
        return tuple(len(ids) for ids in self.ids.values())

    @property
    def named(self) -> frozenset[str]:
        """The axes of the grid."""
        return frozenset(self.ids)

    def codes(self, axis: str) -> Codes:
        """The catalog rows along the dimension of the axis, or the only one; ABSENT for an axis without ids."""
        return self._codes[axis] if axis in self.ids else np.int64(ABSENT)

    @cached_property
    def _codes(self) -> Mapping[str, Codes]:
        codes: dict[str, Codes] = {}
        for axis, ids in self.ids.items():
            columns = self.columns_of(axis)
            if len(ids) == 1:
                codes[axis] = np.int64(columns.index[ids[0]])
            else:
                rows = np.arange(len(ids)) if ids is columns.ids else np.array([columns.index[entry] for entry in ids])
                codes[axis] = rows.reshape([len(rows) if other == axis else 1 for other in self.ids])
        return codes


@dataclass(frozen=True)
class Chunk:
    """A contiguous part of a grid: the entries of each axis, and the index of the first among all of the axis."""

    entries: Mapping[str, Any]
    start: Mapping[str, int]

    @property
    def count(self) -> int:
        """The number of questions."""
        return math.prod(len(entries) for entries in self.entries.values())


@dataclass(frozen=True)
class Chunks:
    """A sequence of chunks of at most `max_size` questions that together are the grid of `entries`.

    `entries` are a tuple or range for each axis. Questions are in the order of the grid, the last axis varying fastest.
    """

    entries: Mapping[str, Any]
    max_size: int

    @property
    def count(self) -> int:
        """The number of questions."""
        return math.prod(self._lengths)

    @property
    def _lengths(self) -> list[int]:
        return [len(entries) for entries in self.entries.values()]

    @property
    def _split(self) -> tuple[int, int, int]:
        """The index of the axis that is split, the number of its entries in a chunk, and the number of its pieces.

        A chunk has one entry of each axis before it and all entries of each axis after it.
        """
        lengths = self._lengths
        axis = next(at for at in range(len(lengths)) if math.prod(lengths[at + 1 :]) <= self.max_size)
        step = self.max_size // math.prod(lengths[axis + 1 :])
        return axis, step, math.ceil(lengths[axis] / step)

    def __len__(self) -> int:
        if not self.count:
            return 0
        axis, _, pieces = self._split
        return math.prod(self._lengths[:axis]) * pieces

    def __getitem__(self, number: int) -> Chunk:
        """The chunk with this index. Raises IndexError if there is none."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        split, step, pieces = self._split
        before, after = self._lengths[:split], self._lengths[split + 1 :]
        outer, piece = divmod(number, pieces)
        starts = [*map(int, np.unravel_index(outer, before)), piece * step, *(0 for _ in after)]
        lengths = [*(1 for _ in before), step, *after]
        start = dict(zip(self.entries, starts, strict=True))
        entries = {
            axis: all_entries[start[axis] : start[axis] + length]
            for (axis, all_entries), length in zip(self.entries.items(), lengths, strict=True)
        }
        return Chunk(entries, start)

    def __iter__(self) -> Iterator[Chunk]:
        return (self[number] for number in range(len(self)))


@dataclass(frozen=True)
class Variation:
    """The entries (catalog rows) and inputs in which `length` questions differ from an original question.

    Values that are the same for all of them are scalars.
    """

    length: int
    entries: Mapping[str, Codes]
    inputs: Mapping[str, Numbers]


@dataclass(frozen=True)
class VariedBatch:
    """The questions of all variations, and the `slices` of each variation.

    `inputs` are NaN where a question has the default; `differing` are the axes and inputs that are varied. `origins` is
    the index of the original question of each question; None if there is only one original.
    """

    questions: QuestionList
    inputs: Mapping[str, Numbers]
    slices: tuple[slice, ...]
    differing: frozenset[str]
    origins: NDArray[np.int64] | None = None


def vary(
    questions: QuestionList, inputs: Mapping[str, Numbers], variations: Sequence[tuple[int, Variation]]
) -> VariedBatch:
    """The batch of these variations, each with the index of its original question."""
    ends = tuple(accumulate(variation.length for _, variation in variations))
    slices = tuple(map(slice, (0, *ends[:-1]), ends))
    origins = None
    if questions.length > 1:
        origins = np.repeat([at for at, _ in variations], [variation.length for _, variation in variations])
    axes = dict.fromkeys(axis for _, variation in variations for axis in variation.entries)
    names = dict.fromkeys(name for _, variation in variations for name in variation.inputs)
    original_rows = {axis: repeat_rows(codes, origins) for axis, codes in questions.rows.items()}
    original_inputs = {name: repeat_rows(numbers, origins) for name, numbers in inputs.items()}
    rows: dict[str, Any] = {axis: _writable(original_rows[axis], ends[-1]) for axis in axes}
    numbers_by_name: dict[str, Any] = {name: _writable(original_inputs.get(name, np.nan), ends[-1]) for name in names}
    for part, (_, variation) in zip(slices, variations, strict=True):
        for axis, codes in variation.entries.items():
            rows[axis][part] = codes
        for name, numbers in variation.inputs.items():
            numbers_by_name[name][part] = numbers
    varied = replace(questions, length=ends[-1], rows={**original_rows, **rows})
    return VariedBatch(varied, {**original_inputs, **numbers_by_name}, slices, frozenset({*axes, *names}), origins)


def repeat_rows(column: Any, origins: NDArray[np.int64] | None) -> Any:
    """A column of the original questions, repeated for their variations; scalars and columns of one question as is."""
    if origins is None:
        return column
    if isinstance(column, WordColumn):
        return WordColumn(repeat_rows(column.codes, origins), column.words)
    return column.take(origins) if isinstance(column, np.ndarray) and column.ndim else column


def _writable(column: Any, length: int) -> Any:
    return column if isinstance(column, np.ndarray) and column.ndim else np.full(length, column)
