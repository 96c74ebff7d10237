"""The explanation of single numbers of an answer, and of questions whose own figures give no finite number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import QuestionEvaluator
from fitcard.answer.problems import BeyondNumbers, question_problem
from fitcard.answer.question import Question, unknown_rule
from fitcard.compiler.engine import Engine
from fitcard.compiler.finite import NotFinite
from fitcard.problems import ProblemsError


@contextmanager
def blame_question(question: Question) -> Iterator[None]:
    """Raises ProblemsFound about what the question sets, in place of one about rules that gave no finite number.

    Where it sets nothing of its own, the rules are wrong, and that is told.
    """
    try:
        yield
    except ProblemsError as found:
        set_here = [*question.custom_entries, *question.overrides]
        if not set_here or any(problem.kind is not NotFinite for problem in found.problems):
            raise
        raise ProblemsError([question_problem(BeyondNumbers, ", ".join(set_here))]) from None


def explain(engine: Engine, question: Question, names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The trace of these names, or of all that the answer shows where none is named; what is read comes first.

    What compares a row with the question is explained for the question itself, beside which nothing is better.
    Raises ProblemsError for an unknown name.
    """
    evaluator = QuestionEvaluator(with_custom_entries(engine, question.custom_entries), (question,))
    rules, wanted = evaluator.rules, set(names)
    unknown = sorted(name for name in wanted if name not in rules.definitions)
    if unknown:
        raise ProblemsError(unknown_rule(name, rules.rule_set) for name in unknown)
    shown = wanted or engine.layout_plans[question.profile].shown.computed
    compared = rules.plan(shown).current
    with blame_question(question):
        (own,) = evaluator.own_rows({*compared} if compared else shown)
        if not compared:
            return own.trace(shown)
        current = {name: own.value(name) for name in compared}
        (own,) = evaluator.own_rows(shown, current)
        return own.trace(shown)
