"""A report in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from fitcard.diff.outline import Line, Outline, Table

STYLES = {"": "", "code": "cyan", "strong": "bold", "old": "red", "new": "green", "faint": "dim"}


def print_report(outline: Outline, console: Console) -> None:
    """Prints the summary and the first rows of each section."""
    console.print(_text(outline.title))
    for line in outline.summary:
        console.print(Text("  ").append_text(_text(line)))
    for section in outline.sections:
        console.print()
        console.print(Text(section.title, style="bold underline"))
        for line in section.lines:
            console.print(Text("  ").append_text(_text(line)))
        if section.table:
            console.print(_rich_table(section.table, section.rows))
        if section.more:
            console.print(Text(f"  and {section.more:,} more; `--save FILE.html` writes all", style="dim"))


def _rich_table(table: Table, rows: Iterable[tuple[Line, ...]]) -> RichTable:
    rich_table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in table.columns:
        side: Literal["left", "right"] = "right" if column.numbers else "left"
        rich_table.add_column(column.name, justify=side, header_style="dim", overflow="fold", no_wrap=column.numbers)
    for row in rows:
        rich_table.add_row(*(_text(cell) for cell in row))
    return rich_table


def _text(line: Line) -> Text:
    text = Text()
    for span in line:
        text.append(span.text, STYLES[span.style])
    return text
