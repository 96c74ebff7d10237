"""Waits until sockets of waitress can be read or written.

The loop of waitress asks each of its sockets for each event, so that 300 idle connections cost as much as half an
answer. This one asks only those that something has happened to.
"""

from __future__ import annotations

import selectors
from collections import deque
from typing import Any

from waitress import wasyncore

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class EventLoop(dict[int, Any]):
    """The sockets by file descriptor: the `map` that waitress adds listeners, connections and triggers to."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = selectors.DefaultSelector()
        self._events: dict[int, int] = {}  # that the selector waits for
        self._changed: deque[int] = deque()

    def __setitem__(self, descriptor: int, sock: Any) -> None:
        super().__setitem__(descriptor, sock)
        self._changed.append(descriptor)

    def __delitem__(self, descriptor: int) -> None:
        super().__delitem__(descriptor)
        self._wait_for(descriptor, 0)

    def changed(self, descriptor: int) -> None:
        """Makes the next `poll` ask this socket what it waits for; may be called from any thread."""
        self._changed.append(descriptor)

    def poll(self, seconds: float) -> None:
        """Handles what has happened, at the latest after this time."""
        while self._changed:
            self._ask(self._changed.popleft())
        for key, events in self._selector.select(seconds):
            for event, handle in ((READ, wasyncore.read), (WRITE, wasyncore.write)):
                sock = self.get(key.fd)
                if events & event and sock is not None:
                    handle(sock)
            self._changed.append(key.fd)

    def close(self) -> None:
        """Releases the selector."""
        self._selector.close()

    def _ask(self, descriptor: int) -> None:
        sock = self.get(descriptor)
        if sock is None:
            return
        reads = READ if sock.readable() else 0
        writes = WRITE if sock.writable() and not sock.accepting else 0
        self._wait_for(descriptor, reads | writes)

    def _wait_for(self, descriptor: int, events: int) -> None:
        before = self._events.pop(descriptor, 0)
        if events:
            self._events[descriptor] = events
        if before and not events:
            self._selector.unregister(descriptor)
        elif events and not before:
            self._selector.register(descriptor, events)
        elif events != before:
            self._selector.modify(descriptor, events)
