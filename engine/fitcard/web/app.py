"""The application: its state, and the steps before and after each request.

During a request `flask.g` has the `service`, the `engine` and its `rulebook` in the language of the response, the name
of the `caller`, `started` and `request_id` for logs, and the `decisions` to log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.wrappers import Request

from fitcard.answer.problems import AddressTooLong
from fitcard.answer.question import LANGUAGE, in_language, in_preferred_language
from fitcard.compiler.engine import Engine
from fitcard.reload import ReloadingEngine
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import find_folders
from fitcard.web import api, operations
from fitcard.web.access import Access
from fitcard.web.errors import install_error_handlers, refusal
from fitcard.web.fair_lock import FairLock
from fitcard.web.logs import REQUEST_ID, DecisionLog, Recorder, ServedRequest, log_request, request_id, route
from fitcard.web.metrics import Metrics
from fitcard.web.options import Options
from fitcard.web.pages import catalog, fit, reference, start
from fitcard.web.proxies import ForwardedFor, Proxies
from fitcard.web.response_cache import CacheMiddleware, ResponseCache, apply_conditions, is_cacheable
from fitcard.web.responses import add_headers
from fitcard.web.routing import Route

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

SERVICE = "fitcard"  # the extension of an application that holds its `Service`
TABLES = (api.routes, operations.routes, start.routes, fit.routes, catalog.routes, reference.routes)
ROUTES = tuple(route for table in TABLES for route in table.declared)
ACCEPT_LANGUAGE, QUERY_STRING = "HTTP_ACCEPT_LANGUAGE", "QUERY_STRING"
ENCODED = "%"


@dataclass(frozen=True)
class Service:
    """The state of an application. `site` is the base URL of links in answers, empty for that of the rulebook."""

    rules: ReloadingEngine
    site: str
    options: Options
    access: Access
    proxies: Proxies
    cache: ResponseCache
    decision_log: DecisionLog | None
    metrics: Metrics | None
    recorders: Sequence[Recorder]
    routes: tuple[Route, ...] = ROUTES
    evaluating: FairLock = field(default_factory=FairLock)
    stopping: threading.Event = field(default_factory=threading.Event)


def create_app(rules: ReloadingEngine | None = None, site_address: str = "", options: Options | None = None) -> Flask:
    """The application. `site_address` is the base URL of links in answers, by default that of the rulebook.

    Raises ProblemsError where the rules or catalogs have errors, and OSError or ValueError for invalid options.
    """
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False  # redirects would repeat the host that the caller names
    service = _service(rules or ReloadingEngine(find_folders()), site_address, options or Options())
    app.extensions[SERVICE] = service
    app.config["MAX_CONTENT_LENGTH"] = service.options.limits.body
    for table in TABLES:
        table.register(app)
    install_error_handlers(app, service.options.limits.body)

    @app.before_request
    def before() -> None:
        g.started, g.request_id, g.decisions = time.perf_counter(), request_id(request.environ), ()
        g.service = service
        preferred = _in_preferred_language(service.rules.engine, request)
        g.rulebook = preferred.rulebook  # reports an unknown `lang`
        g.engine = _in_named_language(preferred, request)
        g.rulebook = g.engine.rulebook
        if len(request.path) + len(request.query_string) > service.options.limits.address:
            raise refusal(AddressTooLong, slots={"most": service.options.limits.address})
        g.caller = service.access.check(request.environ, request.path)

    @app.after_request
    def after(response: Response) -> Response:
        add_headers(response, request.method, request.path)
        service.cache.store(response)
        cached = False if is_cacheable(response) else None
        response = apply_conditions(response, request.environ)
        response.headers.add(REQUEST_ID, g.request_id)
        served = ServedRequest(
            request_id=g.request_id,
            started=g.started,
            method=request.method,
            path=request.path,
            route=route(),
            status=response.status_code,
            size=response.calculate_content_length() or 0,
            rules=g.rulebook.sha256,
            cached=cached,
            decisions=g.decisions,
        )
        for record in service.recorders:
            record(served)
        return response

    def rulebook_of(environ: WSGIEnvironment) -> Rulebook:
        return _of_environment(service.rules.engine, environ).rulebook

    cached = CacheMiddleware(app.wsgi_app, service.cache, rulebook_of, service.access.admits, service.recorders)
    app.wsgi_app = ForwardedFor(cached, service.proxies) if service.proxies.count else cached  # type: ignore[method-assign]
    return app


def check_options(options: Options) -> None:
    """Raises OSError or ValueError for options with which there can be no application."""
    Access(options.api_keys, options.rate_limit, options.shared)
    Proxies(options.trusted_proxies, options.proxy_networks)
    if options.decision_log is not None:
        DecisionLog(options.decision_log).close()


def _service(rules: ReloadingEngine, site: str, options: Options) -> Service:
    cache = ResponseCache()
    metrics = Metrics(rules) if options.metrics else None
    on_lost = metrics.count_lost_decisions if metrics else lambda _: None
    decision_log = DecisionLog(options.decision_log, on_lost) if options.decision_log is not None else None
    if metrics:
        metrics.add_gauge("cache_entries", "Cached answers", lambda: len(cache))
    recorders = [each.record for each in (decision_log, metrics) if each is not None]
    return Service(
        rules=rules,
        site=site,
        options=options,
        access=Access(options.api_keys, options.rate_limit, options.shared),
        proxies=Proxies(options.trusted_proxies, options.proxy_networks),
        cache=cache,
        decision_log=decision_log,
        metrics=metrics,
        recorders=[*recorders, log_request],
    )


def _in_preferred_language(engine: Engine, request: Request) -> Engine:
    """The engine in the first language of Accept-Language that it has; unchanged where it has none."""
    if ACCEPT_LANGUAGE not in request.environ:
        return engine
    return in_preferred_language(engine, (tag for tag, weight in request.accept_languages if weight))


def _in_named_language(engine: Engine, request: Request) -> Engine:
    """The engine in the language of `lang`, if given. Raises ProblemsError for one that it lacks."""
    return in_language(engine, request.args.get(LANGUAGE)) if request.query_string else engine


def _of_environment(engine: Engine, environ: WSGIEnvironment) -> Engine:
    """The engine in the language of a request, parsed only where it could name one. Raises like the above."""
    query = environ.get(QUERY_STRING, "")
    if ACCEPT_LANGUAGE not in environ and LANGUAGE not in query and ENCODED not in query:
        return engine
    request = Request(environ, populate_request=False)
    return _in_named_language(_in_preferred_language(engine, request), request)
