"""Errors of requests, as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from fitcard.answer import problems
from fitcard.answer.problem_documents import problem_document
from fitcard.answer.problems import question_problem
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.web.responses import problem_response

STATUS: Mapping[type[ProblemCode], HTTPStatus] = {
    problems.BodyUnreadable: HTTPStatus.BAD_REQUEST,
    problems.TooManyQuestions: HTTPStatus.BAD_REQUEST,
    problems.BatchAboveRate: HTTPStatus.BAD_REQUEST,
    problems.KeyNeeded: HTTPStatus.UNAUTHORIZED,
    problems.MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    problems.BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    problems.AddressTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    problems.NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    problems.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    problems.DeadlinePassed: HTTPStatus.SERVICE_UNAVAILABLE,
    problems.ResponseFull: HTTPStatus.SERVICE_UNAVAILABLE,
    problems.Stopping: HTTPStatus.SERVICE_UNAVAILABLE,
    problems.RulesStale: HTTPStatus.SERVICE_UNAVAILABLE,
}


class RequestRefused(ProblemsError):
    """A request that is rejected before its question is read, with the `status` and `headers` of the response."""

    def __init__(self, problem: Problem, headers: Mapping[str, str]) -> None:
        super().__init__([problem])
        self.status = STATUS[problem.kind]
        self.headers = headers


def refusal(
    kind: type[ProblemCode],
    field: str = "",
    value: object = "",
    closest: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    slots: Mapping[str, object] | None = None,
) -> RequestRefused:
    """The exception for a problem with this value of a field; `slots` are further parameters of its message."""
    parameters = {name: str(slot) for name, slot in (slots or {}).items()}
    return RequestRefused(question_problem(kind, field, value, closest, **parameters), headers or {})


def install_error_handlers(app: Flask, max_body: int) -> None:
    """Answers every exception with a problem document; the traceback of an unexpected one is only logged."""

    @app.errorhandler(ProblemsError)
    def wrong_question(error: ProblemsError) -> Response:
        return problem_response(problem_document(g.rulebook, error, request.path, request.args))

    @app.errorhandler(RequestRefused)
    def refused_request(error: RequestRefused) -> Response:
        document = problem_document(g.rulebook, error, request.path, (), error.status)
        return problem_response(document, error.headers)

    @app.errorhandler(MethodNotAllowed)
    def wrong_method(error: MethodNotAllowed) -> Response:
        methods = sorted(error.valid_methods or ())
        headers = {"Allow": ", ".join(methods)}
        return refused_request(refusal(problems.MethodNotAllowed, "", request.method, methods, headers))

    @app.errorhandler(RequestEntityTooLarge)
    def large_body(_: RequestEntityTooLarge) -> Response:
        return refused_request(refusal(problems.BodyTooLarge, "body", slots={"most": max_body}))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        return problem_response(problem_document(g.rulebook, status, request.path))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        app.logger.exception("request failed", exc_info=error)
        return problem_response(problem_document(g.rulebook, HTTPStatus.INTERNAL_SERVER_ERROR, request.path))
