"""`fitcard sweep`: writes the answers for all catalog entries, or for selected ones, to a file."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from fitcard.cli.options import load_for_command, outline_for_command, parse_settings, question_options, set_option
from fitcard.cli.output import FAILED, MISUSE, echo, exit_with_problems, print_json, progress_bars
from fitcard.problems import ProblemsError
from fitcard.sweep.formats import FORMATS, PARQUET
from fitcard.sweep.part_store import count_parts, parts_directory
from fitcard.sweep.run import SweepResult, sha256_of, sweep_to_file, sweep_to_stream
from fitcard.sweep.selection import Sweep, read_sweep
from fitcard.sweep.workers import SweepWorkerFailed, SweepWorkersLost, cluster_workers, local_workers

STANDARD_OUTPUT = "-"
INTERRUPTED = 130  # exit code after Ctrl-C, by the convention of shells
MAX_WORKERS = 4  # by default, since each takes memory


class SweepCommand(click.Command):
    """A command with a repeatable option for each axis, and options for the inputs and the profile."""

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
    help=f"Output file ({', '.join(f'.{name}' for name in FORMATS)}), or - for standard output.",
)
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Output format. [default: by the file suffix]"
)
@click.option("--columns", multiple=True, metavar="KEYS", help="Columns: keys of an answer, or names of rules.")
@click.option(
    "--where",
    default="",
    metavar="EXPR",
    help="Only write answers that meet this condition; a plain number is in the unit that it is compared with.",
)
@set_option
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help=f"Worker processes. [default: CPU cores, at most {MAX_WORKERS}]",
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
    format_name: str | None,
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
    format_name = format_name or _format_by_suffix(out)
    to_stream = out == STANDARD_OUTPUT
    if to_stream and (as_json or format_name == PARQUET):
        raise click.UsageError("--json and Parquet require --out FILE")
    engine, overrides = load_for_command(ctx), parse_settings(settings)
    parameters = {name: value for name, value in parameters.items() if value != ()}  # axes without an option
    try:
        sweep = read_sweep(engine, parameters, columns, where, overrides)
        if scheduler:
            pool = cluster_workers(sweep, format_name, scheduler)
        else:
            pool = local_workers(sweep, format_name, workers or min(MAX_WORKERS, os.cpu_count() or 1))
        with progress_bars() as step:
            progress = partial(step, "answers")
            if to_stream:
                sweep_to_stream(sweep, format_name, sys.stdout.buffer, pool, progress)
                return
            result = sweep_to_file(sweep, format_name, Path(out), pool, progress, restart=restart, force=force)
    except ProblemsError as error:
        lost = any(problem.kind in (SweepWorkersLost, SweepWorkerFailed) for problem in error.problems)
        _tell_kept_parts(out)
        exit_with_problems(error.problems, FAILED if lost else MISUSE, engine.rulebook.messages)
    except BrokenPipeError:  # the reader closed the pipe; click ends the command
        raise
    except OSError as error:
        _tell_kept_parts(out)
        reason = error.strerror or str(error)
        file = error.filename or ("standard output" if to_stream else out)
        raise click.ClickException(f"{file} cannot be written: {reason}") from None
    except KeyboardInterrupt:
        echo("interrupted", err=True)
        _tell_kept_parts(out)
        raise SystemExit(INTERRUPTED) from None
    if as_json:
        print_json(_summary(sweep, result, Path(out)))
    else:
        rules = sweep.about
        echo(f"{result.rows:,} of {result.answers:,} answers in {result.seconds:.1f} s: {out}")
        echo(f"rules {rules['version']}, {rules['profile']}, {rules['sha256']}")


def _tell_kept_parts(out: str) -> None:
    """Says how many parts of the sweep are stored, so that the same command resumes it."""
    kept = 0 if out == STANDARD_OUTPUT else count_parts(Path(out))
    if kept:
        echo(f"parts kept in {parts_directory(Path(out))}: {kept:,}; the same command resumes", err=True)


def _format_by_suffix(out: str) -> str:
    """The format named by the suffix of a file; the first text format for standard output."""
    suffix = Path(out).suffix.removeprefix(".")
    if out == STANDARD_OUTPUT:
        return next(name for name in FORMATS if name != PARQUET)
    if suffix not in FORMATS:
        suffixes = ", ".join(f".{name}" for name in FORMATS)
        raise click.UsageError(f"{out} must end in one of {suffixes}, or name --format")
    return suffix


def _summary(sweep: Sweep, result: SweepResult, file: Path) -> dict[str, Any]:
    return {
        "file": str(file),
        "bytes": file.stat().st_size,
        "sha256": sha256_of(file),
        "answers": result.answers,
        "rows": result.rows,
        "parts": result.parts,
        "seconds": result.seconds,
        "answers_per_second": result.answers / result.seconds,
        "columns": [column.key for column in sweep.columns],
        "question": sweep.question,
        "rules": dict(sweep.about),
    }
