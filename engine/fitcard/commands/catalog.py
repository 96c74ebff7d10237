"""`fitcard catalog`: what the catalogs hold, and which of their rows disagree with one another."""

from __future__ import annotations

from datetime import date

import click
from rich.console import Console

from fitcard.catalog_stats import catalog_stats
from fitcard.check.catalogs import check_catalogs
from fitcard.commands.output import GOOD, PROBLEMS_FOUND, load_or_leave, print_json, print_problems
from fitcard.draw.catalog_stats import draw_catalog_stats


@click.group("catalog")
def command() -> None:
    """Show what the catalogs hold, and what in them cannot be right."""


@command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def stats(ctx: click.Context, /, as_json: bool) -> None:
    """Count entries by group, the share whose figures are known, and how old they are."""
    data = catalog_stats(load_or_leave(ctx.obj), date.today())
    if as_json:
        print_json(data)
    else:
        draw_catalog_stats(data, Console(highlight=False))
    raise SystemExit(GOOD)


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def verify(ctx: click.Context, /, as_json: bool) -> None:
    """Find rows whose figures disagree with one another or with what is possible, and rows that stand twice."""
    done, problems = check_catalogs(load_or_leave(ctx.obj))
    problems += [problem for checked in done for problem in checked.problems]
    problems.sort(key=lambda problem: problem.sort_key)
    excused = sum(len(checked.check.excused) for checked in done)
    if as_json:
        checks = [
            {
                "name": checked.check.name,
                "of": checked.check.of,
                "about": checked.check.about,
                "entries": checked.compared,
                "found": len(checked.problems),
                "excused": dict(checked.check.excused),
            }
            for checked in done
        ]
        print_json({"checks": checks, "problems": [problem.as_dict() for problem in problems]})
    else:
        print_problems(problems, to_stderr=False)
        compared = sum(checked.compared for checked in done)
        click.echo(f"checks: {len(done)}, of figures or entries: {compared}, exceptions: {excused}")
        click.echo(f"problems: {len(problems)}")
    raise SystemExit(PROBLEMS_FOUND if problems else GOOD)
