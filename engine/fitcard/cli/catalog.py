"""`fitcard catalog`: statistics of the catalogs, and checks of their figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fitcard.answer.catalog_api import catalog_stats
from fitcard.cli.output import FAILED, OK, load_or_exit, print_json, print_problems
from fitcard.lint.catalog_checks import check_catalogs

PERCENT = 100


def draw_catalog_stats(data: Mapping[str, Any], console: Console) -> None:
    """A paragraph for each catalog: its groups, the share of its figures that is known, and its days."""
    for at, (kind, catalog) in enumerate(data["catalogs"].items()):
        console.print(Text(f"{'' if not at else chr(10)}{kind}: {catalog['entries']} entries", style="bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True, style="dim")
        table.add_column()
        for name, told in _lines(catalog):
            table.add_row(name, Text(told))
        console.print(table)


def _lines(catalog: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, words in catalog["groups"].items():
        yield name, ", ".join(f"{word} {count}" for word, count in words.items())
    if catalog["known"]:
        shares = sorted(catalog["known"].items(), key=lambda item: -item[1])
        yield "known", ", ".join(f"{name} {share * PERCENT:.0f} %" for name, share in shares)
    for name, days in catalog["days"].items():
        yield name, ", ".join(f"{which} {day['day']} ({day['days_ago']} days ago)" for which, day in days.items())


@click.group("catalog")
def command() -> None:
    """Show statistics of the catalogs, or verify their figures."""


@command.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def stats(ctx: click.Context, /, as_json: bool) -> None:
    """Show counts, completeness and age of entries."""
    data = catalog_stats(load_or_exit(ctx.obj).rulebook, date.today())
    if as_json:
        print_json(data)
    else:
        draw_catalog_stats(data, Console(highlight=False))
    raise SystemExit(OK)


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def verify(ctx: click.Context, /, as_json: bool) -> None:
    """Find implausible, contradictory and duplicate entries."""
    done, problems = check_catalogs(load_or_exit(ctx.obj).rulebook)
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
        click.echo(f"checks: {len(done)}, comparisons: {compared}, exceptions: {excused}")
        click.echo(f"problems: {len(problems)}")
    raise SystemExit(FAILED if problems else OK)
