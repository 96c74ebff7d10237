"""Responses, and the headers that tell browsers and caches what to do with them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, g
from werkzeug.http import quote_etag

from fitcard import __version__
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.pages.renderer import asset

JSON, PROBLEM_MEDIA = "application/json", "application/problem+json"
HTML, SVG, CSS, JAVASCRIPT, TEXT = "text/html", "image/svg+xml", "text/css", "text/javascript", "text/plain"
OK = 200
COMPACT = (",", ":")  # separators

READS = ("GET", "HEAD")
OPEN_TO_SCRIPTS = ("/v1/", "/openapi.json")
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id"}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": ", ".join(READS),
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, X-Api-Key",
    "Access-Control-Max-Age": "7200",
}
EMBEDDABLE = ("/embed/", "/card/", "/badge/")  # shown by pages of other sites


class RulesResponse(Response):
    """A response that depends on nothing but the request and the rules, so that it can be cached."""


def json_response(data: Any) -> Response:
    """Data as JSON; bytes are JSON already."""
    return rules_response(data if isinstance(data, bytes) else to_json(data), JSON)


def rules_response(body: str | bytes, media: str = HTML, status: int = OK) -> Response:
    """A body that depends on nothing but the request and the rules."""
    return RulesResponse(body, status, _tag_headers(rules_tag(g.rulebook)), mimetype=media)


def tagged_response(body: str | bytes, media: str, tag: str) -> Response:
    """A body that can change while the rules do not, with the tag that identifies it."""
    return Response(body, OK, _tag_headers(tag), mimetype=media)


def problem_response(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A problem document."""
    return Response(
        to_json(document), document["status"], {**_language_headers(), **(headers or {})}, mimetype=PROBLEM_MEDIA
    )


def rules_tag(rulebook: Rulebook) -> str:
    """Identifies the responses of these rules in this language, by this version of the package."""
    return f"{__version__}-{rulebook.version}-{rulebook.sha256}-{rulebook.messages.language}"


def _tag_headers(tag: str) -> dict[str, str]:
    """Headers that make callers revalidate what they have, and let them keep it while the tag is the same."""
    return {**_language_headers(), "ETag": quote_etag(tag), "Cache-Control": "no-cache"}


def _language_headers() -> dict[str, str]:
    return {"Content-Language": g.rulebook.messages.language, "Vary": "Accept-Language"}


def to_json(data: Any) -> bytes:
    """Data as compact JSON, with its keys in their order."""
    try:
        return orjson.dumps(data)
    except TypeError:  # a number of more than 64 bits, or half of a surrogate pair
        return json.dumps(data, separators=COMPACT).encode()


def add_headers(response: Response, method: str, path: str) -> None:
    """Adds the security headers, and for the API those of cross-origin requests."""
    if path.startswith(OPEN_TO_SCRIPTS):
        if method in READS:
            response.headers.extend(CORS)
        elif method == "OPTIONS":
            response.headers.extend(PREFLIGHT)
    if path.startswith(EMBEDDABLE):
        response.headers.extend(EMBEDDABLE_HEADERS)
    else:
        response.headers.extend(PAGE_HEADERS if response.mimetype == HTML else DATA_HEADERS)


def _security_headers(policy: Mapping[str, str]) -> list[tuple[str, str]]:
    """Headers whose Content-Security-Policy allows this and nothing else."""
    allowed = "; ".join(["default-src 'none'", *(f"{directive} {sources}" for directive, sources in policy.items())])
    return [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        ("Content-Security-Policy", allowed),
    ]


def _style_hash(style: str) -> str:
    """The source that allows one inline style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"


PAGE_HEADERS = _security_headers(
    {
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
)
DATA_HEADERS = _security_headers({"frame-ancestors": "'none'"})
EMBEDDABLE_HEADERS = _security_headers(
    {"style-src": _style_hash(asset("card.css")), "base-uri": "'none'", "frame-ancestors": "*"}
)
