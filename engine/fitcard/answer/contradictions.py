"""Refusal of questions that contradict themselves, as the layout defines them under `contradictions`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.answer.evaluator import QuestionEvaluator, Row
from fitcard.answer.problems import InputsContradict, question_problem
from fitcard.answer.question import Question
from fitcard.answer.render import RendererFactory
from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.layout import Contradiction
from fitcard.values import whole_as_int


def refuse_contradiction(evaluator: QuestionEvaluator, question: Question, own: Row) -> None:
    """Raises ProblemsError if the question of a row contradicts itself, with a problem for each contradiction.

    The row has the values of `LayoutPlan.contradictions`.
    """
    contradictions = evaluator.engine.rulebook.layout.contradictions
    holding = [each for each in contradictions if own.value(each.when.name)]
    if holding:
        values = _values(evaluator, own.evaluation, own.index)
        raise ProblemsError(_problem(evaluator.engine, question, each, values) for each in holding)


def refuse_batch(engine: Engine, question: Question, batch: QuestionBatch) -> None:
    """Raises ProblemsError if all questions of a batch contradict themselves, with the problems of the first.

    They have the profile, the inputs and the overrides of `question`.
    """
    evaluator = QuestionEvaluator(engine, (question,))
    if names := engine.layout_plans[question.profile].contradictions:
        values = evaluator.fixed_values
        refuse_all(evaluator, question, evaluate(evaluator.rules, batch, names, question.inputs, values))


def refuse_all(evaluator: QuestionEvaluator, question: Question, evaluation: Evaluation) -> NDArray[np.bool_]:
    """Whether the question of each row contradicts itself, in the shape of the batch.

    Raises ProblemsError like `refuse_batch`.
    """
    refused = np.zeros(evaluation.batch.shape, dtype=bool)
    for contradiction in evaluator.engine.rulebook.layout.contradictions:
        refused |= np.asarray(evaluation.columns[contradiction.when.name], dtype=bool)
    if refused.size and refused.all():
        refuse_contradiction(evaluator, question, Row(evaluation, (0,) * refused.ndim))
    return refused


def _values(evaluator: QuestionEvaluator, evaluation: Evaluation, index: Index) -> dict[str, Any]:
    """The values that sentences of contradictions may show."""
    names = evaluator.engine.layout_plans[evaluator.questions[0].profile].contradictions
    return {**evaluator.facts, **evaluation.rows([index], names)[0]}


def _problem(engine: Engine, question: Question, contradiction: Contradiction, values: Mapping[str, Any]) -> Problem:
    rulebook, field = engine.rulebook, contradiction.field
    factory = RendererFactory(rulebook.layout, rulebook.rule_sets[question.profile], rulebook.messages)
    given = whole_as_int(question.inputs[field]) if field in question.inputs else question.entries.get(field, "")
    return question_problem(InputsContradict, field, given, what=factory.sentence(contradiction.sentence.key)(values))
