"""A comparison in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich.console import Console
from rich.table import Table as Drawn
from rich.text import Text

from fitcard.diff.outline import Line, Outline, Table

STYLES = {"": "", "code": "cyan", "strong": "bold", "old": "red", "new": "green", "faint": "dim"}


def print_report(outline: Outline, console: Console) -> None:
    """All of it, each section with its first rows."""
    console.print(_text(outline.title))
    for line in outline.summary:
        console.print(Text("  ").append_text(_text(line)))
    for section in outline.sections:
        console.print()
        console.print(Text(section.title, style="bold underline"))
        for line in section.lines:
            console.print(Text("  ").append_text(_text(line)))
        if section.table:
            console.print(_drawn(section.table, section.rows))
        if section.more:
            console.print(Text(f"  and {section.more:,} more; `--save FILE.html` writes all", style="dim"))


def _drawn(table: Table, rows: Iterable[tuple[Line, ...]]) -> Drawn:
    drawn = Drawn(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        side: Literal["left", "right"] = "right" if column.numbers else "left"
        drawn.add_column(column.name, justify=side, header_style="dim", overflow="fold", no_wrap=column.numbers)
    for row in rows:
        drawn.add_row(*(_text(cell) for cell in row))
    return drawn


def _text(line: Line) -> Text:
    text = Text()
    for span in line:
        text.append(span.text, STYLES[span.style])
    return text
