"""What the rulebook pins is there: each question can be asked, and each name stands for something."""

from __future__ import annotations

from collections.abc import Iterator

from fitcard.answer.question import read_question
from fitcard.closest import closest
from fitcard.problems import Problem, ProblemsFound
from fitcard.rulebook.names import NameUnknown
from fitcard.rulebook.rulebook import Rulebook


def pinned_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Pinned questions that cannot be asked, and pinned names that no rule has."""
    document, rules = rulebook.document, rulebook.rule_set
    for number, question in enumerate(rulebook.pinned.questions):
        try:
            read_question(rulebook, question)
        except ProblemsFound as found:
            for problem in found.problems:
                place = ("pinned", "questions", number, problem.field)
                yield document.problem(problem.kind, problem.message, place, closest=problem.closest)
    for number, name in enumerate(rulebook.pinned.names):
        if name not in rules.definitions:
            near = closest(name, rules.definitions)
            path = ("pinned", "names", number)
            yield document.problem(NameUnknown, f"there is no rule `{name}`", path, closest=near)
