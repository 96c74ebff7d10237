"""An answer of any shape in a terminal: its keys and values as they are, lists of alike things as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from fitcard.draw.problem_text import shown_value


def any_answer(answer: Mapping[str, Any]) -> RenderableType:
    """The whole answer."""
    grid = _table(show_header=False)
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for key, part in answer.items():
        grid.add_row(key, _part(part))
    return grid


def _part(part: Any) -> RenderableType:
    if isinstance(part, Mapping):
        return any_answer(part)
    if isinstance(part, list) and part and all(isinstance(item, Mapping) for item in part):
        return _rows(part)
    return Text(", ".join(map(shown_value, part)) if isinstance(part, list) else shown_value(part))


def _rows(items: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table()
    keys = dict.fromkeys(key for item in items for key in item)
    for key in keys:
        table.add_column(key, header_style="dim", overflow="fold")
    for item in items:
        table.add_row(*[_part(item.get(key)) for key in keys])
    return table


def _table(*, show_header: bool = True) -> Table:
    return Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=show_header)
