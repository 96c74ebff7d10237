"""Cross-validation: errors and ranges on runs that took no part in a fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fitcard.calibration.comparison import quantile
from fitcard.calibration.fit import Residuals, Sensitivity, Values, fit
from fitcard.calibration.parameters import Spread
from fitcard.calibration.runs import Floats


@dataclass(frozen=True)
class Holdout:
    """Which axis runs are held out by, in how many folds (one for each entry where 0), and how entries are drawn."""

    axis: str
    folds: int
    seed: int


def cross_validate(
    residuals: Residuals,
    seen: Sensitivity,
    whole: Values,
    holdout: Holdout,
    runs_at_least: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Floats:
    """The logarithm of what comes out for each residual by values that were fitted without its fold.

    `whole` are the values fitted to all of them, where each fit begins. Residuals that name no entry of the axis take
    part in every fit, and are computed by those.
    """
    found = residuals.computed(seen.parameters, whole)
    folds = list(_folds(residuals, holdout))
    for number, rows in enumerate(folds):
        others = np.setdiff1d(np.arange(len(residuals)), rows)
        values = fit(residuals, seen, others, runs_at_least, whole)
        found[rows] = residuals.computed(seen.parameters, values)[rows]
        progress(number + 1, len(folds))
    return found


def _folds(residuals: Residuals, holdout: Holdout) -> Iterator[Floats]:
    """The residuals of each fold, by number."""
    named = np.array([str(entry.value(holdout.axis) or "") for entry in residuals.entries])
    entries = sorted({name for name in named if name})
    drawn = np.random.default_rng(holdout.seed).permutation(len(entries))
    for part in np.array_split(drawn, min(holdout.folds or len(entries), len(entries))):
        yield np.flatnonzero(np.isin(named, [entries[at] for at in part]))


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
