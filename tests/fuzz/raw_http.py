"""A target of `fitcard serve`: bytes that are almost HTTP, sent to a server with the project's rules."""

from __future__ import annotations

import atexit
import json
import random
import re
import socket
from contextlib import suppress
from functools import cache

from fitcard.web.options import Options
from helpers.project import project_rules
from helpers.served import InThread, start_in_thread

SECONDS = 5.0  # for a response
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ", re.MULTILINE)
EXPECTED = {501, 503}  # the statuses from 500 on with which a request may be refused
BODIES: tuple[object, ...] = (
    {"model": "qwen-3-14b", "device": "m1-16gb"},
    {"model": {"like": "qwen-3-14b", "layers": 4}, "device": "4090", "explain": True},
    {"questions": [{"model": "qwen-3-14b", "device": "m1-16gb"}, {"model": "x"}]},
    {"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {"headroom_share": 0.1}},
)
PATHS = (
    "/", "/health", "/ready", "/metrics", "/status", "/v1/can-run/qwen-3-14b-on-m1-16gb", "/v1/rank", "/nowhere",
    "/v1/search/device?q=m1", "/v1/catalog/devices/h20-96gb", "/can-run/qwen-3-14b-on-m1-16gb?context=9000&lang=de",
    "/badge/qwen-3-14b-on-m1-16gb.svg", "http://evil.example/health", "*", "//", "/%00", "/%ff", "/\u00e9", "",
)  # fmt: skip
METHODS = (
    "GET",
    "GET",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "OPTIONS",
    "DELETE",
    "CONNECT",
    "TRACE",
    "get",
    "G\0T",
    "A" * 300,
)
HEADERS = (
    "Host: x", "Host:", "Host: a, b", "host : x", "Content-Length: 5", "Content-Length: -1", "Content-Length: 1e3",
    "Content-Length: 99999999999999999999", "Content-Length: 0x10", "Content-Length: +5",
    "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity",
    "Expect: 100-continue", "Connection: close", "Connection: keep-alive, upgrade", "Upgrade: h2c",
    "Accept-Language: de;q=NaN", "If-None-Match: *", "Range: bytes=0-", "Content-Type: application/json",
    "Content-Type: application/json; charset=utf-16", "Cookie: \x00", "X: " + "x" * 9000,
    "Authorization: Bearer \u00e9", "X-Forwarded-For: 1.2.3.4, [::1]", ": x", " folded: x", "\tfolded",
    "X-Request-Id: a\rb",
)  # fmt: skip
PIECES = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b"0\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"-1\r\n",
    b"%",
)


@cache
def _service() -> InThread:
    service = start_in_thread(project_rules(), Options(), arrival=2.0, idle=2)
    atexit.register(service.stop)
    return service


def http(chance: random.Random) -> str:
    """Requests with other methods, paths, headers and bodies, some after another, and then damaged bytes."""
    service = _service()
    sent = b"".join(_request(chance) for _ in range(chance.choice([1, 1, 1, 2, 5])))
    for _ in range(chance.choice([0, 0, 0, 1, 3, 20])):
        sent = _damaged(chance, sent)
    received = b""
    with service.socket(SECONDS) as sock, suppress(ConnectionError):  # closed before all was read
        sock.sendall(sent)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        while more := sock.recv(1 << 16):
            received += more
    statuses = [int(status) for status in STATUS.findall(received)]
    assert not received or received.startswith(b"HTTP/1."), received[:200]
    assert all(status < 500 or status in EXPECTED for status in statuses), (sent, received[:500])
    assert b"Traceback" not in received
    if chance.random() < 0.05:
        assert service.get("/health")[0] == 200
    return str(statuses[0]) if statuses else "closed"


def _request(chance: random.Random) -> bytes:
    method, path = chance.choice(METHODS), chance.choice(PATHS)
    version = chance.choice(["HTTP/1.1"] * 6 + ["HTTP/1.0", "HTTP/2.0", "HTTP/9", "", "http/1.1"])
    headers = ["Host: x"] * (chance.random() < 0.9) + chance.sample(HEADERS, chance.choice([0, 0, 1, 2, 5]))
    body = b""
    if method == "POST" and chance.random() < 0.8:
        path = chance.choice(["/v1/can-run", "/v1/batch", "/v1/can-run?lang=de"])
        body = json.dumps(chance.choice(BODIES)).encode()
        headers.append("Content-Type: application/json")
        if chance.random() < 0.7:
            headers.append(f"Content-Length: {len(body) + chance.choice([0, 0, 0, 0, 1, -1])}")
        else:
            headers.append("Transfer-Encoding: chunked")
            size = f"{len(body) + chance.choice([0, 0, 0, 1, -1]):x}{chance.choice(['', '', ';a=b', ' '])}"
            body = size.encode() + b"\r\n" + body + b"\r\n0\r\n\r\n"
    chance.shuffle(headers)
    return "\r\n".join([f"{method} {path} {version}", *headers, "", ""]).encode("utf-8", "surrogateescape") + body


def _damaged(chance: random.Random, sent: bytes) -> bytes:
    place = chance.randrange(len(sent) + 1)
    kind = chance.randrange(4)
    if kind == 0:
        return sent[:place] + chance.choice(PIECES) + sent[place:]
    if kind == 1:
        return sent[:place] + sent[place + chance.choice([1, 2, 20]) :]
    if kind == 2:
        return sent[:place] + chance.randbytes(chance.choice([1, 4])) + sent[place + 1 :]
    return sent[:place]
