"""Rows as plain values by name: what an answer shows of what was evaluated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from fitcard.compiler.evaluation import Evaluation, Index
from fitcard.values import ABSENT, Column, WordColumn, cell, whole_as_int


def rows_as_dicts(evaluation: Evaluation, cells: Sequence[Index], names: Collection[str]) -> list[dict[str, Any]]:
    """The values of `names` at each of these cells, whole numbers without a decimal point; None where one is absent."""
    columns = evaluation.columns
    if not cells:
        return []
    if len(cells) == 1:
        return [{name: _plain(columns[name], cells[0]) for name in names}]
    places = np.array([place for place, *_ in cells], dtype=np.intp)
    found = [_all_plain(columns[name], cells, places) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*found, strict=True)]


def _plain(column: Column, index: Index) -> Any:
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if isinstance(data, np.ndarray):
        if data.ndim != 1:
            return whole_as_int(cell(column, index))
        data = data.item(index[0] if data.size > 1 else 0)
    if isinstance(column, WordColumn):
        return column.words[data] if data != ABSENT else None
    if isinstance(data, float):
        return None if data != data else int(data) if data.is_integer() else float(data)  # noqa: PLR0124 - NaN
    return bool(data)


def _all_plain(column: Column, cells: Sequence[Index], places: Any) -> list[Any]:
    """The same at many cells; written out, for a call for each value would take most of the time of an answer."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if not isinstance(data, np.ndarray) or data.size == 1:
        return [_plain(column, cells[0])] * len(cells)
    if data.ndim > 1:
        return [_plain(column, index) for index in cells]
    values = data[places].tolist()
    if isinstance(column, WordColumn):
        words = (*column.words, None)  # code -1, an absent word, finds the last
        return [words[code] for code in values]
    if data.dtype.kind != "f":
        return list(values)
    return [
        None if value != value else int(value) if value.is_integer() else value  # noqa: PLR0124 - NaN is not itself
        for value in values
    ]
