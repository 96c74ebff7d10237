"""A report as one HTML page that loads nothing else: all rows, and plots as inline SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from fitcard.diff.outline import Outline, impact_title, percent
from fitcard.reports import OLD_COMMAND
from fitcard.source.text import show

WIDTH = 640  # all lengths are in pixels
HEIGHT = 360  # of the plot of errors
MARGIN = 56  # around it, for its scales
LEGEND_WIDTH = 150
ROW_HEIGHT = 20
BAR_HEIGHT = 14
BASELINE = 14  # of text, from the top of its row
GAP = 6  # between a bar and its text
LABEL_WIDTH = 130  # of text before bars
VALUE_WIDTH = 100  # of text behind bars
RADIUS = 4  # of a point
MIN_ERROR = 1e-2  # percent; smaller errors are drawn at the edge
MAX_ERROR = 1e3
COLORS = 8  # CSS classes `series-0` and so on of the page
Data = Mapping[str, Any]


def html_report(data: Data, outline: Outline) -> str:
    """The page for a report and its outline."""
    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = template.get_template("page.html").render(outline=outline, data=data, plots=list(_plots(data)))
    return show(page).replace(OLD_COMMAND, "#&#35;[")


def _plots(data: Data) -> Iterator[tuple[str, Markup]]:
    """Titles and plots."""
    measured = data.get("measured", ())
    for profile in dict.fromkeys(quantity["profile"] for quantity in measured):
        series = [{**quantity, "name": quantity["title"]} for quantity in measured if quantity["profile"] == profile]
        yield f"Errors against measured runs, profile {profile}: better below the line", _plot_errors(series)
    if data.get("accuracy"):
        yield "Errors against figures stated in tests: better below the line", _plot_errors(data["accuracy"])
    for impact in data["impact"]:
        suffix = f", {impact_title(impact)}" if len(data["impact"]) > 1 else ""
        moved = [output for output in impact["outputs"] if any("percent" in mover for mover in output["movers"])]
        if moved:
            yield f"Largest change of each output{suffix}", _plot_movers(moved)
        for output in impact["outputs"]:
            if "histogram" in output:
                yield f"Changes of {output['name']}{suffix}", _plot_histogram(output)


def _plot_histogram(output: Data) -> Markup:
    """Bars with the number of answers by relative change."""
    bins = [bucket for bucket in output["histogram"] if bucket["answers"]]
    highest = max(bucket["answers"] for bucket in bins)
    parts = []
    for number, bucket in enumerate(bins):
        length = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * bucket["answers"] / highest
        fell = bucket["to"] is not None and bucket["to"] <= 0
        top = number * ROW_HEIGHT
        parts += [
            _text(LABEL_WIDTH - GAP, top + BASELINE, _bin_label(bucket), "end"),
            _bar(fell, LABEL_WIDTH, top, max(1, length)),
            _text(LABEL_WIDTH + length + GAP, top + BASELINE, f"{bucket['answers']:,}"),
        ]
    return _svg(WIDTH, len(bins) * ROW_HEIGHT, f"changes of {output['name']}", parts)


def _plot_movers(outputs: Sequence[Data]) -> Markup:
    """A bar with the largest change of each output in percent, decreases to the left."""
    rows = [(output["name"], mover) for output in outputs for mover in output["movers"][:1] if "percent" in mover]
    largest = max((abs(mover["percent"]) for _, mover in rows), default=1)
    middle, max_length = (WIDTH + LABEL_WIDTH) / 2, (WIDTH - LABEL_WIDTH) / 2 - VALUE_WIDTH
    parts = [f'<line class="axis" x1="{middle}" y1="0" x2="{middle}" y2="{len(rows) * ROW_HEIGHT}"/>']
    for number, (name, mover) in enumerate(rows):
        length = math.log1p(abs(mover["percent"])) / math.log1p(largest) * max_length
        fell = mover["percent"] < 0
        start, top = middle - length if fell else middle, number * ROW_HEIGHT
        value_x, anchor = (start - GAP, "end") if fell else (start + length + GAP, "start")
        parts += [
            _bar(fell, start, top, length),
            _text(0, top + BASELINE, name),
            _text(value_x, top + BASELINE, percent(mover["percent"]), anchor),
        ]
    return _svg(WIDTH, len(rows) * ROW_HEIGHT, "largest change of each output", parts)


def _plot_errors(accuracy: Sequence[Data]) -> Markup:
    """Points with the error of each figure before (x) and after (y), on logarithmic scales."""
    right = WIDTH - LEGEND_WIDTH
    width, height = right - MARGIN, HEIGHT - 2 * MARGIN
    low, high = math.log10(MIN_ERROR), math.log10(MAX_ERROR)

    def position(error: float) -> float:
        return (math.log10(min(max(error, MIN_ERROR), MAX_ERROR)) - low) / (high - low)

    parts = [f'<line class="axis" x1="{MARGIN}" y1="{HEIGHT - MARGIN}" x2="{right}" y2="{MARGIN}"/>']
    for power in range(int(low), int(high) + 1):
        share = (power - low) / (high - low)
        x, y = MARGIN + share * width, HEIGHT - MARGIN - share * height
        parts += [
            f'<line class="grid" x1="{x:.1f}" y1="{MARGIN}" x2="{x:.1f}" y2="{HEIGHT - MARGIN}"/>',
            f'<line class="grid" x1="{MARGIN}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>',
            _text(x, HEIGHT - MARGIN + ROW_HEIGHT, f"{10.0**power:g} %", "middle"),
            _text(MARGIN - GAP, y + RADIUS, f"{10.0**power:g} %", "end"),
        ]
    parts += [_text((MARGIN + right) / 2, HEIGHT - GAP, "error before", "middle")]
    parts += [_text(MARGIN, MARGIN - ROW_HEIGHT, "error after")]
    for number, quantity in enumerate(accuracy):
        series, top = f"series-{number % COLORS}", MARGIN + number * ROW_HEIGHT
        for reference, old, new in quantity["points"]:
            before, after = (abs(computed - reference) / abs(reference) * 100 for computed in (old, new))
            x, y = MARGIN + position(before) * width, HEIGHT - MARGIN - position(after) * height
            title = html.escape(f"{quantity['name']}: {before:.2f} % -> {after:.2f} %")
            parts.append(_point(series, f"{x:.1f}", f"{y:.1f}", f"<title>{title}</title>"))
        parts.append(_point(series, str(right + ROW_HEIGHT), str(top)))
        parts.append(_text(right + ROW_HEIGHT + RADIUS + GAP, top + RADIUS, quantity["name"]))
    return _svg(WIDTH, max(HEIGHT, MARGIN + len(accuracy) * ROW_HEIGHT), "errors before and after", parts)


def _bin_label(bucket: Data) -> str:
    low, high = (None if bound is None else f"{bound:+g}" if bound else "0" for bound in (bucket["from"], bucket["to"]))
    if low is None:
        return f"below {high} %"
    return f"above {low} %" if high is None else f"{low} to {high} %"


def _bar(fell: bool, x: float, top: float, length: float) -> str:
    kind, y = "fall" if fell else "rise", top + (ROW_HEIGHT - BAR_HEIGHT) / 2
    return f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{length:.1f}" height="{BAR_HEIGHT}"/>'


def _point(series: str, x: str, y: str, title: str = "") -> str:
    tag = f'<circle class="{series}" cx="{x}" cy="{y}" r="{RADIUS}"'
    return f"{tag}>{title}</circle>" if title else f"{tag}/>"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> Markup:
    content = "\n".join(parts)
    label = html.escape(title)
    return Markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">\n{content}\n</svg>')
