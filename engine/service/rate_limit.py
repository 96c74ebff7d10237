"""How often one caller may ask: by the name of an API key, else by address."""

from __future__ import annotations

import math
import time
from ipaddress import ip_address, ip_network

from flask import Flask, current_app, g, request

from engine.service.refusals import TooManyRequests, refused

EXTENSION = "charge"
FREE = ("/health", "/ready", "/metrics", "/assets/")  # what watches the service, and what pages bring along
IPV6, ONE_CALLER = 6, 64  # one household or server has as many addresses as share so many bits
NOT_INSTALLED = (
    "a rate limit needs the package limits: pip install 'fitcard[serve]', or in a checkout: pip install '.[serve]'"
)


def install(app: Flask, rate: str) -> None:
    """Refuses requests beyond the rate, which reads like `60/minute`; none where it is empty.

    Raises ImportError where the extra is missing, and ValueError where the rate cannot be read.
    """
    if not rate:
        return
    try:
        from limits import parse  # noqa: PLC0415 - only who limits needs the extra
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415
    except ImportError:
        raise ImportError(NOT_INSTALLED) from None
    limit, limiter = parse(rate), SlidingWindowCounterRateLimiter(MemoryStorage())

    def charge(cost: int) -> None:
        if not limiter.hit(limit, caller(), cost=min(cost, limit.amount)):
            seconds = max(1, math.ceil(limiter.get_window_stats(limit, caller()).reset_time - time.time()))
            slots = {"most": limit.amount, "window": limit.get_expiry(), "seconds": seconds}
            raise refused(g.rulebook, TooManyRequests, headers={"Retry-After": str(seconds)}, slots=slots)

    app.extensions[EXTENSION] = charge

    @app.before_request
    def not_too_often() -> None:
        if not request.path.startswith(FREE) and request.method != "OPTIONS":
            charge(1)


def charge_more(questions: int) -> None:
    """Counts the further questions of a request as if each were one of its own. Raises Refused beyond the rate."""
    if EXTENSION in current_app.extensions and questions > 0:
        current_app.extensions[EXTENSION](questions)


def caller() -> str:
    """Who asks: a name, or an address, of IPv6 the part that one caller has."""
    if g.caller:
        return str(g.caller)
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:  # a socket of this machine
        return request.remote_addr or ""
    return str(ip_network(f"{address}/{ONE_CALLER}", strict=False)) if address.version == IPV6 else str(address)
