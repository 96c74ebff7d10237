"""Connections of the HTTP server: what each may hold, how long it may take, and which one gives way to a new one.

waitress reads requests and writes responses in one thread, and runs the application in others. Here no connection can
keep one of the others waiting: it has one request in progress, and its next one is read when the response was sent.
"""

from __future__ import annotations

import json
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest

from fitcard.web.options import ServerLimits
from fitcard.web.responses import PROBLEM_MEDIA

HTTP_1_1 = "1.1"  # the version of HTTP whose connections stay open by default, and whose requests name their host
SINGLE_HEADERS = (b"host", b"content-length", b"transfer-encoding")
MAX_LENGTH_DIGITS = 18  # of Content-Length; Python reads no more than 4,300, and no body is that long
MAX_EMPTY_LINES = 16  # before a request, where RFC 9112 (2.2) asks to ignore at least one

ANSWERING, IDLE, ARRIVING, SENDING = "answering", "idle", "arriving", "sending"  # states of a connection
EVICTED, ADDRESS_LIMIT, BUFFER_LIMIT = "evicted", "address_limit", "buffer_limit"  # why one is closed, beside its state

logger = logging.getLogger("fitcard.connections")


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request; refused where its target, its host or the length of its body is missing or ambiguous (RFC 9112)."""

    def parse_header(self, header_plus: bytes) -> None:
        """Reads the header. Raises ParsingError for a request that is refused."""
        first, *lines = header_plus.split(b"\r\n")
        values: dict[bytes, list[bytes]] = {name: [] for name in SINGLE_HEADERS}
        for line in lines:
            name, _, value = line.partition(b":")
            if line[:1] in (b" ", b"\t"):
                raise ParsingError("a header is continued on another line; write it on one")
            if (lower := name.strip().lower()) in values:
                values[lower].append(value.strip(b" \t"))
        hosts, lengths, codings = values.values()
        for name, found in values.items():
            if len(found) > 1:
                raise ParsingError(f"more than one {name.decode().title()} header; send one")
        if codings and lengths:
            raise ParsingError("both Transfer-Encoding and Content-Length; send one of them")
        if lengths and len(lengths[0]) > MAX_LENGTH_DIGITS:
            raise ParsingError("Content-Length has too many digits")
        if codings and b"," in codings[0]:
            raise ParsingError("more than one Transfer-Encoding; chunked is supported")
        if (target := first.split(b" ")[1:2]) and not target[0].startswith((b"/", b"*", b"http://", b"https://")):
            raise ParsingError("the target of the request must start with /")
        super().parse_header(header_plus)
        if self.version == HTTP_1_1 and not hosts:
            raise ParsingError("no Host header, which HTTP/1.1 requires")
        if self.version != HTTP_1_1 and codings:
            raise ParsingError("Transfer-Encoding requires HTTP/1.1")


class _EmptyLines(HTTPRequestParser):  # type: ignore[misc]
    """Refuses a connection that sends empty lines in place of a request."""

    def received(self, data: bytes) -> int:
        """Refuses all bytes; returns their number."""
        self.parse_header(b"GET / HTTP/1.0\r\n")
        self.error, self.completed = BadRequest("empty lines in place of a request"), True
        return len(data)


class _EarlyBytes(HTTPRequestParser):  # type: ignore[misc]
    """Bytes that arrived while a request was in progress, and are parsed when its response was sent."""

    content = b""

    def received(self, data: bytes) -> int:
        """Keeps the bytes; returns their number."""
        self.content += data
        return len(data)


class _Task(WSGITask):  # type: ignore[misc]
    def build_response_header(self) -> bytes:
        """The header as bytes."""
        if self.channel.server.connections.closing:
            self.set_close_on_finish()
        return bytes(super().build_response_header())

    def set_close_on_finish(self) -> None:
        """Closes the connection after this response, but not because a response without a body has no length."""
        close = self.request.headers.get("CONNECTION", "").lower() == "close" or self.channel.server.connections.closing
        if self.has_body or close or self.version != HTTP_1_1:
            super().set_close_on_finish()


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        """Responds with a problem document, like the application."""
        error = self.request.error
        status = HTTPStatus(error.code)
        problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": error.body}
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", PROBLEM_MEDIA))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Connection(HTTPChannel):  # type: ignore[misc]
    """A connection with at most one request in progress.

    `pipelined` says that this request was sent before the response to the one before it was received. `state` is what
    the connection did at the last `update`, and `since` the time at which it began.
    """

    task_class = _Task
    error_task_class = _ErrorTask
    request: HTTPRequestParser | None

    def __init__(self, server: Listener, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:  # noqa: A002
        self.pipelined = False
        self.state, self.since = IDLE, time.monotonic()
        self._parsers = self._responses = 0
        self._began_with: tuple[str, Any] = (IDLE, None)
        super().__init__(server, sock, addr, adj, map=map)

    @property
    def address(self) -> str:
        """The address of the client."""
        return str(self.addr[0])

    def parser_class(self, adj: Any) -> HTTPRequestParser:
        """What takes the next bytes: a request, unless one is in progress."""
        if self.requests:
            return _EarlyBytes(adj)
        self._parsers += 1
        return Request(adj) if self._parsers <= self._responses + MAX_EMPTY_LINES else _EmptyLines(adj)

    def readable(self) -> bool:
        """Whether to wait for bytes; parses those that arrived early when it is their turn."""
        if isinstance(self.request, _EarlyBytes) and super().readable():
            content, self.request, self.pipelined = self.request.content, None, True
            self.received(content)
        return bool(super().readable())

    def handle_read(self) -> None:
        """Receives bytes."""
        self.pipelined = False
        super().handle_read()

    def service(self) -> None:
        """Answers the request, in a thread of the dispatcher, unless the client has reset the connection."""
        self._responses += 1
        self._parsers = self._responses
        descriptor = self._fileno
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:  # nothing has arrived
            pass
        except OSError:
            self.connected = False
        super().service()
        self._map.changed(descriptor)
        self.server.pull_trigger()

    def update(self, now: float) -> str:
        """The state at this time of `time.monotonic`."""
        current: tuple[str, Any]
        if self.requests:
            current = ANSWERING, None
        elif self.total_outbufs_len:
            current = SENDING, self._responses
        elif self.request is not None:
            current = ARRIVING, self.request
        else:
            current = IDLE, self.last_activity
        if current != self._began_with:
            self._began_with, self.since = current, now
        self.state = current[0]
        return self.state


@dataclass
class Connections:
    """The open connections of a server by file descriptor.

    `is_proxy` says whether an address is that of a trusted proxy, which opens connections for many clients. `on_close`
    is called with the state that took too long, or the limit, for each connection that the server closes. While
    `closing`, a connection ends with its next response.
    """

    limits: ServerLimits
    is_proxy: Callable[[str], bool]
    now: Callable[[], float] = time.monotonic
    open: dict[int, Connection] = field(default_factory=dict)
    on_close: Callable[[str], None] = lambda _: None
    closing: bool = False

    def close_overdue(self) -> None:
        """Closes connections that are idle, send a request or receive a response for too long, or hold too much."""
        now = self.now()
        limits = {IDLE: self.limits.idle, ARRIVING: self.limits.arrival, SENDING: self.limits.send}
        buffered = 0
        for connection in list(self.open.values()):
            state = connection.update(now)
            if state != ANSWERING and now - connection.since > limits[state]:
                self._close(connection, state)
            buffered += connection.total_outbufs_len
        while buffered > self.limits.buffered:
            sending = [connection for connection in self.open.values() if connection.state == SENDING]
            if not sending:
                break
            largest = max(sending, key=lambda connection: connection.total_outbufs_len)
            buffered -= largest.total_outbufs_len
            self._close(largest, BUFFER_LIMIT)

    def has_room(self) -> bool:
        """Whether a new connection can be accepted: there are less than the limit, or one of them can be closed."""
        return len(self.open) < self.limits.connections or any(self._waiting(self.open.values()))

    def make_room(self, address: str) -> bool:
        """Closes connections for a new one of this address where a limit is reached; returns whether it may open."""
        if not self.is_proxy(address):
            same = [connection for connection in self.open.values() if connection.address == address]
            if len(same) >= self.limits.address_connections and not self._evict(same, ADDRESS_LIMIT):
                return False
        return len(self.open) < self.limits.connections or self.evict()

    def evict(self) -> bool:
        """Closes the connection that has waited longest of the address with the most; returns whether there was one."""
        return self._evict(self.open.values(), EVICTED)

    def _evict(self, connections: Iterable[Connection], reason: str) -> bool:
        of_address = Counter(connection.address for connection in self.open.values())
        ranked = sorted(self._waiting(connections), key=lambda each: (-of_address[each.address], each.since))
        for connection in ranked[:1]:
            self._close(connection, reason)
        return bool(ranked)

    def _waiting(self, connections: Iterable[Connection]) -> list[Connection]:
        """The connections that wait for their client."""
        now = self.now()
        return [connection for connection in connections if connection.update(now) != ANSWERING]

    def _close(self, connection: Connection, reason: str) -> None:
        """Closes a connection at once; waitress would wait until it can write to it."""
        self.on_close(reason)
        connection.handle_close()


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A listening socket that adds to `connections`."""

    channel_class = Connection

    def __init__(self, connections: Connections, application: Any, sock: Any, **options: Any) -> None:
        self.connections = connections
        super().__init__(application, _sock=sock, bind_socket=False, **options)
        self.active_channels = connections.open

    def readable(self) -> bool:
        """Whether to wait for connections."""
        return bool(self.accepting) and self.connections.has_room()

    def handle_accept(self) -> None:
        """Accepts a connection."""
        self.accept_one()

    def accept_one(self) -> bool:
        """Accepts a connection from the backlog; returns whether there may be more."""
        try:
            accepted = self.accept()
        except OSError as error:  # such as no file descriptors left
            logger.warning("a connection cannot be accepted: %s", error)
            return self.connections.evict()
        if accepted is None:
            return False
        sock, address = accepted
        if not self.connections.make_room(str(address[0])):
            sock.close()
            return True
        try:
            self.set_socket_options(sock)
            self.channel_class(self, sock, self.fix_addr(address), self.adj, map=self._map)
        except OSError:  # closed by the client
            sock.close()
        return True
