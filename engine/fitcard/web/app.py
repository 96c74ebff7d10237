"""The application that routes are added to: what happens before and after each of them, whatever it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from fitcard.answer import problems
from fitcard.answer.problem_documents import problem_document
from fitcard.problems import ProblemsError
from fitcard.web import access as records
from fitcard.web import api_keys, cross_origin, limits, metrics, rate_limit
from fitcard.web import cache as response_keeping
from fitcard.web import errors as refusals
from fitcard.web import lock as turns
from fitcard.web import logging as decision_log
from fitcard.web import logging as request_log
from fitcard.web import security as security_headers
from fitcard.web.cache import ResponseCache
from fitcard.web.language import named_language, preferred_language
from fitcard.web.options import Options
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.responses import problem_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

STOPPING = "stopping"  # the extension that is set once the service is asked to stop


def application(live: ReloadingRulebook, site_address: str, options: Options) -> Flask:
    """An application without routes, about a rulebook. `site_address` stands before addresses in answers.

    What is done after a request runs from the last line to the first. Raises OSError or ValueError where the options
    ask for what cannot be had.
    """
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False  # the redirect would repeat the host that the caller names
    app.extensions[STOPPING] = threading.Event()
    turns.install(app)
    cache = ResponseCache()
    recorders = _recorders(app, live, cache, options)
    keys = api_keys.ApiKeys(options.api_keys)
    rate = rate_limit.RateLimit(options.rate_limit) if options.rate_limit else None
    records.install(app, recorders)
    response_keeping.install(app, cache)
    security_headers.install(app)
    cross_origin.install(app)
    _read_once(app, live, site_address, options)
    limits.install(app, options.limits)
    api_keys.install(app, keys)
    rate_limit.install(app, rate)
    _tell_problems(app, options)
    before = response_keeping.CacheMiddleware(app.wsgi_app, live, cache, _admits(keys, rate), recorders)
    trusted = options.trusted_proxies
    app.wsgi_app = ProxyFix(before, x_for=trusted, x_proto=trusted, x_host=0) if trusted else before  # type: ignore[method-assign]
    return app


def _recorders(app: Flask, live: ReloadingRulebook, cache: ResponseCache, options: Options) -> list[records.Recorder]:
    """Who keeps a record of each request."""
    recorders: list[records.Recorder] = []
    if options.decision_log is not None:
        decisions = app.extensions[decision_log.EXTENSION] = decision_log.DecisionLog(options.decision_log)
        recorders.append(decisions.note)
    if options.metrics:
        figures = app.extensions[metrics.EXTENSION] = metrics.Metrics(live, cache)
        recorders.append(figures.note)
    return [*recorders, request_log.note]


def _admits(keys: api_keys.ApiKeys, rate: rate_limit.RateLimit | None) -> Callable[[WSGIEnvironment, str], bool]:
    """Whether whoever asks for a path may have it: says who it is where that is needed, and not too often."""

    def admits(environ: WSGIEnvironment, path: str) -> bool:
        name = keys.caller(environ, path)
        return name is not None and (rate is None or rate.admits(name, environ, path))

    return admits


def _read_once(app: Flask, live: ReloadingRulebook, site_address: str, options: Options) -> None:
    @app.before_request
    def read_once() -> None:
        g.live, g.site, g.limits = live, site_address, options.limits
        g.engine = preferred_language(live.engine, request)
        g.rulebook = g.engine.rulebook  # in the language in which an unknown language is reported
        g.engine = named_language(g.engine, request)
        g.rulebook = g.engine.rulebook


def _tell_problems(app: Flask, options: Options) -> None:
    @app.errorhandler(ProblemsError)
    def wrong(found: ProblemsError) -> Response:
        return problem_response(problem_document(g.rulebook, found, request.path, request.args))

    @app.errorhandler(refusals.RequestRefused)
    def refused(found: refusals.RequestRefused) -> Response:
        document = problem_document(g.rulebook, found, request.path, (), found.status)
        return problem_response(document, dict(found.headers))

    @app.errorhandler(MethodNotAllowed)
    def wrong_method(error: MethodNotAllowed) -> Response:
        methods = sorted(error.valid_methods or ())
        headers = {"Allow": ", ".join(methods)}
        kind, given = problems.MethodNotAllowed, request.method
        return refused(refusals.refused(g.rulebook, kind, "", given, methods, headers=headers))

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> Response:
        return refused(refusals.refused(g.rulebook, problems.BodyTooLarge, "body", slots={"most": options.limits.body}))

    @app.errorhandler(HTTPException)
    def bare(error: HTTPException) -> Response:
        return problem_response(
            problem_document(g.rulebook, error.code or HTTPStatus.INTERNAL_SERVER_ERROR, request.path)
        )

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        app.logger.exception("request failed", exc_info=error)
        return problem_response(problem_document(g.rulebook, HTTPStatus.INTERNAL_SERVER_ERROR, request.path))
