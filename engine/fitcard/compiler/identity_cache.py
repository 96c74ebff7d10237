"""A bounded memo cache keyed by object identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_ENTRIES = 64


class IdentityCache:
    """Keys are the identities of objects, since comparing these objects would take longer than computing anew.

    Keeps a reference to the objects of each key, so that no other object gets the same identity.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._entries: dict[int | tuple[int, ...], tuple[Any, tuple[Any, ...]]] = {}

    def get(self, key: Any) -> Any:
        """The value for a single object; None if there is none."""
        entry = self._entries.get(id(key))
        return entry[0] if entry else None

    def get_or_compute(self, objects: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        """The value for one or several objects, computed if there is none."""
        key = tuple(map(id, objects)) if len(objects) > 1 else id(objects[0])
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= self._max_entries:  # questions can bring objects of their own
                self._entries.clear()
            entry = self._entries[key] = compute(), objects
        return entry[0]
