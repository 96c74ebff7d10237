"""`fitcard check`: lists all errors and warnings in rules and catalogs."""

from __future__ import annotations

import gc
import os

import click

from fitcard.cli.output import FAILED, OK, echo, print_problems
from fitcard.lint.run import run_checks
from fitcard.problems import all_codes, errors
from fitcard.reports import FORMATS, count_problems
from fitcard.suggest import closest, did_you_mean

IN_ACTIONS = "GITHUB_ACTIONS"
GC_THRESHOLD = 2_000_000  # new objects; a check creates fewer and frees few, so that collections only cost time


@click.command("check")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    help="Output format. [default: text; github in GitHub Actions]",
)
@click.option("--json", "as_json", is_flag=True, help="Same as --format json.")
@click.option("--thorough", is_flag=True, help="Try every combination of catalog entries instead of a sample.")
@click.option("--explain", "code", metavar="CODE", help="Explain a problem code, or `all` of them.")
@click.pass_context
def command(ctx: click.Context, /, format_name: str | None, as_json: bool, thorough: bool, code: str | None) -> None:
    """Check rules and catalogs for errors."""
    if code is not None:
        echo(_pages(code), nl=False)
        return
    gc.set_threshold(GC_THRESHOLD)
    problems = run_checks(ctx.obj, thorough=thorough)[1]
    default = "github" if os.environ.get(IN_ACTIONS) == "true" else "text"
    format_name = "json" if as_json else format_name or default
    if format_name == "text":
        print_problems(problems, to_stderr=False)
        if problems:
            echo("to explain a code in [ ]: fitcard check --explain CODE")
        echo(f"{count_problems(problems)} in {ctx.obj.description}")
    else:
        click.echo(FORMATS[format_name](problems))
    raise SystemExit(FAILED if errors(problems) else OK)


def _pages(code: str) -> str:
    """The page of a problem code, or of `all`. Raises UsageError for an unknown code."""
    if code == "all":
        return "\n\n".join(kind.page() for kind in all_codes().values())
    if code not in all_codes():
        raise click.UsageError(
            f"there is no problem code `{code}`. {did_you_mean(closest(code, all_codes()))}".rstrip()
        )
    return all_codes()[code].page()
