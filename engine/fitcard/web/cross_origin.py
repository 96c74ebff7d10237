"""Scripts of other sites may read what `/v1` and `/openapi.json` give: it is the same for anyone."""

from __future__ import annotations

from flask import Flask, Response, request

from fitcard.web.responses import READS

OPEN = ("/v1/", "/openapi.json")
ANYONE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-Id"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": ", ".join(READS),
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, X-Api-Key",
    "Access-Control-Max-Age": "7200",
}


def install(app: Flask) -> None:
    """Opens what is read, and answers browsers that ask first."""

    @app.after_request
    def open_to_anyone(response: Response) -> Response:
        if request.path.startswith(OPEN):
            if request.method in READS:
                response.headers.extend(ANYONE)
            elif request.method == "OPTIONS":
                response.headers.extend(ANYONE | PREFLIGHT)
        return response
