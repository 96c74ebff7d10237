"""A comparison as one page that fetches nothing: all rows, and plots."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup

from fitcard.diff.outline import Data, Outline, under_profile
from fitcard.diff.plots import errors, histogram, movers


def html_report(data: Data, outline: Outline) -> str:
    """The page as HTML."""
    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    return template.get_template("page.html").render(outline=outline, data=data, plots=list(_plots(data)))


def _plots(data: Data) -> list[tuple[str, Markup]]:
    """Each plot with its title, those that show something."""
    found = []
    for profile in dict.fromkeys(one["profile"] for one in data.get("measured", ())):
        series = [{**one, "name": one["title"]} for one in data["measured"] if one["profile"] == profile]
        title = f"Errors against measured runs, profile {profile}: better below the line"
        found.append((title, Markup(errors(series))))
    if data.get("accuracy"):
        found.append(
            ("Errors against figures stated in tests: better below the line", Markup(errors(data["accuracy"])))
        )
    for impact in data["impact"]:
        under = f", {under_profile(impact)}" if len(data["impact"]) > 1 else ""
        moved = [output for output in impact["outputs"] if any("percent" in mover for mover in output["movers"])]
        if moved:
            found.append((f"Largest change of each output{under}", Markup(movers(moved))))
        for output in impact["outputs"]:
            if "histogram" in output:
                found.append((f"Changes of {output['name']}{under}", Markup(histogram(output))))
    return found
