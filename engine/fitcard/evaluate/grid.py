"""A grid: every question over some entries of each axis. Each axis is one dimension; broadcasting does the rest.

What lies along axes with one entry alone is no array but a single number or word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitcard.columns import ABSENT, Codes
from fitcard.evaluate.asked import Asked
from fitcard.rulebook.catalogs import Catalog
from fitcard.rulebook.subject import Subject


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
        """The entries along their own dimension, or the only one; -1 for an axis that is not asked about."""
        return self._codes[axis] if axis in self.ids else np.int64(ABSENT)

    @cached_property
    def _codes(self) -> Mapping[str, Codes]:
        found: dict[str, Codes] = {}
        for axis, ids in self.ids.items():
            catalog = self.catalog(axis)
            if len(ids) == 1:
                found[axis] = np.int64(catalog.index[ids[0]])
            else:
                rows = np.arange(len(ids)) if ids is catalog.ids else np.array([catalog.index[entry] for entry in ids])
                found[axis] = rows.reshape([len(rows) if other == axis else 1 for other in self.ids])
        return found
