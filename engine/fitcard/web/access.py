"""Who may use the service, and how often: API keys and the rate limit."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from fitcard.answer.problems import BatchAboveRate, KeyNeeded, TooManyRequests
from fitcard.answer.question import EXPLAIN
from fitcard.web.errors import refusal
from fitcard.web.options import MONITORING_PATHS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PROTECTED, UNPROTECTED = "/v1/", "/v1/search/"  # the pages, which need no key, search
BEARER, API_KEY = "bearer", "HTTP_X_API_KEY"
HASH_PREFIX = "sha256:"
SHA256 = re.compile("[0-9a-f]{64}")
COMMENT = "#"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="fitcard"'}
UNLIMITED = (*MONITORING_PATHS, "/assets/")  # monitoring, and what pages load
POST = "POST"
OPTIONS = "OPTIONS"  # preflight requests of browsers have no key
MAX_KNOWN = 4096  # pairs of an address and a caller
MAX_WINDOW = 366 * 86_400  # seconds
COUNTS_FILE = "rate.db"
IPV6, IPV6_PREFIX = 6, 64  # the length in bits of the prefix of a household or server


def read_keys(path: Path) -> dict[str, str]:
    """The names of callers by the SHA-256 of their key, from a file with a name and a key per line.

    In place of a key, a line may hold `sha256:` and its hash. Raises OSError where the file cannot be read, and
    ValueError, which names the line, where it has another form or holds no keys.
    """
    names: dict[str, str] = {}
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not a text in UTF-8") from None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(COMMENT)[0].split()
        if not words:
            continue
        if len(words) != len(("name", "key")):
            raise ValueError(f"{path}:{number}: expected a name and a key, separated by a space")
        name, key = words
        digest = key.removeprefix(HASH_PREFIX) if key.startswith(HASH_PREFIX) else _hash(key)
        if not SHA256.fullmatch(digest):
            raise ValueError(f"{path}:{number}: after {HASH_PREFIX} there must be 64 hexadecimal digits in lower case")
        if digest in names:
            raise ValueError(f"{path}:{number}: {names[digest]} has this key already")
        names[digest] = name
    if not names:
        raise ValueError(f"{path}: contains no keys")
    return names


class Access:
    """The API keys and the rate limit of an application.

    `keys` are the names of callers by the hash of their key; without any, no key is needed. `rate` reads like
    `60/minute`; empty for none; processes with a folder that is `shared` count together. Raises ValueError on
    construction where the rate cannot be read.

    Wrong keys count as requests of their address. While an address has sent as many of them as the rate allows, no key
    is compared for it, so that the right one cannot be found by trying: only callers that had sent their key from this
    address before are answered there.
    """

    def __init__(self, keys: Mapping[str, str], rate: str, shared: Path | None = None) -> None:
        self._names = keys
        self._rate = RateLimit(rate, shared) if rate else None
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()  # addresses with the names of their callers
        self._lock = threading.Lock()

    def caller(self, environ: WSGIEnvironment, path: str) -> str | None:
        """The name of the caller, empty where no key is needed; None where one is needed and missing or wrong."""
        if not self._names or not path.startswith(PROTECTED) or environ["REQUEST_METHOD"] == OPTIONS:
            return ""
        name = _name_of(_key_of(environ), self._names)
        return name if name or path.startswith(UNPROTECTED) else None

    def admits(self, environ: WSGIEnvironment, path: str) -> bool:
        """Whether a request is allowed; it is counted if so."""
        caller = self.caller(environ, path)
        if caller is None or self._suspects(caller, environ):
            return False
        return self._rate is None or self._rate.admits(caller, environ, path)

    def check(self, environ: WSGIEnvironment, path: str) -> str:
        """The name of the caller. Raises RequestRefused where a key is missing or the rate exceeded."""
        caller = self.caller(environ, path)
        if self._rate is not None and (self._is_wrong(environ, path) or self._suspects(caller, environ)):
            self._count(self._rate, _guesses(environ), environ, path)
        if self._rate is not None:
            self._count(self._rate, caller or "", environ, path)
        if caller is None:
            raise refusal(KeyNeeded, headers=CHALLENGE)
        self._remember(caller, environ)
        return caller

    def count(self, requests: int, caller: str, environ: WSGIEnvironment, path: str, *, alone: bool = False) -> None:
        """Counts a request that `check` has counted once as this many.

        One that asks a single question, `alone`, counts at most as many as the rate allows at once. Raises
        RequestRefused where the rate is exceeded, or the request is above it for good.
        """
        if self._rate is None:
            return
        requests = min(requests, self._rate.most) if alone else requests
        if requests > self._rate.most:
            slots = {"most": self._rate.most, "window": self._rate.window}
            raise refusal(BatchAboveRate, "", requests, slots=slots)
        if requests > 1 and not self._rate.admits(caller, environ, path, requests - 1):
            raise self._rate.exceeded(requests, caller, environ)

    @staticmethod
    def _count(rate: RateLimit, caller: str, environ: WSGIEnvironment, path: str) -> None:
        """Counts a request. Raises RequestRefused where the rate is exceeded.

        A request that may count as several is to come back when the rate allows the most.
        """
        if not rate.admits(caller, environ, path):
            several = environ["REQUEST_METHOD"] == POST or EXPLAIN in environ.get("QUERY_STRING", "")
            raise rate.exceeded(rate.most if several else 1, caller, environ)

    def _is_wrong(self, environ: WSGIEnvironment, path: str) -> bool:
        """Whether a request has a key that is wrong."""
        key = _key_of(environ) if self._names and path.startswith(PROTECTED) else ""
        return bool(key) and not _name_of(key, self._names)

    def _suspects(self, caller: str | None, environ: WSGIEnvironment) -> bool:
        """Whether the key of a caller is not compared, as its address has sent too many wrong ones."""
        if not caller or self._rate is None or self._rate.allows(_guesses(environ)):
            return False
        with self._lock:
            return (_rated("", environ), caller) not in self._known

    def _remember(self, caller: str, environ: WSGIEnvironment) -> None:
        """Remembers that a caller has sent its key from an address; the longest unused one is forgotten."""
        if caller and self._rate is not None:
            with self._lock:
                self._known[_rated("", environ), caller] = None
                self._known.move_to_end((_rated("", environ), caller))
                while len(self._known) > MAX_KNOWN:
                    self._known.popitem(last=False)


class RateLimit:
    """A rate such as `60/minute` in a sliding window, per name of a key or per address.

    Requests are counted in a file of the `shared` folder, or without one in this process. Raises ValueError on
    construction where the rate cannot be read.
    """

    def __init__(self, rate: str, shared: Path | None = None) -> None:
        from limits import parse  # noqa: PLC0415 - imported only where there is a rate limit
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        from fitcard.web.shared_counts import SharedCounts  # noqa: PLC0415

        self._limit = parse(rate)
        if self._limit.amount < 1 or self._limit.get_expiry() > MAX_WINDOW:
            raise ValueError(f"{rate}: a rate limit is at least one request within at most a year")
        self._storage = SharedCounts(shared / COUNTS_FILE) if shared else MemoryStorage()
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    @property
    def most(self) -> int:
        """The number of requests that are allowed within the window."""
        return self._limit.amount

    @property
    def window(self) -> int:
        """The length of the window in seconds."""
        return self._limit.get_expiry()

    def admits(self, caller: str, environ: WSGIEnvironment, path: str, requests: int = 1) -> bool:
        """Whether a number of requests is within the rate of the caller; if so, they are counted."""
        if path.startswith(UNLIMITED) or environ["REQUEST_METHOD"] == OPTIONS:
            return True
        return self._limiter.hit(self._limit, _rated(caller, environ), cost=requests)

    def allows(self, name: str) -> bool:
        """Whether a request that is counted by this name would be within the rate; it is not counted."""
        return self._limiter.test(self._limit, name)

    def exceeded(self, requests: int, caller: str, environ: WSGIEnvironment) -> Exception:
        """The exception for a caller whose rate is exceeded, with the seconds until this many requests are allowed."""
        seconds = self._wait(requests, _rated(caller, environ))
        slots = {"most": self.most, "window": self.window, "seconds": seconds}
        return refusal(TooManyRequests, headers={"Retry-After": str(seconds)}, slots=slots)

    def _wait(self, requests: int, name: str) -> int:
        """The whole seconds until a number of requests is allowed, if none come before.

        Requests of the current window count in full until its end, and from then on by the share of the window that
        still overlaps with it.
        """
        key = self._limit.key_for(name)
        previous, _, current, current_ttl = self._storage.get_sliding_window(key, self.window)
        left = current_ttl - self.window  # of the current window
        allowed = self.most - requests + 1  # counts are rounded down, and must stay below
        if current < allowed:
            wait = left - (allowed - current) * self.window / previous if previous else 0
        else:
            wait = left + self.window * (1 - allowed / current)
        return max(1, math.floor(wait) + 1)


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


def _guesses(environ: WSGIEnvironment) -> str:
    """What wrong keys of an address are counted by; no name of a caller has spaces."""
    return f"wrong keys of {_rated('', environ)}"


def _key_of(environ: WSGIEnvironment) -> str:
    scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return str(key.strip() if scheme.casefold() == BEARER else environ.get(API_KEY, ""))


def _name_of(key: str, names: Mapping[str, str]) -> str:
    """The name of a key, empty for none; comparison takes the same time for each, so that none can be guessed."""
    digest = _hash(key)
    return "".join([name for known, name in names.items() if hmac.compare_digest(known, digest)][:1])


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
