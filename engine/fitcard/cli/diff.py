"""`fitcard diff`: the changes between two versions of the rules, and their effect on every answer."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fitcard.cli.check import IN_ACTIONS
from fitcard.cli.output import FAILED, MISUSE, OK, exit_with_problems
from fitcard.diff.contract import acknowledged_text
from fitcard.diff.html import html_report
from fitcard.diff.markdown import markdown_report
from fitcard.diff.outline import outline
from fitcard.diff.report import DiffReport, compare_snapshots
from fitcard.diff.revisions import find_revision
from fitcard.diff.snapshot import Snapshot, read_snapshot
from fitcard.diff.terminal import print_report
from fitcard.problems import ProblemsError, errors
from fitcard.reports import as_github, as_sarif
from fitcard.rulebook.files import CHANGES
from fitcard.source.folders import Folders

WRITERS: dict[str, Callable[[DiffReport], str]] = {
    "json": lambda found: json.dumps(found.data, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    "markdown": lambda found: markdown_report(outline(found.data)),
    "html": lambda found: html_report(found.data, outline(found.data)),
    "github": lambda found: as_github(list(found.problems)) + "\n",
    "sarif": lambda found: as_sarif(list(found.problems)) + "\n",
}
SUFFIXES = {".json": "json", ".md": "markdown", ".html": "html", ".sarif": "sarif"}


@click.command("diff")
@click.argument("base")
@click.argument("head", required=False, default="")
@click.option("--format", "shape", type=click.Choice(["text", *WRITERS]), help="Output format. [default: text]")
@click.option(
    "--save",
    "files",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Also write a file ({', '.join(SUFFIXES)}). Repeatable.",
)
@click.option("--why", help="Reason why contract cases move, added to the changes file.")
@click.pass_context
def command(
    ctx: click.Context, /, base: str, head: str, shape: str | None, files: tuple[Path, ...], why: str | None
) -> None:
    """Compare two versions of the rules and their answers.

    BASE and HEAD are git revisions, directories with rules and catalogs, or `profile:NAME`. Without HEAD, BASE is
    compared with the working files. Fails if the new files have errors, or if a figure of a contract case moves
    without a reason.
    """
    folders: Folders = ctx.obj
    for file in files:
        if file.suffix not in SUFFIXES:
            raise click.UsageError(f"{file} must end in one of {', '.join(SUFFIXES)}")
    with tempfile.TemporaryDirectory() as place:
        try:
            old, new = (read_snapshot(find_revision(text, folders, Path(place))) for text in (base, head))
        except ProblemsError as found:
            exit_with_problems(found.problems, MISUSE)
        with _progress() as progress:
            compared = compare_snapshots(old, new, progress)
            if why and compared.unexplained and not head:
                _acknowledge(new, compared, why)
                compared = compare_snapshots(old, read_snapshot(new.revision), computed=compared.computed)
    for file in files:
        file.write_text(WRITERS[SUFFIXES[file.suffix]](compared), "utf-8")
    if shape in (None, "text"):
        print_report(outline(compared.data), Console(highlight=False))
        click.echo(f"compared: {base} and {head or folders.description}")
        if os.environ.get(IN_ACTIONS) == "true":
            click.echo(WRITERS["github"](compared), nl=False)
    else:
        click.echo(WRITERS[shape](compared), nl=False)
    raise SystemExit(FAILED if errors(compared.problems) else OK)


def _acknowledge(state: Snapshot, found: DiffReport, why: str) -> None:
    """Writes why the unexplained cases move into the file of changes."""
    document = next(iter(state.files.of(CHANGES)), None)
    if document is None or document.file is None:
        raise click.UsageError(f"--why requires a file of `kind: {CHANGES}` in the rules folder")
    document.file.write_text(acknowledged_text(document, found.unexplained, why), "utf-8")
    click.echo(f"written: {document.path}", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the terminal, where there is one."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, object] = {}

        def step(profile: str, done: int, of: int) -> None:
            if profile not in tasks:
                tasks[profile] = bars.add_task(f"answers of {profile}", total=of)
            bars.update(tasks[profile], completed=done)  # type: ignore[arg-type]

        yield step
