"""Pages over HTTP from a server on this machine, one after another over a kept connection, beside an empty route."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import urlencode

from flask import Flask, url_for
from waitress import create_server
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from engine.answer.question import Question
from engine.bench.answering import first_pinned
from engine.bench.contest import Bench, Contest, NotComparable, Setting, Variant
from engine.live_rulebook import LiveRulebook

LOOPBACK = "127.0.0.1"
THREADS = 2
OK, NOT_MODIFIED = 200, 304
EMPTY = "/empty"
ROUTES = {"JSON": "api.can_run", "page": "site.fit"}


@contextmanager
def _pages(setting: Setting) -> Iterator[Contest]:
    from server import PAIR, create_app  # noqa: PLC0415 - the routes import the engine

    live = LiveRulebook(setting.folders)
    app = create_app(live)
    bare = Flask(__name__)
    bare.add_url_rule("/", "empty", lambda: "")
    both = DispatcherMiddleware(app, {EMPTY: bare})
    question = first_pinned(live.rulebook)
    pair = "-on-".join(question.entries[axis] for axis in PAIR)
    with app.test_request_context():
        paths = {name: url_for(route, pair=pair) for name, route in ROUTES.items()}
    server = create_server(both, host=LOOPBACK, port=0, threads=THREADS)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    client = _Client(server.effective_port)
    variants = [Variant("an empty route", lambda: client.get(f"{EMPTY}/", OK), ours=False)]
    for name, path in paths.items():
        others = _others(live, question, path)
        etag = client.get(path, OK)

        def cold(others: Iterator[str] = others) -> None:
            client.get(next(others), OK)

        def cached(path: str = path) -> None:
            client.get(path, OK)

        def known(path: str = path, etag: str = etag) -> None:
            client.get(path, NOT_MODIFIED, etag)

        variants += [
            Variant(f"{name}, each question new", cold),
            Variant(f"{name}, asked before", cached),
            Variant(f"{name}, 304", known),
        ]
    try:
        yield Contest(tuple(variants), "request")
    finally:
        client.close()
        server.close()


def _others(live: LiveRulebook, question: Question, path: str) -> Iterator[str]:
    """Addresses of questions that differ in an input, more of them than are kept of what was answered before."""
    asked = next(iter(live.rulebook.subject.inputs.values()))
    least, most = int(asked.minimum), int(asked.maximum)
    return (f"{path}?{urlencode({asked.name: number})}" for number in cycle(range(least, most)))


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
