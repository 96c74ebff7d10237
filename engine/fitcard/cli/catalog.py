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
from fitcard.cli.output import FAILED, OK, echo, load_or_exit, new_console, print_json, print_problems
from fitcard.lint.catalog_checks import check_catalogs

PERCENT = 100


def draw_catalog_stats(data: Mapping[str, Any], console: Console) -> None:
    """Prints for each catalog its groups, the shares of known fields, and its first and last dates."""
    for number, (kind, catalog) in enumerate(data["catalogs"].items()):
        console.print(Text(f"{chr(10) if number else ''}{kind}: {catalog['entries']} entries", style="bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True, style="dim")
        table.add_column()
        for label, text in _lines(catalog):
            table.add_row(label, Text(text))
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def stats(ctx: click.Context, /, as_json: bool) -> None:
    """Show counts, completeness and age of entries."""
    data = catalog_stats(load_or_exit(ctx.obj).rulebook, date.today())
    if as_json:
        print_json(data)
    else:
        draw_catalog_stats(data, new_console())
    raise SystemExit(OK)


@command.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(ctx: click.Context, /, as_json: bool) -> None:
    """Find implausible, contradictory and duplicate entries."""
    results, problems = check_catalogs(load_or_exit(ctx.obj).rulebook)
    problems += [problem for result in results for problem in result.problems]
    problems.sort(key=lambda problem: problem.sort_key)
    if as_json:
        checks = [
            {
                "name": result.check.name,
                "of": result.check.of,
                "about": result.check.about,
                "entries": result.compared,
                "found": len(result.problems),
                "excused": dict(result.check.excused),
            }
            for result in results
        ]
        print_json({"checks": checks, "problems": [problem.as_dict() for problem in problems]})
    else:
        print_problems(problems, to_stderr=False)
        compared = sum(result.compared for result in results)
        exceptions = sum(len(result.check.excused) for result in results)
        echo(f"checks: {len(results)}, comparisons: {compared}, exceptions: {exceptions}")
        echo(f"problems: {len(problems)}")
    raise SystemExit(FAILED if problems else OK)
