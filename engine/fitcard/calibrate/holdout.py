"""How near estimates come where the runs of a device, or of a model, took no part in the fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fitcard.backtest.runs import Floats
from fitcard.calibrate.fit import Sensitivity, fit
from fitcard.calibrate.residuals import Residuals, Values


@dataclass(frozen=True)
class Holdout:
    """Which axis runs are held out by, in how many folds (one for each entry where 0), and how entries are drawn."""

    axis: str
    folds: int
    seed: int


def held_out(
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
