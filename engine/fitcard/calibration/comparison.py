"""The back-test: estimates compared with measured runs, and the median error that it allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitcard.calibration.runs import Floats, Runs, all_runs
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.backtest import Quantity
from fitcard.values import WordColumn

MEDIAN = 0.5
NINETIETH = 0.9


class BacktestAim(ProblemCode):
    """Estimates deviate more from measured runs than the back-test allows.

    Why: whoever relies on the published accuracy must learn when it no longer holds.
    Avoid: a change that improves dense models and makes mixtures of experts worse
    Prefer: a change after which `fitcard backtest` is as accurate as before, or a new `median_error_at_most` with the
        reason.
    """


@dataclass(frozen=True)
class Errors:
    """Weighted statistics of errors relative to the measured values.

    `count` is the number of runs, `median` and `ninetieth` are percentiles of the absolute errors, `bias` is the median
    of the signed errors, and `within` has for each threshold of the back-test the share of runs within it.
    """

    count: int
    median: float
    ninetieth: float
    bias: float
    within: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """The runs of one quantity with their estimates in one profile. `near` are the thresholds of the back-test."""

    profile: str
    runs: Runs
    near: tuple[float, ...]
    computed: Floats
    evaluation: Evaluation

    @property
    def quantity(self) -> Quantity:
        """The compared quantity."""
        return self.runs.quantity

    @cached_property
    def errors(self) -> Floats:
        """The relative error of each run; positive if the estimate is above the measured value."""
        return self.computed / self.runs.measured - 1

    @cached_property
    def summary(self) -> Errors:
        """Statistics of all errors."""
        return summarize(self.errors, self.runs.weights, self.near)

    def by(self, name: str) -> Iterator[tuple[str, Errors]]:
        """Statistics by entry of an axis, or by value of a name, in alphabetical order."""
        words = self.words(name)
        for word in sorted(set(words)):
            rows = np.array([other == word for other in words])
            yield word, summarize(self.errors[rows], self.runs.weights[rows], self.near)

    def words(self, name: str) -> list[str]:
        """For each run the entry on an axis, or the value of a name of rules or catalogs; empty if it has none."""
        questions = self.runs.questions
        if name in questions.question_fields.axes:
            entries = (self.evaluation.entry(name, (row,)) for row in range(len(self.runs)))
            return [entry.id if entry else "" for entry in entries]
        try:
            column = self.runs.evaluate(self.evaluation.rules, [name]).columns[name]
        except ProblemsError:  # the runs of this quantity lack an axis, such as the device of a file size
            return [""] * len(self.runs)
        if isinstance(column, WordColumn):
            codes = np.broadcast_to(column.codes, (len(self.runs),))
            return [column.words[code] if code >= 0 else "" for code in codes]
        return [f"{value:g}" for value in np.broadcast_to(np.asarray(column, dtype=float), (len(self.runs),))]


def compare(engine: Engine, profile: str) -> list[Comparison]:
    """A comparison for each quantity of the back-test that has runs; none without a back-test.

    Raises ProblemsError if a run is incomplete.
    """
    backtest = engine.rulebook.backtest
    near = backtest.error_bounds if backtest else ()
    comparisons = []
    for runs in all_runs(engine):
        name, when = runs.quantity.computed, runs.quantity.when
        evaluation = runs.evaluate(engine.rules[profile], [name, *([when] if when else [])])
        computed = np.broadcast_to(np.asarray(evaluation.columns[name], dtype=float), (len(runs),))
        comparisons.append(Comparison(profile, runs, near, computed, evaluation))
    return comparisons


def summarize(errors: Floats, weights: Floats, near: tuple[float, ...]) -> Errors:
    """Weighted statistics of at least one error."""
    absolute = np.abs(errors)
    return Errors(
        count=len(errors),
        median=quantile(absolute, weights, MEDIAN),
        ninetieth=quantile(absolute, weights, NINETIETH),
        bias=quantile(errors, weights, MEDIAN),
        within=tuple(float(np.average(absolute <= threshold, weights=weights)) for threshold in near),
    )


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The weighted quantile, interpolated linearly between the midpoints of the weights."""
    order = np.argsort(values, kind="stable")
    midpoints = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(share * weights.sum(), midpoints, values[order]))


def aim_problems(engine: Engine) -> Iterator[Problem]:
    """The quantities whose median error in the default profile is above `median_error_at_most`.

    Raises ProblemsError if a run is incomplete.
    """
    backtest = engine.rulebook.backtest
    for comparison in compare(engine, engine.rulebook.default_profile) if backtest else ():
        quantity, median = comparison.quantity, comparison.summary.median
        target = quantity.max_median_error
        if backtest and target is not None and median > target:
            message = f"`{quantity.title}`: the median error {median:.1%} exceeds the target {target:.1%}"
            hint = f"`fitcard backtest --worst 5` lists the worst of its {len(comparison.runs)} runs"
            yield backtest.document.problem(BacktestAim, message, quantity.path, key=True, hint=hint)
