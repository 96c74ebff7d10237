"""Responses that were given before to the very same question by the very same rules; as many as there is room for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 2048
LARGEST_KEPT = 200_000  # bytes of one body

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered: the bytes, the tag that names them, and all headers but those of one request alone.

    `unchanged` are the headers for those who have it already. `route`, `path` and `rules` are what records say of it,
    and `decisions` what a log of decisions does.
    """

    body: bytes
    tag: str
    headers: Headers
    unchanged: Headers
    route: str
    path: str
    rules: str
    decisions: tuple[Mapping[str, Any], ...] = ()


@dataclass
class ResponseCache:
    """Shared by all threads. What was not asked for longest goes first."""

    most: int = MOST_KEPT
    _kept: OrderedDict[Hashable, Kept] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Hashable) -> Kept | None:
        """What was answered under this key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, kept: Kept) -> None:
        """Keeps an answer, unless it is too large."""
        if len(kept.body) > LARGEST_KEPT:
            return
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)
