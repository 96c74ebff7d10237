"""One record for each request, never with what was asked or answered; and an id by which a caller can point to it."""

from __future__ import annotations

import logging
import os
import re
import time

from flask import Flask, Response, g, request

NAME = "engine.requests"
MS_PER_S, DIGITS = 1000, 3
HEADER, VARIABLE = "X-Request-Id", "HTTP_X_REQUEST_ID"
ID_BYTES = 16
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")  # an id that a proxy gave, and that can stand in any log
FIELDS = "request"  # the attribute of a record that holds its fields
log = logging.getLogger(NAME)


def install(app: Flask) -> None:
    """Gives each request an id, and notes it once it is answered, where anybody listens to the log."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        given = request.environ.get(VARIABLE, "")
        g.request_id = given if GIVEN.fullmatch(given) else os.urandom(ID_BYTES).hex()

    @app.after_request
    def note(response: Response) -> Response:
        response.headers.add(HEADER, g.request_id)
        if log.isEnabledFor(logging.INFO):
            log.info("request", extra={FIELDS: _fields(response)})
        return response


def _fields(response: Response) -> dict[str, object]:
    return {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "duration_ms": elapsed_ms(),
        "bytes": response.calculate_content_length() or 0,
        "request_id": g.request_id,
        "rules": g.rulebook.sha256,
    }


def elapsed_ms() -> float:
    """Milliseconds since the request was begun."""
    started: float = g.started
    return round((time.perf_counter() - started) * MS_PER_S, DIGITS)
