"""`fitcard graph`: which rule reads which."""

from __future__ import annotations

import click

from fitcard.answer.browse import rule_graph
from fitcard.commands.output import MISUSE, leave, print_json
from fitcard.commands.questions import load_once
from fitcard.draw.graphs import GRAPHS
from fitcard.problems import ProblemsFound
from fitcard.rulebook.subject import PROFILE


@click.command("graph")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format", "shape", type=click.Choice(list(GRAPHS)), default="text", show_default=True, help="How to print."
)
@click.option("--readers", is_flag=True, help="What NAME is read by, in place of what it reads.")
@click.option(f"--{PROFILE}", default="", help="The beliefs whose rules are meant.")
@click.option("--json", "as_json", is_flag=True, help="Print an object of lists.")
@click.pass_context
def command(
    ctx: click.Context, /, names: tuple[str, ...], shape: str, readers: bool, profile: str, as_json: bool
) -> None:
    """Show which rule reads which: all of them, or those behind each NAME."""
    rulebook = load_once(ctx)
    try:
        edges = rule_graph(rulebook, names, profile, readers=readers)
    except ProblemsFound as found:
        leave(found.problems, MISUSE)
    if as_json:
        print_json(edges)
    else:
        click.echo(GRAPHS[shape](edges))
