"""Every number is finite: proof over the questions of the trials that no rule divides by 0 or reads what is absent."""

from __future__ import annotations

from collections.abc import Iterable

from fitcard.check.trial import Trial
from fitcard.problems import Problem, ProblemsFound


def finite_problems(trials: Iterable[Trial]) -> list[Problem]:
    """The first number of each trial that is not finite; what is wrong in several is said once."""
    problems: dict[tuple[object, ...], Problem] = {}
    for trial in trials:
        try:
            _ = trial.whole
        except ProblemsFound as found:
            for problem in found.problems:
                problems.setdefault((problem.position, problem.code), problem)
    return list(problems.values())
