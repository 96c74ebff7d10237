"""The HTTP server: waitress with limits for connections, own threads for monitoring, and graceful shutdown."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments

from fitcard.web.app import SERVICE, Service
from fitcard.web.connections import Connection, Connections, Listener
from fitcard.web.dispatcher import Dispatcher
from fitcard.web.event_loop import EventLoop
from fitcard.web.options import Limits, ServerLimits

POLL_SECONDS, POLL_SECONDS_AT_SHUTDOWN = 1.0, 0.05
LINGER_SECONDS = 1.0  # at shutdown, for which idle connections stay open: a request may be on its way
TICK_SECONDS = 0.2  # between two searches for connections to close
MAX_BODY_FACTOR = 10  # times the limit of a body, from which waitress rejects it itself
BACKLOG = 1024  # connections that wait to be accepted
NEVER = 1 << 40  # bytes of a response from which waitress lets its thread wait for the client; connections are limited


class Server:
    """A server that answers on these sockets in `run`, and calls `each_tick` at least once per second meanwhile."""

    def __init__(
        self,
        app: Flask,
        sockets: Iterable[socket.socket],
        bounds: ServerLimits,
        limits: Limits,
        each_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self.service: Service = app.extensions[SERVICE]
        self.bounds, self.each_tick = bounds, each_tick
        self.connections = Connections(bounds, self.service.proxies.trusts)
        self.dispatcher = Dispatcher(bounds.threads)
        if self.service.metrics is not None:
            self.connections.on_close = self.service.metrics.count_closed
            self.service.metrics.add_gauge("connections", "Open connections", lambda: len(self.connections.open))
            self.service.metrics.add_gauge("requests_queued", "Requests that wait", lambda: self.dispatcher.queued)
        self._loop = EventLoop()
        self._next_tick = 0.0
        options = Adjustments(
            ident=None,
            max_request_header_size=bounds.header,
            max_request_body_size=limits.body * MAX_BODY_FACTOR,
            outbuf_high_watermark=NEVER,
            clear_untrusted_proxy_headers=False,  # ProxyFix reads them where a proxy is trusted
        )
        self._listeners = [
            Listener(
                self.connections,
                app,
                sock,
                map=self._loop,
                dispatcher=self.dispatcher,
                adj=options,
                sockinfo=(sock.family, sock.type, sock.proto, sock.getsockname()),
            )
            for sock in sockets
        ]

    def stop(self) -> None:
        """Makes `run` return; may be called from a signal handler or another thread."""
        self.service.stopping.set()
        for listener in self._listeners:
            with suppress(OSError):  # it has ended
                listener.pull_trigger()

    def run(self) -> int:
        """Answers until it is stopped; returns the number of requests that were aborted."""
        while not self.service.stopping.is_set():
            self._poll(POLL_SECONDS)
        self._poll_until(time.monotonic() + self.bounds.drain, lambda: False)
        self.connections.closing = True
        self._accept_backlog()
        now = time.monotonic()
        self._poll_until(now + min(LINGER_SECONDS, self.bounds.patience), lambda: not self.connections.open)
        self._poll_until(now + self.bounds.patience, lambda: not any(map(_busy, self._open())))
        aborted = sum(map(_busy, self._open()))
        self.dispatcher.shutdown(timeout=POLL_SECONDS)
        wasyncore.close_all(self._loop)
        self._loop.close()
        return aborted

    def _accept_backlog(self) -> None:
        """Accepts the connections that were made before the listening sockets close, and reads their requests."""
        for listener in self._listeners:
            while listener.accept_one():
                pass
            listener.accepting = False
            wasyncore.dispatcher.close(listener)  # only the socket: the trigger still sends responses
        self._poll(POLL_SECONDS_AT_SHUTDOWN)

    def _poll_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while not done() and time.monotonic() < deadline:
            self._poll(POLL_SECONDS_AT_SHUTDOWN)

    def _poll(self, seconds: float) -> None:
        for listener in self._listeners:
            if listener.accepting:
                self._loop.changed(listener._fileno)  # whether it accepts depends on all connections
        self._loop.poll(seconds)
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + TICK_SECONDS
            self.connections.close_overdue()
            if self.service.metrics is not None:
                self.service.metrics.update()
            self.each_tick()

    def _open(self) -> list[Connection]:
        return list(self.connections.open.values())


def _busy(connection: Connection) -> bool:
    """Whether a request is arriving or in progress, or its response not yet sent."""
    return bool(connection.requests or connection.request is not None or connection.total_outbufs_len)


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of a host. Raises OSError where they cannot, ValueError for no host."""
    sockets = []
    for family, kind, protocol, address in Adjustments(host=host, port=port).listen:
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sockets.append(sock)
    return sockets


def address_of(sock: socket.socket) -> str:
    """The URL of a socket that listens."""
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def run_until_signal(server: Server, reload: Callable[[], None], on_ready: Callable[[], None]) -> int:
    """Runs a server until SIGTERM or SIGINT; a second signal ends the process at once. SIGHUP calls `reload`.

    `on_ready` is called when signals are handled. Returns the number of requests that were aborted.
    """

    def stop(number: int, _: object) -> None:
        for handled in (signal.SIGTERM, signal.SIGINT):
            signal.signal(handled, signal.SIG_DFL)
        server.stop()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: reload())
    on_ready()
    return server.run()
