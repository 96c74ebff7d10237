"""What the rule tests and the back-test reach of the rules of all profiles."""

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
    """All parts of the rules of all profiles, and which of them were reached."""

    parts: tuple[CoveragePart, ...]
    reached: frozenset[Key]

    @property
    def missing(self) -> list[CoveragePart]:
        """What no test reaches, in the order of files and lines."""
        return sorted((part for part in self.parts if part.key not in self.reached), key=lambda part: part.key)

    def warnings(self) -> list[Problem]:
        """One for each part that is missing."""
        return [part.warning(TestCoverage, f"no test covers {part.what}") for part in self.missing]

    @property
    def share(self) -> float:
        """The share of all parts that is reached; 1 where there are none."""
        return 1 - len(self.missing) / len(self.parts) if self.parts else 1


def coverage(engine: Engine, rows: Iterable[Row]) -> Coverage:
    """What these rows, the questions of tests, and the measured runs of the back-test reach of the rules."""
    parts = {
        part.key: part
        for rule_set in engine.rulebook.rule_sets.values()
        for definition in rule_set.definitions.values()
        for part in coverage_parts(definition)
    }
    return Coverage(tuple(parts.values()), frozenset(covered_by(engine, rows)))


def covered_by(engine: Engine, rows: Iterable[Row], names: Container[str] | None = None) -> Iterator[Key]:
    """What these rows reach, then what measured runs do, one after another; of the rules with these `names` alone."""
    for row in rows:
        yield from covered(row.evaluation, row.index, names)
    for profile in engine.rules:
        for one in compare(engine, profile):
            yield from covered(one.evaluation, names=names)
