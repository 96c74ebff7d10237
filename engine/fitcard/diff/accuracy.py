"""Rule tests and measured runs before and after a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fitcard.calibration.comparison import Comparison, Errors, compare
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.testing.rule_tests import Outcome, RuleTest, computed_values, rule_tests, run_test


@dataclass(frozen=True)
class TestComparison:
    """`broken` pass before and fail now, `mended` the other way round; `new_failures` were not there before."""

    passed_before: int
    failed_before: int
    passed: int
    failed: int
    broken: tuple[Outcome, ...]
    mended: tuple[Outcome, ...]
    new_failures: tuple[Outcome, ...]


@dataclass(frozen=True)
class StatedFigures:
    """How far one quantity is from the figures that tests state: relative errors by test, before and after."""

    name: str
    unit: str
    stated: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    def errors(self, computed: tuple[float, ...]) -> list[float]:
        """The relative error of each figure."""
        return [abs(figure - stated) / abs(stated) for figure, stated in zip(computed, self.stated, strict=True)]


def compare_tests(base: Engine, head: Engine) -> TestComparison:
    """All rule tests of both sides, each run against its own rules."""
    before = {outcome.test.name: outcome for outcome in _outcomes(base)}
    after = {outcome.test.name: outcome for outcome in _outcomes(head)}
    failed = {name: outcome for name, outcome in after.items() if not outcome.passed}
    return TestComparison(
        sum(outcome.passed for outcome in before.values()),
        sum(not outcome.passed for outcome in before.values()),
        len(after) - len(failed),
        len(failed),
        tuple(outcome for name, outcome in failed.items() if name in before and before[name].passed),
        tuple(one for name, one in after.items() if one.passed and name in before and not before[name].passed),
        tuple(outcome for name, outcome in failed.items() if name not in before),
    )


def compare_stated_figures(base: Engine, head: Engine) -> list[StatedFigures]:
    """For each quantity that tests of both sides state in numbers, how far off both are; only where that differs."""
    before = {test.name: test for test in rule_tests(base.rulebook)}
    found: dict[str, list[tuple[float, float, float]]] = {}
    for test in rule_tests(head.rulebook):
        old = before.get(test.name)
        if old is not None and old.data == test.data:
            for name, figures in _stated(base, head, test):
                found.setdefault(name, []).append(figures)
    units = {name: info.unit for name in found if (info := head.default_rules.describe(name))}
    moved = {name: rows for name, rows in found.items() if any(one != other for _, one, other in rows)}
    return [StatedFigures(name, units.get(name, ""), *zip(*rows, strict=True)) for name, rows in moved.items()]


def _outcomes(engine: Engine) -> list[Outcome]:
    return [run_test(engine, test) for test in rule_tests(engine.rulebook)]


def _stated(base: Engine, head: Engine, test: RuleTest) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Each number that a test states, other than 0, with what comes out on both sides."""
    try:
        one, other = (computed_values(engine, test, test.figures) for engine in (base, head))
    except (ProblemsError, KeyError):
        return
    for name, path in test.figures.items():
        stated, old, new = test.data[str(path[2])][name], one[name], other[name]
        stated = stated["printed"] if isinstance(stated, dict) else stated
        if isinstance(old, float) and isinstance(new, float) and isinstance(stated, int | float) and stated:
            yield name, (float(stated), old, new)


@dataclass(frozen=True)
class MeasuredComparison:
    """One quantity by one profile. A side that does not have it is None.

    `points` are the runs of both sides: what was measured, what came out before, and what comes out.
    """

    profile: str
    name: str
    title: str
    before: Errors | None
    after: Errors | None
    points: tuple[tuple[float, float, float], ...]


def compare_measured(base: Engine, head: Engine, profiles: Sequence[tuple[str, str]]) -> list[MeasuredComparison]:
    """Each quantity of either back-test whose errors differ, by each of the profiles: that of base, that of head."""
    return [one for before, after in profiles for one in _by_profile(base, before, head, after)]


def _by_profile(base: Engine, before: str, head: Engine, after: str) -> Iterator[MeasuredComparison]:
    old, new = _compared(base, before), _compared(head, after)
    for name in dict.fromkeys((*new, *old)):
        one, other = old.get(name), new.get(name)
        there = other or one
        assert there is not None
        told = MeasuredComparison(
            after,
            name,
            there.quantity.title,
            one.summary if one else None,
            other.summary if other else None,
            tuple(_points(one, other)) if one and other else (),
        )
        if told.before != told.after:
            yield told


def _compared(engine: Engine, profile: str) -> dict[str, Comparison]:
    """By quantity; none where a run cannot be asked, which `fitcard check` tells."""
    try:
        return {one.quantity.name: one for one in compare(engine, profile)}
    except ProblemsError:
        return {}


def _points(old: Comparison, new: Comparison) -> Iterator[tuple[float, float, float]]:
    before = {entry.id: at for at, entry in enumerate(old.runs.entries)}
    for at, entry in enumerate(new.runs.entries):
        if entry.id in before and old.runs.measured[before[entry.id]] == new.runs.measured[at]:
            yield float(new.runs.measured[at]), float(old.computed[before[entry.id]]), float(new.computed[at])
