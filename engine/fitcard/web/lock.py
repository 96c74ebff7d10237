"""Answers take turns: whoever computes one is waited for until it is there.

Numbers are computed in thousands of short steps, at many of which numpy lets other threads go on. Several that compute
at once would hand the interpreter to and fro at each of them, and together come to half as many answers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app

EXTENSION = "turns"


def install(app: Flask) -> None:
    """Gives the application its turns."""
    app.extensions[EXTENSION] = threading.Lock()


@contextmanager
def answer_lock() -> Iterator[None]:
    """The turn of this request: it should hold no more than the computing of one answer."""
    with current_app.extensions[EXTENSION]:
        yield
