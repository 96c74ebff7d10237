"""What a table gives for a column of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.columns import Column, Kind, WordColumn
from engine.rulebook.definitions import Table
from engine.rulebook.tables import Bands, Knots, Lookup, ValueOf, word_column


def table_value(table: Table, names: Mapping[str, Any]) -> Column:
    """The column of results; NaN, or an absent word, where the input is absent and there is no `otherwise`."""
    column = names[table.input]
    if isinstance(table.rows, Knots):
        return table.rows.at(column)
    if isinstance(table.rows, Lookup):
        return _look_up(table, table.rows, column, names)
    return _band(table, table.rows, column)


def _band(table: Table, bands: Bands, column: Any) -> Column:
    places = bands.place(column)
    if table.kind is Kind.WORD:
        return word_column(bands.results, places)
    numbers = np.array(bands.results, dtype=float)[places]
    return np.where(np.isnan(column), np.nan, numbers)  # an absent input sorts last; it must not take the last band


def _look_up(table: Table, lookup: Lookup, column: WordColumn, names: Mapping[str, Any]) -> Column:
    results = [*(lookup.rows.get(word, lookup.otherwise) for word in column.words), lookup.otherwise]  # -1: the last
    if table.kind is Kind.WORD:
        return word_column(tuple(str(result) for result in results), column.codes)
    numbers = np.array([result if isinstance(result, float) else np.nan for result in results])[column.codes]
    taken = {result.name for result in results if isinstance(result, ValueOf)}
    for name in taken:
        here = np.array([isinstance(result, ValueOf) and result.name == name for result in results])[column.codes]
        numbers = np.where(here, names[name], numbers)
    return numbers
