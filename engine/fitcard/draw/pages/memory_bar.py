"""The bar of what is needed in memory, beside what may be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARTS = ("weights", "kv_cache", "runtime", "headroom")
WIDTH = 1000  # of the picture, in its own units


@dataclass(frozen=True)
class Part:
    """One part of the bar: where it starts and how wide it is in the picture, and its size."""

    name: str
    start: float
    width: float
    size: float


@dataclass(frozen=True)
class MemoryBar:
    """The parts one behind the other, and where the usable memory ends."""

    parts: tuple[Part, ...]
    end: float


def memory_bar(memory: Mapping[str, Any]) -> MemoryBar:
    """The bar for the memory of an answer."""
    whole = max(memory["needed_gb"], memory["usable_gb"])
    parts: list[Part] = []
    for name in PARTS:
        start = parts[-1].start + parts[-1].width if parts else 0.0
        size = memory[f"{name}_gb"]
        parts.append(Part(name, start, size / whole * WIDTH, size))
    return MemoryBar(tuple(parts), memory["usable_gb"] / whole * WIDTH)
