"""Rule tests and measured runs before and after a change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fitcard.calibration.comparison import Comparison, Errors, compare
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.testing.rule_tests import Outcome, RuleTest, computed_values, rule_tests, run_test

Point = tuple[float, float, float]  # stated or measured, before, after


@dataclass(frozen=True)
class TestComparison:
    """`broken` tests passed before and fail now, `mended` ones the opposite; `new_failures` are new tests that fail."""

    passed_before: int
    failed_before: int
    passed: int
    failed: int
    broken: tuple[Outcome, ...]
    mended: tuple[Outcome, ...]
    new_failures: tuple[Outcome, ...]


@dataclass(frozen=True)
class StatedFigures:
    """The figures of one quantity that tests state, and those computed before and after, by test."""

    name: str
    unit: str
    stated: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]

    def errors(self, computed: tuple[float, ...]) -> list[float]:
        """The relative error of each figure."""
        return [abs(figure - stated) / abs(stated) for figure, stated in zip(computed, self.stated, strict=True)]


def compare_tests(base: Engine, head: Engine) -> TestComparison:
    """The rule tests of both versions, each with its own rules."""
    before, after = _outcomes(base), _outcomes(head)
    failed = {name: outcome for name, outcome in after.items() if not outcome.passed}
    return TestComparison(
        sum(outcome.passed for outcome in before.values()),
        sum(not outcome.passed for outcome in before.values()),
        len(after) - len(failed),
        len(failed),
        tuple(outcome for name, outcome in failed.items() if name in before and before[name].passed),
        tuple(
            outcome for name, outcome in after.items() if outcome.passed and name in before and not before[name].passed
        ),
        tuple(outcome for name, outcome in failed.items() if name not in before),
    )


def _outcomes(engine: Engine) -> dict[str, Outcome]:
    return {test.name: run_test(engine, test) for test in rule_tests(engine.rulebook)}


def compare_stated_figures(base: Engine, head: Engine) -> list[StatedFigures]:
    """The figures stated by tests of both versions, for each quantity with a difference."""
    tests_before = {test.name: test for test in rule_tests(base.rulebook)}
    points: dict[str, list[Point]] = {}
    for test in rule_tests(head.rulebook):
        old = tests_before.get(test.name)
        if old is not None and old.data == test.data:
            for name, point in _stated_points(base, head, test):
                points.setdefault(name, []).append(point)
    units = {name: info.unit for name in points if (info := head.default_rules.describe(name))}
    moved = {name: rows for name, rows in points.items() if any(before != after for _, before, after in rows)}
    return [StatedFigures(name, units.get(name, ""), *zip(*rows, strict=True)) for name, rows in moved.items()]


def _stated_points(base: Engine, head: Engine, test: RuleTest) -> Iterator[tuple[str, Point]]:
    """Each number other than 0 that a test states, with its name; none if a value cannot be computed."""
    try:
        before, after = (computed_values(engine, test, test.figures) for engine in (base, head))
    except (ProblemsError, KeyError):
        return
    for name, path in test.figures.items():
        stated, old, new = test.data[str(path[2])][name], before[name], after[name]
        stated = stated["printed"] if isinstance(stated, dict) else stated
        if isinstance(old, float) and isinstance(new, float) and isinstance(stated, int | float) and stated:
            yield name, (float(stated), old, new)


@dataclass(frozen=True)
class MeasuredComparison:
    """The errors of one quantity in one profile, None where a version lacks it. `points` are runs of both versions."""

    profile: str
    name: str
    title: str
    before: Errors | None
    after: Errors | None
    points: tuple[Point, ...]


def compare_measured(base: Engine, head: Engine, profiles: Sequence[tuple[str, str]]) -> list[MeasuredComparison]:
    """The quantities of either back-test whose errors differ, by each pair of profiles of base and head."""
    return [comparison for before, after in profiles for comparison in _by_profile(base, before, head, after)]


def _by_profile(base: Engine, before: str, head: Engine, after: str) -> Iterator[MeasuredComparison]:
    old_quantities, new_quantities = _comparisons(base, before), _comparisons(head, after)
    for name in dict.fromkeys((*new_quantities, *old_quantities)):
        old, new = old_quantities.get(name), new_quantities.get(name)
        newest = new or old
        assert newest is not None
        errors_before, errors_after = old.summary if old else None, new.summary if new else None
        if errors_before != errors_after:
            points = tuple(_points(old, new)) if old and new else ()
            yield MeasuredComparison(after, name, newest.quantity.title, errors_before, errors_after, points)


def _comparisons(engine: Engine, profile: str) -> dict[str, Comparison]:
    """By quantity; empty if a run is incomplete, which `fitcard check` reports."""
    try:
        return {comparison.quantity.name: comparison for comparison in compare(engine, profile)}
    except ProblemsError:
        return {}


def _points(old: Comparison, new: Comparison) -> Iterator[Point]:
    old_rows = {entry.id: row for row, entry in enumerate(old.runs.entries)}
    for row, entry in enumerate(new.runs.entries):
        old_row = old_rows.get(entry.id)
        if old_row is not None and old.runs.measured[old_row] == new.runs.measured[row]:
            yield float(new.runs.measured[row]), float(old.computed[old_row]), float(new.computed[row])
