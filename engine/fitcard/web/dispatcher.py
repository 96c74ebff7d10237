"""Which request is answered next, and by which thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from fitcard.answer.question import EXPLAIN
from fitcard.web.connections import Connection
from fitcard.web.options import MONITORING_PATHS

MONITORING_THREADS = 1
LONG_PATHS = ("/v1/batch",)  # of requests that take far longer than others, as those with EXPLAIN do
LONG_SHARE = 2  # one in so many threads may answer such a request
PIPELINED_TURN = 8  # one in so many requests is a pipelined one while others wait


def is_long(request: Any) -> bool:
    """Whether a request takes far longer to answer than others."""
    return getattr(request, "path", "") in LONG_PATHS or EXPLAIN in (getattr(request, "query", "") or "")


class Queue:
    """Requests in the order in which they are answered: those of clients that wait for each response come first.

    At most `most_long` long ones are answered at the same time, so that others find a thread.
    """

    def __init__(self, most_long: int) -> None:
        self._waiting: deque[Connection] = deque()
        self._pipelined: deque[Connection] = deque()
        self._long: deque[Connection] = deque()
        self._most_long, self._answering_long, self._taken = most_long, 0, 0
        self._counting = threading.Lock()

    def __len__(self) -> int:
        """The number of requests that can be answered now."""
        return len(self._waiting) + len(self._pipelined) + (len(self._long) if self._takes_long else 0)

    @property
    def all(self) -> int:
        """The number of requests, also of those that cannot be answered now."""
        return len(self._waiting) + len(self._pipelined) + len(self._long)

    @property
    def _takes_long(self) -> bool:
        return self._answering_long < self._most_long

    def append(self, connection: Connection) -> None:
        """Adds the request of a connection."""
        if connection.requests and is_long(connection.requests[0]):
            self._long.append(connection)
        else:
            (self._pipelined if connection.pipelined else self._waiting).append(connection)

    def popleft(self) -> Connection | _LongTask:
        """Removes the next one. Raises IndexError if there is none."""
        self._taken += 1
        if self._pipelined and (self._taken % PIPELINED_TURN == 0 or not (self._waiting or self._long)):
            return self._pipelined.popleft()
        if self._long and self._takes_long:
            with self._counting:
                self._answering_long += 1
            return _LongTask(self._long.popleft(), self)
        return (self._waiting or self._pipelined).popleft()

    def long_ended(self) -> None:
        """States that a long request was answered."""
        with self._counting:
            self._answering_long -= 1


@dataclass
class _LongTask:
    """A long request; while it is answered it counts in its queue."""

    connection: Connection
    queue: Queue

    def service(self) -> None:
        """Answers it."""
        try:
            self.connection.service()
        finally:
            self.queue.long_ended()

    def cancel(self) -> None:
        """Ends its connection."""
        self.connection.cancel()


class _Threads(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads that answer the requests of one queue."""

    queue_logger = logging.getLogger("fitcard.queue")

    def __init__(self, count: int) -> None:
        super().__init__()
        self.queue = Queue(max(1, count // LONG_SHARE))
        self.set_thread_count(count)


class Dispatcher:
    """Answers requests in `threads`, and those of monitoring in another, so that they never wait for others."""

    def __init__(self, threads: int) -> None:
        _Threads.queue_logger.disabled = True  # a warning per request in times of load
        self._threads, self._monitoring = _Threads(threads), _Threads(MONITORING_THREADS)

    @property
    def queued(self) -> int:
        """The number of requests that wait for a thread."""
        return self._threads.queue.all

    def add_task(self, connection: Connection) -> None:
        """Adds the request of a connection, which is about to be answered."""
        path = getattr(connection.requests[0], "path", "")
        (self._monitoring if path in MONITORING_PATHS else self._threads).add_task(connection)

    def shutdown(self, timeout: float) -> None:
        """Ends the threads, at the latest after this number of seconds."""
        for threads in (self._threads, self._monitoring):
            threads.shutdown(timeout=timeout)
