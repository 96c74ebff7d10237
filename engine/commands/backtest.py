"""`fitcard backtest`: how near the estimates come to what was measured."""

from __future__ import annotations

import click
from rich.console import Console

from engine.backtest.as_data import as_data
from engine.backtest.comparison import compare
from engine.closest import closest, suggestion
from engine.commands.output import GOOD, PROBLEMS_FOUND, leave, load_or_leave, print_json
from engine.draw.backtest import draw_backtest
from engine.problems import ProblemsFound
from engine.read.folders import Folders


@click.command("backtest")
@click.option(
    "--profile", "named", default="", help="Profiles, divided by commas, side by side; the default if not said."
)
@click.option("--by", "group", default="", help="Also by each entry of an axis, or by each word that a rule gives.")
@click.option("--worst", type=click.IntRange(min=0), default=0, help="Also so many runs that are farthest off.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(ctx: click.Context, /, named: str, group: str, worst: int, as_json: bool) -> None:
    """Hold the estimates against what was measured."""
    folders: Folders = ctx.obj
    rulebook = load_or_leave(folders)
    profiles = [name for name in named.split(",") if name] or [rulebook.default_profile]
    for name in profiles:
        if name not in rulebook.rule_sets:
            near = suggestion(closest(name, rulebook.rule_sets)) or f"there are {', '.join(rulebook.rule_sets)}"
            raise click.UsageError(f"there is no profile `{name}`; {near}")
        rules = rulebook.rule_sets[name]
        if group and group not in rules.subject.axes and rules.describe(group) is None:
            near = suggestion(closest(group, [*rules.subject.axes, *rules.definitions]))
            raise click.UsageError(f"there is no axis and no name `{group}`" + (f"; {near}" if near else ""))
    if rulebook.backtest is None:
        raise click.UsageError("these rules have no file of `kind: backtest`")
    try:
        compared = {profile: compare(rulebook, profile) for profile in profiles}
        data = as_data(rulebook, compared, group, worst)
    except ProblemsFound as found:
        leave(found.problems, PROBLEMS_FOUND)
    if as_json:
        print_json(data)
    else:
        draw_backtest(data, Console(highlight=False))
    raise SystemExit(GOOD)
