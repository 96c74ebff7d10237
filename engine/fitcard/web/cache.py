"""Responses that are kept, and given again to the same question while the rules are the same."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from werkzeug.http import is_entity_header
from werkzeug.wrappers import Response as AnyResponse

from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.access import HEADER, Recorder, ServedRequest, request_id, route
from fitcard.web.language import request_language
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.responses import HAS, NOT_MODIFIED, OK, WANTS, for_caller

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


MAX_ENTRIES = 2048
MAX_BODY = 200_000  # bytes of one body

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """What was answered: the bytes, the tag that names them, and all headers but those of one request alone.

    `unchanged` are the headers for those who have it already. `route`, `path` and `rules` are what records say of it,
    and `decisions` what a log of decisions does.
    """

    body: bytes
    tag: str
    headers: Headers
    unchanged: Headers
    route: str
    path: str
    rules: str
    decisions: tuple[Mapping[str, Any], ...] = ()


@dataclass
class ResponseCache:
    """Shared by all threads. What was not asked for longest goes first."""

    most: int = MAX_ENTRIES
    _kept: OrderedDict[Hashable, CachedResponse] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable) -> CachedResponse | None:
        """What was answered under this key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, kept: CachedResponse) -> None:
        """Keeps an answer, unless it is too large."""
        if len(kept.body) > MAX_BODY:
            return
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)


GET = "GET"
STATUS_OK, STATUS_SAME = "200 OK", "304 NOT MODIFIED"


def install(app: Flask, cache: ResponseCache) -> None:
    """Keeps what is answered, and then leaves out what the caller has already."""

    @app.after_request
    def keep(response: Response) -> Response:
        if request.method == GET and getattr(g, "keeps", False):
            headers = response.headers.to_wsgi_list()
            kept = CachedResponse(
                body=g.body,
                tag=response.headers["ETag"],
                headers=headers,
                unchanged=[(name, value) for name, value in headers if not is_entity_header(name)],
                route=route(),
                path=request.path,
                rules=g.rulebook.sha256,
                decisions=getattr(g, "decisions", ()),
            )
            cache.put(_key(g.rulebook, request.environ), kept)
        return for_caller(response, request.environ)


@dataclass(frozen=True)
class CacheMiddleware:
    """What stands before an application and answers what it has answered before.

    `admits` says whether the caller may be answered; all others are left to the application, which tells them why not.
    """

    app: WSGIApplication
    live: ReloadingRulebook
    cache: ResponseCache
    admits: Callable[[WSGIEnvironment, str], bool]
    recorders: Sequence[Recorder]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The response to a request."""
        started = time.perf_counter()
        kept = self._kept(environ) if environ["REQUEST_METHOD"] == GET else None
        if kept is None or not self.admits(environ, kept.path):
            return self.app(environ, start_response)
        status, code, headers, body = _response(kept, environ)
        given = request_id(environ)
        served = ServedRequest(
            given,
            started,
            GET,
            kept.path,
            kept.route,
            code,
            len(body),
            kept.rules,
            cached=True,
            decisions=kept.decisions,
        )
        for recorder in self.recorders:
            recorder(served)
        start_response(status, [*headers, (HEADER, given)])
        return (body,) if body else ()

    def _kept(self, environ: WSGIEnvironment) -> CachedResponse | None:
        try:
            return self.cache.get(_key(request_language(self.live.engine, environ).rulebook, environ))
        except ProblemsError:  # a language that there is not
            return None


def _key(rulebook: Rulebook, environ: WSGIEnvironment) -> Hashable:
    """What makes two requests the same: the rules, the language and the whole address."""
    return (
        rulebook.sha256,
        rulebook.messages.language,
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
    )


def _response(kept: CachedResponse, environ: WSGIEnvironment) -> tuple[str, int, Headers, bytes]:
    """The status as text and as a number, the headers and the body of what was kept, as the caller wants it."""
    if WANTS not in environ:
        has = environ.get(HAS)
        if has is None:
            return STATUS_OK, OK, kept.headers, kept.body
        if has == kept.tag:  # most that ask again name this one alone
            return STATUS_SAME, NOT_MODIFIED, kept.unchanged, b""
    response = for_caller(AnyResponse(kept.body, OK, kept.headers), environ)
    headers = response.get_wsgi_headers(environ).to_wsgi_list()
    return response.status, response.status_code, headers, b"".join(response.get_app_iter(environ))
