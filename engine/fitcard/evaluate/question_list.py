"""A list of questions, each with entries of its own: one dimension, however many axes there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fitcard.columns import ABSENT, Codes
from fitcard.evaluate.asked import Asked
from fitcard.rulebook.catalogs import Catalog
from fitcard.rulebook.subject import Subject


@dataclass(frozen=True)
class QuestionList(Asked):
    """`rows` holds for each axis the entry of each of the `length` questions, by its row in the catalog.

    A single number where it is the same for all; ABSENT where none is named.
    """

    length: int
    rows: Mapping[str, Codes]

    @classmethod
    def of(
        cls, subject: Subject, catalogs: Mapping[str, Catalog], questions: Sequence[Mapping[str, str]]
    ) -> QuestionList:
        """The list of these questions, each with the ids that it names. Raises KeyError for an id that is not there."""
        index = {name: catalogs[axis.catalog].index for name, axis in subject.axes.items()}
        rows = {
            axis: np.array([of_axis[one[axis]] if axis in one else ABSENT for one in questions], dtype=np.int64)
            for axis, of_axis in index.items()
        }
        return cls(subject, catalogs, len(questions), rows)

    @classmethod
    def repeated(
        cls, subject: Subject, catalogs: Mapping[str, Catalog], question: Mapping[str, str], length: int
    ) -> QuestionList:
        """One question so many times, for numbers that differ. Raises KeyError for an id that is not there."""
        rows = {
            name: np.int64(catalogs[axis.catalog].index[question[name]] if name in question else ABSENT)
            for name, axis in subject.axes.items()
        }
        return cls(subject, catalogs, length, rows)

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
        return replace(self, rows={**self.rows, axis: np.int64(self.catalog(axis).index[entry])})
