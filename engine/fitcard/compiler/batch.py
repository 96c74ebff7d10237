"""A batch of questions, laid out so that rules run on all of them at once: a list of questions, or a grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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
    """Questions over the catalogs. How many there are and how they lie is up to its kinds: `Grid` and `QuestionList`.

    Figures of an axis that questions do not name, and whose entry a table chooses for each, lie along what that table
    goes by.
    """

    question_fields: QuestionFields
    columns: Mapping[str, CatalogColumns]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The lengths of the columns."""

    @property
    @abstractmethod
    def named(self) -> frozenset[str]:
        """The axes of which every question names an entry."""

    @abstractmethod
    def codes(self, axis: str) -> Codes:
        """The entry of each question by its row in the catalog, ABSENT where none is named; in a shape that broadcasts.

        A single number where it is the same for all.
        """

    def columns_of(self, axis: str) -> CatalogColumns:
        """The catalog whose entries an axis takes."""
        return self.columns[self.question_fields.axes[axis].catalog]

    def column(self, name: str) -> Column:
        """The catalog field `axis.field` of the entries that are named."""
        axis, _, field = name.partition(".")
        (column,) = self.columns_of(axis).at((field,), self.codes(axis))
        return column

    def chosen(self, axis: str, entries: WordColumn) -> Codes:
        """The row in its catalog of the entry that is named in each question, or else chosen.

        Raises KeyError for an entry that the catalog lacks.
        """
        named = self.codes(axis)
        return select(named == ABSENT, self.columns_of(axis).rows_by_id(entries.words)[entries.codes], named)

    def entry(self, axis: str, index: tuple[int, ...]) -> str | None:
        """The id that one question names on an axis; None where it names none."""
        if axis not in self.question_fields.axes:
            return None
        codes: Any = self.codes(axis)
        if codes.ndim:
            codes = codes[tuple(0 if length == 1 else at for at, length in zip(index, codes.shape, strict=True))]
        return self.columns_of(axis).ids[int(codes)] if codes != ABSENT else None

    def row(self, index: tuple[int, ...]) -> dict[str, str]:
        """The ids that one question names, by axis."""
        found = {axis: self.entry(axis, index) for axis in self.question_fields.axes}
        return {axis: entry for axis, entry in found.items() if entry is not None}


@dataclass(frozen=True)
class QuestionList(QuestionBatch):
    """`rows` holds for each axis the entry of each of the `length` questions, by its row in the catalog.

    A single number where it is the same for all; ABSENT where none is named.
    """

    length: int
    rows: Mapping[str, Codes]

    @classmethod
    def of(
        cls,
        question_fields: QuestionFields,
        columns: Mapping[str, CatalogColumns],
        questions: Sequence[Mapping[str, str]],
    ) -> QuestionList:
        """The list of these questions, each with the ids that it names. Raises KeyError for an id that is not there."""
        index = {name: columns[axis.catalog].index for name, axis in question_fields.axes.items()}
        rows = {
            axis: np.array([of_axis[one[axis]] if axis in one else ABSENT for one in questions], dtype=np.int64)
            for axis, of_axis in index.items()
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
        """One question so many times, for numbers that differ. Raises KeyError for an id that is not there."""
        rows = {
            name: np.int64(columns[axis.catalog].index[question[name]] if name in question else ABSENT)
            for name, axis in question_fields.axes.items()
        }
        return cls(question_fields, columns, length, rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many questions there are."""
        return (self.length,)

    @cached_property
    def named(self) -> frozenset[str]:
        """The axes of which every question names an entry."""
        if not self.length:
            return frozenset()
        least = {axis: codes.min() if isinstance(codes, np.ndarray) else codes for axis, codes in self.rows.items()}
        return frozenset(axis for axis, code in least.items() if code != ABSENT)

    def codes(self, axis: str) -> Codes:
        """The entry of each question, one after another."""
        return self.rows[axis]

    def at(self, chosen: Sequence[int] | Any) -> QuestionList:
        """Only some of the questions, by their numbers."""
        rows = {axis: codes[chosen] if codes.ndim else codes for axis, codes in self.rows.items()}
        return replace(self, length=len(chosen), rows=rows)

    def with_entry(self, axis: str, entry: str) -> QuestionList:
        """The same questions, all with another entry of one axis."""
        return replace(self, rows={**self.rows, axis: np.int64(self.columns_of(axis).index[entry])})


@dataclass(frozen=True)
class QuestionGrid(QuestionBatch):
    """`ids` by axis, in the order of the subject's axes; an axis that is not asked about takes no dimension."""

    ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls, question_fields: QuestionFields, columns: Mapping[str, CatalogColumns], ids: Mapping[str, Sequence[str]]
    ) -> QuestionGrid:
        """The grid over these entries, whatever the order of `ids`."""
        return cls(question_fields, columns, {axis: tuple(ids[axis]) for axis in question_fields.axes if axis in ids})

    @property
    def shape(self) -> tuple[int, ...]:
        """How many entries there are on each axis."""
        return tuple(len(ids) for ids in self.ids.values())

    @property
    def named(self) -> frozenset[str]:
        """The axes of the grid."""
        return frozenset(self.ids)

    def codes(self, axis: str) -> Codes:
        """The entries along their own dimension, or the only one; -1 for an axis that is not asked about."""
        return self._codes[axis] if axis in self.ids else np.int64(ABSENT)

    @cached_property
    def _codes(self) -> Mapping[str, Codes]:
        found: dict[str, Codes] = {}
        for axis, ids in self.ids.items():
            columns = self.columns_of(axis)
            if len(ids) == 1:
                found[axis] = np.int64(columns.index[ids[0]])
            else:
                rows = np.arange(len(ids)) if ids is columns.ids else np.array([columns.index[entry] for entry in ids])
                found[axis] = rows.reshape([len(rows) if other == axis else 1 for other in self.ids])
        return found


@dataclass(frozen=True)
class Variation:
    """So many questions that differ from another in the entries of some axes, by their rows in the catalog, and inputs.

    What is the same for all of them is a single number.
    """

    length: int
    entries: Mapping[str, Codes]
    inputs: Mapping[str, Numbers]


@dataclass(frozen=True)
class VariedBatch:
    """The questions of all variations; `places` are the slices of each of them.

    `inputs` are NaN where a question does not give them; `differs` names the axes and inputs that are varied. `origins`
    says of each question which one of the original list it varies; None where that has only one.
    """

    questions: QuestionList
    inputs: Mapping[str, Numbers]
    places: tuple[slice, ...]
    differs: frozenset[str]
    origins: NDArray[np.int64] | None = None


def vary(
    questions: QuestionList, inputs: Mapping[str, Numbers], variations: Sequence[tuple[int, Variation]]
) -> VariedBatch:
    """The variations of some questions, each with the number of the question that it varies."""
    ends = tuple(accumulate(one.length for _, one in variations))
    places = tuple(map(slice, (0, *ends[:-1]), ends))
    origins = None
    if questions.length > 1:
        origins = np.repeat([at for at, _ in variations], [one.length for _, one in variations])
    axes = dict.fromkeys(axis for _, one in variations for axis in one.entries)
    names = dict.fromkeys(name for _, one in variations for name in one.inputs)
    rows = {axis: repeat_rows(codes, origins) for axis, codes in questions.rows.items()}
    given = {name: repeat_rows(numbers, origins) for name, numbers in inputs.items()}
    varied: dict[str, Any] = {axis: _writable(rows[axis], ends[-1]) for axis in axes}
    set_here: dict[str, Any] = {name: _writable(given.get(name, np.nan), ends[-1]) for name in names}
    for place, (_, one) in zip(places, variations, strict=True):
        for axis, codes in one.entries.items():
            varied[axis][place] = codes
        for name, numbers in one.inputs.items():
            set_here[name][place] = numbers
    found = replace(questions, length=ends[-1], rows={**rows, **varied})
    return VariedBatch(found, {**given, **set_here}, places, frozenset({*axes, *names}), origins)


def repeat_rows(column: Any, origins: NDArray[np.int64] | None) -> Any:
    """A column of the original questions for each variation; one that is the same for all stays as it is."""
    if origins is None:
        return column
    if isinstance(column, WordColumn):
        return WordColumn(repeat_rows(column.codes, origins), column.words)
    return column.take(origins) if isinstance(column, np.ndarray) and column.ndim else column


def _writable(column: Any, length: int) -> Any:
    return column if isinstance(column, np.ndarray) and column.ndim else np.full(length, column)
