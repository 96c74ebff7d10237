"""Connections that are silent, slow or not read: none keeps another one waiting, and each gives way in the end."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from fitcard.web.options import Options
from helpers.served import InThread, Listening, Served, eventually

Serve, Listen = Callable[..., Served], Callable[..., InThread]
ONE = b"GET /methodology HTTP/1.1\r\nHost: x\r\n\r\n"
PACKET = ONE * (8000 // len(ONE))
HALF = b"GET /health HTTP/1.1\r\nHost: x\r\n"


def is_closed(sock: socket.socket) -> bool:
    """Whether the service has closed a connection; what it sent before is skipped."""
    sock.settimeout(0.01)
    try:
        while sock.recv(1 << 20):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


@contextmanager
def opened(service: Listening, count: int, send: bytes = b"") -> Iterator[list[socket.socket]]:
    """A number of connections that send the same bytes and read nothing."""
    with ExitStack() as stack:
        sockets = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(("127.0.0.1", service.port))
            sock.sendall(send)
            sockets.append(sock)
        yield sockets


def test_responses_that_are_not_read_keep_no_thread(listen: Listen) -> None:
    service = listen(threads=1)
    with opened(service, 4, PACKET):
        assert eventually(lambda: [each.state for each in service.connections.open.values()] == ["sending"] * 4)
        assert service.get("/methodology")[0] == 200


def test_of_pipelined_requests_one_is_in_progress_and_its_response_at_most_is_buffered(listen: Listen) -> None:
    service = listen()
    response = len(service.text("/methodology"))
    with opened(service, 1, PACKET):
        assert eventually(lambda: [each.state for each in service.connections.open.values()] == ["sending"])
        (connection,) = service.connections.open.values()
        assert connection.requests == []
        assert connection.total_outbufs_len < response + 1000


def test_pipelined_requests_are_answered_in_order_once_their_responses_are_read(listen: Listen) -> None:
    paths = ["/health", "/v1/rank", "/ready", "/nowhere", "/health"]
    requests = b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
    assert re.findall(rb"HTTP/1.1 (\d+)", listen().exchange(requests)) == [b"200", b"200", b"200", b"404", b"200"]


@pytest.mark.parametrize(
    ("sent", "limit", "reason"), [(b"", "idle", "idle"), (HALF, "arrival", "arriving"), (PACKET, "send", "sending")]
)
def test_a_connection_that_takes_too_long_is_closed_and_counted(
    listen: Listen, sent: bytes, limit: str, reason: str
) -> None:
    service = listen(**{limit: 0.3})
    with opened(service, 1, sent):
        assert eventually(lambda: f'connections_closed_total{{reason="{reason}"}} 1.0' in service.text("/metrics"))


def test_responses_that_are_not_read_hold_no_more_than_the_limit_together(listen: Listen) -> None:
    service = listen(buffered=100)
    with opened(service, 8, PACKET):
        assert eventually(lambda: 'connections_closed_total{reason="buffer_limit"}' in service.text("/metrics"))
        assert eventually(lambda: sum(each.total_outbufs_len for each in service.connections.open.values()) <= 100)
        assert service.get("/v1/rank")[0] == 200


def test_connections_that_are_silent_give_way_to_new_ones(listen: Listen) -> None:
    service = listen(connections=4)
    with opened(service, 20) as silent:
        assert service.get("/v1/rank")[0] == 200
        assert sum(map(is_closed, silent)) >= 16


def test_of_one_address_there_are_as_many_connections_as_allowed(listen: Listen) -> None:
    service = listen(address_connections=3)
    with opened(service, 9) as silent:
        assert eventually(lambda: sum(map(is_closed, silent)) == 6)
        assert service.get("/v1/rank")[0] == 200


def test_a_proxy_may_have_any_number_of_connections(listen: Listen) -> None:
    service = listen(Options(trusted_proxies=1), address_connections=3)
    with opened(service, 9) as silent:
        assert service.get("/v1/rank")[0] == 200
        assert sum(map(is_closed, silent)) == 0


def test_the_connection_that_waits_longest_gives_way_first(listen: Listen) -> None:
    service = listen(connections=2)
    with opened(service, 1) as (older,), opened(service, 1) as (newer,):
        assert service.get("/v1/rank")[0] == 200
        assert (is_closed(older), is_closed(newer)) == (True, False)


def test_monitoring_is_answered_while_all_threads_are_busy(listen: Listen) -> None:
    service = listen(threads=1)
    with service.server.service.evaluating, service.socket(timeout=1) as busy:
        busy.sendall(b"GET /v1/can-run/qwen-3-14b-on-m1-16gb?context=7777 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(lambda: service.connections.open != {})
        assert [service.get(path)[0] for path in ("/health", "/ready", "/metrics")] == [200, 200, 200]
        with pytest.raises(TimeoutError):
            busy.recv(1)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("GET /health HTTP/1.1\r\n", "no Host"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "more than one Host"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nhost: a\r\n", "more than one Host"),
        ("POST /v1/can-run HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n", "both"),
        ("POST /v1/can-run HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "both"),
        ("POST /v1/can-run HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n", "more than one Content"),
        ("POST /v1/can-run HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "requires HTTP/1.1"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", "more than"),
        ("GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n", "more than one Transfer"),
        ("POST /v1/can-run HTTP/1.1\r\nHost: a\r\nX: b\r\n Content-Length: 3\r\n", "continued"),
        (f"POST /v1/can-run HTTP/1.1\r\nHost: a\r\nContent-Length: {'9' * 5000}\r\n", "digits"),
        ("GET health HTTP/1.1\r\nHost: a\r\n", "start with /"),
        ("GET /health HTTP/1.1\nHost: a\r\n", ""),
        ("GET  HTTP/1.1\r\nHost: a\r\n", ""),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_ends_the_connection(
    listen: Listen, head: str, reason: str
) -> None:
    response = listen().exchange(f"{head}\r\nabcGET /health HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    lines, _, body = response.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert (problem["status"], problem["title"], reason in problem["detail"]) == (400, "Bad Request", True)
    assert b"application/problem+json" in lines


def test_empty_lines_before_a_request_are_skipped_up_to_a_number(listen: Listen) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    service = listen()
    assert service.exchange(b"\r\n" * 3 + request).startswith(b"HTTP/1.1 200")
    refused = service.exchange(b"\r\n" * 100)
    assert refused.startswith(b"HTTP/1.0 400")
    assert b"empty lines" in refused


def test_a_request_whose_client_has_reset_the_connection_is_not_answered(listen: Listen) -> None:
    service = listen(threads=1)
    with service.server.service.evaluating:
        busy, gone = service.socket(), service.socket()
        busy.sendall(b"GET /v1/can-run/qwen-3-14b-on-m1-16gb?context=7779 HTTP/1.1\r\nHost: x\r\n\r\n")
        gone.sendall(b"GET /v1/catalog HTTP/1.1\r\nHost: x\r\n\r\n")
        assert eventually(lambda: [each.state for each in service.connections.open.values()] == ["answering"] * 2)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close resets
        gone.close()
    assert busy.recv(12) == b"HTTP/1.1 200"
    busy.close()
    assert 'route="/v1/catalog"' not in service.text("/metrics")


def test_http_1_0_needs_no_host(listen: Listen) -> None:
    assert listen().exchange(b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")


def test_connections_that_wait_to_be_accepted_are_answered_before_the_service_ends(serve: Serve) -> None:
    served = serve()
    served.signal(signal.SIGSTOP)
    waiting = [served.socket() for _ in range(30)]
    for sock in waiting:
        sock.sendall(b"GET /v1/rank HTTP/1.1\r\nHost: x\r\n\r\n")
    served.signal(signal.SIGTERM)
    served.signal(signal.SIGCONT)
    assert [sock.recv(12) for sock in waiting] == [b"HTTP/1.1 200"] * 30
    for sock in waiting:
        sock.close()
    assert served.end() == 0


def test_a_stopping_service_ends_connections_with_their_next_response(listen: Listen) -> None:
    service = listen()
    with service.connection() as connection:
        with service.server.service.evaluating:
            connection.request("GET", "/v1/can-run/qwen-3-14b-on-m1-16gb?context=7778")
            assert eventually(lambda: [each.state for each in service.connections.open.values()] == ["answering"])
            service.server.stop()
            assert eventually(lambda: service.connections.closing)
        response = connection.getresponse()
        assert (response.status, response.headers["Connection"], bool(response.read())) == (200, "close", True)
