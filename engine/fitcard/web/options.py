"""Server options and their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_BODY = 100_000  # bytes
MAX_ADDRESS = 8_000  # characters
MAX_QUESTIONS = 100  # of one batch
BATCH_SECONDS = 10.0
MAX_RESPONSE = 4_000_000  # bytes of the answers of one batch: three times those of a hundred ordinary ones
MONITORING_PATHS = ("/health", "/ready", "/metrics")
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # names the folder in which processes share metrics, if there is one
TEXT_LOG, JSON_LOG, NO_LOG = LOG_FORMATS = ("text", "json", "none")


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


THREADS = 4
MAX_CONNECTIONS, MAX_ADDRESS_CONNECTIONS = 1000, 500
MAX_HEADER, MAX_BUFFERED = 32_000, 64_000_000  # bytes
IDLE_SECONDS, ARRIVAL_SECONDS, SEND_SECONDS, PATIENCE_SECONDS = 60, 30.0, 30.0, 20.0
PRIVATE_NETWORKS = (  # of loopback, private and link-local addresses (RFC 6890)
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How the service is run.

    `trusted_proxies` is the number of proxies in front of it whose X-Forwarded-For is trusted, and `proxy_networks`
    where they are: the header of others is ignored. `rate_limit` reads like `60/minute`; empty for none. `api_keys` are
    the names of callers by the hash of their key; without any, /v1 needs no key. `decision_log` is the file to which
    each answer is logged. `max_stale` is the number of seconds for which changed rules may fail to load before the
    service is not ready; 0 for any number. `shared` is the folder in which the processes of a service share state.
    """

    limits: Limits = field(default_factory=Limits)
    trusted_proxies: int = 0
    proxy_networks: Sequence[str] = PRIVATE_NETWORKS
    rate_limit: str = ""
    api_keys: Mapping[str, str] = field(default_factory=dict)
    decision_log: Path | None = None
    metrics: bool = True
    max_stale: float = 0
    shared: Path | None = None


@dataclass(frozen=True)
class ServerLimits:
    """Limits of connections.

    `threads` answer at the same time. At most `connections` are open, `address_connections` of one address; at a limit
    the one that waits longest for its client is closed for a new one. A connection is closed after `idle` seconds
    without a request. A request has to arrive within `arrival` seconds, with at most `header` bytes of headers, and its
    response to be received within `send` seconds; responses that are being sent hold at most `buffered` bytes. At
    shutdown the service answers for another `drain` seconds while it is not ready, and then waits `patience` seconds
    for requests in progress.
    """

    threads: int = THREADS
    connections: int = MAX_CONNECTIONS
    address_connections: int = MAX_ADDRESS_CONNECTIONS
    idle: int = IDLE_SECONDS
    arrival: float = ARRIVAL_SECONDS
    send: float = SEND_SECONDS
    header: int = MAX_HEADER
    buffered: int = MAX_BUFFERED
    drain: float = 0.0
    patience: float = PATIENCE_SECONDS
