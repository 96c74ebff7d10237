"""Reports of the back-test and of a calibration: as plain data, as tables in a terminal, and as a plot."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitcard.calibration.calibrate import Calibration
from fitcard.calibration.comparison import Comparison, Errors
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.text import show_line

if TYPE_CHECKING:  # an extra that only plots require
    from matplotlib.axes import Axes

PERCENT = 100
PLOT_SUFFIXES = (".svg", ".png", ".html")
PLOT_COLUMNS = 3
PLOT_SIZE = 3.6  # inches per quantity
DOTS_PER_INCH = 110
MARGIN = 1.3  # factor from the extreme values to the ends of the axes
POINT_SIZE, OPACITY = 12, 0.7
REPRODUCIBLE: Any = {"svg.hashsalt": "fitcard", "svg.fonttype": "none"}  # the same plot is the same file


def backtest_data(
    rulebook: Rulebook, comparisons: Mapping[str, Sequence[Comparison]], group: str = "", worst: int = 0
) -> dict[str, Any]:
    """The errors of each quantity in each profile, optionally by the words of `group` and with the `worst` runs."""
    assert rulebook.backtest is not None
    return {
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
        "profiles": list(comparisons),
        "near": list(rulebook.backtest.error_bounds),
        "quantities": [
            {
                "name": quantity.name,
                "title": quantity.title,
                "about": quantity.about,
                "median_error_at_most": quantity.max_median_error,
                "profiles": {
                    profile: _comparison_data(comparison, group, worst)
                    for profile, of_profile in comparisons.items()
                    for comparison in of_profile
                    if comparison.quantity.name == quantity.name
                },
            }
            for quantity in rulebook.backtest.quantities.values()
        ],
    }


def _comparison_data(comparison: Comparison, group: str, worst: int) -> dict[str, Any]:
    data = _errors_data(comparison.summary)
    if group:
        data["by"] = {word: _errors_data(errors) for word, errors in comparison.by(group)}
    if worst:
        data["worst"] = list(_worst_runs(comparison, worst))
    return data


def _errors_data(errors: Errors) -> dict[str, Any]:
    """Errors relative to the measured values."""
    return {
        "count": errors.count,
        "median": errors.median,
        "ninetieth": errors.ninetieth,
        "bias": errors.bias,
        "within": list(errors.within),
    }


def _worst_runs(comparison: Comparison, count: int) -> Iterator[dict[str, Any]]:
    """The runs with the largest ratio of estimate and measurement in either direction."""
    ratios = np.abs(np.log(comparison.computed / comparison.runs.measured))
    for row in (int(row) for row in np.argsort(-ratios, kind="stable")[:count]):
        entry = comparison.runs.entries[row]
        yield {
            "run": entry.id,
            "at": str(entry.position),
            "measured": float(comparison.runs.measured[row]),
            "computed": float(comparison.computed[row]),
            "error": float(comparison.errors[row]),
        }


def points_data(comparisons: Sequence[Comparison], group: str = "") -> list[dict[str, Any]]:
    """The title and unit of each quantity, and for each word of `group` the measured and computed values."""
    return [
        {
            "title": comparison.quantity.title,
            "unit": _unit(comparison),
            "series": [
                {
                    "word": word,
                    "measured": comparison.runs.measured[rows].tolist(),
                    "computed": comparison.computed[rows].tolist(),
                }
                for word, rows in _rows_by_word(comparison, group)
            ],
        }
        for comparison in comparisons
    ]


def _unit(comparison: Comparison) -> str:
    info = comparison.evaluation.rules.describe(comparison.quantity.computed)
    return info.unit if info else ""


def _rows_by_word(comparison: Comparison, group: str) -> Iterator[tuple[str, Any]]:
    words = np.array(comparison.words(group) if group else [""] * len(comparison.runs))
    for word in sorted(set(words)):
        yield str(word), words == word


def draw_backtest(data: Mapping[str, Any], console: Console) -> None:
    """A row for each quantity and profile, followed by rows for the words of a group; then the worst runs."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    several = len(data["profiles"]) > 1
    table.add_column("quantity", no_wrap=True)
    if several:
        table.add_column("profile", no_wrap=True)
    for title in ("runs", "median", "90 %", "bias", *(f"≤ {_percent(near)}" for near in data["near"])):
        table.add_column(title, justify="right", no_wrap=True)
    for quantity in data["quantities"]:
        aim = quantity["median_error_at_most"]
        for number, (profile, errors) in enumerate(quantity["profiles"].items()):
            name = Text(quantity["title"] if not number else "", style="bold")
            cells = _error_cells(errors, within_aim=aim is None or errors["median"] <= aim)
            table.add_row(name, *([profile] if several else []), *cells)
            for word, part in errors.get("by", {}).items():
                table.add_row(Text(f"  {word}", style="dim"), *([""] if several else []), *_error_cells(part))
    console.print(table)
    for quantity in data["quantities"]:
        for profile, errors in quantity["profiles"].items():
            if errors.get("worst"):
                console.print(Text(f"\n{quantity['title']}, {profile}: largest errors", style="bold"))
                for run in errors["worst"]:
                    error = f"{run['error'] * PERCENT:+.0f} %"
                    figures = f"{run['measured']:10.4g} measured {run['computed']:10.4g} {error:>7}"
                    console.print(f"  {figures}  {run['run']}  {run['at']}", soft_wrap=True)


def _error_cells(errors: Mapping[str, Any], *, within_aim: bool = True) -> list[Text]:
    style = "" if within_aim else "red"
    return [
        Text(str(errors["count"])),
        Text(_percent(errors["median"], 1), style=style),
        Text(_percent(errors["ninetieth"])),
        Text(f"{errors['bias'] * PERCENT:+.1f} %"),
        *(Text(_percent(share)) for share in errors["within"]),
    ]


def _percent(share: float, decimals: int = 0) -> str:
    return f"{share * PERCENT:.{decimals}f} %"


def calibration_data(calibration: Calibration) -> dict[str, Any]:
    """Each value before and after, the errors of each quantity, and the problems that prevent writing."""
    return {
        "values": [
            {
                "name": value.parameter.label,
                "before": value.parameter.value,
                "after": value.value,
                "runs": value.runs,
                "fitted": value.fitted,
                **({} if value.inside is None else {"inside": value.inside}),
            }
            for value in calibration.values
        ],
        "quantities": [
            {
                "name": change.quantity,
                "before": _errors_data(change.before),
                "after": _errors_data(change.after),
                "held_out": _errors_data(change.held_out),
            }
            for change in calibration.changes
        ],
        "problems": [problem.as_dict() for problem in calibration.problems],
    }


def draw_calibration(calibration: Calibration, rulebook: Rulebook, console: Console) -> None:
    """A table of the values, then one of the median errors."""
    assert rulebook.backtest is not None
    values = Table(box=None, pad_edge=False, header_style="dim")
    values.add_column("value", no_wrap=True)
    for title in ("before", "after", "moved", "figures"):
        values.add_column(title, justify="right")
    for value in calibration.values:
        before, after = value.parameter.value, value.value
        figures = str(value.runs) if value.fitted else f"{value.runs}, too few"
        figures += "" if value.inside is None else f", {value.inside * PERCENT:.0f} % of held-out runs inside"
        change = f"{(after / before - 1) * PERCENT:+.0f} %"
        style = "" if value.fitted else "dim"
        cells = (value.parameter.label, f"{before:g}", f"{after:g}", change, figures)
        values.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(values)
    errors = Table(box=None, pad_edge=False, header_style="dim")
    errors.add_column("median error", no_wrap=True)
    for title in ("figures", "before", "after", "held out"):
        errors.add_column(title, justify="right")
    for change_of_errors in calibration.changes:
        title = rulebook.backtest.quantities[change_of_errors.quantity].title
        before_after = (change_of_errors.before, change_of_errors.after, change_of_errors.held_out)
        medians = (f"{part.median * PERCENT:.1f} %" for part in before_after)
        errors.add_row(title, str(change_of_errors.before.count), *medians)
    console.print()
    console.print(errors)


def save_plot(file: Path, title: str, quantities: Sequence[Mapping[str, Any]]) -> None:
    """Writes a plot of `points_data` in the format of the suffix.

    Raises ImportError without the extra `tune`, and OSError if the file cannot be written.
    """
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = -(-len(quantities) // PLOT_COLUMNS)
    figure = Figure(figsize=(PLOT_COLUMNS * PLOT_SIZE, rows * PLOT_SIZE), dpi=DOTS_PER_INCH, layout="constrained")
    figure.suptitle(show_line(title), parse_math=False)
    words = sorted({series["word"] for quantity in quantities for series in quantity["series"]})
    for number, quantity in enumerate(quantities):
        _plot_quantity(figure.add_subplot(rows, PLOT_COLUMNS, number + 1), quantity, words)
    with rc_context(REPRODUCIBLE):
        if file.suffix != ".html":
            figure.savefig(file, format=file.suffix[1:], metadata={"Date": None} if file.suffix == ".svg" else {})
            return
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue().partition("<svg")[2]
    page = f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><svg{svg}"
    file.write_text(page, "utf-8")


def _plot_quantity(axes: Axes, quantity: Mapping[str, Any], words: Sequence[str]) -> None:
    """Estimate over measurement on logarithmic axes: a point for each run, colored by word, and a line of equality."""
    from matplotlib.ticker import NullFormatter  # noqa: PLC0415

    values = [value for series in quantity["series"] for key in ("measured", "computed") for value in series[key]]
    ends = (min(values) / MARGIN, max(values) * MARGIN)
    axes.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
    for series in quantity["series"]:
        color = f"C{words.index(series['word'])}"
        label = show_line(series["word"]) or None
        axes.scatter(series["measured"], series["computed"], s=POINT_SIZE, color=color, alpha=OPACITY, label=label)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.set_title(show_line(quantity["title"]), parse_math=False)
    axes.set_xlabel(show_line(f"measured, {quantity['unit']}"), parse_math=False)
    axes.set_ylabel("estimated")
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())  # labels between powers of ten would overlap
    if any(series["word"] for series in quantity["series"]):
        for text in axes.legend(fontsize="x-small").get_texts():
            text.set_parse_math(False)
