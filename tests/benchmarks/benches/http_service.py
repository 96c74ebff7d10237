"""Requests over one open HTTP connection to a server on this machine, beside an empty route.

The server is a process of its own, which runs `main`.
"""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import urlencode

from benchmarks.benches.answer import pinned_question
from benchmarks.harness import Benchmark, Comparison, NotComparable, Setup, Variant
from benchmarks.process import environment, main_of

LOOPBACK = "127.0.0.1"
THREADS = 2
OK, NOT_MODIFIED = 200, 304
EMPTY = "/empty/"
PATHS = {"JSON": "/v1/can-run/", "page": "/can-run/"}


@contextmanager
def _requests(setup: Setup) -> Iterator[Comparison]:
    variables = environment(setup.folders)
    with subprocess.Popen(main_of(__name__), env=variables, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                raise NotComparable("the server did not start")
            started = json.loads(line)
            client = _Client(started["port"])
            yield Comparison(tuple(_variants(setup, client, started["paths"])), "request")
            client.close()
        finally:
            server.terminate()


def _variants(setup: Setup, client: _Client, paths: dict[str, str]) -> Iterator[Variant]:
    yield Variant("empty route", lambda: client.get(EMPTY, OK), ours=False)
    for name, path in paths.items():
        new = _new_questions(setup, path)
        etag = client.get(path, OK)

        def uncached(new: Iterator[str] = new) -> None:
            client.get(next(new), OK)

        def cached(path: str = path) -> None:
            client.get(path, OK)

        def not_modified(path: str = path, etag: str = etag) -> None:
            client.get(path, NOT_MODIFIED, etag)

        yield Variant(f"{name}, not cached", uncached)
        yield Variant(f"{name}, cached", cached)
        yield Variant(f"{name}, 304", not_modified)


def _new_questions(setup: Setup, path: str) -> Iterator[str]:
    """Addresses of questions that differ in an input, more of them than the cache holds."""
    field = next(iter(setup.rulebook.question_fields.inputs.values()))
    numbers = cycle(range(int(field.minimum), int(field.maximum)))
    return (f"{path}?{urlencode({field.name: number})}" for number in numbers)


class _Client:
    """One connection, kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port)

    def get(self, path: str, expected: int, etag: str = "") -> str:
        """The ETag of the response. Raises NotComparable where its status is not the expected one."""
        self._connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        response = self._connection.getresponse()
        response.read()
        if response.status != expected:
            raise NotComparable(f"{path} gave {response.status}, not {expected}")
        return response.headers.get("ETag", "")

    def close(self) -> None:
        self._connection.close()


BENCHMARKS = (Benchmark("http", "requests over HTTP on this machine, beside an empty route of the server", _requests),)


def main() -> None:
    """Serves the application and an empty Flask route on a free port; prints the port and the paths to request."""
    from flask import Flask  # noqa: PLC0415 - only the server process needs them
    from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: PLC0415

    from fitcard.catalog.catalog import JOINED  # noqa: PLC0415
    from fitcard.web.app import create_app  # noqa: PLC0415
    from fitcard.web.options import Limits, ServerLimits  # noqa: PLC0415
    from fitcard.web.questions import PAIR  # noqa: PLC0415
    from fitcard.web.server import Server, bind_sockets  # noqa: PLC0415

    app, bare = create_app(), Flask(__name__)
    bare.add_url_rule("/", "empty", lambda: "")
    question = pinned_question(Setup.of_project().rulebook)
    pair = JOINED.join(question.entries[axis] for axis in PAIR)
    paths = {name: path + pair for name, path in PATHS.items()}
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {EMPTY.rstrip("/"): bare})  # type: ignore[method-assign]
    (listening,) = bind_sockets(LOOPBACK, 0)
    server = Server(app, [listening], ServerLimits(threads=THREADS), Limits())
    print(json.dumps({"port": listening.getsockname()[1], "paths": paths}), flush=True)
    server.run()
