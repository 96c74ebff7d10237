"""Many questions in one body: each is answered or refused on its own, in order, until the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fitcard.answer.body_shape import shape_problems
from fitcard.answer.problem_documents import problem_document
from fitcard.problems import ProblemsFound
from fitcard.rulebook.rulebook import Rulebook
from fitcard.service.options import Limits
from fitcard.service.refusals import BodyUnreadable, DeadlinePassed, Refused, TooManyQuestions, refused
from fitcard.service.responses import OK

BATCH, QUESTIONS = "batch", "questions"
Answering = Callable[[Any], Mapping[str, Any]]


def questions_of(rulebook: Rulebook, body: Any, limits: Limits) -> Sequence[Any]:
    """The questions of a body. Raises ProblemsFound where it has not the shape of a batch, or holds too many."""
    if wrong := list(shape_problems(rulebook, BATCH, body)):
        raise ProblemsFound(wrong)
    questions = body.get(QUESTIONS) if isinstance(body, dict) else None
    if not isinstance(questions, list):  # where a folder of schemas of one's own says nothing of batches
        raise refused(rulebook, BodyUnreadable, QUESTIONS)
    if len(questions) > limits.questions:
        raise refused(rulebook, TooManyQuestions, QUESTIONS, len(questions), slots={"most": limits.questions})
    return questions


def answers(
    rulebook: Rulebook,
    questions: Sequence[Any],
    answering: Answering,
    limits: Limits,
    path: str,
    now: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """What came of each question, in the shape of `batch-answer.schema.json`; `path` is the address of the batch.

    `answering` gives the answer to a question, or raises ProblemsFound. A question that is reached after the seconds
    that a batch may take is not answered, and told so.
    """
    until = now() + limits.seconds
    return {
        "answers": list(_each(rulebook, questions, answering, path, lambda: now() > until)),
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
    }


def _each(
    rulebook: Rulebook, questions: Sequence[Any], answering: Answering, path: str, late: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    for at, question in enumerate(questions):
        try:
            if late():
                raise refused(rulebook, DeadlinePassed, f"{QUESTIONS}.{at}")
            yield {"status": OK, "answer": answering(question)}
        except ProblemsFound as found:
            status = found.status if isinstance(found, Refused) else None
            document = problem_document(rulebook, found, f"{path}#/{QUESTIONS}/{at}", (), status)
            yield {"status": document["status"], "problem": document}
