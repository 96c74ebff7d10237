"""`fitcard check`: everything that is wrong with rules and catalogs, all at once."""

from __future__ import annotations

import click

from engine.check.everything import check_everything
from engine.commands.output import GOOD, PROBLEMS_FOUND, print_json, print_problems
from engine.draw.problem_text import summary_text
from engine.problems import errors


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """Find everything that is wrong with rules and catalogs."""
    problems = check_everything(ctx.obj)[1]
    if as_json:
        print_json([problem.as_dict() for problem in problems])
    else:
        print_problems(problems, to_stderr=False)
        click.echo(summary_text(problems))
    raise SystemExit(PROBLEMS_FOUND if errors(problems) else GOOD)
