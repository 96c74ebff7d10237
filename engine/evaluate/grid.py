"""A grid: every question over some entries of each axis. Each axis is one dimension; broadcasting does the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.columns import Codes
from engine.evaluate.asked import Asked
from engine.rulebook.catalogs import Catalog
from engine.rulebook.subject import Subject


@dataclass(frozen=True)
class Grid(Asked):
    """`ids` by axis, in the order of the subject's axes; an axis that is not asked about takes no dimension."""

    ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, subject: Subject, catalogs: Mapping[str, Catalog], ids: Mapping[str, Sequence[str]]) -> Grid:
        """The grid over these entries, whatever the order of `ids`."""
        return cls(subject, catalogs, {axis: tuple(ids[axis]) for axis in subject.axes if axis in ids})

    @property
    def shape(self) -> tuple[int, ...]:
        """How many entries there are on each axis."""
        return tuple(len(ids) for ids in self.ids.values())

    @property
    def named(self) -> frozenset[str]:
        """The axes of the grid."""
        return frozenset(self.ids)

    def codes(self, axis: str) -> Codes:
        """The entries along their own dimension; -1 alone for an axis that is not asked about."""
        return self._codes[axis] if axis in self.ids else np.full((1,) * len(self.ids), -1)

    @cached_property
    def _codes(self) -> Mapping[str, Codes]:
        found = {}
        for axis, ids in self.ids.items():
            index = self.catalog(axis).index
            rows = np.array([index[entry] for entry in ids], dtype=np.int64)
            found[axis] = rows.reshape([len(rows) if other == axis else 1 for other in self.ids])
        return found
