"""`fitcard import`: imports catalog entries from the output of other programs, checked before they are written."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fitcard.cli.new import document_for, in_order, pairs, write_or_exit
from fitcard.cli.output import FAILED, exit_with_problems
from fitcard.cli.scaffold import ENTRIES, ENTRY, FieldUnknown, Scaffold, entry_block, insert_entry
from fitcard.importers.entries import Imported, Known, Maker, recognised
from fitcard.importers.records import Record, Unreadable, machine_records, records_of
from fitcard.problems import ProblemsError
from fitcard.rulebook.files import read_each_file
from fitcard.rulebook.imports import FILE, TODAY, Import
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.folders import Folders
from fitcard.source.yaml_edit import to_yaml
from fitcard.source.yaml_reader import read_text
from fitcard.suggest import closest, did_you_mean

MACHINE = "machine"


@dataclass(frozen=True)
class Wanted:
    """What was asked for: the id, fields that were said beside the file, the file to write, and its head."""

    name: str
    fields: Mapping[str, str]
    file: Path | None
    head: Mapping[str, str]
    dry_run: bool


class SayingCommand(click.Command):
    """A command that takes `--field VALUE` of any field for `field=VALUE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with options that are not the command's own as fields."""
        own = {option: param for param in self.get_params(ctx) for option in param.opts}
        said: list[str] = []
        left = list(args)
        while left:
            word = left.pop(0)
            name, equals, _ = word.partition("=")
            if not name.startswith("--") or len(name) == len("--"):
                said.append(word)
            elif name in own:
                takes_next = not equals and not getattr(own[name], "is_flag", False)
                said += [word, *(left[:1] if takes_next else ())]
                left = left[1:] if takes_next else left
            else:
                field = name.removeprefix("--").replace("-", "_")
                said.append(f"{field}={word[len(name) + 1 :] if equals else ''.join(left[:1])}")
                left = left if equals else left[1:]
        return super().parse_args(ctx, said)


@click.command("import", cls=SayingCommand)
@click.argument("what")
@click.argument("words", nargs=-1, metavar="[FILE] [FIELD=VALUE]...")
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

    Nothing is written unless it passes `fitcard check`. FIELD=VALUE or --field VALUE sets a field that FILE lacks, or
    overrides it.
    """
    folders: Folders = ctx.obj
    rulebook = _load_or_leave(folders)
    sources = _sources(rulebook, what)
    wanted = Wanted(name, pairs(_fields(words)), file, {key: text for key, text in head.items() if text}, dry_run)
    skeleton = Scaffold(what, sources[0].catalog, ENTRIES, ENTRY, rulebook.schemas)
    try:
        given = skeleton.read(wanted.fields)
    except FieldUnknown as unknown:
        raise click.UsageError(str(unknown)) from None
    common = {TODAY: datetime.datetime.now(tz=datetime.UTC).date().isoformat()}
    entries = []
    for read in _read(sources, words, here=here, saved=saved):
        maker = Maker(read.source, rulebook.catalogs, _flat(given), {**common, FILE: read.shown})
        found = maker.entries(read.records)
        click.echo(f"read: {read.source.title}, {read.shown}: {len(read.records)} read, {len(found)} taken", err=True)
        entries += found
    new = list(_new(_named(entries, wanted), what))
    if new:
        _finish(folders, skeleton, new, wanted)


def _load_or_leave(folders: Folders) -> Rulebook:
    """The rulebook without proof that it can answer: what is written is tried before."""
    try:
        return load(folders)
    except ProblemsError as found:
        exit_with_problems(found.problems, FAILED)


def _sources(rulebook: Rulebook, what: str) -> list[Import]:
    sources = [source for source in rulebook.imports if source.word == what]
    if not sources:
        known = list(dict.fromkeys(source.word for source in rulebook.imports))
        near = did_you_mean(closest(what, known)) or (
            f"choose {', '.join(known)}" if known else "there are no importers"
        )
        raise click.UsageError(f"cannot import `{what}`: {near}")
    return sources


def _fields(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if "=" in word)


@dataclass(frozen=True)
class Read:
    """What was read, by which import, and what that is called."""

    source: Import
    records: list[Record]
    shown: str


def _read(sources: list[Import], words: tuple[str, ...], *, here: bool, saved: Path | None) -> list[Read]:
    files = [word for word in words if "=" not in word]
    if len(files) + here + (saved is not None) != 1:
        raise click.UsageError("requires one of FILE, --here or --from FOLDER")
    if not files:
        return _read_machine(sources, saved)
    try:
        reads, records = records_of(Path(files[0]))
    except Unreadable as why:
        raise click.ClickException(f"{files[0]} cannot be read: {why}") from None
    source = recognised(sources, reads, records)
    if source is None:
        known = ", ".join(one.title for one in sources)
        raise click.ClickException(f"the format of {files[0]} is not supported; supported are: {known}")
    return [Read(source, records, Path(files[0]).name)]


def _read_machine(sources: list[Import], saved: Path | None) -> list[Read]:
    """Everything that this machine has; the command ends where it has nothing."""
    tried = [source for source in sources if source.reads == MACHINE]
    if not tried:
        raise click.UsageError(f"importing a {sources[0].word} requires a FILE")
    each = [(source, machine_records(source.machine, source.each, saved)) for source in tried]
    shown = saved.name if saved else "here"
    whole = [
        Read(source, records, shown) for source, records in each if records and recognised([source], MACHINE, records)
    ]
    found = [read for read in whole if not read.source.last] or whole
    if not found:
        looked_for = ", ".join(source.title for source in tried)
        raise click.ClickException(f"no {sources[0].word} found {shown}; looked for: {looked_for}")
    return found


def _flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by their dotted names, as an import has them."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        flat |= {f"{name}.{inner}": part for inner, part in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _named(entries: list[Imported], wanted: Wanted) -> Iterator[tuple[str, Imported]]:
    """Each entry with its id."""
    for number, entry in enumerate(entries, 1):
        own = f"{wanted.name}-{number}" if wanted.name and len(entries) > 1 else wanted.name
        yield own or entry.id, entry


def _new(named: Iterable[tuple[str, Imported]], word: str) -> Iterator[tuple[str, Imported]]:
    """Those that are not in the catalog already; of each is told what was read, guessed and not read."""
    there: dict[str, list[Imported]] = {}
    told: dict[str, None] = {}  # what holds of several entries is told once
    for name, entry in named:
        if entry.known is not None and not entry.known.differs:
            there.setdefault(entry.known.entry.id, []).append(entry)
        else:
            told |= dict.fromkeys(f"{name or word}: {remark}" for remark in _remarks(entry))
            yield name, entry
    for remark in told:
        click.echo(remark, err=True)
    for known, entries in there.items():
        position = entries[0].known.entry.position if entries[0].known else ""
        many = f" ({len(entries)} of them)" if len(entries) > 1 else ""
        click.echo(f"this is `{known}`{many}, already in the catalog: {position}")
        click.echo(f"  read: {to_yaml(dict(entries[0].data))}", err=True)


def _remarks(entry: Imported) -> Iterator[str]:
    """What is to be said of how an entry was read."""
    known = entry.known
    if known is not None:
        yield _differing(known)
    for one in entry.unmatched:
        hint = did_you_mean(one.nearest)
        yield f"no {one.field} is called `{one.word}`; {f'{hint} ' if hint else ''}set {one.field}=ID"
    if entry.near:
        yield f"no certain match in the catalog; {did_you_mean(entry.near)}"
    if entry.guessed:
        yield f"guessed: {', '.join(entry.guessed)}"
    if entry.absent:
        yield f"not read: {', '.join(entry.absent)}"


def _differing(known: Known) -> str:
    told = ", ".join(
        f"{name} is {there:g} in the catalog and {here:g} here" for name, (there, here) in known.differs.items()
    )
    return f"not the same as `{known.entry.id}`: {told}"


def _finish(folders: Folders, skeleton: Scaffold, new: list[tuple[str, Imported]], wanted: Wanted) -> None:
    missing = {one.name: one for _, entry in new for one in skeleton.missing(entry.data)}
    if wanted.dry_run:
        for name, entry in new:
            click.echo(entry_block(name or skeleton.word, skeleton.ordered(entry.data), ""))
    if unmatched := {one.field: None for _, entry in new for one in entry.unmatched}:
        raise click.UsageError(
            f"set what was not found in the catalogs: {' '.join(f'{field}=ID' for field in unmatched)}"
        )
    if not all(name for name, _ in new):
        raise click.UsageError("requires an id: --name ID")
    if missing:
        listed = "".join(f"\n  {one.name}={one.example}  {one.about}" for one in missing.values())
        raise click.UsageError(f"fields of a {skeleton.word} that were not read are required, such as{listed}")
    read = read_each_file(folders, skeleton.schemas)
    if wanted.dry_run and wanted.file is None:  # any file will do to try it in
        read = [next(one for one in read if one.kind == skeleton.kind)]
    document = document_for(skeleton, wanted.file, read, folders, wanted.head)
    text = document.text
    for name, entry in new:
        text = insert_entry(_again(document, text), skeleton.section, name, skeleton.ordered(entry.data))
    text = in_order(document, text, skeleton, folders)
    write_or_exit(folders, document, text, [(skeleton.section, name) for name, _ in new], dry_run=wanted.dry_run)


def _again(document: Document, text: str) -> Document:
    after, problems = read_text(text, document.path, document.file)
    assert after is not None, problems
    return after
