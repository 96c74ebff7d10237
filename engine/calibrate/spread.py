"""How far estimates that were not fitted to a run are from it, for most runs of a kind: the range that answers give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from engine.backtest.comparison import quantile
from engine.backtest.runs import Floats
from engine.calibrate.parameters import Spread
from engine.calibrate.residuals import Residuals


def spreads(residuals: Residuals, computed: Floats, wanted: Mapping[str, Spread]) -> Iterator[tuple[str, float, int]]:
    """For each rule that gives a range: its name, the ratio that most errors stay within, and of how many runs.

    A ratio of 1.2 says that so many of the runs lie between the estimate divided by 1.2 and 1.2 times the estimate.
    """
    quantities, apart = np.array(residuals.quantities), np.abs(computed - residuals.measured)
    for label, spread in wanted.items():
        rows = np.isin(quantities, spread.quantities)
        if rows.any():
            ratio = quantile(apart[rows], residuals.roots[rows] ** 2, spread.share)
            yield label, float(np.exp(ratio)), int(rows.sum())
