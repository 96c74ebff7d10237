"""`fitcard diff`: the changes between two versions of the rules, and their effect on every answer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from fitcard.cli.check import IN_ACTIONS
from fitcard.cli.output import FAILED, MISUSE, OK, echo, exit_with_problems, new_console, progress_bars
from fitcard.diff.contract import acknowledged_text
from fitcard.diff.html import html_report
from fitcard.diff.markdown import markdown_report
from fitcard.diff.outline import outline
from fitcard.diff.report import DiffReport, compare_snapshots
from fitcard.diff.revisions import find_revision
from fitcard.diff.snapshot import Snapshot, read_snapshot
from fitcard.diff.terminal import print_report
from fitcard.problems import ProblemsError, errors
from fitcard.reports import as_github, as_sarif, to_json
from fitcard.rulebook.files import CHANGES
from fitcard.source.folders import Folders

WRITERS: dict[str, Callable[[DiffReport], str]] = {
    "json": lambda report: to_json(report.data) + "\n",
    "markdown": lambda report: markdown_report(outline(report.data)),
    "html": lambda report: html_report(report.data, outline(report.data)),
    "github": lambda report: as_github(list(report.problems)) + "\n",
    "sarif": lambda report: as_sarif(list(report.problems)) + "\n",
}
SUFFIXES = {".json": "json", ".md": "markdown", ".html": "html", ".sarif": "sarif"}


@click.command("diff")
@click.argument("base")
@click.argument("head", required=False, default="")
@click.option("--format", "format_name", type=click.Choice(["text", *WRITERS]), help="Output format. [default: text]")
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
    ctx: click.Context, /, base: str, head: str, format_name: str | None, files: tuple[Path, ...], why: str | None
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
    with tempfile.TemporaryDirectory() as workspace:
        try:
            old, new = (read_snapshot(find_revision(text, folders, Path(workspace))) for text in (base, head))
        except ProblemsError as error:
            exit_with_problems(error.problems, MISUSE)
        with progress_bars() as step:
            report = compare_snapshots(
                old, new, lambda profile, done, total: step(f"answers of {profile}", done, total)
            )
            if why and report.unexplained and not head:
                _acknowledge(new, report, why)
                report = compare_snapshots(old, read_snapshot(new.revision), computed=report.computed)
    for file in files:
        file.write_text(WRITERS[SUFFIXES[file.suffix]](report), "utf-8")
    if format_name in (None, "text"):
        print_report(outline(report.data), new_console())
        echo(f"compared: {base} and {head or folders.description}")
        if os.environ.get(IN_ACTIONS) == "true":
            click.echo(WRITERS["github"](report), nl=False)
    else:
        click.echo(WRITERS[format_name](report), nl=False)
    raise SystemExit(FAILED if errors(report.problems) else OK)


def _acknowledge(snapshot: Snapshot, report: DiffReport, why: str) -> None:
    """Adds the reason for the unexplained cases to the changes file."""
    document = next(iter(snapshot.files.of(CHANGES)), None)
    if document is None or document.file is None:
        raise click.UsageError(f"--why requires a file of `kind: {CHANGES}` in the rules folder")
    document.file.write_text(acknowledged_text(document, report.unexplained, why), "utf-8")
    echo(f"written: {document.path}", err=True)
