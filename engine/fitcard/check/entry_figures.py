"""Figures of the entries of one catalog as columns: their own, those of entries that they name, and days in years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.columns import ABSENT, Column, Kind
from fitcard.evaluate.program import run_expression
from fitcard.rulebook.catalogs import Catalog
from fitcard.rulebook.expression import Expression
from fitcard.rulebook.fields import IN_YEARS, Field
from fitcard.rulebook.rulebook import Rulebook


@dataclass(frozen=True)
class EntryFigures:
    """What names mean for the entries of one catalog, with a row for each of them."""

    rulebook: Rulebook
    catalog: Catalog

    def field(self, name: str) -> Field | None:
        """The field that a name stands for: of the entry itself, or of the one that it names."""
        if name in self.catalog.fields:
            return self.catalog.fields[name]
        reference, _, rest = name.partition(".")
        field = self.catalog.fields.get(reference)
        return self.rulebook.catalogs[field.entry_of].fields.get(rest) if field and field.entry_of else None

    def kind(self, name: str) -> Kind | None:
        """Days are numbers here; None for a name that is unknown."""
        field = self.field(name)
        if field is None:
            return None
        return Kind.NUMBER if field.day else field.kind

    def column(self, name: str) -> Any:
        """One value for each entry; NaN where it is absent."""
        if name in self.catalog.fields:
            return _column(self.catalog, name)
        reference, _, rest = name.partition(".")
        there = self.rulebook.catalogs[self.catalog.fields[reference].entry_of]
        words = [entry.value(reference) for entry in self.catalog.entries.values()]
        rows = np.array([ABSENT if word is None else there.index[word] for word in words], dtype=np.int64)
        column = np.asarray(_column(there, rest))
        return np.where(rows == ABSENT, column.dtype.type(False) if column.dtype == bool else np.nan, column[rows])

    def values(self, expression: Expression) -> Any:
        """What an expression gives for each entry; NaN where a figure that it reads is absent, or nothing comes out."""
        columns = {name: self.column(name) for name in expression.names}
        shape = (len(self.catalog.ids),)
        return np.broadcast_to(np.asarray(run_expression(expression, columns)), shape)


def _column(catalog: Catalog, name: str) -> Column:
    return catalog.column(f"{name}.{IN_YEARS}" if catalog.fields[name].day else name)
