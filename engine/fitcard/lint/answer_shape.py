"""What readers of an answer rely on: its shape is that of its schema, and no text that they need is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fitcard.answer.labels import LABELS
from fitcard.answer.problem_documents import TITLES
from fitcard.answer.problems import QUESTION_TEXTS, REQUEST_TEXTS
from fitcard.answer.question import Question
from fitcard.answer.render import answer_question
from fitcard.compiler.engine import Engine
from fitcard.lint.messages import text_problems
from fitcard.problems import Problem, ProblemCode


class AnswerShape(ProblemCode):
    """The layout produces answers that do not match `answer.schema.json`.

    Why: pages and other callers rely on the schema.
    Avoid: `grade: score`, where the schema says that `grade` is a word
    Prefer: changing the layout and the schema together.
    """


ANSWER = "answer"
MAX_SAMPLES = 24  # questions, spread over the catalogs


def answer_problems(engine: Engine) -> Iterator[Problem]:
    """Where answers do not have the shape of `answer.schema.json`, and texts that a caller would be missing."""
    rulebook = engine.rulebook
    texts = {"problems": {**QUESTION_TEXTS, **REQUEST_TEXTS, **TITLES}, "labels": LABELS}
    yield from text_problems(rulebook, texts)
    document = rulebook.layout.document
    told: set[tuple[str, ...]] = set()
    for answered in _rich_answers(engine):
        if rulebook.schemas.fits(answered, ANSWER):
            continue
        for error in rulebook.schemas.validator(ANSWER).iter_errors(answered):
            steps = tuple(step for step in error.absolute_path if isinstance(step, str))
            if steps in told:
                continue
            told.add(steps)
            message = f"`{'.'.join([ANSWER, *steps])}` does not match {ANSWER}.schema.json: {error.message}"
            hint = "change the layout and the schema together"
            yield document.problem(AnswerShape, message, (ANSWER, *steps), key=True, hint=hint)


def _rich_answers(engine: Engine) -> Iterator[dict[str, Any]]:
    """Answers whose lists hold something, for an empty one shows no shape: the first, and each that fills another."""
    rulebook = engine.rulebook
    axes = [axis for axis in rulebook.question_fields.axes.values() if not axis.default_by]
    entries = [rulebook.catalog_of(axis.name).ids if axis.default is None else (axis.default,) for axis in axes]
    filled: set[str] = set()
    for number in range(MAX_SAMPLES):
        ids = [one[number * len(one) // MAX_SAMPLES] for one in entries]
        asked = {axis.name: entry for axis, entry in zip(axes, ids, strict=True)}
        question = Question(asked, {}, rulebook.default_profile)
        answered = answer_question(engine, question)
        new = {key for key, value in answered.items() if value != []} - filled
        if new:
            filled |= new
            yield answered
        if len(filled) == len(answered):
            return
