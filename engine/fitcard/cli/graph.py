"""`fitcard graph`: the dependencies between rules, as text, Mermaid or Graphviz."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping

import click

from fitcard.answer.catalog_api import rule_graph
from fitcard.cli.options import load_for_command
from fitcard.cli.output import MISUSE, echo, exit_with_problems, print_json
from fitcard.language.question_fields import PROFILE
from fitcard.problems import ProblemsError

Edges = Mapping[str, tuple[str, ...]]  # the dependencies of each name


def as_text(edges: Edges) -> str:
    """A line for each name with dependencies: `needed_memory <- weights, kv_cache`."""
    return "\n".join(f"{name} <- {', '.join(reads)}" for name, reads in edges.items() if reads)


def as_mermaid(edges: Edges) -> str:
    """A Mermaid flow chart for Markdown; arrows point from dependencies to dependents."""
    numbers = {name: f"n{number}" for number, name in enumerate(_names(edges))}
    nodes = [f'  {number}["{html.escape(name)}"]' for name, number in numbers.items()]
    arrows = [f"  {numbers[read]} --> {numbers[name]}" for name, reads in edges.items() for read in reads]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def as_dot(edges: Edges) -> str:
    """A Graphviz graph; arrows point from dependencies to dependents."""
    arrows = [f"  {json.dumps(read)} -> {json.dumps(name)};" for name, reads in edges.items() for read in reads]
    return "\n".join(["digraph rules {", "  rankdir=LR;", "  node [shape=box];", *arrows, "}"])


GRAPHS: Mapping[str, Callable[[Edges], str]] = {"text": as_text, "mermaid": as_mermaid, "dot": as_dot}


def _names(edges: Edges) -> list[str]:
    return list(dict.fromkeys(name for reader, reads in edges.items() for name in (*reads, reader)))


@click.command("graph")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format", "format_name", type=click.Choice(list(GRAPHS)), default="text", show_default=True, help="Output format."
)
@click.option("--readers", is_flag=True, help="Show what depends on NAME instead of its dependencies.")
@click.option(f"--{PROFILE}", default="", help="Rule profile.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    ctx: click.Context, /, names: tuple[str, ...], format_name: str, readers: bool, profile: str, as_json: bool
) -> None:
    """Show the dependencies of each NAME, or of all rules."""
    rulebook = load_for_command(ctx).rulebook
    try:
        edges = rule_graph(rulebook, names, profile, readers=readers)
    except ProblemsError as error:
        exit_with_problems(error.problems, MISUSE, rulebook.messages)
    if as_json:
        print_json(edges)
    else:
        echo(GRAPHS[format_name](edges))
