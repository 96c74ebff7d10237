"""`fitcard fmt`: formats rules and catalogs."""

from __future__ import annotations

from pathlib import Path

import click

from fitcard.cli.output import FAILED, OK, exit_with_problems, print_problems
from fitcard.problems import errors
from fitcard.rulebook.files import FileRead, read_each_file
from fitcard.source.folders import Folders
from fitcard.source.formatting import format_document, formatting_problem
from fitcard.source.schemas import Schemas


@click.command("fmt")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Do not write; fail if a file would change.")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], only_check: bool) -> None:
    """Format FILES, or all rules and catalogs: keys in schema order, comments kept."""
    folders: Folders = ctx.obj
    schemas = Schemas.load(folders.schemas, folders.shown(folders.schemas))
    read = read_each_file(folders, schemas)
    if files:
        read = [_named(file, read) for file in files]
    wrong = [problem for one in read for problem in errors(one.problems)]
    changed = 0
    for one in read:
        if one.document is None or errors(one.problems):
            continue
        new = format_document(one.document, one.kind, schemas, folders.schemas_beside)
        problem = formatting_problem(one.document, new)
        if problem is None or one.document.file is None:
            continue
        changed += 1
        if only_check:
            print_problems([problem], to_stderr=False)
        else:
            one.document.file.write_text(new, "utf-8")
            click.echo(f"written: {one.document.path}")
    what = "would be reformatted" if only_check else "reformatted"
    click.echo(f"{changed} of {len(read)} files {what} in {folders.description}")
    if wrong:  # a file that does not pass its schema has no order yet, and stays as it is
        exit_with_problems(wrong, FAILED)
    raise SystemExit(FAILED if only_check and changed else OK)


def _named(file: Path, read: list[FileRead]) -> FileRead:
    for one in read:
        if one.file.resolve() == file.resolve():
            return one
    raise click.UsageError(f"{file} is not in the rules or catalogs folder")
