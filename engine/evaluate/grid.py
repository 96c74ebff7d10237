"""A grid: which entries of each catalog are asked about. Each axis is one dimension; broadcasting does the rest.

An axis that is not asked about, and whose entry a table chooses for each question, takes no dimension of its own: its
figures lie along the axes that the table goes by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.columns import Column, WordColumn
from engine.rulebook.catalogs import Catalog
from engine.rulebook.subject import Subject


@dataclass(frozen=True)
class Grid:
    """`ids` by axis, in the order of the subject's axes; an axis that is not asked about is not there."""

    subject: Subject
    catalogs: Mapping[str, Catalog]
    ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, subject: Subject, catalogs: Mapping[str, Catalog], ids: Mapping[str, Sequence[str]]) -> Grid:
        """The grid over these entries, whatever the order of `ids`."""
        return cls(subject, catalogs, {axis: tuple(ids[axis]) for axis in subject.axes if axis in ids})

    @property
    def shape(self) -> tuple[int, ...]:
        """How many entries there are on each axis."""
        return tuple(len(ids) for ids in self.ids.values())

    def catalog(self, axis: str) -> Catalog:
        """The catalog whose entries lie on an axis."""
        return self.catalogs[self.subject.axes[axis].catalog]

    def column(self, name: str) -> Column:
        """The catalog field `axis.field`, lying along its axis."""
        axis, _, field = name.partition(".")
        catalog, ids = self.catalog(axis), self.ids[axis]
        whole = catalog.columns[field]
        shape = tuple(len(ids) if other == axis else 1 for other in self.ids)
        if ids == catalog.ids:
            rows: slice | list[int] = slice(None)
        else:
            rows = [catalog.index[entry] for entry in ids]
        if isinstance(whole, WordColumn):
            return WordColumn(whole.codes[rows].reshape(shape), whole.words)
        column: Column = np.asarray(whole)[rows].reshape(shape)
        return column

    def chosen_column(self, name: str, entries: WordColumn) -> Column:
        """The catalog field `axis.field` of the entry that is chosen in each cell.

        Raises KeyError for an entry that the catalog lacks.
        """
        axis, _, field = name.partition(".")
        catalog = self.catalog(axis)
        rows = np.array([catalog.index[entry] for entry in entries.words])[entries.codes]
        whole = catalog.columns[field]
        if isinstance(whole, WordColumn):
            return WordColumn(whole.codes[rows], whole.words)
        column: Column = np.asarray(whole)[rows]
        return column

    def row(self, index: tuple[int, ...]) -> dict[str, str]:
        """The id on each axis at one cell."""
        return {axis: ids[at] for (axis, ids), at in zip(self.ids.items(), index, strict=True)}
