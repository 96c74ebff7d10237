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
from fitcard.answer.question import BODY, Question, body_problems, read_body
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.errors import RequestRefused, refused
from fitcard.web.options import Limits
from fitcard.web.responses import OK

SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a pair, which is no text without the other
BATCH, QUESTIONS = "batch", "questions"

TOGETHER = 16  # questions of a batch that are evaluated at once, between two looks at the clock

Asked = tuple[Question, bool]  # a question, and whether to explain it
Answerer = Callable[[Sequence[Asked]], Sequence[Mapping[str, Any]]]


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
    bodies: Sequence[Any],
    answer: Answerer,
    limits: Limits,
    path: str,
    now: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The answer or the problem document of each question, in the form of `batch-answer.schema.json`.

    `answer` answers some questions together, each with whether to explain it, or raises ProblemsError. Questions that
    are reached after the time limit have a problem document with status 503. `path` is that of the batch.
    """
    deadline = now() + limits.seconds
    results: list[dict[str, Any]] = [{} for _ in bodies]
    read: list[tuple[int, Asked]] = []

    def fail(index: int, error: ProblemsError) -> None:
        status = error.status if isinstance(error, RequestRefused) else None
        document = problem_document(rulebook, error, f"{path}#/{QUESTIONS}/{index}", (), status)
        results[index] = {"status": document["status"], "problem": document}

    for index, body in enumerate(bodies):
        try:
            read.append((index, read_body(rulebook, body)))
        except ProblemsError as error:
            fail(index, error)
    for start in range(0, len(read), TOGETHER):
        some = read[start : start + TOGETHER]
        if now() > deadline:
            for index, _ in some:
                fail(index, refused(DeadlinePassed, f"{QUESTIONS}.{index}"))
            continue
        for index, result in _each_or_together(some, answer):
            if isinstance(result, ProblemsError):
                fail(index, result)
            else:
                results[index] = {"status": OK, "answer": result}
    return {"answers": results, "rules": {"version": rulebook.version, "sha256": rulebook.sha256}}


def _each_or_together(
    some: Sequence[tuple[int, Asked]], answer: Answerer
) -> Iterator[tuple[int, Mapping[str, Any] | ProblemsError]]:
    """The answers to some questions together; one by one where something is wrong with one of them."""
    try:
        yield from zip([index for index, _ in some], answer([asked for _, asked in some]), strict=True)
    except ProblemsError:
        for index, asked in some:
            try:
                (found,) = answer([asked])
                yield index, found
            except ProblemsError as error:
                yield index, error
