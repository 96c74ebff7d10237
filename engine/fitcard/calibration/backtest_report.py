"""The back-test as plain data, and drawn in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitcard.calibration.comparison import Comparison, Errors
from fitcard.rulebook.rulebook import Rulebook

Compared = Mapping[str, Sequence[Comparison]]


def as_data(rulebook: Rulebook, compared: Compared, group: str = "", worst: int = 0) -> dict[str, Any]:
    """The errors of each quantity by each profile; by each word of `group`, and the `worst` runs, where asked for."""
    assert rulebook.backtest is not None
    return {
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
        "profiles": list(compared),
        "near": list(rulebook.backtest.error_bounds),
        "quantities": [
            {
                "name": quantity.name,
                "title": quantity.title,
                "about": quantity.about,
                "median_error_at_most": quantity.max_median_error,
                "profiles": {
                    profile: _one(one, group, worst)
                    for profile, comparisons in compared.items()
                    for one in comparisons
                    if one.quantity.name == quantity.name
                },
            }
            for quantity in rulebook.backtest.quantities.values()
        ],
    }


def _one(compared: Comparison, group: str, worst: int) -> dict[str, Any]:
    data = errors_as_data(compared.summary)
    if group:
        data["by"] = {word: errors_as_data(errors) for word, errors in compared.by(group)}
    if worst:
        data["worst"] = list(_worst(compared, worst))
    return data


def points_as_data(compared: Sequence[Comparison], group: str = "") -> list[dict[str, Any]]:
    """For each quantity of one profile its title, unit, and for each word of `group` what was measured and computed."""
    return [
        {
            "title": one.quantity.title,
            "unit": _unit(one),
            "series": [
                {"word": word, "measured": one.runs.measured[rows].tolist(), "computed": one.computed[rows].tolist()}
                for word, rows in _rows_by(one, group)
            ],
        }
        for one in compared
    ]


def _unit(one: Comparison) -> str:
    info = one.evaluation.rules.describe(one.quantity.computed)
    return info.unit if info else ""


def _rows_by(one: Comparison, group: str) -> Iterator[tuple[str, Any]]:
    words = np.array(one.words(group) if group else [""] * len(one.runs))
    for word in sorted(set(words)):
        yield str(word), words == word


def errors_as_data(errors: Errors) -> dict[str, Any]:
    """Errors as shares of what was measured."""
    return {
        "count": errors.count,
        "median": errors.median,
        "ninetieth": errors.ninetieth,
        "bias": errors.bias,
        "within": list(errors.within),
    }


def _worst(compared: Comparison, most: int) -> Iterator[dict[str, Any]]:
    """The runs that are farthest off, in both directions alike: half as much is as far as twice as much."""
    far = np.argsort(-np.abs(np.log(compared.computed / compared.runs.measured)), kind="stable")
    for number in (int(at) for at in far[:most]):
        entry = compared.runs.entries[number]
        yield {
            "run": entry.id,
            "at": str(entry.position),
            "measured": float(compared.runs.measured[number]),
            "computed": float(compared.computed[number]),
            "error": float(compared.errors[number]),
        }


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
                console.print(Text(f"\n{quantity['title']}, {profile}: largest errors", style="bold"))
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
