"""Entries that an importer reads, matched with the catalogs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fitcard.catalog.catalog import Catalog, Entry
from fitcard.importers.importer import INAPPLICABLE, Fields, Guess, Importer, Reading
from fitcard.importers.records import Record
from fitcard.importers.values import whole

CHECKED_ON = "checked_on"
MAX_NAMES = 100  # of which similar ids are sought in one import; each takes milliseconds


@dataclass(frozen=True)
class Unmatched:
    """A name without an entry in the catalog that its field refers to; `nearest` are similar ids."""

    field: str
    name: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class CatalogMatch:
    """An entry that is already in the catalog. `differences` beyond the tolerance are [in the catalog, as read]."""

    entry: Entry
    differences: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class ImportedEntry:
    """`data` has the fields that could be read; `id` is empty if the input does not give one.

    `absent` are fields that the entry should have and that could not be read, `guessed` those with usual values.
    `match` is the same entry in the catalog; without a match, `similar` are ids that it may have there.
    """

    id: str
    data: Mapping[str, Any]
    absent: tuple[str, ...]
    guessed: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]
    match: CatalogMatch | None
    similar: tuple[str, ...]


def import_entries(
    importer: Importer,
    records: Sequence[Record],
    catalogs: Mapping[str, Catalog],
    overrides: Fields | None = None,
    today: str | None = None,
) -> list[ImportedEntry]:
    """The entries that an importer reads from records.

    `overrides` are fields by dotted name that replace those of the records; `today` is an ISO date.
    """
    overrides = overrides or {}
    readings = importer.read(records, overrides)
    similar = _SimilarIds({})
    return _number_ids([_entry(importer, reading, catalogs, similar, overrides, today) for reading in readings])


@dataclass(frozen=True)
class _SimilarIds:
    """Ids similar to the first MAX_NAMES names without an entry, by catalog and name."""

    found: dict[tuple[str, str], tuple[str, ...]]

    def __call__(self, catalog: Catalog, name: str) -> tuple[str, ...]:
        key = (catalog.kind, name)
        if key not in self.found and len(self.found) < MAX_NAMES:
            self.found[key] = catalog.nearest(name)
        return self.found.get(key, ())


def _entry(
    importer: Importer,
    reading: Reading,
    catalogs: Mapping[str, Catalog],
    similar_ids: _SimilarIds,
    overrides: Fields,
    today: str | None,
) -> ImportedEntry:
    read = {**reading.fields, CHECKED_ON: today, **overrides}
    guessed = tuple(name for name, value in read.items() if isinstance(value, Guess))
    values = {name: _plain(value) for name, value in read.items() if value is not INAPPLICABLE}
    values, unmatched = _with_ids(catalogs, importer.catalog, values, similar_ids)
    fields = {name: value for name, value in values.items() if value is not None}
    without_entry = {name.field for name in unmatched}
    match, similar = _match(importer, catalogs[importer.catalog], reading.names, fields, similar_ids)
    return ImportedEntry(
        id=reading.entry_id(fields),
        data=_nested(fields),
        absent=tuple(name for name, value in values.items() if value is None and name not in without_entry),
        guessed=guessed,
        unmatched=tuple(unmatched),
        match=match,
        similar=similar,
    )


def _plain(value: Any) -> Any:
    """A value for YAML: integers where possible, None where absent."""
    if isinstance(value, Guess):
        return value.value
    if isinstance(value, float):
        return whole(value) if math.isfinite(value) else None
    return value


def _with_ids(
    catalogs: Mapping[str, Catalog], catalog: str, values: Fields, similar_ids: _SimilarIds
) -> tuple[dict[str, Any], list[Unmatched]]:
    """The values with the ids of the entries that they name, and the names without an entry."""
    unmatched: list[Unmatched] = []
    resolved = dict(values)
    for name, value in values.items():
        field = catalogs[catalog].fields.get(name)
        if field is not None and field.entry_of and isinstance(value, str):
            other = catalogs[field.entry_of]
            entry = other.find(value)
            resolved[name] = entry.id if entry else None
            unmatched += [] if entry else [Unmatched(name, value, similar_ids(other, value))]
    return resolved, unmatched


def _match(
    importer: Importer, catalog: Catalog, names: Iterable[str | None], fields: Fields, similar_ids: _SimilarIds
) -> tuple[CatalogMatch | None, tuple[str, ...]]:
    """The first entry with one of these names, preferably one whose figures agree; without any, similar ids."""
    present = [name for name in names if name is not None]
    entries = [entry for name in present if (entry := catalog.find(name)) is not None]
    matches = [CatalogMatch(entry, dict(_differences(importer, entry, fields))) for entry in entries]
    match = next((match for match in matches if not match.differences), next(iter(matches), None))
    similar = () if match else tuple(dict.fromkeys(near for name in present for near in similar_ids(catalog, name)))
    return match, similar


def _differences(importer: Importer, entry: Entry, fields: Fields) -> Iterator[tuple[str, tuple[float, float]]]:
    for name, tolerance in importer.tolerances.items():
        own, read = entry.value(name), fields.get(name)
        if own is not None and read is not None and abs(own - read) > tolerance * own:
            yield name, (own, read)


def _nested(fields: Fields) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in fields.items():
        head, _, inner = name.partition(".")
        if inner:
            data.setdefault(head, {})[inner] = value
        else:
            data[head] = value
    return data


def _number_ids(entries: list[ImportedEntry]) -> list[ImportedEntry]:
    """The entries, with a number appended to repeated ids."""
    seen: dict[str, int] = {}
    numbered = []
    for entry in entries:
        seen[entry.id] = count = seen.get(entry.id, 0) + 1
        numbered.append(replace(entry, id=f"{entry.id}-{count}") if entry.id and count > 1 else entry)
    return numbered
