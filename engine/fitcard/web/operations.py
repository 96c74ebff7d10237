"""Routes for programs that run or describe the service: health, metrics and the OpenAPI document."""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus

from flask import Response, abort, g, jsonify

from fitcard import __version__
from fitcard.answer.problems import RulesStale, Stopping
from fitcard.web.errors import refusal
from fitcard.web.openapi import openapi
from fitcard.web.responses import JSON, TEXT, tagged_response, to_json
from fitcard.web.routing import Routes

routes = Routes()


@routes.get("/openapi.json", "/openapi.json", returns="responses/openapi", localized=False)
def openapi_document() -> Response:
    """OpenAPI 3.1 document.

    All routes with their parameters, bodies and responses.
    """
    body = to_json(openapi(g.rulebook, g.service.routes, g.service.site or g.rulebook.site))
    return tagged_response(body, JSON, sha256(body).hexdigest())


@routes.get("/health", "/health", returns="responses/health", localized=False)
def health() -> Response:
    """Liveness.

    Whether the process responds.
    """
    return jsonify({"status": "ok", "version": __version__})


@routes.get("/ready", "/ready", returns="responses/ready", localized=False)
def ready() -> Response:
    """Readiness.

    Whether the service accepts requests; 503 during shutdown, and with --max-stale-seconds also when changed rules have
    failed to load for longer.
    """
    if g.service.stopping.is_set():
        raise refusal(Stopping)
    if g.service.options.max_stale and g.service.rules.is_stale(g.service.options.max_stale):
        raise refusal(RulesStale)
    return jsonify({"status": "ok", "sha256": g.rulebook.sha256})


@routes.get("/status", "/status", returns="responses/status", localized=False)
def status() -> Response:
    """Rules in use.

    When they were loaded, and the result of the last reload.
    """
    return jsonify(g.service.rules.status())


@routes.get("/metrics", "/metrics", media=TEXT, localized=False)
def metrics() -> Response:
    """Metrics for Prometheus.

    Requests by route and status, their duration, cache hits, and reloads.
    """
    if g.service.metrics is None:
        abort(HTTPStatus.NOT_FOUND)
    return Response(g.service.metrics.exposition(), mimetype=g.service.metrics.MEDIA)
