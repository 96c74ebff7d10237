"""How often one caller may ask: by the name of an API key, else by address."""

from __future__ import annotations

import math
import time
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from flask import Flask, current_app, g, request

from fitcard.answer.problems import TooManyRequests
from fitcard.web.errors import refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXTENSION = "rate"
FREE = ("/health", "/ready", "/metrics", "/assets/")  # what watches the service, and what pages bring along
IPV6, ONE_CALLER = 6, 64  # one household or server has as many addresses as share so many bits


class RateLimit:
    """A rate that reads like `60/minute`, and what each caller has asked lately.

    Raises ValueError, when it is made, where the rate cannot be read.
    """

    def __init__(self, rate: str) -> None:
        from limits import parse  # noqa: PLC0415 - imported only where there is a rate limit
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        self._limit, self._limiter = parse(rate), SlidingWindowCounterRateLimiter(MemoryStorage())

    def admits(self, name: str, environ: WSGIEnvironment, path: str, questions: int = 1) -> bool:
        """Whether so many questions more are within the rate of this caller; they are counted where they are."""
        if path.startswith(FREE) or environ["REQUEST_METHOD"] == "OPTIONS":
            return True
        return self._limiter.hit(self._limit, caller(name, environ), cost=min(questions, self._limit.amount))

    def charge(self, questions: int) -> None:
        """Counts so many questions of this request. Raises Refused beyond the rate."""
        if self.admits(g.caller, request.environ, request.path, questions):
            return
        window = self._limiter.get_window_stats(self._limit, caller(g.caller, request.environ))
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        slots = {"most": self._limit.amount, "window": self._limit.get_expiry(), "seconds": seconds}
        raise refused(TooManyRequests, headers={"Retry-After": str(seconds)}, slots=slots)


def install(app: Flask, rate: RateLimit | None) -> None:
    """Refuses requests beyond the rate, where there is one."""
    if rate is None:
        return
    app.extensions[EXTENSION] = rate

    @app.before_request
    def not_too_often() -> None:
        rate.charge(1)


def charge_more(questions: int) -> None:
    """Counts the further questions of a request as if each were one of its own. Raises Refused beyond the rate."""
    if EXTENSION in current_app.extensions and questions > 0:
        current_app.extensions[EXTENSION].charge(questions)


def caller(name: str, environ: WSGIEnvironment) -> str:
    """Who asks: the name of a key, or where there is none an address, of IPv6 the part that one caller has."""
    if name:
        return name
    given = environ.get("REMOTE_ADDR") or ""
    try:
        address = ip_address(given)
    except ValueError:  # a socket of this machine
        return given
    return str(ip_network(f"{address}/{ONE_CALLER}", strict=False)) if address.version == IPV6 else str(address)
