"""What the response cache earns in front of Flask: repeated requests per CPU second, beside a lookup inside of Flask.

Run: `python tests/benchmarks/response_cache.py`; with a number, so many requests in place of 4,000. Prints the rates of
the application alone and over HTTP on waitress, where the CPU time is that of the process that serves.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import EnvironBuilder

from fitcard.web.app import create_app
from fitcard.web.response_cache import CacheMiddleware

ADDRESS = "/v1/can-run/qwen-3-14b-on-m1-16gb"
REQUESTS, WARM, ROUNDS = 4_000, 200, 3
IN_FRONT, INSIDE = WAYS = ("in front of Flask", "inside of Flask")


def application(way: str) -> Flask:
    """The service, which looks up cached responses in that way."""
    app = create_app()
    if way == INSIDE:
        middleware: Any = app.wsgi_app
        assert isinstance(middleware, CacheMiddleware)
        app.wsgi_app = middleware.app  # type: ignore[method-assign]

        @app.before_request
        def lookup() -> Response | None:
            entry = middleware.lookup(request.environ)
            if entry is None:
                return None
            response = Response(entry.body)
            response.headers.clear()
            response.headers.extend(entry.headers)
            return response

    return app


def alone(way: str, requests: int) -> float:
    """CPU seconds of so many requests to the application."""
    app, environ = application(way), EnvironBuilder(ADDRESS).get_environ()

    def get() -> None:
        lines: list[str] = []
        body = b"".join(app.wsgi_app(dict(environ), lambda line, *_: lines.append(line)))  # type: ignore[arg-type, return-value]
        assert (lines, bool(body)) == (["200 OK"], True)

    return fastest(get, time.process_time, requests)


def over_http(way: str, requests: int) -> float:
    """CPU seconds of so many requests in the process that serves them."""
    words = [sys.executable, __file__, "serve", way]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(server.stdout.readline()))

        def get(address: str = ADDRESS) -> bytes:
            connection.request("GET", address)
            response = connection.getresponse()
            assert response.status == 200
            return response.read()

        try:
            return fastest(get, lambda: float(get("/cpu/")), requests)
        finally:
            server.terminate()


def fastest(get: Callable[[], object], clock: Callable[[], float], requests: int) -> float:
    """The shortest time that so many requests took, in several rounds."""
    for _ in range(WARM):
        get()
    times = []
    for _ in range(ROUNDS):
        started = clock()
        for _ in range(requests):
            get()
        times.append(clock() - started)
    return min(times)


def serve(way: str) -> None:
    """Serves the application, and under /cpu/ the CPU seconds of this process, on a port that it prints."""
    from fitcard.web.options import Limits, ServerLimits  # noqa: PLC0415
    from fitcard.web.server import Server, bind_sockets  # noqa: PLC0415

    def cpu(_: object, start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(time.process_time()).encode()]

    app = application(way)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/cpu": cpu})  # type: ignore[method-assign]
    (listening,) = bind_sockets("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    Server(app, [listening], ServerLimits(), Limits()).run()


def main() -> None:
    """Prints the rates."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    for name, measure in (("alone", alone), ("over HTTP", over_http)):
        seconds = {way: measure(way, requests) for way in WAYS}
        for way in WAYS:
            print(f"{name}, looked up {way}: {requests / seconds[way]:,.0f} requests per CPU second")
        print(f"{name}: {seconds[INSIDE] / seconds[IN_FRONT]:.1f} times as many in front of Flask")


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1:2] == ["serve"] else main()
