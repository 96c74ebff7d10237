"""`fitcard import`: imports catalog entries from the output of other programs, checked before they are written."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fitcard.cli.output import FAILED, echo, exit_with_problems
from fitcard.cli.scaffold import (
    ENTRIES,
    ENTRY,
    Scaffold,
    UnknownFieldError,
    entry_block,
    find_document,
    insert_entries,
    list_fields,
    parse_fields,
    write_or_exit,
)
from fitcard.importers.entries import CatalogMatch, ImportedEntry, import_entries
from fitcard.importers.importer import Importer
from fitcard.importers.machine import machine_records
from fitcard.importers.problems import ImportTooLarge, ImportUnknownFormat, import_error
from fitcard.importers.records import Record, SourceKind, records_of
from fitcard.importers.registry import IMPORTERS, recognise
from fitcard.problems import ProblemsError
from fitcard.rulebook.files import read_each_file
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.source.yaml_edit import to_yaml
from fitcard.suggest import closest, did_you_mean

MAX_NEW_ENTRIES = 500  # of one import; the check that follows takes longer with each


@dataclass(frozen=True)
class Destination:
    """Where entries are written: the file, the title and description of a new file, or nowhere (`dry_run`)."""

    file: Path | None
    head: Mapping[str, str]
    dry_run: bool


class FieldsCommand(click.Command):
    """A command that accepts `--field VALUE` as `field=VALUE`, for any field."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments, with unknown options as fields."""
        own = {option: param for param in self.get_params(ctx) for option in param.opts}
        parsed: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            name, equals, _ = word.partition("=")
            if not name.startswith("--") or len(name) == len("--"):
                parsed.append(word)
            elif name in own:
                takes_next = not equals and not getattr(own[name], "is_flag", False)
                parsed += [word, *(rest[:1] if takes_next else ())]
                rest = rest[1:] if takes_next else rest
            else:
                field = name.removeprefix("--").replace("-", "_")
                parsed.append(f"{field}={word[len(name) + 1 :] if equals else ''.join(rest[:1])}")
                rest = rest if equals else rest[1:]
        return super().parse_args(ctx, parsed)


@click.command("import", cls=FieldsCommand)
@click.argument("what")
@click.argument("words", nargs=-1, metavar="[FILE|-] [FIELD=VALUE]...")
@click.option("--here", is_flag=True, help="Detect the hardware of this machine.")
@click.option(
    "--from",
    "saved",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the output of the detection programs of another machine, as NAME.txt.",
)
@click.option("--name", default="", help="Id of the entry.")
@click.option(
    "--file", type=click.Path(dir_okay=False, path_type=Path), help="File to add it to; required if there are several."
)
@click.option("--title", default="", help="Title of a new --file.")
@click.option("--about", default="", help="Description of a new --file.")
@click.option("--dry-run", is_flag=True, help="Print the entries without writing them.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    what: str,
    words: tuple[str, ...],
    here: bool,
    saved: Path | None,
    name: str,
    file: Path | None,
    dry_run: bool,
    **head: str,
) -> None:
    """Import catalog entries (WHAT is model, device or measurements) from the output of another program.

    FILE is read from standard input if it is `-`. FIELD=VALUE or --field VALUE sets a field that FILE lacks, or
    overrides it. Nothing is written unless it passes `fitcard check`.
    """
    folders: Folders = ctx.obj
    rulebook = _load_or_exit(folders)
    importers = _find_importers(rulebook, what)
    scaffold = Scaffold(what, importers[0].catalog, ENTRIES, ENTRY, rulebook.schemas)
    try:
        overrides = _flatten(scaffold.read(parse_fields(word for word in words if "=" in word)))
    except UnknownFieldError as error:
        raise click.UsageError(str(error)) from None
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    entries: list[ImportedEntry] = []
    try:
        for source in _find_sources(importers, words, here=here, saved=saved):
            imported = import_entries(source.importer, source.records, rulebook.catalogs, overrides, today)
            counts = f"{len(source.records)} read, {len(imported)} taken"
            echo(f"read: {source.importer.title}, {source.name}: {counts}", err=True)
            entries += imported
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    new = list(_without_known(_with_ids(entries, name), what))
    if new:
        destination = Destination(file, {key: text for key, text in head.items() if text}, dry_run)
        _write(folders, scaffold, new, destination)


def _load_or_exit(folders: Folders) -> Rulebook:
    """The rulebook, without the checks by sample questions: these run before anything is written."""
    try:
        return load(folders)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)


def _find_importers(rulebook: Rulebook, what: str) -> list[Importer]:
    available = [importer for importer in IMPORTERS if importer.catalog in rulebook.catalogs]
    importers = [importer for importer in available if importer.word == what]
    if not importers:
        known = list(dict.fromkeys(importer.word for importer in available))
        near = did_you_mean(closest(what, known)) or (
            f"choose {', '.join(known)}" if known else "there are no importers"
        )
        raise click.UsageError(f"cannot import `{what}`: {near}")
    return importers


@dataclass(frozen=True)
class ImportSource:
    """Records of a file or machine, the importer that recognises them, and the name of their origin in messages."""

    importer: Importer
    records: Sequence[Record]
    name: str


def _find_sources(
    importers: list[Importer], words: tuple[str, ...], *, here: bool, saved: Path | None
) -> list[ImportSource]:
    files = [word for word in words if "=" not in word]
    if len(files) + here + (saved is not None) != 1:
        raise click.UsageError("requires one of FILE, --here or --from FOLDER")
    if not files:
        return _machine_sources(importers, saved)
    kind, records = records_of(Path(files[0]))
    importer = recognise(importers, kind, records)
    if importer is None:
        known = ", ".join(importer.title for importer in importers)
        message = f"the format of {files[0]} is not supported; supported are: {known}"
        raise import_error(ImportUnknownFormat, message, "give the output of one of these, as it was written")
    return [ImportSource(importer, records, Path(files[0]).name)]


def _machine_sources(importers: list[Importer], saved: Path | None) -> list[ImportSource]:
    """The hardware of this machine, or of another from its saved outputs. Raises ClickException if none is detected."""
    of_machines = [importer for importer in importers if importer.source is SourceKind.MACHINE]
    if not of_machines:
        raise click.UsageError(f"importing a {importers[0].word} requires a FILE")
    name = saved.name if saved else "here"
    outputs = [(importer, machine_records(importer.machine, importer.each, saved)) for importer in of_machines]
    recognised = [
        ImportSource(importer, records, name)
        for importer, records in outputs
        if records and recognise([importer], SourceKind.MACHINE, records)
    ]
    preferred = [source for source in recognised if not source.importer.fallback] or recognised
    if not preferred:
        titles = ", ".join(importer.title for importer in of_machines)
        raise click.ClickException(f"no {importers[0].word} found {name}; looked for: {titles}")
    return preferred


def _flatten(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The fields by dotted name, as importers use them."""
    flat: dict[str, Any] = {}
    for name, value in overrides.items():
        flat |= {f"{name}.{inner}": part for inner, part in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _with_ids(entries: list[ImportedEntry], name: str) -> Iterator[tuple[str, ImportedEntry]]:
    """Each entry with its id: `name`, numbered if there are several entries; by default its own id."""
    for number, entry in enumerate(entries, 1):
        numbered = f"{name}-{number}" if name and len(entries) > 1 else name
        yield numbered or entry.id, entry


def _without_known(entries: Iterable[tuple[str, ImportedEntry]], word: str) -> Iterator[tuple[str, ImportedEntry]]:
    """The entries that the catalog lacks; prints remarks on these, and the entries that it has."""
    known: dict[str, list[ImportedEntry]] = {}
    remarks: dict[str, None] = {}  # an ordered set: several entries may have the same remark
    for name, entry in entries:
        if entry.match is not None and not entry.match.differences:
            known.setdefault(entry.match.entry.id, []).append(entry)
        else:
            remarks |= dict.fromkeys(f"{name or word}: {remark}" for remark in _remarks(entry))
            yield name, entry
    for remark in remarks:
        echo(remark, err=True)
    for entry_id, same in known.items():
        position = same[0].match.entry.position if same[0].match else ""
        count = f" ({len(same)} of them)" if len(same) > 1 else ""
        echo(f"this is `{entry_id}`{count}, already in the catalog: {position}")
        echo(f"  read: {to_yaml(dict(same[0].data))}", err=True)


def _remarks(entry: ImportedEntry) -> Iterator[str]:
    if entry.match is not None:
        yield _describe_differences(entry.match)
    for unmatched in entry.unmatched:
        hint = did_you_mean(unmatched.nearest)
        field = unmatched.field
        yield f"no {field} is called `{unmatched.name}`; {f'{hint} ' if hint else ''}set {field}=ID"
    if entry.similar:
        yield f"no certain match in the catalog; {did_you_mean(entry.similar)}"
    if entry.guessed:
        yield f"guessed: {', '.join(entry.guessed)}"
    if entry.absent:
        yield f"not read: {', '.join(entry.absent)}"


def _describe_differences(match: CatalogMatch) -> str:
    listed = ", ".join(
        f"{name} is {there:g} in the catalog and {here:g} here" for name, (there, here) in match.differences.items()
    )
    return f"not the same as `{match.entry.id}`: {listed}"


def _write(
    folders: Folders, scaffold: Scaffold, new: list[tuple[str, ImportedEntry]], destination: Destination
) -> None:
    """Writes the entries, or prints them in a dry run. Raises UsageError if an id or a required field is missing."""
    if len(new) > MAX_NEW_ENTRIES:
        error = import_error(
            ImportTooLarge, f"{len(new):,} new entries, more than {MAX_NEW_ENTRIES:,}", "split the file"
        )
        exit_with_problems(error.problems, FAILED)
    missing = {field.name: field for _, entry in new for field in scaffold.missing(entry.data)}
    if destination.dry_run:
        for name, entry in new:
            echo(entry_block(name or scaffold.word, scaffold.ordered(entry.data), ""))
    if unmatched := dict.fromkeys(unmatched.field for _, entry in new for unmatched in entry.unmatched):
        raise click.UsageError(
            f"set what was not found in the catalogs: {' '.join(f'{field}=ID' for field in unmatched)}"
        )
    if not all(name for name, _ in new):
        raise click.UsageError("requires an id: --name ID")
    if missing:
        listed = list_fields(missing.values())
        raise click.UsageError(f"fields of a {scaffold.word} that were not read are required, such as{listed}")
    files = read_each_file(folders, scaffold.schemas)
    if destination.dry_run and destination.file is None:  # checked in any file of the kind
        files = [next(file for file in files if file.kind == scaffold.kind)]
    document = find_document(scaffold, destination.file, files, folders, destination.head)
    entries = [(name, scaffold.ordered(entry.data)) for name, entry in new]
    text = insert_entries(document, scaffold.section, entries)
    write_or_exit(scaffold, folders, document, text, [name for name, _ in new], dry_run=destination.dry_run)
