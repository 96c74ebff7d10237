"""Pages over HTTP from a server on this machine, one after another over a kept connection, beside an empty route.

The server is a process of its own. Run as a module it serves until it is ended, and says where.
"""

from __future__ import annotations

import http.client
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import urlencode

from suite.alone import surroundings
from suite.answering import first_pinned
from suite.contest import Bench, Contest, NotComparable, Setting, Variant

LOOPBACK = "127.0.0.1"
THREADS = 2
OK, NOT_MODIFIED = 200, 304
EMPTY = "/empty/"
ROUTES = {"JSON": "/v1/can-run/", "page": "/can-run/"}


@contextmanager
def _pages(setting: Setting) -> Iterator[Contest]:
    words = (sys.executable, "-m", __name__)
    with subprocess.Popen(words, env=surroundings(setting.folders), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            told = server.stdout.readline()
            if not told:
                raise NotComparable("the server did not start")
            at = json.loads(told)
            client = _Client(at["port"])
            yield Contest(tuple(_variants(setting, client, at["paths"])), "request")
            client.close()
        finally:
            server.terminate()


def _variants(setting: Setting, client: _Client, paths: dict[str, str]) -> Iterator[Variant]:
    yield Variant("an empty route", lambda: client.get(EMPTY, OK), ours=False)
    for name, path in paths.items():
        others = _others(setting, path)
        etag = client.get(path, OK)

        def cold(others: Iterator[str] = others) -> None:
            client.get(next(others), OK)

        def cached(path: str = path) -> None:
            client.get(path, OK)

        def known(path: str = path, etag: str = etag) -> None:
            client.get(path, NOT_MODIFIED, etag)

        yield Variant(f"{name}, each question new", cold)
        yield Variant(f"{name}, asked before", cached)
        yield Variant(f"{name}, 304", known)


def _others(setting: Setting, path: str) -> Iterator[str]:
    """Addresses of questions that differ in an input, more of them than are kept of what was answered before."""
    asked = next(iter(setting.rulebook.question_fields.inputs.values()))
    numbers = cycle(range(int(asked.minimum), int(asked.maximum)))
    return (f"{path}?{urlencode({asked.name: number})}" for number in numbers)


class _Client:
    """One connection that is kept open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port)

    def get(self, path: str, expected: int, etag: str = "") -> str:
        """The ETag of what comes back. Raises NotComparable where the server says something else."""
        self._connection.request("GET", path, headers={"If-None-Match": etag} if etag else {})
        response = self._connection.getresponse()
        response.read()
        if response.status != expected:
            raise NotComparable(f"{path} gave {response.status}, not {expected}")
        return response.headers.get("ETag", "")

    def close(self) -> None:
        self._connection.close()


BENCHES = (Bench("http", "pages over HTTP on this machine, beside an empty route of the same server", _pages),)


def main() -> None:
    """Serves the service and an empty route of Flask on a free port, and prints which, with the addresses to ask."""
    from flask import Flask  # noqa: PLC0415 - only the process that serves needs them
    from waitress import create_server  # noqa: PLC0415
    from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: PLC0415

    from fitcard.web.app import create_app  # noqa: PLC0415
    from fitcard.web.questions import JOINED, PAIR  # noqa: PLC0415
    from fitcard.web.server import keep_connections_open  # noqa: PLC0415

    app, bare = create_app(), Flask(__name__)
    bare.add_url_rule("/", "empty", lambda: "")
    question = first_pinned(Setting.of_project().rulebook)
    paths = {name: route + JOINED.join(question.entries[axis] for axis in PAIR) for name, route in ROUTES.items()}
    both = DispatcherMiddleware(app, {EMPTY.rstrip("/"): bare})
    listening = create_server(both, host=LOOPBACK, port=0, threads=THREADS)
    keep_connections_open([listening])
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # one caller asks faster than a thread is free again
    print(json.dumps({"port": listening.effective_port, "paths": paths}), flush=True)
    listening.run()


if __name__ == "__main__":
    main()
