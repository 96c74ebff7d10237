"""Catalogs: the entries that can be asked about, each field one column over all entries of its kind."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.catalog.columns import column_from_entries, group_columns, take_rows, with_row
from fitcard.catalog.fields import Field
from fitcard.catalog.names import Spellings, spellings_of
from fitcard.identity_cache import IdentityCache
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import normalised
from fitcard.values import ABSENT, LARGE_COLUMN, Codes, Column, Scalar, WordColumn, nan_comparable


class CatalogDuplicateId(ProblemCode):
    """Two entries of a catalog have the same id. The problem points at both.

    Why: one entry would hide the other.
    Avoid: `qwen-3-14b:` in `models/qwen-3.yaml` and in `models/others.yaml`
    Prefer: one of the two, or a different id.
    """


class CatalogAmbiguous(ProblemCode):
    """A name or alias refers to two entries.

    Why: a question by that name could be answered for the wrong entry.
    Avoid: the alias `m1` for `m1-8gb` and for `m1-16gb`
    Prefer: aliases that refer to exactly one entry.
    """


class CatalogUnknownEntry(ProblemCode):
    """A field refers to an entry of another catalog that does not exist.

    Why: rules that follow the reference would find nothing.
    Avoid: `device: m1-16g` in a measured run
    Prefer: `device: m1-16gb`
    """


MAX_CACHED_ROWS = 4096


@dataclass(frozen=True, repr=False)
class Entry:
    """One device, model or other thing: `data` as written, and the document that it was written in.

    One that a question brings along is all of its document, and `custom`.
    """

    id: str
    data: Mapping[str, Any]
    document: Document
    custom: bool = False

    def __repr__(self) -> str:
        return f"<Entry {self.id}>"

    @property
    def path(self) -> Path:
        """Where it stands in its document."""
        return () if self.custom else ("entries", self.id)

    @property
    def position(self) -> Position:
        """Where its id is written."""
        return self.document.position(self.path, key=True)

    @property
    def name(self) -> str:
        """Its name, or its id where it has none."""
        return str(self.data.get("name", self.id))

    def value(self, field: str) -> Any:
        """The figure or word of a (dotted) field; None where it is absent."""
        if field == "id":
            return self.id
        if "." not in field:
            return self.data.get(field)
        first, *inside = field.split(".")
        found: Any = self.data.get(first)
        for part in inside:
            found = found.get(part) if isinstance(found, dict) else None
        return found


@dataclass(frozen=True, repr=False)
class Catalog:
    """All entries of one kind, in the order of the files.

    `noise_words` are words that people say beside a name, and that tell no entry from another.
    """

    kind: str
    entries: Mapping[str, Entry]
    fields: Mapping[str, Field]
    noise_words: tuple[str, ...] = ()
    _columns: dict[str, Column] = field(default_factory=dict, repr=False, compare=False)
    _rows: IdentityCache = field(default_factory=IdentityCache, init=False, repr=False, compare=False)
    _of_row: dict[tuple[tuple[str, ...], Any], list[Column]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _blocks: IdentityCache = field(default_factory=IdentityCache, init=False, repr=False, compare=False)
    _said: dict[Any, Mapping[tuple[Any, ...], tuple[int, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __repr__(self) -> str:
        return f"<Catalog {self.kind}, {len(self.entries)} entries>"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """All ids, in the order of the columns."""
        return tuple(self.entries)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The row of each id in the columns."""
        return {entry_id: at for at, entry_id in enumerate(self.ids)}

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The rows of all entries, by number."""
        return np.arange(len(self.entries))

    def column(self, field: str) -> Column:
        """A field as one column with as many rows as there are entries, made when it is first asked for."""
        if field not in self._columns:
            self._columns[field] = column_from_entries(self.fields[field], self.entries.values())
        return self._columns[field]

    def at(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """The figures or words of some fields of the entries in these rows; those of a single row are kept."""
        if isinstance(rows, np.ndarray):
            if rows.size > LARGE_COLUMN:  # so much memory at once would be fetched anew each time
                return [take_rows(self.column(name), rows) for name in fields]
            return self._together(fields, rows)
        found = self._of_row.get((fields, rows))
        if found is None:
            if len(self._of_row) >= MAX_CACHED_ROWS:
                self._of_row.clear()
            found = self._of_row[fields, rows] = self._together(fields, rows)
        return found

    def _together(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """The same, all columns of one kind at once."""
        made = self._blocks.get_or_compute((fields,), lambda: tuple(group_columns(fields, [*map(self.column, fields)])))
        found = {name: column for block in made for name, column in block.taken(rows)}
        return [found[name] for name in fields]

    def rows_by_id(self, ids: tuple[str, ...]) -> NDArray[np.int64]:
        """The row of each of these ids. Raises KeyError for one that is not there."""
        rows: NDArray[np.int64] = self._rows.get_or_compute(
            (ids,), lambda: np.array([self.index[one] for one in ids], np.int64)
        )
        return rows

    def rows_with(self, field: str | None) -> Any:
        """The rows, by number, of the entries that have a field; of all where none is named."""
        if field is None:
            return self.rows
        column = self.column(field)
        return np.flatnonzero(column.codes != ABSENT if isinstance(column, WordColumn) else ~np.isnan(column))

    def input_numbers(self, field: str, default: float | None) -> NDArray[np.float64]:
        """What entries say of an input, or its default, as numbers that compare; all that say neither are the same."""
        column: Any = self.column(field)
        return nan_comparable(column if default is None else np.where(np.isnan(column), default, column))

    def rows_matching(
        self, said: Mapping[str, Scalar], defaults: Mapping[str, float | None], having: str | None
    ) -> tuple[int, ...]:
        """The rows of the entries that say all of these words and numbers, and have a field.

        An entry without one of these numbers says its default; one that is absent there agrees with None.
        """
        wanted = (tuple(said), tuple(defaults.get(name) for name in said), having)
        rows = self._said.get(wanted)
        if rows is None:
            rows = self._said[wanted] = self._rows_by_said(*wanted)
        return rows.get(tuple(_said(value) for value in said.values()), ())

    def _rows_by_said(
        self, fields: tuple[str, ...], defaults: tuple[float | None, ...], having: str | None
    ) -> Mapping[tuple[Any, ...], tuple[int, ...]]:
        """The rows by what their entries say; those that lack a word say nothing."""
        rows: dict[tuple[Any, ...], tuple[int, ...]] = {}
        by_field = [
            [column.words[code] if code != ABSENT else None for code in column.codes.tolist()]
            if isinstance(column := self.column(name), WordColumn)
            else self.input_numbers(name, default).tolist()
            for name, default in zip(fields, defaults, strict=True)
        ]
        for row in self.rows_with(having).tolist():
            key = tuple(of_field[row] for of_field in by_field)
            if None not in key:
                rows[key] = (*rows.get(key, ()), row)
        return rows

    def with_columns(self, columns: Mapping[str, Column]) -> Catalog:
        """The same with more columns, under names that are those of no field."""
        return replace(self, _columns={**self._columns, **columns})

    def with_entry(self, entry: Entry) -> Catalog:
        """The same with one more, or with another in place of the one of that id."""
        row = self.index.get(entry.id, len(self.entries))
        columns = {
            name: with_row(column, row, column_from_entries(self.fields[name], [entry]))
            for name, column in self._columns.items()
            if name in self.fields
        }
        return replace(self, entries={**self.entries, entry.id: entry}, _columns=columns)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The names of all that an entry may say, lists such as its sources among them."""
        return frozenset(self.fields).union(*(entry.data for entry in self.entries.values()))

    @cached_property
    def spellings(self) -> Spellings:
        """What its entries are called: by id, name, aliases, and whatever else its schema calls a spelling."""
        names = {entry.id: self.names_of(entry) for entry in self.entries.values()}
        return spellings_of(names, self.noise_words)

    def names_of(self, entry: Entry) -> tuple[str, ...]:
        """All names of an entry, its id and its name first."""
        others = [entry.value(field.name) for field in self.fields.values() if field.spelling]
        return (entry.id, entry.name, *entry.data.get("aliases", []), *(word for word in others if word))

    def find(self, word: str) -> Entry | None:
        """The only entry that `word` can mean; None where there is none, or more than one."""
        found = self.spellings.find(word)
        return self.entries[found] if found else None

    def nearest(self, word: str) -> tuple[str, ...]:
        """Ids of the entries that `word` may have meant, best first."""
        return self.spellings.nearest(word)


def _said(value: Scalar) -> Scalar:
    """A number such that one that is absent equals another that is."""
    return -math.inf if value is None else value


def read_catalogs(
    documents: Iterable[Document],
    fields: Mapping[str, Mapping[str, Field]],
    fillers: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, Catalog], list[Problem]]:
    """The catalogs in files that have passed their schema, by kind; `noise_words` go by kind too.

    An id that stands twice is a problem.
    """
    entries: dict[str, dict[str, Entry]] = {kind: {} for kind in fields}
    problems: list[Problem] = []
    for document in documents:
        for entry_id, data in document.data["entries"].items():
            entry = Entry(entry_id, data, document)
            first = entries[document.data["kind"]].setdefault(entry_id, entry)
            if first is not entry:
                message, path = f"duplicate id `{entry_id}`", ("entries", entry_id)
                hint = "rename or remove one"
                problems.append(
                    document.problem(CatalogDuplicateId, message, path, key=True, hint=hint, first=first.position)
                )
    catalogs = {kind: Catalog(kind, found, fields[kind], fillers.get(kind, ())) for kind, found in entries.items()}
    problems += [problem for catalog in catalogs.values() for problem in _shared_spellings(catalog)]
    return catalogs, problems


def _shared_spellings(catalog: Catalog) -> Iterator[Problem]:
    """Names and aliases by which two entries could be meant, so that neither is found."""
    owners: dict[str, Entry] = {}
    for entry in catalog.entries.values():
        for spelling in dict.fromkeys(catalog.names_of(entry)):
            owner = owners.setdefault(normalised(spelling), entry)
            if owner is not entry:
                message = f"`{spelling}` also refers to `{owner.id}`"
                path, hint = entry.path, "give each a unique name"
                yield entry.document.problem(CatalogAmbiguous, message, path, key=True, hint=hint, first=owner.position)


def dangling_references(catalogs: Mapping[str, Catalog], incomplete: Container[str]) -> Iterator[Problem]:
    """Fields that name an entry of another catalog that is not there; those `incomplete` may yet hold it."""
    naming = [
        (entry, field)
        for catalog in catalogs.values()
        for field in catalog.fields.values()
        if field.entry_of and field.entry_of not in incomplete
        for entry in catalog.entries.values()
    ]
    for entry, reference in naming:
        word, there = entry.value(reference.name), catalogs[reference.entry_of]
        if word is not None and word not in there.entries:
            path, message = (*entry.path, *reference.name.split(".")), f"there is no `{word}` in `{there.kind}`"
            near = there.nearest(word)
            yield entry.document.problem(CatalogUnknownEntry, message, path, closest=near)


MAX_RESULTS = 8


def search(catalog: Catalog, text: str) -> list[Entry]:
    """A few entries whose names hold every word of the text, those that begin with it first; else the nearest."""
    if not normalised(text):
        return []
    return (search_all(catalog, text) or search_nearest(catalog, text))[:MAX_RESULTS]


def search_all(catalog: Catalog, text: str) -> list[Entry]:
    """The entry that the text means, if it means one, and all whose names hold every word of it.

    Those that begin with it come first, then short names; all entries where the text is empty.
    """
    wanted, words = normalised(text), [normalised(word) for word in text.split()]
    if not wanted:
        return list(catalog.entries.values())
    meant, found = catalog.find(text), []
    for entry in catalog.entries.values():
        forms = [normalised(name) for name in catalog.names_of(entry)]
        if entry is meant or all(any(word in form for form in forms) for word in words):
            begins = not any(form.startswith(wanted) for form in forms)
            order = (entry is not meant, begins, len(entry.name), entry.name)
            found.append((order, entry))
    return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def search_nearest(catalog: Catalog, text: str) -> list[Entry]:
    """Entries that are called most like the text, the nearest first."""
    return [catalog.entries[near] for near in catalog.nearest(text)]
