"""What whoever runs the service may choose, with what holds where nothing is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_BODY = 100_000  # bytes
MAX_ADDRESS = 8_000  # characters
MAX_QUESTIONS = 100  # of one batch
BATCH_SECONDS = 10.0


@dataclass(frozen=True)
class Limits:
    """What one request may take: bytes of its `body`, characters of its `address` with all parameters, `questions` of a
    batch, and the `seconds` in which these are answered.
    """

    body: int = MAX_BODY
    address: int = MAX_ADDRESS
    questions: int = MAX_QUESTIONS
    seconds: float = BATCH_SECONDS


@dataclass(frozen=True)
class Options:
    """How a service is run.

    `trusted_proxies` stand in front of it, whose word on the caller's address is taken. `rate_limit` is as in
    `60/minute`, empty for none. `api_keys` are the names of callers by the hash of their key; without any, none is
    asked for. `decision_log` is the file that each answer is noted in.
    """

    limits: Limits = field(default_factory=Limits)
    trusted_proxies: int = 0
    rate_limit: str = ""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    decision_log: Path | None = None
    metrics: bool = True
