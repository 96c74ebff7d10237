"""A service as a process, with the small rulebook."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitcard.reload import ReloadingEngine
from fitcard.web.app import create_app
from fitcard.web.connections import Connections
from fitcard.web.options import Options, ServerLimits
from fitcard.web.server import Server, bind_sockets
from helpers.workplace import Workplace

LOOPBACK = "127.0.0.1"
SECONDS = 60  # after which a test gives up


@dataclass
class Listening:
    """A service that listens on a port."""

    port: int

    def connection(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=SECONDS))

    def socket(self, timeout: float = SECONDS) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage]:
        """The status and the headers of a response."""
        with self.connection() as connection:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            response.read()
            return response.status, response.headers

    def json(self, path: str) -> Any:
        """The JSON of a response."""
        return json.loads(self.text(path))

    def text(self, path: str) -> str:
        """The body of a response."""
        with self.connection() as connection:
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def exchange(self, request: bytes) -> bytes:
        """What the service sends in response to these bytes, until it closes the connection or sends no more."""
        received = b""
        with self.socket(timeout=2) as sock, suppress(TimeoutError, ConnectionError):
            sock.sendall(request)
            while more := sock.recv(65536):
                received += more
        return received


@dataclass
class Served(Listening):
    """A service as a process, and the lines of its standard error."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        return self.process.wait(SECONDS)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.end()


@dataclass
class InThread(Listening):
    """A service in a thread of this process."""

    server: Server
    thread: threading.Thread

    @property
    def connections(self) -> Connections:
        return self.server.connections

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()


def start_in_thread(rules: ReloadingEngine, options: Options, **limits: float) -> InThread:
    """Starts a service of these rules on a free port, with these limits of connections."""
    app = create_app(rules, options=options)
    (listening,) = bind_sockets(LOOPBACK, 0)
    server = Server(app, [listening], ServerLimits(**limits), options.limits)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    return InThread(listening.getsockname()[1], server, thread)


def start_service(small: Workplace, *options: str, folder: Path | None = None) -> Served:
    """Starts a service of the small rulebook on a free port; returns when it listens."""
    arguments = [sys.executable, "-m", "fitcard", *small.options, "serve", "--port", "0", *options]
    process = subprocess.Popen(arguments, cwd=folder, stderr=subprocess.PIPE, text=True)
    served = Served(read_port(process), process)
    threading.Thread(target=lambda: served.lines.extend(process.stderr or ()), daemon=True).start()
    return served


def read_port(process: subprocess.Popen[str]) -> int:
    """The port of the first address that a process writes to standard error."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(rf"http://{re.escape(LOOPBACK)}:(\d+)", line):
            return int(found[1])
    raise AssertionError("it has ended before it listened")


def end_service(served: Served) -> None:
    """Ends a service at once."""
    served.process.kill()
    served.process.wait()
    assert served.process.stderr
    served.process.stderr.close()


def eventually(condition: Callable[[], bool]) -> bool:
    """Whether a condition holds within a time."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
