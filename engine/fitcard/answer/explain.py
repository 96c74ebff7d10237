"""Explanation of the values of a question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fitcard.answer.contradictions import refuse_contradiction
from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import QuestionEvaluator, blame_question
from fitcard.answer.question import Question, unknown_rule
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError


def explain(engine: Engine, question: Question, names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The steps that compute `names`, or all names that the answer shows, in dependency order.

    `current.` names have the values of the question itself. Raises ProblemsError for an unknown name, and for a
    question that contradicts itself.
    """
    evaluator = QuestionEvaluator(with_custom_entries(engine, question.custom_entries), (question,))
    rules, names = evaluator.rules, set(names)
    if unknown := sorted(names - rules.definitions.keys()):
        raise ProblemsError(unknown_rule(name, rules.rule_set) for name in unknown)
    plan = engine.layout_plans[question.profile]
    shown = names or plan.shown.computed
    compared = rules.plan(shown).current
    with blame_question(question):
        (own,) = evaluator.own_rows({*(compared or shown), *plan.contradictions})
        refuse_contradiction(evaluator, question, own)
        if not compared:
            return own.trace(shown)
        current = {name: own.value(name) for name in compared}
        (own,) = evaluator.own_rows(shown, current)
        return own.trace(shown)
