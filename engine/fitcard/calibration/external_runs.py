"""The back-test with runs from files outside the catalogs, such as published tables or the output of a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fitcard.catalog.catalog import Entry
from fitcard.compiler.engine import Engine
from fitcard.importers.entries import ImportedEntry, import_entries
from fitcard.importers.importer import Importer
from fitcard.importers.records import records_of
from fitcard.importers.registry import IMPORTERS, recognise
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Span


@dataclass(frozen=True)
class ExternalRuns:
    """The engine with the runs of files instead of its own.

    `used` and `incomplete` are numbers of runs; incomplete ones lack an entry of the catalogs. The `unread` files are
    malformed, or no importer recognises them.
    """

    engine: Engine
    used: int
    incomplete: int
    unread: tuple[str, ...]


def with_external_runs(engine: Engine, folder: Path) -> ExternalRuns:
    """The engine with the runs in the files of a folder, read as by `fitcard import`."""
    rulebook = engine.rulebook
    assert rulebook.backtest is not None
    kind = rulebook.backtest.catalog
    importers = [importer for importer in IMPORTERS if importer.catalog == kind]
    entries: list[Entry] = []
    incomplete, unread = 0, []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        runs = _read(rulebook, importers, file)
        if not runs:
            unread.append(file.name)
        for row, run in enumerate(runs):
            if _is_complete(rulebook, run):
                entries.append(_entry(file, row, run))
            else:
                incomplete += 1
    catalog = replace(rulebook.catalogs[kind], entries={entry.id: entry for entry in entries})
    return ExternalRuns(engine.with_catalogs({kind: catalog}), len(entries), incomplete, tuple(unread))


def _read(rulebook: Rulebook, importers: Sequence[Importer], file: Path) -> list[ImportedEntry]:
    """The runs of a file; none if no importer recognises it, or if it is malformed."""
    try:
        kind, records = records_of(file)
        importer = recognise(importers, kind, records)
        return import_entries(importer, records, rulebook.catalogs) if importer else []
    except ProblemsError:
        return []


def _is_complete(rulebook: Rulebook, run: ImportedEntry) -> bool:
    """Whether it names an entry on every axis, so that no default is assumed unless the rules choose it."""
    axes = rulebook.question_fields.axes.values()
    return not run.unmatched and not any(axis.name in run.absent and not axis.default_by for axis in axes)


def _entry(file: Path, row: int, run: ImportedEntry) -> Entry:
    place = Span(row + 1, 0, 0, 0)  # the first line has the names of the columns
    return Entry(f"{file.name}:{row}", run.data, Document(file.name, "", run.data, {(): place}), custom=True)
