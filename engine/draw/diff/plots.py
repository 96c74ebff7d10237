"""Plots of a comparison as SVG that stands by itself: how far numbers move, and which way errors go."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.draw.diff.outline import percent

WIDTH, HEIGHT, EDGE, ROW, LEGEND = 640, 360, 56, 20, 150
LEAST_ERROR, WORST_ERROR = 1e-2, 1e3  # percent, of the plot of errors
COLORS = 8  # classes `series-0` and so on, that the page gives colours to
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
    end = WIDTH - LEGEND
    span = end - EDGE, HEIGHT - 2 * EDGE
    low, high = math.log10(LEAST_ERROR), math.log10(WORST_ERROR)

    def place(error: float) -> float:
        return (math.log10(min(max(error, LEAST_ERROR), WORST_ERROR)) - low) / (high - low)

    parts = [f'<line class="axis" x1="{EDGE}" y1="{HEIGHT - EDGE}" x2="{end}" y2="{EDGE}"/>']
    for power in range(int(low), int(high) + 1):
        share = (power - low) / (high - low)
        across, up = EDGE + share * span[0], HEIGHT - EDGE - share * span[1]
        parts += [
            f'<line class="grid" x1="{across:.1f}" y1="{EDGE}" x2="{across:.1f}" y2="{HEIGHT - EDGE}"/>',
            f'<line class="grid" x1="{EDGE}" y1="{up:.1f}" x2="{end}" y2="{up:.1f}"/>',
            _text(across, HEIGHT - EDGE + 16, f"{10.0**power:g} %", "middle"),
            _text(EDGE - 6, up + 4, f"{10.0**power:g} %", "end"),
        ]
    parts += [_text((EDGE + end) / 2, HEIGHT - 8, "error before", "middle"), _text(EDGE, EDGE - 14, "error after")]
    for number, one in enumerate(accuracy):
        series, top = f"series-{number % COLORS}", EDGE + number * ROW
        for before, after in _errors(one["points"]):
            across, up = EDGE + place(before) * span[0], HEIGHT - EDGE - place(after) * span[1]
            told = html.escape(f"{one['name']}: {before:.2f} % -> {after:.2f} %")
            parts.append(
                f'<circle class="{series}" cx="{across:.1f}" cy="{up:.1f}" r="3.5"><title>{told}</title></circle>'
            )
        parts += [f'<circle class="{series}" cx="{end + 24}" cy="{top}" r="4"/>', _text(end + 34, top + 4, one["name"])]
    return _svg(WIDTH, max(HEIGHT, EDGE + len(accuracy) * ROW), "errors before and after", parts)


def _errors(points: Sequence[Sequence[float]]) -> Iterator[tuple[float, float]]:
    for stated, before, after in points:
        yield abs(before - stated) / abs(stated) * 100, abs(after - stated) / abs(stated) * 100


def _between(one: Data) -> str:
    low, high = (None if bound is None else f"{bound:+g}" if bound else "0" for bound in (one["from"], one["to"]))
    if low is None:
        return f"below {high} %"
    return f"above {low} %" if high is None else f"{low} to {high} %"


def _bar(fell: bool, x: float, top: float, length: float) -> str:
    kind = "fall" if fell else "rise"
    return f'<rect class="{kind}" x="{x:.1f}" y="{top + 3}" width="{length:.1f}" height="{ROW - 6}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">\n{inside}\n</svg>'
