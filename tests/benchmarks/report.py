"""Results of benchmarks in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.results import Change

SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
PEAK = "peak_mb"


def draw_benchmark(name: str, benchmark: Mapping[str, Any], console: Console) -> None:
    """A line for each variant: median time, ratio to the yardstick, spread of the ratio, rate and peak memory."""
    table = Table(box=None, pad_edge=False, header_style="dim", title=None)
    table.add_column(Text(name, style="bold"), no_wrap=True)
    peaks = any(PEAK in result.get("figures", {}) for result in benchmark["variants"].values())
    for title in ("median", "ratio", "spread", f"{_plural(benchmark['unit'])}/s", *(["peak MB"] if peaks else [])):
        table.add_column(title, justify="right", no_wrap=True)
    for variant, result in benchmark["variants"].items():
        ratio, seconds = result["ratio"], result["seconds"]["median"]
        spread = f"{ratio['low']:.3g} to {ratio['high']:.3g}"
        cells = [_time(seconds), f"{ratio['median']:.3g}", spread, _rounded(result["per_second"])]
        peak = result.get("figures", {}).get(PEAK)
        table.add_row(variant, *cells, *([_rounded(peak) if peak else ""] if peaks else []))
    console.print(table)
    console.print()


def draw_changes(changes: Iterable[Change], console: Console) -> None:
    """A line for each changed ratio, those that got worse in red."""
    for change in changes:
        word, style = ("worse", "red") if change.worse else ("better", "green")
        line = f"{change.benchmark}, {change.variant}: {word}, {change.before:.3g} -> {change.now:.3g}"
        console.print(Text(line, style=style))


def _time(seconds: float) -> str:
    size, unit = next((scale for scale in SCALES if seconds >= scale[0]), SCALES[-1])
    return f"{seconds / size:.3g} {unit}"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _plural(unit: str) -> str:
    return f"{unit}es" if unit.endswith("ss") else f"{unit}s"
