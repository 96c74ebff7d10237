"""Figures that only one question has: where the rules come to no number with them, it is the question that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fitcard.answer.question import Question
from fitcard.answer.told import BeyondNumbers, told
from fitcard.evaluate.evaluation import NotFinite
from fitcard.problems import ProblemsFound
from fitcard.rulebook.rulebook import Rulebook


@contextmanager
def told_to_the_caller(rulebook: Rulebook, question: Question) -> Iterator[None]:
    """Raises ProblemsFound about what the question sets, in place of one about rules that gave no finite number.

    Where it sets nothing of its own, the rules are wrong, and that is told.
    """
    try:
        yield
    except ProblemsFound as found:
        set_here = [*question.own, *question.overrides]
        if not set_here or any(problem.kind is not NotFinite for problem in found.problems):
            raise
        raise ProblemsFound([told(rulebook, BeyondNumbers, ", ".join(set_here))]) from None
