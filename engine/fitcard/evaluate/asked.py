"""What is asked about: questions, laid out so that rules run on all of them at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.columns import ABSENT, Codes, Column, WordColumn
from fitcard.rulebook.catalogs import Catalog
from fitcard.rulebook.functions import choose
from fitcard.rulebook.subject import Subject


@dataclass(frozen=True)
class Asked(ABC):
    """Questions over the catalogs. How many there are and how they lie is up to its kinds: `Grid` and `QuestionList`.

    Figures of an axis that questions do not name, and whose entry a table chooses for each, lie along what that table
    goes by.
    """

    subject: Subject
    catalogs: Mapping[str, Catalog]

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

    def catalog(self, axis: str) -> Catalog:
        """The catalog whose entries an axis takes."""
        return self.catalogs[self.subject.axes[axis].catalog]

    def column(self, name: str) -> Column:
        """The catalog field `axis.field` of the entries that are named."""
        axis, _, field = name.partition(".")
        (column,) = self.catalog(axis).at((field,), self.codes(axis))
        return column

    def chosen(self, axis: str, entries: WordColumn) -> Codes:
        """The row in its catalog of the entry that is named in each question, or else chosen.

        Raises KeyError for an entry that the catalog lacks.
        """
        named = self.codes(axis)
        return choose(named == ABSENT, self.catalog(axis).rows_of(entries.words)[entries.codes], named)

    def entry(self, axis: str, index: tuple[int, ...]) -> str | None:
        """The id that one question names on an axis; None where it names none."""
        if axis not in self.subject.axes:
            return None
        codes: Any = self.codes(axis)
        if codes.ndim:
            codes = codes[tuple(0 if length == 1 else at for at, length in zip(index, codes.shape, strict=True))]
        return self.catalog(axis).ids[int(codes)] if codes != ABSENT else None

    def row(self, index: tuple[int, ...]) -> dict[str, str]:
        """The ids that one question names, by axis."""
        found = {axis: self.entry(axis, index) for axis in self.subject.axes}
        return {axis: entry for axis, entry in found.items() if entry is not None}
