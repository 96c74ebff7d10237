"""Who may use the service, and how often: API keys and the rate limit."""

from __future__ import annotations

import hashlib
import hmac
import math
import time
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from fitcard.answer.problems import KeyNeeded, TooManyRequests
from fitcard.web.errors import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PROTECTED, UNPROTECTED = "/v1/", "/v1/search/"  # the pages, which need no key, search
BEARER, API_KEY = "bearer", "HTTP_X_API_KEY"
HASH_PREFIX = "sha256:"
COMMENT = "#"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fitcard"'}
UNLIMITED = ("/health", "/ready", "/metrics", "/assets/")  # monitoring, and what pages load
OPTIONS = "OPTIONS"  # preflight requests of browsers have no key
IPV6, IPV6_PREFIX = 6, 64  # the length in bits of the prefix of a household or server


def read_keys(path: Path) -> dict[str, str]:
    """The names of callers by the SHA-256 of their key, from a file with a name and a key per line.

    In place of a key, a line may hold `sha256:` and its hash. Raises OSError where the file cannot be read, and
    ValueError, which names the line, where it has another form or holds no keys.
    """
    names: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.partition(COMMENT)[0].split()
        if not words:
            continue
        if len(words) != len(("name", "key")):
            raise ValueError(f"{path}:{number}: expected a name and a key, separated by a space")
        name, key = words
        names[key.removeprefix(HASH_PREFIX) if key.startswith(HASH_PREFIX) else _hash(key)] = name
    if not names:
        raise ValueError(f"{path}: contains no keys")
    return names


class Access:
    """The API keys and the rate limit of an application.

    `keys` are the names of callers by the hash of their key; without any, no key is needed. `rate` reads like
    `60/minute`; empty for none. Raises ValueError on construction where it cannot be read.
    """

    def __init__(self, keys: Mapping[str, str], rate: str) -> None:
        self._names = keys
        self._rate = RateLimit(rate) if rate else None

    def caller(self, environ: WSGIEnvironment, path: str) -> str | None:
        """The name of the caller, empty where no key is needed; None where one is needed and missing or wrong."""
        if not self._names or not path.startswith(PROTECTED) or environ["REQUEST_METHOD"] == OPTIONS:
            return ""
        name = _name_of(_key_of(environ), self._names)
        return name if name or path.startswith(UNPROTECTED) else None

    def admits(self, environ: WSGIEnvironment, path: str) -> bool:
        """Whether a request is allowed; it is counted if so."""
        caller = self.caller(environ, path)
        return caller is not None and (self._rate is None or self._rate.admits(caller, environ, path))

    def check(self, environ: WSGIEnvironment, path: str) -> str:
        """The name of the caller. Raises RequestRefused where a key is missing or the rate exceeded."""
        caller = self.caller(environ, path)
        if caller is None:
            raise refusal(KeyNeeded, headers=CHALLENGE)
        self.count(1, caller, environ, path)
        return caller

    def count(self, questions: int, caller: str, environ: WSGIEnvironment, path: str) -> None:
        """Counts further questions of a caller like requests. Raises RequestRefused where the rate is exceeded."""
        if self._rate is not None and questions > 0 and not self._rate.admits(caller, environ, path, questions):
            raise self._rate.exceeded(caller, environ)


class RateLimit:
    """A rate such as `60/minute` in a sliding window, per name of a key or per address.

    Raises ValueError on construction where the rate cannot be read.
    """

    def __init__(self, rate: str) -> None:
        from limits import parse  # noqa: PLC0415 - imported only where there is a rate limit
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._limit, self._limiter = parse(rate), SlidingWindowCounterRateLimiter(MemoryStorage())

    def admits(self, caller: str, environ: WSGIEnvironment, path: str, questions: int = 1) -> bool:
        """Whether a number of questions is within the rate of the caller; if so, they are counted."""
        if path.startswith(UNLIMITED) or environ["REQUEST_METHOD"] == OPTIONS:
            return True
        return self._limiter.hit(self._limit, _rated(caller, environ), cost=min(questions, self._limit.amount))

    def exceeded(self, caller: str, environ: WSGIEnvironment) -> Exception:
        """The exception for a caller whose rate is exceeded, with the seconds to wait."""
        window = self._limiter.get_window_stats(self._limit, _rated(caller, environ))
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        slots = {"most": self._limit.amount, "window": self._limit.get_expiry(), "seconds": seconds}
        return refusal(TooManyRequests, headers={"Retry-After": str(seconds)}, slots=slots)


def _rated(caller: str, environ: WSGIEnvironment) -> str:
    """What the rate is counted by: the name of the caller, else the address; of IPv6 its prefix."""
    if caller:
        return caller
    text = environ.get("REMOTE_ADDR") or ""
    try:
        address = ip_address(text)
    except ValueError:  # a Unix socket
        return text
    return str(ip_network(f"{address}/{IPV6_PREFIX}", strict=False)) if address.version == IPV6 else str(address)


def _key_of(environ: WSGIEnvironment) -> str:
    scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(key.strip() if scheme.casefold() == BEARER else environ.get(API_KEY, ""))


def _name_of(key: str, names: Mapping[str, str]) -> str:
    """The name of a key, empty for none; comparison takes the same time for each, so that none can be guessed."""
    digest = _hash(key)
    return "".join([name for known, name in names.items() if hmac.compare_digest(known, digest)][:1])


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
