"""Calibration: fits parameters to measured runs, and cross-validates the fit with runs that took no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fitcard.calibration.comparison import Errors, quantile, summarize
from fitcard.calibration.fit import Residuals, Sensitivity, Values, fit, sensitivity
from fitcard.calibration.parameters import Parameter, Spread, log_distance, parameters_of, spreads_of
from fitcard.calibration.runs import Floats, all_runs
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.backtest import Backtest

BOUND_TOLERANCE = 1e-3  # relative distance up to which a value is on its bound
DIGITS = 3  # significant digits of a value that is written


class CalibrateOnBound(ProblemCode):
    """A fitted value ends at one of the bounds of its fit.

    Why: the runs pull the value beyond what is physically plausible: either the bound or the formula is wrong.
    Avoid: widening `calibrate: {minimum: 0.2, maximum: 1}` of `weights_efficiency`, a share of the peak bandwidth
    Prefer: a formula that accounts for the missing effect, such as a fixed time per layer.
    """


class CalibrateWorse(ProblemCode):
    """Held-out runs are estimated worse than by the last fit, whose error the back-test records.

    Why: the fit follows the runs it has seen at the expense of those it has not: it overfits.
    Avoid: a table with one row per device
    Prefer: fewer constants, or more measured runs.
    """


@dataclass(frozen=True)
class Holdout:
    """Cross-validation by the entries of an axis in a number of folds; 0 means one fold for each entry."""

    axis: str
    folds: int
    seed: int


@dataclass(frozen=True)
class Fitted:
    """The new value of a parameter, and the number of measured figures that depend on it.

    `fitted` is false if these are too few. `inside` is the share of held-out runs within a range; None if the
    parameter is not a Spread.
    """

    parameter: Parameter | Spread
    value: float
    runs: int
    fitted: bool
    inside: float | None = None


@dataclass(frozen=True)
class Change:
    """The errors of one quantity with the current values, with the new ones, and on held-out runs."""

    quantity: str
    before: Errors
    after: Errors
    held_out: Errors


@dataclass(frozen=True)
class Calibration:
    """The fitted values and the change of errors. If there are `problems`, the values should not be written."""

    values: tuple[Fitted, ...]
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]


def calibrate(
    engine: Engine,
    profile: str,
    names: Sequence[str],
    holdout: Holdout,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibration:
    """Fits the constants and tables of these names, or all that declare `calibrate`, to the runs of the back-test.

    Deterministic: the same runs, names and seed give the same values. Raises ProblemsError if a run is incomplete.
    """
    backtest = engine.rulebook.backtest
    assert backtest is not None
    rules = engine.rules[profile]
    parameters = [
        parameter for parameter in parameters_of(rules.rule_set) if not names or parameter.definition.name in names
    ]
    spreads = [spread for spread in spreads_of(rules.rule_set) if not names or spread.definition.name in names]
    residuals = Residuals(rules, all_runs(engine))
    min_runs = backtest.min_runs
    values = fit(residuals, sensitivity(residuals, parameters), np.arange(len(residuals)), min_runs)
    moved = [replace(parameter, value=float(value)) for parameter, value in zip(parameters, values, strict=True)]
    # Sensitivities at the fitted values, so that they do not depend on the start; values without runs stay as written.
    sensitivities = replace(sensitivity(residuals, moved), parameters=tuple(parameters))
    counts = sensitivities.runs()
    rounded = [_round(value) for value in values]
    before = residuals.computed(parameters, [parameter.value for parameter in parameters])
    after = residuals.computed(parameters, rounded)
    held_out = _cross_validate(residuals, sensitivities, values, holdout, min_runs, progress)
    fitted = [
        Fitted(parameter, value, runs, runs >= min_runs)
        for parameter, value, runs in zip(parameters, rounded, counts, strict=True)
    ]
    fitted += _fit_spreads(residuals, held_out, spreads, holdout.axis, min_runs)
    changes = list(_changes(residuals, before, after, held_out, backtest.error_bounds))
    problems = [*_on_bounds(fitted), *_worse(backtest, changes)]
    return Calibration(tuple(fitted), tuple(changes), tuple(problems))


def _round(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _cross_validate(
    residuals: Residuals,
    sensitivities: Sensitivity,
    start: Values,
    holdout: Holdout,
    min_runs: int,
    progress: Callable[[int, int], None],
) -> Floats:
    """The logarithm of each estimate with values that are fitted without its fold, from the same `start`.

    Residuals that name no entry of the axis take part in every fit, and are computed with the values of `start`.
    """
    computed = residuals.computed(sensitivities.parameters, start)
    folds = list(_folds(residuals, holdout))
    for number, rows in enumerate(folds):
        others = np.setdiff1d(np.arange(len(residuals)), rows)
        values = fit(residuals, sensitivities, others, min_runs, start)
        computed[rows] = residuals.computed(sensitivities.parameters, values)[rows]
        progress(number + 1, len(folds))
    return computed


def _folds(residuals: Residuals, holdout: Holdout) -> Iterator[Floats]:
    """The row numbers of the residuals of each fold."""
    names = np.array([str(entry.value(holdout.axis) or "") for entry in residuals.entries])
    entries = sorted({name for name in names if name})
    shuffled = np.random.default_rng(holdout.seed).permutation(len(entries))
    for part in np.array_split(shuffled, min(holdout.folds or len(entries), len(entries))):
        yield np.flatnonzero(np.isin(names, [entries[number] for number in part]))


def _fit_spreads(
    residuals: Residuals, held_out: Floats, spreads: Sequence[Spread], axis: str, min_runs: int
) -> Iterator[Fitted]:
    """The ratio within which the share of a spread of all errors lies: a ratio of 1.2 means between the estimate
    divided by 1.2 and 1.2 times the estimate. `held_out` are logarithms of estimates.

    `inside` is the weighted share of runs within the ratio that the runs of other entries of the axis give, which is
    what a new entry can expect.
    """
    quantities, distances = np.array(residuals.quantities), np.abs(held_out - residuals.measured)
    weights, entries = residuals.roots**2, np.array([str(entry.value(axis) or "") for entry in residuals.entries])
    for spread in spreads:
        rows = np.isin(quantities, spread.quantities)
        if not rows.any():
            continue
        inside = np.zeros(len(residuals), dtype=bool)
        for entry in set(entries[rows]):
            own, others = rows & (entries == entry), rows & (entries != entry)
            reference = others if others.any() else own
            inside[own] = distances[own] <= quantile(distances[reference], weights[reference], spread.share)
        ratio = float(np.exp(quantile(distances[rows], weights[rows], spread.share)))
        runs, share = int(rows.sum()), float(np.average(inside[rows], weights=weights[rows]))
        yield Fitted(spread, _round(ratio), runs, runs >= min_runs, share)


def _changes(
    residuals: Residuals, before: Floats, after: Floats, held_out: Floats, near: tuple[float, ...]
) -> Iterator[Change]:
    quantities = np.array(residuals.quantities)
    for name in dict.fromkeys(residuals.quantities):
        rows = quantities == name
        weights = residuals.roots[rows] ** 2
        errors = (np.exp((computed - residuals.measured)[rows]) - 1 for computed in (before, after, held_out))
        yield Change(name, *(summarize(of_rows, weights, near) for of_rows in errors))


def _on_bounds(fitted: Sequence[Fitted]) -> Iterator[Problem]:
    for value in fitted:
        parameter = value.parameter
        if isinstance(parameter, Parameter) and value.fitted:
            for bound in (parameter.minimum, parameter.maximum):
                if log_distance(value.value, bound) < BOUND_TOLERANCE:
                    message = f"`{parameter.label}` ends at its bound {bound:g}"
                    hint = "look for an effect that the formula lacks"
                    yield parameter.definition.document.problem(CalibrateOnBound, message, parameter.path, hint=hint)
                    break


def _worse(backtest: Backtest, changes: Sequence[Change]) -> Iterator[Problem]:
    for change in changes:
        quantity = backtest.quantities[change.quantity]
        if quantity.held_out_error is not None and change.held_out.median > quantity.held_out_error + backtest.slack:
            message = (
                f"`{quantity.title}`: the held-out error is {change.held_out.median:.1%}, "
                f"and was {quantity.held_out_error:.1%} in the last fit"
            )
            hint = "fit fewer constants, or add runs"
            yield backtest.document.problem(CalibrateWorse, message, quantity.path, key=True, hint=hint)
