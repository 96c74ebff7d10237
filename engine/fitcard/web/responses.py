"""Responses: data, pages and problem documents, each with the language and the rules that it belongs to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from flask import Response, g
from werkzeug.http import quote_etag
from werkzeug.wrappers import Response as AnyResponse

from fitcard import __version__
from fitcard.rulebook.rulebook import Rulebook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

R = TypeVar("R", bound=AnyResponse)

COMPACT = (",", ":")
JSON, PROBLEM, HTML = "application/json", "application/problem+json", "text/html"
OK, NOT_MODIFIED = 200, 304
READS = ("GET", "HEAD")
HAS, WANTS = CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")  # the tags that a caller has, and wants alone


def json_response(data: Any) -> Response:
    """Data as JSON."""
    return html_response(to_json(data), JSON)


def html_response(body: str | bytes, mimetype: str = HTML, status: int = OK) -> Response:
    """A body that belongs to these rules."""
    g.body = body.encode() if isinstance(body, str) else body
    g.keeps = status == OK
    return _tagged(g.body, status, mimetype, rules_tag(g.rulebook))


def tagged_response(body: str | bytes, mimetype: str, tag: str) -> Response:
    """A body that can change while the rules do not, and the tag that it then has."""
    return _tagged(body, OK, mimetype, tag)


def problem_response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem document."""
    return Response(to_json(document), document["status"], {**_spoken(), **(headers or {})}, mimetype=PROBLEM)


def to_json(data: Any) -> bytes:
    """Data as compact JSON, its keys in the order that they were given in."""
    try:
        return orjson.dumps(data)
    except TypeError:  # a number of more than 64 bits, or half of a letter
        return json.dumps(data, separators=COMPACT).encode()


def rules_tag(rulebook: Rulebook) -> str:
    """What names an answer of these rules in this language, by this version of the engine."""
    return f"{__version__}-{rulebook.version}-{rulebook.sha256}-{rulebook.messages.language}"


def _spoken() -> dict[str, str]:
    """In which language the response is, and that another could have been asked for."""
    return {"Content-Language": g.rulebook.messages.language, "Vary": "Accept-Language"}


def _tagged(body: str | bytes, status: int, mimetype: str, tag: str) -> Response:
    """Whoever has it is to ask again each time, and gets 304 where it is the same."""
    headers = {**_spoken(), "ETag": quote_etag(tag), "Cache-Control": "no-cache"}
    return Response(body, status, headers, mimetype=mimetype)


def for_caller(response: R, environ: WSGIEnvironment) -> R:
    """The response, or what is told instead to a caller who has it already, or who wants another one than it is."""
    if response.status_code == OK and "ETag" in response.headers and any(one in environ for one in CONDITIONS):
        response.make_conditional(environ)
        if response.status_code == NOT_MODIFIED:
            response.response = []
    return response
