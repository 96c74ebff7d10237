"""A bounded memo cache keyed by object identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_ENTRIES = 64


class IdentityCache:
    """Goes by identity, where comparing the objects would take longer than the work that is saved."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._most = most
        self._found: dict[int | tuple[int, ...], tuple[Any, tuple[Any, ...]]] = {}

    def get_single(self, one: Any) -> Any:
        """What was worked out for this object alone; None where it is new."""
        found = self._found.get(id(one))
        return found[0] if found else None

    def get_or_compute(self, objects: tuple[Any, ...], work_out: Callable[[], Any]) -> Any:
        """What was worked out for these objects, which it holds on to, so that no others get their identity."""
        key = tuple(map(id, objects)) if len(objects) > 1 else id(objects[0])
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= self._most:  # objects may come with questions, each time others
                self._found.clear()
            found = self._found[key] = work_out(), objects
        return found[0]
