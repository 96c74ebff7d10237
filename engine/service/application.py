"""The application that routes are added to: what happens before and after each of them, whatever it is."""

from __future__ import annotations

import threading
from http import HTTPStatus

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.answer.language import LANGUAGE, in_named, in_wanted
from engine.answer.problem_documents import problem_document
from engine.live_rulebook import LiveRulebook
from engine.problems import ProblemsFound
from engine.response_cache import ResponseCache
from engine.service import (
    api_keys,
    cross_origin,
    decision_log,
    limits,
    metrics,
    rate_limit,
    refusals,
    request_log,
    response_keeping,
    security_headers,
)
from engine.service.options import Options
from engine.service.responses import tell

STOPPING = "stopping"  # the extension that is set once the service is asked to stop


def application(live: LiveRulebook, site_address: str, options: Options) -> Flask:
    """An application without routes, about a rulebook. `site_address` stands before addresses in answers.

    What is done after a request runs from the last line to the first. Raises OSError, ImportError or ValueError where
    the options ask for what cannot be had.
    """
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False  # the redirect would repeat the host that the caller names
    app.extensions[STOPPING] = threading.Event()
    if options.trusted_proxies:
        trusted = options.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=0)  # type: ignore[method-assign]
    cache = ResponseCache()
    request_log.install(app)
    metrics.install(app, live, cache, options.metrics)
    security_headers.install(app)
    cross_origin.install(app)
    decision_log.install(app, options.decision_log)
    _read_once(app, live, site_address, options)
    limits.install(app, options.limits)
    api_keys.install(app, options.api_keys)
    rate_limit.install(app, options.rate_limit)
    response_keeping.install(app, cache)
    _tell_problems(app, options)
    return app


def _read_once(app: Flask, live: LiveRulebook, site_address: str, options: Options) -> None:
    @app.before_request
    def read_once() -> None:
        g.kept, g.live, g.site, g.limits = False, live, site_address, options.limits
        g.rulebook = live.rulebook
        if "HTTP_ACCEPT_LANGUAGE" in request.environ:
            g.rulebook = in_wanted(g.rulebook, (tag for tag, weight in request.accept_languages if weight))
        if request.query_string:
            g.rulebook = in_named(g.rulebook, request.args.get(LANGUAGE))


def _tell_problems(app: Flask, options: Options) -> None:
    @app.errorhandler(ProblemsFound)
    def problems(found: ProblemsFound) -> Response:
        return tell(problem_document(g.rulebook, found, request.path, request.args))

    @app.errorhandler(refusals.Refused)
    def refused(found: refusals.Refused) -> Response:
        document = problem_document(g.rulebook, found, request.path, (), found.status)
        return tell(document, dict(found.headers))

    @app.errorhandler(MethodNotAllowed)
    def wrong_method(error: MethodNotAllowed) -> Response:
        methods = sorted(error.valid_methods or ())
        headers = {"Allow": ", ".join(methods)}
        kind, given = refusals.MethodNotAllowed, request.method
        return refused(refusals.refused(g.rulebook, kind, "", given, methods, headers=headers))

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> Response:
        return refused(refusals.refused(g.rulebook, refusals.BodyTooLarge, "body", slots={"most": options.limits.body}))

    @app.errorhandler(HTTPException)
    def bare(error: HTTPException) -> Response:
        return tell(problem_document(g.rulebook, error.code or HTTPStatus.INTERNAL_SERVER_ERROR, request.path))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        app.logger.exception("request failed", exc_info=error)
        return tell(problem_document(g.rulebook, HTTPStatus.INTERNAL_SERVER_ERROR, request.path))
