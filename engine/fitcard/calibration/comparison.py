"""What the back-test asks of the rules: a median error that is not to be passed."""

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


@dataclass(frozen=True)
class Errors:
    """How far estimates are from what was measured, each as a share of it.

    `count` runs; `median` and `ninetieth` percentile of absolute errors; `bias` is the median of errors with their
    sign; `within` the share of runs that are no farther off than each of the errors that were asked for. All weighed.
    """

    count: int
    median: float
    ninetieth: float
    bias: float
    within: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """One quantity by one profile: its runs, what came out for each, and how."""

    profile: str
    runs: Runs
    near: tuple[float, ...]
    computed: Floats
    evaluation: Evaluation

    @property
    def quantity(self) -> Quantity:
        """What is compared."""
        return self.runs.quantity

    @cached_property
    def errors(self) -> Floats:
        """For each run the estimate beyond what was measured, as a share of that."""
        return self.computed / self.runs.measured - 1

    @cached_property
    def summary(self) -> Errors:
        """All errors in a few numbers."""
        return summarize(self.errors, self.runs.weights, self.near)

    def by(self, name: str) -> Iterator[tuple[str, Errors]]:
        """The same for the runs of each entry of an axis, or of each word that a name gives; in the order of words."""
        words = self.words(name)
        for word in sorted(set(words)):
            chosen = np.array([one == word for one in words])
            yield word, summarize(self.errors[chosen], self.runs.weights[chosen], self.near)

    def words(self, name: str) -> list[str]:
        """What each run has on an axis, or for a word of the rules or catalogs; empty where it names no such thing."""
        asked = self.runs.asked
        if name in asked.question_fields.axes:
            entries = (self.evaluation.entry(name, (at,)) for at in range(len(self.runs)))
            return [entry.id if entry else "" for entry in entries]
        try:
            column = self.runs.evaluate(self.evaluation.rules, [name]).columns[name]
        except ProblemsError:  # such as the maker of a device, of the size of a file
            return [""] * len(self.runs)
        if isinstance(column, WordColumn):
            codes = np.broadcast_to(column.codes, (len(self.runs),))
            return [column.words[code] if code >= 0 else "" for code in codes]
        return [f"{value:g}" for value in np.broadcast_to(np.asarray(column, dtype=float), (len(self.runs),))]


def compare(engine: Engine, profile: str) -> list[Comparison]:
    """Each quantity of the back-test of a rulebook by one profile; none where it has no back-test or no runs.

    Raises ProblemsFound where a run does not say enough to be asked.
    """
    return [compare_runs(engine, profile, runs) for runs in all_runs(engine)]


def compare_runs(engine: Engine, profile: str, runs: Runs) -> Comparison:
    """One quantity by one profile."""
    name, when = runs.quantity.computed, runs.quantity.when
    evaluation = runs.evaluate(engine.rules[profile], [name, *([when] if when else [])])
    computed = np.broadcast_to(np.asarray(evaluation.columns[name], dtype=float), (len(runs),))
    backtest = engine.rulebook.backtest
    near = backtest.error_bounds if backtest else ()
    return Comparison(profile, runs, near, computed, evaluation)


def summarize(errors: Floats, weights: Floats, near: tuple[float, ...]) -> Errors:
    """Errors, one at the least, with their weights in a few numbers."""
    absolute = np.abs(errors)
    return Errors(
        count=len(errors),
        median=quantile(absolute, weights, MEDIAN),
        ninetieth=quantile(absolute, weights, NINETIETH),
        bias=quantile(errors, weights, MEDIAN),
        within=tuple(float(np.average(absolute <= one, weights=weights)) for one in near),
    )


def quantile(values: Floats, weights: Floats, share: float) -> float:
    """The value below which this share of the weights lies, between two values in proportion."""
    order = np.argsort(values, kind="stable")
    reach = np.cumsum(weights[order]) - weights[order] * MEDIAN
    return float(np.interp(share * weights.sum(), reach, values[order]))


class BacktestAim(ProblemCode):
    """Estimates deviate more from measured runs than the back-test allows.

    Why: whoever relies on the published accuracy must learn when it no longer holds.
    Avoid: a change that improves dense models and makes mixtures of experts worse
    Prefer: a change after which `fitcard backtest` is as accurate as before, or a new `median_error_at_most` with the
        reason.
    """


def aim_problems(engine: Engine) -> Iterator[Problem]:
    """The quantities whose median error by the default profile is above `median_error_at_most`.

    Raises ProblemsFound where a run does not say enough to be asked.
    """
    backtest = engine.rulebook.backtest
    for one in compare(engine, engine.rulebook.default_profile) if backtest else ():
        aim, median = one.quantity.max_median_error, one.summary.median
        if backtest and aim is not None and median > aim:
            message = f"`{one.quantity.title}`: the median error {median:.1%} exceeds the target {aim:.1%}"
            hint = f"`fitcard backtest --worst 5` lists the worst of its {len(one.runs)} runs"
            yield backtest.document.problem(BacktestAim, message, one.quantity.path, key=True, hint=hint)
