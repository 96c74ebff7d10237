"""The HTTP server: waitress with time limits for slow clients, persistent connections and graceful shutdown."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from fitcard.web.app import SERVICE
from fitcard.web.options import Limits, ServerLimits

PERSISTENT = "1.1"  # the version of HTTP whose connections stay open by default
POLL_SECONDS, POLL_SECONDS_AT_SHUTDOWN = 1.0, 0.05
CLEANUP_SECONDS = 30
MAX_BODY_FACTOR = 10  # times the limit of a body, from which waitress rejects it itself


class _Task(WSGITask):  # type: ignore[misc]
    def set_close_on_finish(self) -> None:
        """Closes the connection after this response, but not because a response without a body has no length."""
        close = self.request.headers.get("CONNECTION", "").lower() == "close"
        if self.has_body or close or self.version != PERSISTENT:
            super().set_close_on_finish()


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task


def keep_connections_open(servers: Iterable[Any]) -> None:
    """Makes these servers of waitress keep connections open after a 304."""
    for server in servers:
        server.channel_class = _Channel


class Server:
    """A server that listens from construction and answers in `run`. Raises OSError where it cannot listen."""

    def __init__(self, app: Flask, host: str, port: int, bounds: ServerLimits, limits: Limits) -> None:
        self.bounds, self.stopping = bounds, app.extensions[SERVICE].stopping
        self._sockets: dict[int, Any] = {}  # of waitress: servers, channels and triggers by file descriptor
        self._since: dict[Any, float] = {}  # when each request that is still arriving began
        self._server: Any = create_server(
            app,
            map=self._sockets,
            host=host,
            port=port,
            threads=bounds.threads,
            ident=None,
            connection_limit=bounds.connections,
            channel_timeout=bounds.idle,
            cleanup_interval=min(bounds.idle, CLEANUP_SECONDS),
            max_request_header_size=bounds.header,
            max_request_body_size=limits.body * MAX_BODY_FACTOR,
            clear_untrusted_proxy_headers=False,  # ProxyFix reads them where a proxy is trusted
        )
        keep_connections_open(self._servers())

    @property
    def address(self) -> str:
        """The URL of the last socket that it listens on."""
        listening = getattr(self._server, "effective_listen", None) or [
            (self._server.effective_host, self._server.effective_port)
        ]
        host, port = listening[-1]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/"

    def stop(self) -> None:
        """Makes `run` return; may be called from a signal handler or another thread."""
        self.stopping.set()
        for server in self._servers():
            server.pull_trigger()

    def run(self) -> int:
        """Answers until it is stopped; returns the number of requests that were aborted."""
        while not self.stopping.is_set():
            self._poll(POLL_SECONDS)
        self._poll_until(time.monotonic() + self.bounds.drain, lambda: False)
        for server in self._servers():
            server.asyncore.dispatcher.close(server)  # only the socket: the trigger still sends responses
        self._poll_until(time.monotonic() + self.bounds.patience, lambda: not any(map(_busy, self._channels())))
        aborted = sum(map(_busy, self._channels()))
        self._server.task_dispatcher.shutdown(timeout=POLL_SECONDS)
        return aborted

    def _poll_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while not done() and time.monotonic() < deadline:
            self._poll(POLL_SECONDS_AT_SHUTDOWN)

    def _poll(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, map=self._sockets, count=1)
        self._close_slow(time.monotonic())

    def _close_slow(self, now: float) -> None:
        """Closes connections whose request takes too long to arrive; waitress waits as long as any byte comes."""
        arriving = {channel for channel in self._channels() if channel.request is not None}
        self._since = {channel: self._since.get(channel, now) for channel in arriving}
        for channel, since in self._since.items():
            if now - since > self.bounds.arrival:
                channel.will_close = True

    def _servers(self) -> Iterator[Any]:
        return (socket for socket in list(self._sockets.values()) if hasattr(socket, "task_dispatcher"))

    def _channels(self) -> Iterator[Any]:
        return (socket for socket in list(self._sockets.values()) if hasattr(socket, "requests"))


def _busy(channel: Any) -> bool:
    """Whether a request is arriving or in progress, or its response not yet sent."""
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len)


def run_until_signal(server: Server) -> int:
    """Runs a server until SIGTERM or SIGINT; a second signal ends the process at once.

    Returns the number of requests that were aborted.
    """

    def stop(number: int, _: object) -> None:
        for handled in (signal.SIGTERM, signal.SIGINT):
            signal.signal(handled, signal.SIG_DFL)
        server.stop()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    return server.run()
