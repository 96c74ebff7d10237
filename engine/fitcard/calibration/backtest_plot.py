"""The back-test as a plot: each estimate over what was measured, on logarithmic axes."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an extra, which whoever draws no plot does without
    from matplotlib.axes import Axes

KINDS = (".svg", ".png", ".html")
COLUMNS = 3
SIDE = 3.6  # inches of one quantity
DOTS_PER_INCH = 110
ROOM = 1.3  # how far axes go beyond the least and the most
DOT, SEE_THROUGH = 12, 0.7
STABLE: Any = {"svg.hashsalt": "fitcard", "svg.fonttype": "none"}  # the same plot is the same file


def save_plot(file: Path, title: str, quantities: Sequence[Mapping[str, Any]]) -> None:
    """Writes the plot in the form that the end of the name says.

    Raises ImportError without the extra `tune`, and OSError where the file cannot be written.
    """
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = -(-len(quantities) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * SIDE, rows * SIDE), dpi=DOTS_PER_INCH, layout="constrained")
    figure.suptitle(title)
    words = sorted({series["word"] for one in quantities for series in one["series"]})
    for number, one in enumerate(quantities):
        _draw(figure.add_subplot(rows, COLUMNS, number + 1), one, words)
    with rc_context(STABLE):
        if file.suffix != ".html":
            figure.savefig(file, format=file.suffix[1:], metadata={"Date": None} if file.suffix == ".svg" else {})
            return
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    picture = text.getvalue().partition("<svg")[2]
    page = f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><svg{picture}"
    file.write_text(page, "utf-8")


def _draw(axes: Axes, quantity: Mapping[str, Any], words: Sequence[str]) -> None:
    """One quantity: a dot for each run, coloured by its word; on the line the two are the same."""
    from matplotlib.ticker import NullFormatter  # noqa: PLC0415

    every = [value for one in quantity["series"] for key in ("measured", "computed") for value in one[key]]
    ends = (min(every) / ROOM, max(every) * ROOM)
    axes.plot(ends, ends, color="0.7", linewidth=1, zorder=0)
    for one in quantity["series"]:
        colour = f"C{words.index(one['word'])}"
        axes.scatter(
            one["measured"], one["computed"], s=DOT, color=colour, alpha=SEE_THROUGH, label=one["word"] or None
        )
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, title=quantity["title"])
    axes.set_xlabel(f"measured, {quantity['unit']}")
    axes.set_ylabel("estimated")
    axes.set_box_aspect(1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())  # those between powers of ten would overlap
    if any(one["word"] for one in quantity["series"]):
        axes.legend(fontsize="x-small")
