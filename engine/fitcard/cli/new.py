"""`fitcard new`: creates a rule, a constant or a catalog entry, checked before it is written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from fitcard.cli.output import FAILED, exit_with_problems, print_problems
from fitcard.cli.scaffold import FieldUnknown, Scaffold, insert_entry, new_file, scaffolds
from fitcard.language.question_fields import read_question_fields
from fitcard.lint.run import problems_after_edit
from fitcard.problems import errors
from fitcard.rulebook.files import RULEBOOK, RULES, FileRead, read_each_file
from fitcard.source.document import Document
from fitcard.source.document import Path as Place
from fitcard.source.folders import Folders
from fitcard.source.formatting import format_document, schema_comment
from fitcard.source.schemas import Schemas
from fitcard.source.yaml_reader import read_text
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
    read = read_each_file(folders, schemas)
    skeleton = _skeleton(what, schemas, read)
    data = _complete(skeleton, fields)
    document = document_for(skeleton, file, read, folders, {key: text for key, text in head.items() if text})
    text = in_order(document, insert_entry(document, skeleton.section, name, data), skeleton, folders)
    write_or_exit(folders, document, text, [(skeleton.section, name)])


def write_or_exit(
    folders: Folders, document: Document, text: str, places: Iterable[Place], *, dry_run: bool = False
) -> None:
    """Writes the new text of a document, of which `places` are new, if it passes the check; else the command ends.

    In a dry run what the check has to say is said, and nothing is written.
    """
    assert document.file is not None
    problems = problems_after_edit(folders, document.file, text)
    if errors(problems):
        click.echo(f"nothing written: {document.path} would fail the check", err=True)
        exit_with_problems(problems, FAILED)
    if not dry_run:
        document.file.parent.mkdir(parents=True, exist_ok=True)
        document.file.write_text(text, "utf-8")
    after, _ = read_text(text, document.path, document.file)
    assert after is not None
    for place in places:
        click.echo(f"{'would be written' if dry_run else 'written'}: {after.position(place, key=True)}", err=dry_run)
    print_problems(problems, to_stderr=dry_run)


def at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _skeleton(what: str, schemas: Schemas, read: list[FileRead]) -> Scaffold:
    main = next(
        (one.document for one in read if one.kind == RULEBOOK and one.document and not errors(one.problems)), None
    )
    if main is None:
        raise click.UsageError(f"there is no valid file of kind `{RULEBOOK}`; run `fitcard check`")
    known = scaffolds(schemas, read_question_fields(main))
    if what not in known:
        near = did_you_mean(closest(what, known)) or f"choose {', '.join(known)}"
        raise click.UsageError(f"cannot create `{what}`: {near}")
    return known[what]


def pairs(fields: Iterable[str]) -> dict[str, str]:
    """FIELD=VALUE by field. Raises UsageError where there is no `=`."""
    assigned = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            raise click.UsageError(f"`{field}` is not FIELD=VALUE")
        assigned[key] = value
    return assigned


def _complete(skeleton: Scaffold, fields: tuple[str, ...]) -> dict[str, Any]:
    """The fields with those that were missing, as a person at the terminal gave them."""
    assigned = pairs(fields)
    try:
        data = skeleton.read(assigned)
        missing = skeleton.missing(data)
        while missing and at_terminal():
            asked = missing[0]
            assigned[asked.name] = click.prompt(f"{asked.name} ({asked.about}, such as {asked.example})")
            data = skeleton.read(assigned)
            missing = skeleton.missing(data)
    except FieldUnknown as unknown:
        raise click.UsageError(str(unknown)) from None
    if missing:
        listed = "".join(f"\n  {one.name}={one.example}  {one.about}" for one in missing)
        raise click.UsageError(f"a {skeleton.word} requires more fields, such as{listed}")
    return data


def document_for(
    skeleton: Scaffold, file: Path | None, read: list[FileRead], folders: Folders, head: Mapping[str, str]
) -> Document:
    """The file to write into, as it is now or as it begins."""
    same = [one for one in read if one.kind == skeleton.kind]
    if file is None:
        if len(same) != 1:
            listed = ", ".join(one.document.path for one in same if one.document)
            raise click.UsageError(f"--file is required: {listed}, or a new file")
        found: FileRead | None = same[0]
    else:
        found = next((one for one in read if one.file.resolve() == file.resolve()), None)
    if found is not None:
        if found.document is None or found.kind != skeleton.kind or errors(found.problems):
            raise click.UsageError(f"{found.file} is not a valid file of kind `{skeleton.kind}`")
        return found.document
    assert file is not None
    return _begun(skeleton, file, folders, head)


def _begun(skeleton: Scaffold, file: Path, folders: Folders, head: Mapping[str, str]) -> Document:
    folder = folders.rules if skeleton.kind == RULES else folders.catalogs
    if not file.resolve().is_relative_to(folder.resolve()) or file.suffix != ".yaml":
        raise click.UsageError(f"{file} must be in {folder} and end in .yaml")
    if file.exists():
        raise click.UsageError(f"{file} cannot be read; run `fitcard check`")
    shown_as = f"{folders.display_path(folder)}/{file.resolve().relative_to(folder.resolve()).as_posix()}"
    beside = folders.schemas_beside
    first = schema_comment(file, skeleton.kind, beside) if beside else ""
    text = first + new_file(skeleton.kind, head, skeleton.section)
    document, problems = read_text(text, shown_as, file.resolve())
    assert document is not None, problems
    return document


def in_order(document: Document, text: str, skeleton: Scaffold, folders: Folders) -> str:
    """The new text the one way, where the file was written so before."""

    def ordered(of: Document) -> str:
        return format_document(of, skeleton.kind, skeleton.schemas, folders.schemas_beside)

    after, _ = read_text(text, document.path, document.file)
    return text if after is None or ordered(document) != document.text else ordered(after)
