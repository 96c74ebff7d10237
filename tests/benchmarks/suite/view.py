"""Results of benchmarks in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from suite.saved import Moved

STEPS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
PEAK = "peak_mb"


def draw_bench(name: str, bench: Mapping[str, Any], console: Console) -> None:
    """A line for each variant: its time, how many times that of the first, with the spread, and what else it told."""
    table = Table(box=None, pad_edge=False, header_style="dim", title=None)
    table.add_column(Text(name, style="bold"), no_wrap=True)
    peaks = any(PEAK in found.get("figures", {}) for found in bench["variants"].values())
    for title in ("median", "ratio", "spread", f"{_several(bench['unit'])}/s", *(["peak MB"] if peaks else [])):
        table.add_column(title, justify="right", no_wrap=True)
    for variant, found in bench["variants"].items():
        ratio, seconds = found["ratio"], found["seconds"]["median"]
        spread = f"{ratio['low']:.3g} to {ratio['high']:.3g}"
        cells = [_time(seconds), f"{ratio['median']:.3g}", spread, _short(found["per_second"])]
        peak = found.get("figures", {}).get(PEAK)
        table.add_row(variant, *cells, *([_short(peak) if peak else ""] if peaks else []))
    console.print(table)
    console.print()


def draw_moved(moved: Iterable[Moved], console: Console) -> None:
    """A line for each ratio that moved beyond its spread, those that got worse in red."""
    for one in moved:
        word, style = ("worse", "red") if one.worse else ("better", "green")
        console.print(Text(f"{one.bench}, {one.variant}: {word}, {one.was:.3g} -> {one.now:.3g}", style=style))


def _time(seconds: float) -> str:
    size, unit = next((step for step in STEPS if seconds >= step[0]), STEPS[-1])
    return f"{seconds / size:.3g} {unit}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _several(unit: str) -> str:
    return f"{unit}es" if unit.endswith("ss") else f"{unit}s"
