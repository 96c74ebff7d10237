"""Requests that are refused before anybody looks at the question: too large, too many, without a key, too late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fitcard.answer.problems import (
    AddressTooLong,
    BodyTooLarge,
    BodyUnreadable,
    DeadlinePassed,
    KeyNeeded,
    MethodNotAllowed,
    NotJson,
    Stopping,
    TooManyQuestions,
    TooManyRequests,
    question_problem,
)
from fitcard.problems import Problem, ProblemCode, ProblemsError

STATUS: Mapping[type[ProblemCode], HTTPStatus] = {
    BodyUnreadable: HTTPStatus.BAD_REQUEST,
    TooManyQuestions: HTTPStatus.BAD_REQUEST,
    KeyNeeded: HTTPStatus.UNAUTHORIZED,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    AddressTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    DeadlinePassed: HTTPStatus.SERVICE_UNAVAILABLE,
    Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
}


class RequestRefused(ProblemsError):
    """Raised where a request is refused: with which `status`, and `headers` that say what to do."""

    def __init__(self, problem: Problem, headers: Mapping[str, str]) -> None:
        super().__init__([problem])
        self.status = STATUS[problem.kind]
        self.headers = headers


def refused(
    kind: type[ProblemCode],
    field: str = "",
    given: object = "",
    near: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    slots: Mapping[str, object] | None = None,
) -> RequestRefused:
    """The refusal of this kind; `slots` are further parameters of its text; its status is that of the kind."""
    more = {name: str(value) for name, value in (slots or {}).items()}
    return RequestRefused(question_problem(kind, field, given, near, **more), headers or {})
