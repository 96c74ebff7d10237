"""What readers of an answer rely on: its shape is that of its schema, and no text that they need is missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from engine.answer.build import answer
from engine.answer.problem_documents import TITLES
from engine.answer.question import Question
from engine.answer.told import TOLD
from engine.codes import Code
from engine.draw.words import LABELS
from engine.problems import Problem
from engine.rulebook.messages import check_texts
from engine.rulebook.rulebook import Rulebook


class AnswerShape(Code):
    """The layout gives answers of another shape than their schema promises.

    Why: pages and other callers rely on that shape.
    Avoid: `score: {value: score}` where the schema says that `score` is a number
    Prefer: the same in both, changed together.
    """


ANSWER = "answer"
MOST_TRIED = 40


def answer_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Where answers do not have the shape of `answer.schema.json`, and texts that a caller would be missing.

    A rulebook about another subject, whose folder of schemas describes no answer, has no page to draw: only what every
    caller may be told is asked of its messages.
    """
    yield from check_texts(rulebook.messages, "problems", {**TOLD, **TITLES})
    if ANSWER not in rulebook.schemas.by_kind:
        return
    yield from check_texts(rulebook.messages, "labels", LABELS)
    document = rulebook.layout.document
    for error in rulebook.schemas.validator(ANSWER).iter_errors(_richest_answer(rulebook)):
        steps = [step for step in error.absolute_path if isinstance(step, str)]
        message = f"`{'.'.join([ANSWER, *steps])}` has not the shape that its readers rely on: {error.message}"
        hint = f"say the same here as {ANSWER}.schema.json"
        yield document.problem(AnswerShape, message, (ANSWER, *steps), key=True, hint=hint)


def _richest_answer(rulebook: Rulebook) -> dict[str, Any]:
    """An answer whose lists hold something, for an empty one shows no shape: of some questions, the fullest."""
    axes = rulebook.subject.axes.values()
    entries = [rulebook.catalog_of(axis.name).ids if axis.default is None else (axis.default,) for axis in axes]
    best: dict[str, Any] = {}
    fewest = len(rulebook.layout.root.parts) + 1
    for ids in islice(product(*entries), MOST_TRIED):
        question = Question(dict(zip(rulebook.subject.axes, ids, strict=True)), {}, rulebook.default_profile)
        built = answer(rulebook, question)
        empty = sum(value == [] for value in built.values())
        if empty < fewest:
            best, fewest = built, empty
        if not empty:
            break
    return best
