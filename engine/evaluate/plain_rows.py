"""Rows as plain values by name: what an answer shows of what was evaluated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from engine.columns import Column, WordColumn, cell
from engine.evaluate.evaluation import Evaluation, Index
from engine.rounding import plain_number


def plain_rows(evaluation: Evaluation, cells: Sequence[Index], names: Collection[str]) -> list[dict[str, Any]]:
    """The values of `names` at each of these cells, whole numbers without a decimal point; None where one is absent."""
    columns = evaluation.columns
    if len(cells) == 1:
        return [{name: _plain(columns[name], cells[0]) for name in names}]
    places = np.array([place for place, *_ in cells], dtype=np.intp)
    found = [_all_plain(columns[name], cells, places) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*found, strict=True)]


def _plain(column: Column, index: Index) -> Any:
    if isinstance(column, float):  # the same for all, as most are
        return _number(column)
    return plain_number(cell(column, index))


def _all_plain(column: Column, cells: Sequence[Index], places: Any) -> list[Any]:
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if not isinstance(data, np.ndarray) or data.size == 1:
        return [_plain(column, cells[0])] * len(cells) if cells else []
    if data.ndim > 1:
        return [_plain(column, index) for index in cells]
    chosen = data[places].tolist()
    if isinstance(column, WordColumn):
        words = (*column.words, None)  # the last for a word that is absent
        return [words[code] for code in chosen]
    return chosen if data.dtype == bool else [_number(number) for number in chosen]


def _number(number: float) -> float | int | None:
    if number != number:  # noqa: PLR0124 - NaN is not itself
        return None
    return int(number) if number.is_integer() else float(number)
