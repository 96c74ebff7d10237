"""Coverage of the rules of all profiles by the rule tests and the back-test."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from fitcard.answer.evaluator import Row
from fitcard.calibration.comparison import compare
from fitcard.compiler.coverage import CoveragePart, Key, coverage_parts, covered
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemCode


class TestCoverage(ProblemCode):
    """No rule test covers a formula, a branch of a condition, or a row of a table.

    Why: changes there would go unnoticed.
    Avoid: rules without tests
    Prefer: a test whose question reaches that branch or row.
    """


@dataclass(frozen=True)
class Coverage:
    """The parts of the rules of all profiles, and the keys of those that were evaluated."""

    parts: tuple[CoveragePart, ...]
    covered_keys: frozenset[Key]

    @property
    def missing(self) -> list[CoveragePart]:
        """The parts that no test covers, by file and line."""
        return sorted((part for part in self.parts if part.key not in self.covered_keys), key=lambda part: part.key)

    def warnings(self) -> list[Problem]:
        """A problem for each missing part."""
        return [part.warning(TestCoverage, f"no test covers {part.what}") for part in self.missing]

    @property
    def share(self) -> float:
        """The fraction of parts that are covered; 1 if there are none."""
        return 1 - len(self.missing) / len(self.parts) if self.parts else 1


def coverage(engine: Engine, rows: Iterable[Row]) -> Coverage:
    """The coverage by these rows, those of rule tests, and by the measured runs of the back-test."""
    parts = {
        part.key: part
        for rule_set in engine.rulebook.rule_sets.values()
        for definition in rule_set.definitions.values()
        for part in coverage_parts(definition)
    }
    return Coverage(tuple(parts.values()), frozenset(covered_by(engine, rows)))


def covered_by(engine: Engine, rows: Iterable[Row], names: Container[str] | None = None) -> Iterator[Key]:
    """The parts covered by these rows, then by measured runs, evaluated lazily; only of rules with these `names`."""
    for row in rows:
        yield from covered(row.evaluation, row.index, names)
    for profile in engine.rules:
        for comparison in compare(engine, profile):
            yield from covered(comparison.evaluation, names=names)
