"""Which request is answered next, and by which thread."""

from __future__ import annotations

import logging
from collections import deque

from waitress.task import ThreadedTaskDispatcher

from fitcard.web.connections import Connection

MONITORING_PATHS = frozenset({"/health", "/ready", "/metrics"})
MONITORING_THREADS = 1
PIPELINED_TURN = 8  # one in so many requests is a pipelined one while others wait


class Queue:
    """Requests in the order in which they are answered: those of clients that wait for each response come first."""

    def __init__(self) -> None:
        self._waiting: deque[Connection] = deque()
        self._pipelined: deque[Connection] = deque()
        self._taken = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._pipelined)

    def append(self, connection: Connection) -> None:
        """Adds the request of a connection."""
        (self._pipelined if connection.pipelined else self._waiting).append(connection)

    def popleft(self) -> Connection:
        """Removes the next one. Raises IndexError if there is none."""
        self._taken += 1
        pipelined_first = not self._waiting or (self._pipelined and self._taken % PIPELINED_TURN == 0)
        return (self._pipelined if pipelined_first else self._waiting).popleft()


class _Threads(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads that answer the requests of one queue."""

    queue_logger = logging.getLogger("fitcard.queue")

    def __init__(self, count: int) -> None:
        super().__init__()
        self.queue = Queue()
        self.set_thread_count(count)


class Dispatcher:
    """Answers requests in `threads`, and those of monitoring in another, so that they never wait for others."""

    def __init__(self, threads: int) -> None:
        _Threads.queue_logger.disabled = True  # a warning per request in times of load
        self._threads, self._monitoring = _Threads(threads), _Threads(MONITORING_THREADS)

    @property
    def queued(self) -> int:
        """The number of requests that wait for a thread."""
        return len(self._threads.queue)

    def add_task(self, connection: Connection) -> None:
        """Adds the request of a connection, which is about to be answered."""
        path = getattr(connection.requests[0], "path", "")
        (self._monitoring if path in MONITORING_PATHS else self._threads).add_task(connection)

    def shutdown(self, timeout: float) -> None:
        """Ends the threads, at the latest after this number of seconds."""
        for threads in (self._threads, self._monitoring):
            threads.shutdown(timeout=timeout)
