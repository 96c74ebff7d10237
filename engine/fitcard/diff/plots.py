"""Plots of a comparison as SVG that stands by itself: how far numbers move, and which way errors go."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fitcard.diff.outline import percent

WIDTH = 640  # all lengths are in pixels
HEIGHT = 360  # of the plot of errors
EDGE = 56  # around it, for its scales
LEGEND = 150  # beside it
ROW = 20  # the height of a row of bars
BAR = 14  # of a bar in it
BASELINE = 14  # of a text, from the top of its row
GAP = 6  # between a bar and its text
LABELS = 130  # the width of the texts before bars
VALUES = 100  # of those behind them
DOT = 4  # the radius of a point
MIN_ERROR = 1e-2  # percent; smaller ones are drawn at the edge
MAX_ERROR = 1e3
COLORS = 8  # classes `series-0` and so on, that the page gives colours to
Data = Mapping[str, Any]


def histogram(output: Data) -> str:
    """Bars of how many answers moved by how much; falls in one colour, rises in another."""
    bins = [one for one in output["histogram"] if one["answers"]]
    most = max(one["answers"] for one in bins)
    parts = []
    for number, one in enumerate(bins):
        length = (WIDTH - LABELS - VALUES) * one["answers"] / most
        fell = one["to"] is not None and one["to"] <= 0
        top = number * ROW
        parts += [
            _text(LABELS - GAP, top + BASELINE, _between(one), "end"),
            _bar(fell, LABELS, top, max(1, length)),
            _text(LABELS + length + GAP, top + BASELINE, f"{one['answers']:,}"),
        ]
    return _svg(WIDTH, len(bins) * ROW, f"changes of {output['name']}", parts)


def movers(outputs: Sequence[Data]) -> str:
    """A bar for the farthest mover of each output, in percent, to the left where it fell."""
    rows = [(output["name"], mover) for output in outputs for mover in output["movers"][:1] if "percent" in mover]
    most = max((abs(mover["percent"]) for _, mover in rows), default=1)
    middle, reach = (WIDTH + LABELS) / 2, (WIDTH - LABELS) / 2 - VALUES
    parts = [f'<line class="axis" x1="{middle}" y1="0" x2="{middle}" y2="{len(rows) * ROW}"/>']
    for number, (name, mover) in enumerate(rows):
        length = math.log1p(abs(mover["percent"])) / math.log1p(most) * reach
        fell = mover["percent"] < 0
        start, top = middle - length if fell else middle, number * ROW
        parts += [
            _bar(fell, start, top, length),
            _text(0, top + BASELINE, name),
            _text(
                start - GAP if fell else start + length + GAP,
                top + BASELINE,
                percent(mover["percent"]),
                "end" if fell else "start",
            ),
        ]
    return _svg(WIDTH, len(rows) * ROW, "largest change of each output", parts)


def errors(accuracy: Sequence[Data]) -> str:
    """The error of each stated figure before, from left to right, and after, from below: under the line is better."""
    end = WIDTH - LEGEND
    span = end - EDGE, HEIGHT - 2 * EDGE
    low, high = math.log10(MIN_ERROR), math.log10(MAX_ERROR)

    def place(error: float) -> float:
        return (math.log10(min(max(error, MIN_ERROR), MAX_ERROR)) - low) / (high - low)

    parts = [f'<line class="axis" x1="{EDGE}" y1="{HEIGHT - EDGE}" x2="{end}" y2="{EDGE}"/>']
    for power in range(int(low), int(high) + 1):
        share = (power - low) / (high - low)
        across, up = EDGE + share * span[0], HEIGHT - EDGE - share * span[1]
        parts += [
            f'<line class="grid" x1="{across:.1f}" y1="{EDGE}" x2="{across:.1f}" y2="{HEIGHT - EDGE}"/>',
            f'<line class="grid" x1="{EDGE}" y1="{up:.1f}" x2="{end}" y2="{up:.1f}"/>',
            _text(across, HEIGHT - EDGE + ROW, f"{10.0**power:g} %", "middle"),
            _text(EDGE - GAP, up + DOT, f"{10.0**power:g} %", "end"),
        ]
    parts += [_text((EDGE + end) / 2, HEIGHT - GAP, "error before", "middle"), _text(EDGE, EDGE - ROW, "error after")]
    for number, one in enumerate(accuracy):
        series, top = f"series-{number % COLORS}", EDGE + number * ROW
        for before, after in _errors(one["points"]):
            across, up = EDGE + place(before) * span[0], HEIGHT - EDGE - place(after) * span[1]
            told = html.escape(f"{one['name']}: {before:.2f} % -> {after:.2f} %")
            parts.append(
                f'<circle class="{series}" cx="{across:.1f}" cy="{up:.1f}" r="{DOT}"><title>{told}</title></circle>'
            )
        parts += [f'<circle class="{series}" cx="{end + ROW}" cy="{top}" r="{DOT}"/>']
        parts.append(_text(end + ROW + DOT + GAP, top + DOT, one["name"]))
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
    return f'<rect class="{kind}" x="{x:.1f}" y="{top + (ROW - BAR) / 2}" width="{length:.1f}" height="{BAR}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    inside = "\n".join(parts)
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}">\n{inside}\n</svg>'
