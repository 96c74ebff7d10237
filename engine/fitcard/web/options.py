"""Server options and their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_BODY = 100_000  # bytes
MAX_ADDRESS = 8_000  # characters
MAX_QUESTIONS = 100  # of one batch
BATCH_SECONDS = 10.0
MAX_RESPONSE = 4_000_000  # bytes of the answers of one batch: three times those of a hundred ordinary ones


@dataclass(frozen=True)
class Limits:
    """Limits of one request.

    `body` is in bytes; `address` counts the characters of path and query; `questions` are those of a batch, whose
    evaluation stops after `seconds`, or when their answers have `response` bytes.
    """

    body: int = MAX_BODY
    address: int = MAX_ADDRESS
    questions: int = MAX_QUESTIONS
    seconds: float = BATCH_SECONDS
    response: int = MAX_RESPONSE


@dataclass(frozen=True)
class Options:
    """How the service is run.

    `trusted_proxies` is the number of proxies in front of it whose X-Forwarded-For is trusted. `rate_limit` reads like
    `60/minute`; empty for none. `api_keys` are the names of callers by the hash of their key; without any, /v1 needs no
    key. `decision_log` is the file to which each answer is logged.
    """

    limits: Limits = field(default_factory=Limits)
    trusted_proxies: int = 0
    rate_limit: str = ""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    decision_log: Path | None = None
    metrics: bool = True


@dataclass(frozen=True)
class ServerLimits:
    """Limits of connections.

    `threads` answer at the same time; `connections` are open at most, each closed after `idle` seconds without a
    request. A request has to arrive within `arrival` seconds, with at most `header` bytes of headers. At shutdown the
    service answers for another `drain` seconds while it is not ready, and then waits `patience` seconds for requests
    in progress.
    """

    threads: int
    connections: int
    idle: int
    arrival: float
    header: int
    drain: float
    patience: float
