"""How far estimates that were not fitted to a run are from it, for most runs of a kind: the range that answers give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fitcard.backtest.comparison import quantile
from fitcard.backtest.runs import Floats
from fitcard.calibrate.parameters import Spread
from fitcard.calibrate.residuals import Residuals


@dataclass(frozen=True)
class Range:
    """How wide a range is: the `ratio` that most errors stay within, and of how many runs.

    A ratio of 1.2 says that so many of the runs lie between the estimate divided by 1.2 and 1.2 times the estimate.
    `inside` is the share, of all weights, of runs that lie within a range made without the runs of their own entry:
    what a new one can expect.
    """

    ratio: float
    runs: int
    inside: float


def ranges(
    residuals: Residuals, computed: Floats, wanted: Mapping[str, Spread], axis: str
) -> Iterator[tuple[str, Range]]:
    """For each constant that says how wide a range is: its name, and the range; `axis` is what runs are held out by."""
    quantities, apart = np.array(residuals.quantities), np.abs(computed - residuals.measured)
    weights, entries = residuals.roots**2, np.array([str(entry.value(axis) or "") for entry in residuals.entries])
    for label, spread in wanted.items():
        rows = np.isin(quantities, spread.quantities)
        if rows.any():
            inside = np.zeros(len(residuals), dtype=bool)
            for one in set(entries[rows]):
                its, others = rows & (entries == one), rows & (entries != one)
                made_of = others if others.any() else its
                inside[its] = apart[its] <= quantile(apart[made_of], weights[made_of], spread.share)
            ratio = quantile(apart[rows], weights[rows], spread.share)
            share = float(np.average(inside[rows], weights=weights[rows]))
            yield label, Range(float(np.exp(ratio)), int(rows.sum()), share)
