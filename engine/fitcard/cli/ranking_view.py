"""A ranking drawn in a terminal: its own table, and under each row what speaks for and against it most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def draw_ranking(ranked: Mapping[str, Any]) -> None:
    """The title, the rows that are shown, and how many there are, on standard output."""
    console = Console(highlight=False)
    console.print(Text(ranked["title"], style="bold"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right")
    for column in ranked["columns"]:
        table.add_column(column)
    for row in ranked["rows"]:
        table.add_row(str(row["rank"]), *row["cells"])
    console.print(table)
    for row in ranked["rows"]:
        said = [row[key]["sentence"] for key in ("praise", "blame") if row[key]]
        if said:
            console.print(Text.assemble(f"{row['rank']} ", (" ".join(said), "dim")))
    shown, ranked_all, entries = len(ranked["rows"]), ranked["ranked"], ranked["entries"]
    console.print(Text(f"shown: {shown}, ranked: {ranked_all}, entries: {entries}", style="dim"))
