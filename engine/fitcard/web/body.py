"""The parameters and the JSON body of a request, and many questions in one body."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from flask import request

from fitcard.answer.language import LANGUAGE
from fitcard.answer.problem_documents import problem_document
from fitcard.answer.problems import (
    BodyUnreadable,
    DeadlinePassed,
    NotJson,
    RepeatedParameter,
    TooManyQuestions,
    UnknownParameter,
    question_problem,
)
from fitcard.answer.question import BODY, body_problems
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest
from fitcard.web.errors import RequestRefused, refused
from fitcard.web.options import Limits
from fitcard.web.responses import OK


def parameters(*known: str) -> dict[str, str]:
    """The parameters of this request, those that are not given as empty text.

    Raises ProblemsFound with one problem for each that the address does not take, and for each that is given twice.
    """
    given = dict(request.args.lists())
    takes = (*known, LANGUAGE)
    problems = [question_problem(RepeatedParameter, name) for name, values in given.items() if len(values) > 1]
    problems += [
        question_problem(UnknownParameter, name, name, closest(name, takes) or takes)
        for name in given
        if name not in takes
    ]
    if problems:
        raise ProblemsError(problems)
    return {name: given.get(name, [""])[0] for name in known}


HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # half of a character, which is no text without the other


def json_body() -> Any:
    """The body as plain data.

    Raises Refused where it does not say that it is JSON, where it is none, holds NaN or half a character, or is nested
    without end; and RequestEntityTooLarge where it is too large.
    """
    if not request.is_json:
        raise refused(NotJson, BODY)
    content = request.get_data()
    try:
        body = json.loads(content, parse_constant=_refuse)
        if HALF.search(content):
            json.dumps(body, ensure_ascii=False).encode()
        return body
    except (ValueError, RecursionError):
        raise refused(BodyUnreadable, BODY) from None


def _refuse(constant: str) -> None:
    """Raises ValueError: NaN and Infinity, which Python reads, are no JSON."""
    raise ValueError(constant)


BATCH, QUESTIONS = "batch", "questions"
Answering = Callable[[Any], Mapping[str, Any]]


def questions_of(rulebook: Rulebook, body: Any, limits: Limits) -> Sequence[Any]:
    """The questions of a body. Raises ProblemsFound where it has not the shape of a batch, or holds too many."""
    if wrong := list(body_problems(rulebook.schemas, BATCH, body)):
        raise ProblemsError(wrong)
    questions = body.get(QUESTIONS) if isinstance(body, dict) else None
    if not isinstance(questions, list):  # where a folder of schemas of one's own says nothing of batches
        raise refused(BodyUnreadable, QUESTIONS)
    if len(questions) > limits.questions:
        raise refused(TooManyQuestions, QUESTIONS, len(questions), slots={"most": limits.questions})
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
                raise refused(DeadlinePassed, f"{QUESTIONS}.{at}")
            yield {"status": OK, "answer": answering(question)}
        except ProblemsError as found:
            status = found.status if isinstance(found, RequestRefused) else None
            document = problem_document(rulebook, found, f"{path}#/{QUESTIONS}/{at}", (), status)
            yield {"status": document["status"], "problem": document}
