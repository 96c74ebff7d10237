"""Counts of requests for the rate limit that several processes share."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from pathlib import Path

from limits.storage.base import SlidingWindowCounterSupport, Storage, TimestampedSlidingWindow

WAIT_SECONDS = 1.0  # for another process that counts
PURGE_EVERY = 1000  # requests; removes counts of windows that have passed
logger = logging.getLogger("fitcard.rate_limit")


class SharedCounts(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """Counts in a SQLite file. While it cannot be read or written, requests are not limited, and a warning is logged.

    Connections are opened where they are used first, so that a forked process has its own.
    """

    STORAGE_SCHEME = None

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file, self._of_thread, self._requests = file, threading.local(), 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What operations may raise."""
        return sqlite3.Error

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Whether a number of requests is within a limit; if so, they are counted."""
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        try:
            database = self._database()
            database.execute("BEGIN IMMEDIATE")
            try:
                previous, current = self._count(previous_key), self._count(current_key)
                overlap = 1 - now / expiry % 1
                allowed = amount <= limit and int(previous * overlap + current) + amount <= limit
                if allowed:
                    database.execute(
                        "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                        (current_key, amount, now + 2 * expiry),
                    )
                self._purge(now)
            finally:
                database.execute("COMMIT")
            return allowed
        except sqlite3.Error as error:
            logger.warning("the rate is not limited: %s", error)
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """The counts of the previous and the current window, each with the seconds until they no longer count."""
        now = time.time()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        try:
            previous, current = self._count(previous_key), self._count(current_key)
        except sqlite3.Error as error:
            logger.warning("the rate is not limited: %s", error)
            previous = current = 0
        left = (1 - now / expiry % 1) * expiry
        return previous, left if previous else 0.0, current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forgets the counts of a key."""
        for window in self.sliding_window_keys(key, expiry, time.time()):
            self.clear(window)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Adds to a count; returns it."""
        self._database().execute(
            "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            (key, amount, time.time() + expiry),
        )
        return self._count(key)

    def get(self, key: str) -> int:
        """A count."""
        return self._count(key)

    def get_expiry(self, key: str) -> float:
        """The time at which a count ends; that of now for none."""
        row = self._database().execute("SELECT ends FROM counts WHERE name = ?", (key,)).fetchone()
        return float(row[0]) if row else time.time()

    def check(self) -> bool:
        """Whether the file can be read."""
        return self._count("") == 0

    def reset(self) -> int | None:
        """Forgets all counts; returns their number."""
        return self._database().execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Forgets a count."""
        self._database().execute("DELETE FROM counts WHERE name = ?", (key,))

    def _count(self, key: str) -> int:
        row = self._database().execute("SELECT count FROM counts WHERE name = ?", (key,)).fetchone()
        return int(row[0]) if row else 0

    def _purge(self, now: float) -> None:
        self._requests += 1
        if self._requests % PURGE_EVERY == 0:
            self._database().execute("DELETE FROM counts WHERE ends < ?", (now,))

    def _database(self) -> sqlite3.Connection:
        """The connection of this thread."""
        if not hasattr(self._of_thread, "database"):
            database = sqlite3.connect(self._file, timeout=WAIT_SECONDS, isolation_level=None)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")  # the file ends with the service
            database.execute("CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, count INTEGER, ends REAL)")
            self._of_thread.database = database
        found: sqlite3.Connection = self._of_thread.database
        return found
