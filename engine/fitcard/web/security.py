"""Headers that tell a browser what a response may do: next to nothing, but for pages what they need."""

from __future__ import annotations

import base64
import hashlib

from flask import Flask, Response, request

from fitcard.web.pages.drawing import asset
from fitcard.web.responses import HTML

FRAMED = ("/embed/", "/card/", "/badge/")  # what stands in pages of others
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}
POLICY = "Content-Security-Policy"
NOTHING = "default-src 'none'"
OWN = "'self'"
OF_PAGES = {  # what a page of the site takes from where
    "script-src": OWN,
    "style-src": OWN,
    "img-src": f"{OWN} data:",
    "connect-src": OWN,
    "frame-src": OWN,
    "form-action": OWN,
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def install(app: Flask) -> None:
    """Adds the headers to every response."""
    page = headers(OF_PAGES)
    data = headers({"frame-ancestors": "'none'"})
    framed = headers({"style-src": digest(asset("card.css")), "base-uri": "'none'", "frame-ancestors": "*"})

    @app.after_request
    def tell_browsers(response: Response) -> Response:
        if request.path.startswith(FRAMED):
            response.headers.extend(framed)
        else:
            response.headers.extend(page if response.mimetype == HTML else data)
        return response


def headers(allowed: dict[str, str]) -> list[tuple[str, str]]:
    """All headers, with a Content-Security-Policy that allows this and nothing else."""
    return [*ALWAYS.items(), (POLICY, "; ".join([NOTHING, *(f"{what} {where}" for what, where in allowed.items())]))]


def digest(style: str) -> str:
    """What allows one style sheet that stands in a page itself, by its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
