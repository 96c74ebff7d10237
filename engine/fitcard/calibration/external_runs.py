"""Runs that stand in files outside of the catalogs: tables of somebody else's, or what a benchmark printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fitcard.catalog.catalog import Entry
from fitcard.compiler.engine import Engine
from fitcard.importers.entries import ImportedEntry, import_entries
from fitcard.importers.importer import Importer
from fitcard.importers.records import Unreadable, records_of
from fitcard.importers.registry import IMPORTERS, recognise
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Span


@dataclass(frozen=True)
class ExternalRuns:
    """The engine with runs of files in place of its own.

    `taken` runs are held against the rules; `left_out` do not say what they are about in words of the catalogs; and
    `unread` are files that no importer recognises.
    """

    engine: Engine
    taken: int
    left_out: int
    unread: tuple[str, ...]


def with_external_runs(engine: Engine, folder: Path) -> ExternalRuns:
    """The rulebook with the runs in the files of a folder, read as `fitcard import` reads them."""
    rulebook = engine.rulebook
    assert rulebook.backtest is not None
    kind = rulebook.backtest.catalog
    importers = [importer for importer in IMPORTERS if importer.catalog == kind]
    entries: list[Entry] = []
    left_out, unread = 0, []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        found = list(_read(rulebook, importers, file))
        if not found:
            unread.append(file.name)
        for row, one in enumerate(found):
            if _says_enough(rulebook, one):
                entries.append(_entry(file, row, one))
            else:
                left_out += 1
    catalog = replace(rulebook.catalogs[kind], entries={entry.id: entry for entry in entries})
    return ExternalRuns(engine.with_catalogs({kind: catalog}), len(entries), left_out, tuple(unread))


def _read(rulebook: Rulebook, importers: list[Importer], file: Path) -> Iterator[ImportedEntry]:
    try:
        kind, records = records_of(file)
    except Unreadable:
        return
    importer = recognise(importers, kind, records)
    if importer is not None:
        yield from import_entries(importer, records, rulebook.catalogs)


def _says_enough(rulebook: Rulebook, one: ImportedEntry) -> bool:
    """Whether it names all that a question must name, and nothing that would be taken for the default unsaid."""
    unsaid = {
        axis.name for axis in rulebook.question_fields.axes.values() if axis.name in one.absent and not axis.default_by
    }
    return not one.unmatched and not unsaid


def _entry(file: Path, row: int, one: ImportedEntry) -> Entry:
    place = Span(row + 1, 0, 0, 0)  # below the line with the names of the columns
    return Entry(f"{file.name}:{row}", one.data, Document(file.name, "", one.data, {(): place}), custom=True)
