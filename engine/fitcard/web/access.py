"""What is recorded of each request once it is answered, by whoever keeps a record: logs and figures."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MS_PER_S, DIGITS = 1000, 3
HEADER, VARIABLE = "X-Request-Id", "HTTP_X_REQUEST_ID"
ID_BYTES = 16
GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")  # an id that a proxy gave, and that can stand in any log
NO_ROUTE = "none"  # an address that is not there; each of its own would be a series of its own


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """A request that was answered, by the `rules` of that hash, with `size` bytes of a body.

    `started` is as of `time.perf_counter`. `cached` says whether it was answered from the cache, and is None where
    nothing is kept of such answers.
    """

    request_id: str
    started: float
    method: str
    path: str
    route: str
    status: int
    size: int
    rules: str
    cached: bool | None
    decisions: tuple[Mapping[str, Any], ...]

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since it was begun."""
        return round((time.perf_counter() - self.started) * MS_PER_S, DIGITS)


Recorder = Callable[[ServedRequest], None]


def request_id(environ: WSGIEnvironment) -> str:
    """By what a caller can point to this request: the id that a proxy gave, or a new one."""
    given = environ.get(VARIABLE, "")
    return given if given and GIVEN.fullmatch(given) else os.urandom(ID_BYTES).hex()


def install(app: Flask, recorders: Iterable[Recorder]) -> None:
    """Gives each request an id, and has it recorded once it is answered."""

    @app.before_request
    def begin() -> None:
        g.started, g.request_id = time.perf_counter(), request_id(request.environ)

    @app.after_request
    def record(response: Response) -> Response:
        response.headers.add(HEADER, g.request_id)
        served = _served(response)
        for recorder in recorders:
            recorder(served)
        return response


def _served(response: Response) -> ServedRequest:
    return ServedRequest(
        request_id=g.request_id,
        started=g.started,
        method=request.method,
        path=request.path,
        route=route(),
        status=response.status_code,
        size=response.calculate_content_length() or 0,
        rules=g.rulebook.sha256,
        cached=False if getattr(g, "keeps", False) else None,
        decisions=getattr(g, "decisions", ()),
    )


def route() -> str:
    """The route of this request."""
    return request.url_rule.rule if request.url_rule else NO_ROUTE
