"""A sweep as columns in memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitcard.sweep.rows import Rows, compute_rows
from fitcard.sweep.selection import Sweep
from fitcard.values import WordColumn


def sweep_in_memory(sweep: Sweep) -> dict[str, Any]:
    """Each column by its key, as a numpy array: numbers with NaN, conditions, or words with None.

    Raises ProblemsError where a number is not finite.
    """
    parts = [_values(sweep, compute_rows(sweep, number)) for number in range(len(sweep.parts))]
    keys = [column.key for column in sweep.columns]
    return {key: np.concatenate([part[key] for part in parts]) if parts else np.empty(0) for key in keys}


def _values(sweep: Sweep, rows: Rows) -> dict[str, Any]:
    found = {}
    for column in sweep.columns:
        values: Any = rows.columns[column.key]
        if isinstance(values, WordColumn):
            words = np.array([*values.words, None], dtype=object)  # code -1 finds the last
            found[column.key] = words[rows.spread(values.codes)]
        else:
            found[column.key] = rows.spread(values)
    return found
