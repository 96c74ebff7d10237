"""The memory bar and the curve of memory over context, in units of their pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PARTS = ("weights", "kv_cache", "runtime", "headroom")
BAR_WIDTH = 1000  # of the picture, in its own units


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
        parts.append(Part(name, start, size / whole * BAR_WIDTH, size))
    return MemoryBar(tuple(parts), memory["usable_gb"] / whole * BAR_WIDTH)


WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28  # margins, for the words of the axes
NEAR = 34  # marks of the axis that are closer would overlap


@dataclass(frozen=True)
class Mark:
    """A place on an axis, and the value there."""

    at: float
    value: float


@dataclass(frozen=True)
class ContextCurve:
    """All in units of the picture. `points` as SVG writes them; `safe` is where the safe context lies."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    points: str
    usable: Mark
    safe: Mark
    contexts: tuple[Mark, ...]
    sizes: tuple[Mark, ...]


def context_curve(answer: Mapping[str, Any]) -> ContextCurve:
    """The curve for an answer: contexts on a logarithmic axis, memory on one from 0."""
    rows: Sequence[Mapping[str, Any]] = answer["by_context"]
    contexts = [float(row["context_tokens"]) for row in rows]
    usable, safe = float(answer["memory"]["usable_gb"]), float(answer["safe_context_tokens"])
    highest = max(usable, *(float(row["needed_gb"]) for row in rows))
    first, last = math.log(min(*contexts, safe)), math.log(max(*contexts, safe))

    def across(tokens: float) -> float:
        share = (math.log(tokens) - first) / (last - first) if last > first else 0
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def up(size: float) -> float:
        return round(HEIGHT - BOTTOM - size / highest * (HEIGHT - TOP - BOTTOM), 1)

    points = " ".join(f"{across(tokens)},{up(row['needed_gb'])}" for tokens, row in zip(contexts, rows, strict=True))
    return ContextCurve(
        WIDTH,
        HEIGHT,
        LEFT,
        WIDTH - RIGHT,
        HEIGHT - BOTTOM,
        points,
        Mark(up(usable), usable),
        Mark(across(safe), safe),
        tuple(_apart([Mark(across(tokens), tokens) for tokens in contexts])),
        (Mark(up(0), 0), Mark(up(highest), highest)),
    )


def _apart(marks: Sequence[Mark]) -> list[Mark]:
    """Marks that leave each other room."""
    kept: list[Mark] = []
    for mark in marks:
        if not kept or mark.at - kept[-1].at >= NEAR:
            kept.append(mark)
    return kept
