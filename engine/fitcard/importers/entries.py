"""Entries of a catalog, made from records as an import says; what could not be read or matched stands beside each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fitcard.catalog.catalog import Catalog, Entry
from fitcard.importers.records import Record
from fitcard.importers.values import WorkedOut, whole
from fitcard.rulebook.imports import Import


@dataclass(frozen=True)
class Unmatched:
    """A word that should name an entry of another catalog, and names none; `nearest` are what may be meant."""

    field: str
    word: str
    nearest: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """An entry that is in the catalog already, and figures of it that were read otherwise: as it is, as read."""

    entry: Entry
    differs: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Imported:
    """`data` is the entry as far as it was read; `id` is empty where nothing gives one.

    `known` is the entry of the catalog that it is, or those `near` to it where it is none.
    """

    id: str
    data: Mapping[str, Any]
    absent: tuple[str, ...]
    guessed: tuple[str, ...]
    unmatched: tuple[Unmatched, ...]
    known: Known | None
    near: tuple[str, ...]


def recognised(imports: Iterable[Import], reads: str, records: list[Record]) -> Import | None:
    """The first import that reads this kind of file and whose needs all records have."""
    for source in imports:
        keys = [WorkedOut(source, record, {}) for record in records]
        if source.reads == reads and all(key.name(name) is not None for key in keys for name in source.needs):
            return source
    return None


@dataclass(frozen=True)
class Maker:
    """Makes entries of records; `given` are fields that were said beside the file, and what every record has."""

    source: Import
    catalogs: Mapping[str, Catalog]
    given: Mapping[str, Any]
    common: Mapping[str, Any]

    @property
    def _said(self) -> dict[str, Any]:
        return {**self.common, **self.given}

    def entries(self, records: Iterable[Record]) -> list[Imported]:
        """One entry for each record that the import takes, or for those that are joined."""
        groups: list[tuple[Record, dict[str, Any]]] = []
        for record in records:
            worked = WorkedOut(self.source, record, self._said)
            if self.source.only is not None and not worked.value(self.source.only, ""):
                continue
            names = [*self.source.values, *self.source.joins]
            values = {name: value for name in names if (value := worked.name(name)) is not None}
            held = next((held for _, held in groups if self._are_one(held, values)), None)
            if held is None:
                groups.append((record, values))
            else:
                held |= {name: value for name, value in values.items() if name not in held}
        return _each_by_name([self._entry(record, values) for record, values in groups])

    def _are_one(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether two records differ in nothing by which they are joined, where both have it."""
        both = [name for name in self.source.joins if name in one and name in other]
        return bool(self.source.joins) and all(one[name] == other[name] for name in both)

    def _entry(self, record: Record, values: Mapping[str, Any]) -> Imported:
        worked = WorkedOut(self.source, record, {**(values if self.source.joins else {}), **self._said})
        read = {name: worked.value(value, name) for name, value in self.source.fields.items()}
        read |= self.given
        unmatched = []
        declared = self.catalogs[self.source.catalog].fields
        for name, value in read.items():
            field = declared.get(name)
            if field is not None and field.entry_of and isinstance(value, str):
                catalog = self.catalogs[field.entry_of]
                entry = catalog.find(value)
                read[name] = entry.id if entry else None
                unmatched += [] if entry else [Unmatched(name, value, catalog.nearest(value))]
        fields = {name: _written(value) for name, value in read.items() if value is not None}
        named = WorkedOut(self.source, record, {**values, **self._said, **read})
        entry_id = named.value(self.source.id, "id") if self.source.id else None
        told_otherwise = {one.field for one in unmatched}
        told_otherwise |= {name for name, value in self.source.fields.items() if not worked.applies(value)}
        known, near = self._known(named, fields)
        return Imported(
            id=str(entry_id or ""),
            data=_nested(fields),
            absent=tuple(name for name, value in read.items() if value is None and name not in told_otherwise),
            guessed=tuple(name for name in fields if name in worked.guessed),
            unmatched=tuple(unmatched),
            known=known,
            near=near,
        )

    def _known(self, named: WorkedOut, read: Mapping[str, Any]) -> tuple[Known | None, tuple[str, ...]]:
        """The entry that is meant: one of that name whose figures agree, or, where none does, the first of the name.

        Where there is none of the name, those that are nearest to it.
        """
        if self.source.known_as is None:
            return None, ()
        catalog, names = self.catalogs[self.source.catalog], self.source.known_as.names
        words = [word for value in names if (word := named.value(value, "")) is not None]
        entries = [entry for word in words if (entry := catalog.find(str(word))) is not None]
        known = [Known(entry, dict(self._differences(entry, read))) for entry in entries]
        found = next((one for one in known if not one.differs), next(iter(known), None))
        return found, () if found else tuple(dict.fromkeys(near for word in words for near in catalog.nearest(word)))

    def _differences(self, entry: Entry, read: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
        assert self.source.known_as is not None
        for name, share in self.source.known_as.alike.items():
            there, here = entry.value(name), read.get(name)
            if there is not None and here is not None and abs(there - here) > share * there:
                yield name, (there, here)


def _written(value: Any) -> Any:
    """A value as it is written: words stay words, a number that is whole has no decimals."""
    return whole(value) if isinstance(value, float) else value


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in fields.items():
        head, _, inner = name.partition(".")
        if inner:
            data.setdefault(head, {})[inner] = value
        else:
            data[head] = value
    return data


def _each_by_name(entries: list[Imported]) -> list[Imported]:
    """The same, with a number behind an id that came before."""
    seen: dict[str, int] = {}
    named = []
    for entry in entries:
        seen[entry.id] = count = seen.get(entry.id, 0) + 1
        named.append(replace(entry, id=f"{entry.id}-{count}") if entry.id and count > 1 else entry)
    return named
