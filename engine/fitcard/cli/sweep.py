"""`fitcard sweep`: the answers for all catalog entries, or for some of them, written to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fitcard.cli.options import load_for_command, outline_for_command, parse_settings, question_options, set_option
from fitcard.cli.output import MISUSE, exit_with_problems, print_json
from fitcard.problems import ProblemsError
from fitcard.sweep.formats import FORMATS, PARQUET
from fitcard.sweep.run import SweepResult, sha256_of, sweep_to_file, sweep_to_stream
from fitcard.sweep.selection import Sweep, read_sweep
from fitcard.sweep.workers import cluster_workers, local_workers

STANDARD_OUTPUT = "-"
MAX_WORKERS = 4  # where nobody says how many: each takes memory


class SweepCommand(click.Command):
    """A command with an option for each axis, which can be given several times, for each input and for the profile."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The rulebook's options, then the command's own."""
        rulebook = outline_for_command(ctx)
        return [*question_options(rulebook, rulebook.question_fields.axes, several=True), *super().get_params(ctx)]


@click.command("sweep", cls=SweepCommand)
@click.option(
    "--out",
    default=STANDARD_OUTPUT,
    show_default=True,
    metavar="FILE",
    help=f"Output file ({', '.join(f'.{form}' for form in FORMATS)}), or - for standard output.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Output format. [default: by the file suffix]")
@click.option("--columns", multiple=True, metavar="KEYS", help="Columns: keys of an answer, or names of rules.")
@click.option("--where", default="", metavar="EXPR", help="Only write answers that meet this condition.")
@set_option
@click.option(
    "--workers", type=click.IntRange(min=1), help=f"Worker processes. [default: CPU cores, at most {MAX_WORKERS}]"
)
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the Dask cluster at this address.")
@click.option("--restart", is_flag=True, help="Discard the parts of an interrupted sweep.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    out: str,
    form: str | None,
    columns: tuple[str, ...],
    where: str,
    settings: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    restart: bool,
    force: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Write the answers for all catalog entries, or for the given ones, to a file.

    Options for entries can be repeated or take comma-separated values. An interrupted sweep resumes when it is run
    again.
    """
    form = form or _form_of(out)
    to_stream = out == STANDARD_OUTPUT
    if to_stream and (as_json or form == PARQUET):
        raise click.UsageError("--json and Parquet require --out FILE")
    engine, overrides = load_for_command(ctx), parse_settings(settings)
    try:
        sweep = read_sweep(engine, parameters, columns, where, overrides)
        at_once = workers or min(MAX_WORKERS, os.cpu_count() or 1)
        computing = cluster_workers(sweep, form, scheduler) if scheduler else local_workers(sweep, form, at_once)
        with _progress() as step:
            if to_stream:
                sweep_to_stream(sweep, form, sys.stdout.buffer, computing, step)
                return
            swept = sweep_to_file(sweep, form, Path(out), computing, step, restart=restart, force=force)
    except ProblemsError as found:
        exit_with_problems(found.problems, MISUSE)
    except BrokenPipeError:  # who reads has enough
        raise
    except OSError as error:
        raise click.FileError(str(error.filename or out), error.strerror) from None
    if as_json:
        print_json(_summary(sweep, swept, Path(out)))
    else:
        rules = sweep.about
        click.echo(f"{swept.rows:,} of {swept.answers:,} answers in {swept.seconds:.1f} s: {out}")
        click.echo(f"rules {rules['version']}, {rules['profile']}, {rules['sha256']}")


def _form_of(out: str) -> str:
    """The form that the name of a file says."""
    suffix = Path(out).suffix.removeprefix(".")
    if out == STANDARD_OUTPUT:
        return next(form for form in FORMATS if form != PARQUET)
    if suffix not in FORMATS:
        raise click.UsageError(
            f"{out} must end in one of {', '.join(f'.{form}' for form in FORMATS)}, or name --format"
        )
    return suffix


def _summary(sweep: Sweep, swept: SweepResult, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "sha256": sha256_of(file),
        "answers": swept.answers,
        "rows": swept.rows,
        "parts": swept.parts,
        "seconds": swept.seconds,
        "answers_per_second": swept.answers / swept.seconds,
        "columns": [column.key for column in sweep.columns],
        "question": sweep.question,
        "rules": dict(sweep.about),
    }


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, where there is one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("answers", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
