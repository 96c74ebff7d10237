"""A calibration drawn in a terminal, and as plain data."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitcard.calibration.backtest_report import errors_as_data
from fitcard.calibration.calibrate import Calibration
from fitcard.rulebook.rulebook import Rulebook

PERCENT = 100


def as_data(found: Calibration) -> dict[str, Any]:
    """Each value before and after, each quantity's errors, and what speaks against writing them."""
    return {
        "values": [
            {
                "name": one.parameter.label,
                "before": one.parameter.value,
                "after": one.value,
                "runs": one.runs,
                "fitted": one.fitted,
                **({} if one.inside is None else {"inside": one.inside}),
            }
            for one in found.values
        ],
        "quantities": [
            {
                "name": change.quantity,
                "before": errors_as_data(change.before),
                "after": errors_as_data(change.after),
                "held_out": errors_as_data(change.held_out),
            }
            for change in found.changes
        ],
        "problems": [problem.as_dict() for problem in found.problems],
    }


def draw_calibration(found: Calibration, rulebook: Rulebook, console: Console) -> None:
    """The values, then the errors of each quantity."""
    assert rulebook.backtest is not None
    values = Table(box=None, pad_edge=False, header_style="dim")
    values.add_column("value", no_wrap=True)
    for title in ("before", "after", "moved", "figures"):
        values.add_column(title, justify="right")
    for one in found.values:
        moved = one.value / one.parameter.value - 1
        counted = str(one.runs) if one.fitted else f"{one.runs}, too few"
        counted += "" if one.inside is None else f", {one.inside * PERCENT:.0f} % of held-out runs inside"
        style = "" if one.fitted else "dim"
        cells = (
            one.parameter.label,
            f"{one.parameter.value:g}",
            f"{one.value:g}",
            f"{moved * PERCENT:+.0f} %",
            counted,
        )
        values.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(values)
    errors = Table(box=None, pad_edge=False, header_style="dim")
    errors.add_column("median error", no_wrap=True)
    for title in ("figures", "before", "after", "held out"):
        errors.add_column(title, justify="right")
    for change in found.changes:
        title = rulebook.backtest.quantities[change.quantity].title
        medians = (change.before.median, change.after.median, change.held_out.median)
        errors.add_row(title, str(change.before.count), *(f"{one * PERCENT:.1f} %" for one in medians))
    console.print()
    console.print(errors)
