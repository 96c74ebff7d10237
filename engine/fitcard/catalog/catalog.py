"""Catalogs: the models, devices and other entries that a question can name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fitcard.catalog.fields import Field
from fitcard.catalog.names import Spellings, spellings_of
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import normalize


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

    def with_entry(self, entry: Entry) -> Catalog:
        """The same with one more, or with another in place of the one of that id."""
        return replace(self, entries={**self.entries, entry.id: entry})

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
            owner = owners.setdefault(normalize(spelling), entry)
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
    if not normalize(text):
        return []
    return (search_all(catalog, text) or search_nearest(catalog, text))[:MAX_RESULTS]


def search_all(catalog: Catalog, text: str) -> list[Entry]:
    """The entry that the text means, if it means one, and all whose names hold every word of it.

    Those that begin with it come first, then short names; all entries where the text is empty.
    """
    wanted, words = normalize(text), [normalize(word) for word in text.split()]
    if not wanted:
        return list(catalog.entries.values())
    meant, found = catalog.find(text), []
    for entry in catalog.entries.values():
        forms = [normalize(name) for name in catalog.names_of(entry)]
        if entry is meant or all(any(word in form for form in forms) for word in words):
            begins = not any(form.startswith(wanted) for form in forms)
            order = (entry is not meant, begins, len(entry.name), entry.name)
            found.append((order, entry))
    return [entry for _, entry in sorted(found, key=lambda one: one[0])]


def search_nearest(catalog: Catalog, text: str) -> list[Entry]:
    """Entries that are called most like the text, the nearest first."""
    return [catalog.entries[near] for near in catalog.nearest(text)]
