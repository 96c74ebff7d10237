"""The object graph of a value as plain data, to compare before and after."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence, Set
from functools import cache, cached_property
from typing import Any

OURS = ("fitcard.", "ast")  # objects of other packages fill their caches
LEAVES = (str, bytes, int, float, type, type(None))


def snapshot(value: object) -> dict[str, str]:
    """The value of each attribute, key and item below `value`, by its path, such as `.catalogs['models'].entries`.

    An object that is reached by several paths is followed once. Fields that do not count in comparisons and cached
    properties are caches and left out.
    """
    seen: dict[int, str] = {}
    found: dict[str, str] = {}
    below = [("", value)]
    while below:
        path, one = below.pop()
        parts = _parts(one)
        if parts is None:
            found[path] = repr(one)
        elif id(one) in seen:
            found[path] = f"as {seen[id(one)]}"
        else:
            seen[id(one)] = path
            found[path] = f"{type(one).__name__} of {len(parts)}"
            below += [(path + step, part) for step, part in parts]
    return found


def _parts(value: object) -> list[tuple[str, Any]] | None:
    """The values that a value holds, each with the step to it; None for one that holds no others."""
    if isinstance(value, LEAVES) or hasattr(value, "_fields"):  # a named tuple holds plain values
        return None
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if isinstance(value, Sequence):
        return [(f"[{at}]", part) for at, part in enumerate(value)]
    if isinstance(value, Set):
        return [(f"[{part!r}]", None) for part in sorted(value, key=repr)]
    if not type(value).__module__.startswith(OURS) or not hasattr(value, "__dict__"):
        return None
    caches = _caches(type(value))
    return [(f".{name}", part) for name, part in vars(value).items() if name not in caches]


@cache
def _caches(kind: type) -> frozenset[str]:
    properties = [name for name, what in inspect.getmembers_static(kind) if isinstance(what, cached_property)]
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return frozenset([*properties, *(field.name for field in fields if not field.compare)])
