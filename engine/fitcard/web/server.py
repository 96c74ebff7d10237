"""The HTTP server: waitress with bounds for slow clients, kept connections, and an end that cuts nobody off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from fitcard.web.app import STOPPING
from fitcard.web.options import Limits

KEEPS_OPEN = "1.1"  # the version of HTTP in which a connection stays open unless somebody says otherwise


class _Task(WSGITask):  # type: ignore[misc]
    def set_close_on_finish(self) -> None:
        """Closes the connection after this response, but not for want of a length where there is no body."""
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or asked or self.version != KEEPS_OPEN:
            super().set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


def keep_connections_open(servers: Iterable[Any]) -> None:
    """Has these servers of waitress keep their connections open."""
    for server in servers:
        server.channel_class = _Channel


LOOK_EVERY = 1.0  # seconds between looks at callers who are slow
OFTEN = 0.05  # the same while the end is waited for
ROOM = 10  # a body so many times too large gets a problem document; a larger one is cut off by waitress
CLEAN_EVERY = 30  # seconds between looks at callers who are silent


@dataclass(frozen=True)
class ServerLimits:
    """`threads` answer at once; so many `connections` are open, each closed after `idle` silent seconds.

    A request must have `arrived` whole within so many seconds, with `header` bytes before its body. At the end the
    service is `drain` seconds not ready and answers on, and then waits `patience` seconds for what is under way.
    """

    threads: int
    connections: int
    idle: int
    arrived: float
    header: int
    drain: float
    patience: float


class Server:
    """A socket that is listened on, from the start; `run` answers. Raises OSError where the address cannot be had."""

    def __init__(self, app: Flask, host: str, port: int, bounds: ServerLimits, limits: Limits) -> None:
        from waitress import create_server  # noqa: PLC0415 - only who listens needs it

        self.bounds, self.stopping = bounds, app.extensions[STOPPING]
        self._map: dict[int, Any] = {}
        self._since: dict[Any, float] = {}
        self._server: Any = create_server(
            app,
            map=self._map,
            host=host,
            port=port,
            threads=bounds.threads,
            ident=None,
            connection_limit=bounds.connections,
            channel_timeout=bounds.idle,
            cleanup_interval=min(bounds.idle, CLEAN_EVERY),
            max_request_header_size=bounds.header,
            max_request_body_size=limits.body * ROOM,
            clear_untrusted_proxy_headers=False,  # the application reads them, and only where a proxy is trusted
        )
        keep_connections_open(self._servers())

    @property
    def address(self) -> str:
        """Where it listens; where there are several, the last."""
        listening = getattr(self._server, "effective_listen", None) or [
            (self._server.effective_host, self._server.effective_port)
        ]
        host, port = listening[-1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def stop(self) -> None:
        """Asks `run` to come to its end; may be called from a signal handler or another thread."""
        self.stopping.set()
        for server in self._servers():
            server.pull_trigger()

    def run(self) -> int:
        """Answers until it is asked to stop; gives the number of requests that were cut off."""
        while not self.stopping.is_set():
            self._once(LOOK_EVERY)
        self._until(time.monotonic() + self.bounds.drain, lambda: False)
        for server in self._servers():
            server.asyncore.dispatcher.close(server)  # the socket alone: its trigger still sends what is answered
        self._until(time.monotonic() + self.bounds.patience, lambda: not any(map(_busy, self._channels())))
        left = sum(map(_busy, self._channels()))
        self._server.task_dispatcher.shutdown(timeout=LOOK_EVERY)
        return left

    def _until(self, end: float, done: Any) -> None:
        while not done() and time.monotonic() < end:
            self._once(OFTEN)

    def _once(self, seconds: float) -> None:
        from waitress import wasyncore  # noqa: PLC0415

        wasyncore.loop(timeout=seconds, map=self._map, count=1)
        self._close_slow(time.monotonic())

    def _close_slow(self, now: float) -> None:
        """Closes what has begun a request and not finished it in time: waitress waits while a byte comes at all."""
        partial = {channel for channel in self._channels() if channel.request is not None}
        self._since = {channel: self._since.get(channel, now) for channel in partial}
        for channel, since in self._since.items():
            if now - since > self.bounds.arrived:
                channel.will_close = True

    def _servers(self) -> Iterator[Any]:
        return (one for one in list(self._map.values()) if hasattr(one, "task_dispatcher"))

    def _channels(self) -> Iterator[Any]:
        return (one for one in list(self._map.values()) if hasattr(one, "requests"))


def _busy(channel: Any) -> bool:
    """Whether a request is arriving, being answered, or its answer not yet sent."""
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


def run_until_signal(listening: Server) -> int:
    """Runs until SIGTERM or SIGINT; a second one ends at once. Gives the number of requests that were cut off."""
    import signal  # noqa: PLC0415

    def told(number: int, _: object) -> None:
        for again in (signal.SIGTERM, signal.SIGINT):
            signal.signal(again, signal.SIG_DFL)
        listening.stop()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, told)
        signal.signal(signal.SIGINT, told)
    return listening.run()
