"""What the catalogs hold, drawn in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PERCENT = 100


def draw_catalog_stats(data: Mapping[str, Any], console: Console) -> None:
    """A paragraph for each catalog: its groups, the share of its figures that is known, and its days."""
    for at, (kind, catalog) in enumerate(data["catalogs"].items()):
        console.print(Text(f"{'' if not at else chr(10)}{kind}: {catalog['entries']} entries", style="bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True, style="dim")
        table.add_column()
        for name, told in _lines(catalog):
            table.add_row(name, Text(told))
        console.print(table)


def _lines(catalog: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, words in catalog["groups"].items():
        yield name, ", ".join(f"{word} {count}" for word, count in words.items())
    if catalog["known"]:
        shares = sorted(catalog["known"].items(), key=lambda item: -item[1])
        yield "known", ", ".join(f"{name} {share * PERCENT:.0f} %" for name, share in shares)
    for name, days in catalog["days"].items():
        yield name, ", ".join(f"{which} {day['day']} ({day['days_ago']} days ago)" for which, day in days.items())
