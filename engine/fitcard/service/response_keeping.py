"""Responses are kept, and given again to the very same question while the rules are the same.

They are given before Flask looks at the request: all that it would find out is known already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request
from werkzeug.http import is_entity_header
from werkzeug.wrappers import Response as AnyResponse

from fitcard.live_rulebook import LiveRulebook
from fitcard.problems import ProblemsFound
from fitcard.response_cache import Headers, Kept, ResponseCache
from fitcard.rulebook.rulebook import Rulebook
from fitcard.service.records import HEADER, Recorder, Served, request_id, route
from fitcard.service.responses import HAS, NOT_MODIFIED, OK, WANTS, for_caller
from fitcard.service.spoken import spoken

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GET = "GET"
STATUS_OK, STATUS_SAME = "200 OK", "304 NOT MODIFIED"


def install(app: Flask, cache: ResponseCache) -> None:
    """Keeps what is answered, and then leaves out what the caller has already."""

    @app.after_request
    def keep(response: Response) -> Response:
        if request.method == GET and getattr(g, "keeps", False):
            headers = response.headers.to_wsgi_list()
            kept = Kept(
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
class AnsweredBefore:
    """What stands before an application and answers what it has answered before.

    `admits` says whether the caller may be answered; all others are left to the application, which tells them why not.
    """

    app: WSGIApplication
    live: LiveRulebook
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
        served = Served(
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

    def _kept(self, environ: WSGIEnvironment) -> Kept | None:
        try:
            return self.cache.get(_key(spoken(self.live.rulebook, environ), environ))
        except ProblemsFound:  # a language that there is not
            return None


def _key(rulebook: Rulebook, environ: WSGIEnvironment) -> Hashable:
    """What makes two requests the same: the rules, the language and the whole address."""
    return (
        rulebook.sha256,
        rulebook.messages.language,
        environ.get("PATH_INFO", ""),
        environ.get("QUERY_STRING", ""),
    )


def _response(kept: Kept, environ: WSGIEnvironment) -> tuple[str, int, Headers, bytes]:
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
