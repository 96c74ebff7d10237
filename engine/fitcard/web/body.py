"""JSON bodies, and batches of questions."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import request

from fitcard.answer.problem_documents import problem_document
from fitcard.answer.problems import BodyUnreadable, DeadlinePassed, NotJson, TooManyQuestions
from fitcard.answer.question import BODY, body_problems
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.errors import RequestRefused, refused
from fitcard.web.options import Limits
from fitcard.web.responses import OK

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a pair, which is no text without the other
BATCH, QUESTIONS = "batch", "questions"

Answerer = Callable[[Any], Mapping[str, Any]]


def json_body() -> Any:
    """The body of the current request as plain data.

    Raises RequestRefused where its media type is not JSON, or it is not JSON: also where it has NaN, an unpaired
    surrogate, or unlimited nesting. Raises RequestEntityTooLarge where it is too large.
    """
    if not request.is_json:
        raise refused(NotJson, BODY)
    content = request.get_data()
    try:
        body = json.loads(content, parse_constant=_reject)
        if SURROGATE.search(content):
            json.dumps(body, ensure_ascii=False).encode()
        return body
    except (ValueError, RecursionError):
        raise refused(BodyUnreadable, BODY) from None


def _reject(constant: str) -> None:
    """Raises ValueError: NaN and Infinity, which Python reads, are not JSON."""
    raise ValueError(constant)


def read_batch(rulebook: Rulebook, body: Any, limits: Limits) -> Sequence[Any]:
    """The questions of a batch. Raises ProblemsError where the body is not a batch, or has too many questions."""
    if problems := list(body_problems(rulebook.schemas, BATCH, body)):
        raise ProblemsError(problems)
    questions = body.get(QUESTIONS) if isinstance(body, dict) else None
    if not isinstance(questions, list):  # a folder of schemas may lack that of batches
        raise refused(BodyUnreadable, QUESTIONS)
    if len(questions) > limits.questions:
        raise refused(TooManyQuestions, QUESTIONS, len(questions), slots={"most": limits.questions})
    return questions


def answer_batch(
    rulebook: Rulebook,
    questions: Sequence[Any],
    answer: Answerer,
    limits: Limits,
    path: str,
    now: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The answer or the problem document of each question, in the form of `batch-answer.schema.json`.

    `answer` answers a question or raises ProblemsError. Questions that are reached after the time limit have a problem
    document with status 503. `path` is that of the batch.
    """
    deadline = now() + limits.seconds
    return {
        "answers": list(_each(rulebook, questions, answer, path, lambda: now() > deadline)),
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
    }


def _each(
    rulebook: Rulebook, questions: Sequence[Any], answer: Answerer, path: str, late: Callable[[], bool]
) -> Iterator[dict[str, Any]]:
    for index, question in enumerate(questions):
        try:
            if late():
                raise refused(DeadlinePassed, f"{QUESTIONS}.{index}")
            yield {"status": OK, "answer": answer(question)}
        except ProblemsError as error:
            status = error.status if isinstance(error, RequestRefused) else None
            document = problem_document(rulebook, error, f"{path}#/{QUESTIONS}/{index}", (), status)
            yield {"status": document["status"], "problem": document}
