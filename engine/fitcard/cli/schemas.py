"""`fitcard schemas`: writes the schemas of answers, rankings and comparisons."""

from __future__ import annotations

from pathlib import Path

import click

from fitcard.cli.output import FAILED, echo, exit_with_problems
from fitcard.lint.generated_schemas import write_schemas
from fitcard.problems import ProblemsError
from fitcard.rulebook.loader import load
from fitcard.source.folders import Folders


@click.command("schemas")
@click.option(
    "--out",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder to write to. [default: the folder of schemas]",
)
@click.pass_context
def command(ctx: click.Context, /, folder: Path | None) -> None:
    """Write the JSON Schemas of answers, rankings and comparisons."""
    folders: Folders = ctx.obj
    try:
        rulebook = load(folders)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    target = folder or folders.schemas
    try:
        written = write_schemas(rulebook, target)
    except OSError as error:
        raise click.FileError(str(target), error.strerror) from None
    for file in written:
        echo(f"written: {file}")
    if not written:
        echo(f"nothing to write: the schemas in {folders.display_path(target)} are up to date")
