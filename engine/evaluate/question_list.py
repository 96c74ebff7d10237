"""A list of questions, each with entries of its own: one dimension, however many axes there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.columns import Codes
from engine.evaluate.asked import Asked
from engine.rulebook.catalogs import Catalog
from engine.rulebook.subject import Subject


@dataclass(frozen=True)
class QuestionList(Asked):
    """`rows` holds for each axis the entry of each question, by its row in the catalog, with -1 where none is named."""

    rows: Mapping[str, Codes]

    @classmethod
    def of(
        cls, subject: Subject, catalogs: Mapping[str, Catalog], questions: Sequence[Mapping[str, str]]
    ) -> QuestionList:
        """The list of these questions, each with the ids that it names. Raises KeyError for an id that is not there."""
        index = {name: catalogs[axis.catalog].index for name, axis in subject.axes.items()}
        rows = {
            axis: np.array([of_axis[one[axis]] if axis in one else -1 for one in questions], dtype=np.int64)
            for axis, of_axis in index.items()
        }
        return cls(subject, catalogs, rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many questions there are."""
        return (max((len(codes) for codes in self.rows.values()), default=0),)

    @cached_property
    def named(self) -> frozenset[str]:
        """The axes of which every question names an entry."""
        return frozenset(axis for axis, codes in self.rows.items() if len(codes) and (codes >= 0).all())

    def codes(self, axis: str) -> Codes:
        """The entry of each question, one after another."""
        return self.rows[axis]

    def at(self, chosen: Sequence[int] | Codes) -> QuestionList:
        """Only some of the questions, by their numbers."""
        return replace(self, rows={axis: codes[chosen] for axis, codes in self.rows.items()})

    def with_entry(self, axis: str, entry: str) -> QuestionList:
        """The same questions, all with another entry of one axis."""
        codes = np.full(self.shape, self.catalog(axis).index[entry], dtype=np.int64)
        return replace(self, rows={**self.rows, axis: codes})
