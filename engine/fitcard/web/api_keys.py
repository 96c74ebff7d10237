"""API keys: who may ask `/v1`, where whoever runs the service has named anybody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, g, request

from fitcard.answer.problems import KeyNeeded
from fitcard.web.errors import refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LOCKED, OPEN = "/v1/", "/v1/search/"  # the pages, which nobody needs a key for, search by themselves
BEARER, VARIABLE = "bearer", "HTTP_X_API_KEY"
HASHED = "sha256:"  # before a key of which the file has only the hash
COMMENT = "#"
WANTED = {"WWW-Authenticate": 'Bearer realm="fitcard"'}


def read_keys(path: Path) -> dict[str, str]:
    """The names of callers by the SHA-256 of their key, of a file with a name and a key in each line.

    In place of a key may stand `sha256:` and its hash. Raises OSError where the file cannot be read, and ValueError,
    which says in which line, where one has another form, or where no key is left.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.partition(COMMENT)[0].split()
        if not words:
            continue
        if len(words) != len(("name", "key")):
            raise ValueError(f"{path}:{number}: expected a name and a key, separated by a space")
        name, key = words
        found[key.removeprefix(HASHED) if key.startswith(HASHED) else _hash(key)] = name
    if not found:
        raise ValueError(f"{path}: contains no keys")
    return found


@dataclass(frozen=True)
class ApiKeys:
    """The names of callers by the hash of their key; where there are none, no key is asked for."""

    names: Mapping[str, str]

    def caller(self, environ: WSGIEnvironment, path: str) -> str | None:
        """Who asks for that path: a name, or empty text where none is needed; None where it is, and there is none."""
        if not self.names or not path.startswith(LOCKED) or environ["REQUEST_METHOD"] == "OPTIONS":
            return ""  # a browser that asks what it may send has no key with it
        name = _name_of(_given(environ), self.names)
        return name if name or path.startswith(OPEN) else None


def install(app: Flask, keys: ApiKeys) -> None:
    """Refuses requests without a key that is needed; the caller's name is `g.caller`."""

    @app.before_request
    def known() -> None:
        caller = keys.caller(request.environ, request.path)
        g.caller = caller or ""
        if caller is None:
            raise refused(KeyNeeded, headers=WANTED)


def _given(environ: WSGIEnvironment) -> str:
    kind, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(key.strip() if kind.casefold() == BEARER else environ.get(VARIABLE, ""))


def _name_of(key: str, keys: Mapping[str, str]) -> str:
    """Whose key it is; each is compared in the same time, so that none can be guessed letter by letter."""
    hashed = _hash(key)
    return "".join([name for known, name in keys.items() if hmac.compare_digest(known, hashed)][:1])


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
