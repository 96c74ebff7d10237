"""`fitcard fmt`: formats rules and catalogs."""

from __future__ import annotations

from pathlib import Path

import click

from fitcard.cli.output import FAILED, OK, echo, exit_with_problems, print_problems
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
    schemas = Schemas.load(folders.schemas, folders.display_path(folders.schemas))
    read = read_each_file(folders, schemas)
    if files:
        read = [_find_file(path, read) for path in files]
    invalid = [problem for file in read for problem in errors(file.problems)]
    changed = 0
    for file in read:
        if file.document is None or errors(file.problems):
            continue
        formatted = format_document(file.document, file.kind, schemas, folders.schemas_beside)
        problem = formatting_problem(file.document, formatted)
        if problem is None or file.document.file is None:
            continue
        changed += 1
        if only_check:
            print_problems([problem], to_stderr=False)
        else:
            file.document.file.write_text(formatted, "utf-8")
            echo(f"written: {file.document.path}")
    done = "would be reformatted" if only_check else "reformatted"
    echo(f"{changed} of {len(read)} files {done} in {folders.description}")
    if invalid:  # files that do not match their schema are left unchanged
        exit_with_problems(invalid, FAILED)
    raise SystemExit(FAILED if only_check and changed else OK)


def _find_file(path: Path, read: list[FileRead]) -> FileRead:
    for file in read:
        if file.file.resolve() == path.resolve():
            return file
    raise click.UsageError(f"{path} is not in the rules or catalogs folder")
