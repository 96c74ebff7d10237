"""The back-test drawn in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PERCENT = 100


def draw_backtest(data: Mapping[str, Any], console: Console) -> None:
    """A line for each quantity and profile; below it each word that was asked for, and the worst runs."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    several = len(data["profiles"]) > 1
    table.add_column("quantity", no_wrap=True)
    if several:
        table.add_column("profile", no_wrap=True)
    for title in ("runs", "median", "90 %", "bias", *(f"≤ {_percent(near)}" for near in data["near"])):
        table.add_column(title, justify="right", no_wrap=True)
    for quantity in data["quantities"]:
        for at, (profile, errors) in enumerate(quantity["profiles"].items()):
            aim = quantity["median_error_at_most"]
            name = Text(quantity["title"] if not at else "", style="bold")
            cells = _cells(errors, within_aim=aim is None or errors["median"] <= aim)
            table.add_row(name, *([profile] if several else []), *cells)
            for word, part in errors.get("by", {}).items():
                table.add_row(Text(f"  {word}", style="dim"), *([""] if several else []), *_cells(part))
    console.print(table)
    for quantity in data["quantities"]:
        for profile, errors in quantity["profiles"].items():
            if errors.get("worst"):
                console.print(Text(f"\n{quantity['title']}, {profile}: farthest off", style="bold"))
                for run in errors["worst"]:
                    error = f"{run['error'] * PERCENT:+.0f} %"
                    figures = f"{run['measured']:10.4g} measured {run['computed']:10.4g} {error:>7}"
                    console.print(f"  {figures}  {run['run']}  {run['at']}", soft_wrap=True)


def _cells(errors: Mapping[str, Any], *, within_aim: bool = True) -> list[Text]:
    style = "" if within_aim else "red"
    return [
        Text(str(errors["count"])),
        Text(_percent(errors["median"], 1), style=style),
        Text(_percent(errors["ninetieth"])),
        Text(f"{errors['bias'] * PERCENT:+.1f} %"),
        *(Text(_percent(share)) for share in errors["within"]),
    ]


def _percent(share: float, digits: int = 0) -> str:
    return f"{share * PERCENT:.{digits}f} %"
