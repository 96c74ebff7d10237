"""The memory bar and the curve of memory over context, in the coordinates of their pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEMORY_PARTS = ("weights", "kv_cache", "runtime", "headroom")
BAR_WIDTH = 1000


@dataclass(frozen=True)
class BarPart:
    """A part of the bar: its left edge and width, and its size in GB."""

    name: str
    start: float
    width: float
    size: float


@dataclass(frozen=True)
class MemoryBar:
    """The parts from left to right; `end` is where the usable memory ends."""

    parts: tuple[BarPart, ...]
    end: float


def memory_bar(memory: Mapping[str, Any]) -> MemoryBar:
    """The bar for the memory of an answer."""
    full = max(memory["needed_gb"], memory["usable_gb"])
    parts: list[BarPart] = []
    for name in MEMORY_PARTS:
        start = parts[-1].start + parts[-1].width if parts else 0.0
        size = memory[f"{name}_gb"]
        parts.append(BarPart(name, start, size / full * BAR_WIDTH, size))
    return MemoryBar(tuple(parts), memory["usable_gb"] / full * BAR_WIDTH)


WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 28  # margins, for the labels of the axes
MIN_DISTANCE = 34  # between labels of the horizontal axis


@dataclass(frozen=True)
class Tick:
    """A coordinate on an axis, and the value there."""

    at: float
    value: float


@dataclass(frozen=True)
class ContextCurve:
    """`points` as SVG writes them; `usable` is the usable memory in GB, and `safe` the safe context in tokens."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    points: str
    usable: Tick
    safe: Tick
    contexts: tuple[Tick, ...]
    sizes: tuple[Tick, ...]


def context_curve(answer: Mapping[str, Any]) -> ContextCurve:
    """The curve for an answer, with contexts on a logarithmic axis and memory on a linear one from 0."""
    rows: Sequence[Mapping[str, Any]] = answer["by_context"]
    contexts = [float(row["context_tokens"]) for row in rows]
    usable, safe = float(answer["memory"]["usable_gb"]), float(answer["safe_context_tokens"])
    max_size = max(usable, *[float(row["needed_gb"]) for row in rows])
    first, last = math.log(min(*contexts, safe)), math.log(max(*contexts, safe))

    def x(tokens: float) -> float:
        share = (math.log(tokens) - first) / (last - first) if last > first else 0
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(size: float) -> float:
        return round(HEIGHT - BOTTOM - size / max_size * (HEIGHT - TOP - BOTTOM), 1)

    points = " ".join([f"{x(tokens)},{y(row['needed_gb'])}" for tokens, row in zip(contexts, rows, strict=True)])
    return ContextCurve(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        points=points,
        usable=Tick(y(usable), usable),
        safe=Tick(x(safe), safe),
        contexts=tuple(_spaced([Tick(x(tokens), tokens) for tokens in contexts])),
        sizes=(Tick(y(0), 0), Tick(y(max_size), max_size)),
    )


def _spaced(ticks: Sequence[Tick]) -> list[Tick]:
    """The ticks whose labels do not overlap."""
    spaced: list[Tick] = []
    for tick in ticks:
        if not spaced or tick.at - spaced[-1].at >= MIN_DISTANCE:
            spaced.append(tick)
    return spaced
