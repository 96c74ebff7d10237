"""A calibration as a whole: what was fitted, what it does to the errors, and why it may not be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fitcard.calibration.comparison import Errors, summarize
from fitcard.calibration.fit import Residuals, fit, sensitivity
from fitcard.calibration.holdout import Holdout, cross_validate, ranges
from fitcard.calibration.parameters import Parameter, Spread, log_distance, parameters_of, spreads_of
from fitcard.calibration.runs import Floats, all_runs
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.backtest import Backtest

SAME = 1e-3  # nearer than this share a value sits on its bound
DIGITS = 3  # of a value that is written


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
class Fitted:
    """One value of the rules: as it is, as it would be, and how many measured figures tell of it.

    `fitted` is false where too few do. Of the width of a range, `inside` is the share of runs that lie within it where
    those of their own entry took no part.
    """

    parameter: Parameter | Spread
    value: float
    runs: int
    fitted: bool
    inside: float | None = None


@dataclass(frozen=True)
class Change:
    """Errors of one quantity: as it is, with the new values, and where the run took no part in the fit."""

    quantity: str
    before: Errors
    after: Errors
    held_out: Errors


@dataclass(frozen=True)
class Calibration:
    """All of it. `problems` are what speaks against writing the values."""

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
    """Fits the constants and tables of these names, or all that can be fitted, to the runs of the back-test.

    The same runs, names and seed give the same values. Raises ProblemsFound where a run does not say enough.
    """
    backtest = engine.rulebook.backtest
    assert backtest is not None
    rules = engine.rules[profile]
    parameters = [one for one in parameters_of(rules.rule_set) if not names or one.definition.name in names]
    residuals = Residuals(rules, all_runs(engine))
    at_least = backtest.min_runs
    values = fit(residuals, sensitivity(residuals, parameters), np.arange(len(residuals)), at_least)
    near = [replace(one, value=float(value)) for one, value in zip(parameters, values, strict=True)]
    # where the fit ends, the same runs tell of a value wherever it began; without them a value stays as it is written
    seen = replace(sensitivity(residuals, near), parameters=tuple(parameters))
    counts = seen.runs()
    written = [float(f"{value:.{DIGITS}g}") for value in values]
    before = residuals.computed(parameters, [one.value for one in parameters])
    after = residuals.computed(parameters, written)
    without = cross_validate(residuals, seen, values, holdout, at_least, progress)
    fitted = [
        Fitted(one, value, runs, runs >= at_least) for one, value, runs in zip(parameters, written, counts, strict=True)
    ]
    wanted = {
        one.definition.name: one for one in spreads_of(rules.rule_set) if not names or one.definition.name in names
    }
    fitted += [
        Fitted(wanted[name], float(f"{one.ratio:.{DIGITS}g}"), one.runs, one.runs >= at_least, one.inside)
        for name, one in ranges(residuals, without, wanted, holdout.axis)
    ]
    changes = list(_changes(residuals, before, after, without, backtest.error_bounds))
    problems = [*_on_bounds(fitted), *_worse(backtest, changes)]
    return Calibration(tuple(fitted), tuple(changes), tuple(problems))


def _changes(
    residuals: Residuals, before: Floats, after: Floats, without: Floats, near: tuple[float, ...]
) -> Iterator[Change]:
    quantities = np.array(residuals.quantities)
    for name in dict.fromkeys(residuals.quantities):
        rows = quantities == name
        weights = residuals.roots[rows] ** 2
        errors = (np.exp((one - residuals.measured)[rows]) - 1 for one in (before, after, without))
        yield Change(name, *(summarize(one, weights, near) for one in errors))


def _on_bounds(fitted: Sequence[Fitted]) -> Iterator[Problem]:
    for one in fitted:
        parameter = one.parameter
        if isinstance(parameter, Parameter) and one.fitted:
            bounds = (parameter.minimum, parameter.maximum)
            on = [bound for bound in bounds if log_distance(one.value, bound) < SAME]
            if on:
                message = f"`{parameter.label}` ends at its bound {on[0]:g}"
                yield parameter.definition.document.problem(
                    CalibrateOnBound, message, parameter.path, hint="look for an effect that the formula lacks"
                )


def _worse(backtest: Backtest, changes: Sequence[Change]) -> Iterator[Problem]:
    for change in changes:
        quantity = backtest.quantities[change.quantity]
        if quantity.held_out_error is not None and change.held_out.median > quantity.held_out_error + backtest.slack:
            message = (
                f"`{quantity.title}`: the held-out error is {change.held_out.median:.1%}, "
                f"and was {quantity.held_out_error:.1%} in the last fit"
            )
            yield backtest.document.problem(
                CalibrateWorse, message, quantity.path, key=True, hint="fit fewer constants, or add runs"
            )
