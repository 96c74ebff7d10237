"""`fitcard check`: everything that is wrong with rules and catalogs, all at once."""

from __future__ import annotations

import os

import click

from engine.check.everything import check_everything
from engine.commands.output import GOOD, PROBLEMS_FOUND, print_problems
from engine.draw.problem_formats import FORMATS
from engine.draw.problem_text import summary_text
from engine.problems import errors

IN_ACTIONS = "GITHUB_ACTIONS"


@click.command("check")
@click.option("--format", "shape", type=click.Choice(list(FORMATS)), help="How to print; github where it runs there.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_context
def command(ctx: click.Context, /, shape: str | None, as_json: bool) -> None:
    """Find everything that is wrong with rules and catalogs."""
    problems = check_everything(ctx.obj)[1]
    shape = "json" if as_json else shape or ("github" if os.environ.get(IN_ACTIONS) == "true" else "text")
    if shape == "text":
        print_problems(problems, to_stderr=False)
        click.echo(summary_text(problems))
    else:
        click.echo(FORMATS[shape](problems))
    raise SystemExit(PROBLEMS_FOUND if errors(problems) else GOOD)
