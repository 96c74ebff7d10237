"""Plots of a comparison as SVG that stands by itself: how far numbers move, and which way errors go."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.draw.diff.outline import percent

WIDTH, HEIGHT, EDGE, ROW = 640, 360, 48, 20
LEAST_ERROR, WORST_ERROR = 1e-2, 1e3  # percent, of the plot of errors
COLORS = 8  # classes `series-0` and so on, that the page gives colours to
LETTER = 7  # pixels a letter takes
Data = Mapping[str, Any]


def histogram(output: Data) -> str:
    """Bars of how many answers moved by how much; falls in one colour, rises in another."""
    bins = [one for one in output["histogram"] if one["answers"]]
    most = max(one["answers"] for one in bins)
    label = 130
    parts = []
    for number, one in enumerate(bins):
        length = (WIDTH - label - 100) * one["answers"] / most
        fell = one["to"] is not None and one["to"] <= 0
        top = number * ROW
        parts += [
            _text(label - 8, top + 14, _between(one), "end"),
            _bar(fell, label, top, max(1, length)),
            _text(label + length + 6, top + 14, f"{one['answers']:,}"),
        ]
    return _svg(WIDTH, len(bins) * ROW, f"how far {output['name']} moves", parts)


def movers(outputs: Sequence[Data]) -> str:
    """A bar for the farthest mover of each output, in percent, to the left where it fell."""
    rows = [(output["name"], mover) for output in outputs for mover in output["movers"][:1] if "percent" in mover]
    most = max((abs(mover["percent"]) for _, mover in rows), default=1)
    middle, reach = WIDTH / 2 + 60, WIDTH / 2 - 150
    parts = [f'<line class="axis" x1="{middle}" y1="0" x2="{middle}" y2="{len(rows) * ROW}"/>']
    for number, (name, mover) in enumerate(rows):
        length = math.log1p(abs(mover["percent"])) / math.log1p(most) * reach
        fell = mover["percent"] < 0
        start, top = middle - length if fell else middle, number * ROW
        parts += [
            _bar(fell, start, top, length),
            _text(0, top + 14, name),
            _text(
                start - 6 if fell else start + length + 6,
                top + 14,
                percent(mover["percent"]),
                "end" if fell else "start",
            ),
        ]
    return _svg(WIDTH, len(rows) * ROW, "the farthest mover of each output", parts)


def errors(accuracy: Sequence[Data]) -> str:
    """The error of each stated figure before, from left to right, and after, from below: under the line is better."""
    span = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    low, high = math.log10(LEAST_ERROR), math.log10(WORST_ERROR)

    def place(error: float) -> float:
        return (math.log10(min(max(error, LEAST_ERROR), WORST_ERROR)) - low) / (high - low)

    parts = [f'<line class="axis" x1="{EDGE}" y1="{HEIGHT - EDGE}" x2="{WIDTH - EDGE}" y2="{EDGE}"/>']
    for power in range(int(low), int(high) + 1):
        share = (power - low) / (high - low)
        across, up = EDGE + share * span[0], HEIGHT - EDGE - share * span[1]
        parts += [
            f'<line class="grid" x1="{across:.1f}" y1="{EDGE}" x2="{across:.1f}" y2="{HEIGHT - EDGE}"/>',
            f'<line class="grid" x1="{EDGE}" y1="{up:.1f}" x2="{WIDTH - EDGE}" y2="{up:.1f}"/>',
            _text(across, HEIGHT - EDGE + 16, f"{10.0**power:g} %", "middle"),
            _text(EDGE - 6, up + 4, f"{10.0**power:g} %", "end"),
        ]
    parts += [_text(WIDTH / 2, HEIGHT - 8, "error before", "middle"), _text(EDGE, EDGE - 14, "error after")]
    at = WIDTH / 3
    for number, one in enumerate(accuracy):
        series = f"series-{number % COLORS}"
        for before, after in _errors(one["points"]):
            across, up = EDGE + place(before) * span[0], HEIGHT - EDGE - place(after) * span[1]
            told = html.escape(f"{one['name']}: {before:.2f} % -> {after:.2f} %")
            parts.append(
                f'<circle class="{series}" cx="{across:.1f}" cy="{up:.1f}" r="3.5"><title>{told}</title></circle>'
            )
        parts += [f'<circle class="{series}" cx="{at:.1f}" cy="12" r="4"/>', _text(at + 8, 16, one["name"])]
        at += 24 + LETTER * len(one["name"])
    return _svg(max(WIDTH, math.ceil(at)), HEIGHT, "errors before and after", parts)


def _errors(points: Sequence[Sequence[float]]) -> Iterator[tuple[float, float]]:
    for stated, before, after in points:
        yield abs(before - stated) / abs(stated) * 100, abs(after - stated) / abs(stated) * 100


def _between(one: Data) -> str:
    low, high = one["from"], one["to"]
    if low is None:
        return f"below {high:+g} %"
    return f"above {low:+g} %" if high is None else f"{low:+g} to {high:+g} %"


def _bar(fell: bool, x: float, top: float, length: float) -> str:
    kind = "fall" if fell else "rise"
    return f'<rect class="{kind}" x="{x:.1f}" y="{top + 3}" width="{length:.1f}" height="{ROW - 6}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">\n{inside}\n</svg>'
