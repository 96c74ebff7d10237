"""`fitcard new`: creates a rule, a constant or a catalog entry, checked before it is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from fitcard.cli.scaffold import (
    Scaffold,
    UnknownFieldError,
    find_document,
    insert_entry,
    list_fields,
    parse_fields,
    scaffolds,
    write_or_exit,
)
from fitcard.language.question_fields import read_question_fields
from fitcard.problems import errors
from fitcard.rulebook.files import RULEBOOK, FileRead, read_each_file
from fitcard.source.folders import Folders
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest, did_you_mean


@click.command("new")
@click.argument("what")
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option(
    "--file", type=click.Path(dir_okay=False, path_type=Path), help="File to add it to; required if there are several."
)
@click.option("--title", default="", help="Title of a new FILE.")
@click.option("--about", default="", help="Description of a new FILE.")
@click.pass_context
def command(
    ctx: click.Context, /, what: str, name: str, fields: tuple[str, ...], file: Path | None, **head: str
) -> None:
    """Create a rule, constant or catalog entry (WHAT is rule, constant, model, device, ...).

    Nothing is written unless it passes `fitcard check`. Prompts for missing fields in a terminal, else lists them.
    """
    folders: Folders = ctx.obj
    schemas = Schemas.load(folders.schemas, folders.display_path(folders.schemas))
    files = read_each_file(folders, schemas)
    scaffold = _find_scaffold(what, schemas, files)
    data = _read_fields(scaffold, fields)
    document = find_document(scaffold, file, files, folders, {key: text for key, text in head.items() if text})
    text = insert_entry(document, scaffold.section, name, data)
    write_or_exit(scaffold, folders, document, text, [name])


def at_terminal() -> bool:
    """Whether missing fields can be prompted for."""
    return sys.stdin.isatty()


def _find_scaffold(what: str, schemas: Schemas, files: list[FileRead]) -> Scaffold:
    valid = (file.document for file in files if file.kind == RULEBOOK and file.document and not errors(file.problems))
    rulebook = next(valid, None)
    if rulebook is None:
        raise click.UsageError(f"there is no valid file of kind `{RULEBOOK}`; run `fitcard check`")
    known = scaffolds(schemas, read_question_fields(rulebook))
    if what not in known:
        near = did_you_mean(closest(what, known)) or f"choose {', '.join(known)}"
        raise click.UsageError(f"cannot create `{what}`: {near}")
    return known[what]


def _read_fields(scaffold: Scaffold, words: tuple[str, ...]) -> dict[str, Any]:
    """The data of these fields and, in a terminal, of prompted ones. Raises UsageError if required ones are missing."""
    fields = parse_fields(words)
    try:
        data = scaffold.read(fields)
        while (missing := scaffold.missing(data)) and at_terminal():
            field = missing[0]
            fields[field.name] = click.prompt(f"{field.name} ({field.about}, such as {field.example})")
            data = scaffold.read(fields)
    except UnknownFieldError as error:
        raise click.UsageError(str(error)) from None
    if missing:
        raise click.UsageError(f"a {scaffold.word} requires more fields, such as{list_fields(missing)}")
    return data
