"""Catalogs of models, devices and other entries that a question can name, and the fields that their schemas declare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from fitcard.catalog.name_conflicts import name_conflicts
from fitcard.catalog.names import MAX_LENGTH, NameIndex, name_form
from fitcard.problems import Position, Problem, ProblemCode, Related, Severity
from fitcard.source.document import Document, Path
from fitcard.source.schemas import Schemas
from fitcard.source.text import INVISIBLE, alien_character
from fitcard.suggest import similarity
from fitcard.values import Kind


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


class CatalogTakenName(ProblemCode):
    """An id, name or alias is what people type for another entry. The problem points at both.

    Why: questions by that name would be answered for the wrong entry.
    Avoid: the alias `RTX 4090` for `m1-16gb`
    Prefer: aliases that add to the id and the name of their own entry, or choose one of several that are called so.
    """


class CatalogNameForm(ProblemCode):
    """An id is a word of questions, or a name is too long or has invisible characters.

    Why: commands and addresses read such an id as something else, and people cannot type or tell apart such a name.
    Avoid: `own` as an id; an alias with a zero-width space
    Prefer: ids and names of one line of visible characters.
    """


class CatalogMisspelt(ProblemCode):
    """A word differs little from one that more entries of the catalog have, such as the name of a vendor.

    Why: rules that go by the word would take the entry for one of nobody they know.
    Avoid: `vendor: Nvdia`
    Prefer: `vendor: NVIDIA`
    """


class CatalogUnknownEntry(ProblemCode):
    """A field refers to an entry of another catalog that does not exist.

    Why: rules that follow the reference would find nothing.
    Avoid: `device: m1-16g` in a measured run
    Prefer: `device: m1-16gb`
    """


KINDS = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.CONDITION, "string": Kind.WORD}
IN_YEARS, YEAR = "in_years", "year"  # suffix and unit of the number that stands for a date
MAX_SUGGESTIONS = 8
MAX_MISSPELT = 2  # entries with the same misspelling
MIN_SIMILARITY = 0.75  # of a misspelling: `Nvida` and `Aple`, but not `AWS` for `AMD`
CUSTOM = "own"  # in place of the id of an entry, a question describes the entry itself
JOINED = "-on-"  # joins two ids in the path of an address


@dataclass(frozen=True)
class Field:
    """A field of an entry, as its schema declares it, such as `bandwidth`. If it is not `required`, it may be absent.

    Keywords of the schema: `entry_of` is the catalog whose entries the field refers to; reports count entries by fields
    with `groups`; a `spelling` is another name of the entry; a `day` is a date; entries share the words of
    a field that `recurs`. `of_day` is the date that a computed
    field expresses in years; such fields are not in files.
    """

    name: str
    kind: Kind
    unit: str
    about: str
    required: bool
    entry_of: str = ""
    groups: bool = False
    spelling: bool = False
    day: bool = False
    of_day: str = ""
    recurs: bool = False


ID = Field("id", Kind.WORD, "word", "", True)


@dataclass(frozen=True, repr=False)
class Entry:
    """An entry: its data as in the file, and its document. A `custom` entry of a question is a document of its own."""

    id: str
    data: Mapping[str, Any]
    document: Document
    custom: bool = False

    def __repr__(self) -> str:
        return f"<Entry {self.id}>"

    @property
    def path(self) -> Path:
        """Its path in the document."""
        return () if self.custom else ("entries", self.id)

    @property
    def position(self) -> Position:
        """The position of its id."""
        return self.document.position(self.path, key=True)

    @property
    def name(self) -> str:
        """Its name; its id if it has none."""
        return str(self.data.get("name", self.id))

    def value(self, field: str) -> Any:
        """The value of a (dotted) field; None if it is absent."""
        if field == "id":
            return self.id
        if "." not in field:
            return self.data.get(field)
        first, *steps = field.split(".")
        value: Any = self.data.get(first)
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, repr=False)
class Catalog:
    """The entries of one kind, in the order of the files, and their fields by name.

    `noise_words` are ignored in names that people type.
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
        """Row of each id in the columns."""
        return {entry_id: row for row, entry_id in enumerate(self.ids)}

    def with_entry(self, entry: Entry) -> Catalog:
        """A copy with one more entry, or with a replaced entry if the id exists."""
        return replace(self, entries={**self.entries, entry.id: entry})

    @cached_property
    def keys(self) -> frozenset[str]:
        """The names of all fields and top-level keys, including those of lists, such as sources."""
        return frozenset(self.fields).union(*(entry.data for entry in self.entries.values()))

    @cached_property
    def name_index(self) -> NameIndex:
        """The index of all names."""
        return NameIndex({entry.id: self.names_of(entry) for entry in self.entries.values()}, self.noise_words)

    def names_of(self, entry: Entry) -> tuple[str, ...]:
        """All names of an entry: its id, its name, its aliases, and its fields with `spelling`."""
        return tuple(name for name, _ in self.name_paths(entry))

    def name_paths(self, entry: Entry) -> list[tuple[str, Path]]:
        """The same with the path of each in the file."""
        named = [(entry.id, entry.path), (entry.name, (*entry.path, "name") if "name" in entry.data else entry.path)]
        named += [(alias, (*entry.path, "aliases", at)) for at, alias in enumerate(entry.data.get("aliases", []))]
        spellings = [field.name for field in self.fields.values() if field.spelling and entry.value(field.name)]
        return [*named, *((entry.value(name), (*entry.path, *name.split("."))) for name in spellings)]

    def figure_parts(self, entry: Entry) -> frozenset[str]:
        """Its figures as parts of names, with their unit or what they count: `24gb`, `4bit`."""
        parts = set[str]()
        for field in self.fields.values():
            value = entry.value(field.name) if field.kind is Kind.NUMBER and not field.of_day else None
            if isinstance(value, int | float):
                counted = field.name.rpartition(".")[2].removesuffix("s")
                parts |= {f"{value:g}{word.casefold()}" for word in (field.unit, counted) if word.isalpha()}
        return frozenset(parts)

    def find(self, word: str) -> Entry | None:
        """The entry that `word` refers to; None if there is none, or more than one."""
        entry_id = self.name_index.find(word)
        return self.entries[entry_id] if entry_id else None

    def nearest(self, word: str) -> tuple[str, ...]:
        """Ids of the entries with the most similar names, best first."""
        return self.name_index.nearest(word)

    def search(self, text: str) -> list[Entry]:
        """The entries whose names contain every word of the text, best first; all entries if it is empty."""
        return [self.entries[entry_id] for entry_id in self.name_index.search(text)]

    def suggest(self, text: str) -> list[Entry]:
        """A few entries to choose from: the first results of `search`, else the nearest; none for an empty text."""
        if not name_form(text):
            return []
        entries = self.search(text) or [self.entries[entry_id] for entry_id in self.nearest(text)]
        return entries[:MAX_SUGGESTIONS]


def catalog_kinds(schemas: Schemas) -> list[str]:
    """The kinds of files that are catalogs: those whose schema defines an entry."""
    return [kind for kind, schema in schemas.by_kind.items() if "entry" in schema.get("$defs", {})]


def fields_of(schemas: Schemas, kind: str) -> dict[str, Field]:
    """The fields of the entries of catalog `kind`, `id` first. Fields of nested objects have dotted names.

    Each date is followed by `<name>.in_years`, its value as a number that rules can compute with.
    """
    entry = schemas.by_kind[kind]["$defs"]["entry"]
    return {ID.name: ID} | {field.name: field for field in _fields(schemas, kind, entry, "", True)}


def _fields(schemas: Schemas, kind: str, schema: Mapping[str, Any], prefix: str, required: bool) -> Iterator[Field]:
    for key, part in schema.get("properties", {}).items():
        declared, name = {**schemas.resolve(part, kind), **part}, f"{prefix}{key}"
        always = required and key in schema.get("required", [])
        if declared.get("type") == "object":
            yield from _fields(schemas, kind, declared, f"{name}.", always)
        elif declared.get("type") in KINDS:
            value_kind = KINDS[declared["type"]]
            unit = declared.get("unit", "1" if value_kind is Kind.NUMBER else str(value_kind))
            about, entry_of = declared.get("description", ""), declared.get("entryOf", "")
            groups, spelling, day = (bool(declared.get(keyword)) for keyword in ("groups", "spelling", "day"))
            recurs = bool(declared.get("recurs"))
            yield Field(name, value_kind, unit, about, always, entry_of, groups, spelling, day, recurs=recurs)
            if day:
                yield Field(f"{name}.{IN_YEARS}", Kind.NUMBER, YEAR, about, always, of_day=name)


def parse_date(word: str) -> date:
    """The date of an ISO date; the first day of a month such as `2026-02`. Raises ValueError for others."""
    year, month, *rest = (int(part) for part in word.split("-"))
    return date(year, month, rest[0] if rest else 1)


def decimal_year(word: str) -> float:
    """A date as a number of years: the middle of 2026 is 2026.5."""
    day = parse_date(word)
    start, end = date(day.year, 1, 1).toordinal(), date(day.year + 1, 1, 1).toordinal()
    return day.year + (day.toordinal() - start) / (end - start)


def read_catalogs(
    documents: Iterable[Document],
    fields: Mapping[str, Mapping[str, Field]],
    noise_words: Mapping[str, tuple[str, ...]],
) -> tuple[dict[str, Catalog], list[Problem]]:
    """The catalogs by kind, from files that are valid against their schema, and problems of ids and names.

    `fields` and `noise_words` are by kind; the latter has the kinds of the catalogs whose entries questions name.
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
    catalogs = {
        kind: Catalog(kind, of_kind, fields[kind], noise_words.get(kind, ())) for kind, of_kind in entries.items()
    }
    for kind, catalog in catalogs.items():
        problems += _name_problems(catalog, in_questions=kind in noise_words)
        problems += _misspelt_words(catalog)
    return catalogs, problems


def _name_problems(catalog: Catalog, *, in_questions: bool) -> Iterator[Problem]:
    """Names that refer to two entries; of a catalog `in_questions`, also those that are unfit or taken from others."""
    owners: dict[str, tuple[Entry, Path]] = {}
    ambiguous: set[str] = set()
    for entry in catalog.entries.values():
        named = catalog.name_paths(entry)
        if in_questions:
            yield from _form_problems(entry, named)
        for name, path in dict(reversed(named)).items():
            owner, first = owners.setdefault(name_form(name), (entry, path))
            if owner is not entry:
                ambiguous.add(name)
                message, hint = f"`{name}` also refers to `{owner.id}`", "give each a unique name"
                position = owner.document.position(first, key=first == owner.path)
                yield entry.document.problem(
                    CatalogAmbiguous, message, path, key=path == entry.path, hint=hint, first=position
                )
    if in_questions:
        yield from _taken_names(catalog, ambiguous)


def _misspelt_words(catalog: Catalog) -> Iterator[Problem]:
    """Words of fields that recur which differ little from more common ones."""
    for field in (field for field in catalog.fields.values() if field.recurs):
        counts = Counter(entry.value(field.name) for entry in catalog.entries.values())
        for entry in catalog.entries.values():
            word = entry.value(field.name)
            common = [other for other, count in counts.items() if other and count > counts[word] <= MAX_MISSPELT]
            if word and (near := [other for other in common if similarity(word, other) >= MIN_SIMILARITY]):
                message, path = f"`{word}` may be a misspelling", (*entry.path, *field.name.split("."))
                yield entry.document.problem(
                    CatalogMisspelt, message, path, severity=Severity.WARNING, closest=tuple(near)
                )


def _taken_names(catalog: Catalog, ambiguous: Container[str]) -> Iterator[Problem]:
    """Names that people type for another entry, but those that `ambiguous` has."""
    for conflict in name_conflicts(catalog.name_index, lambda entry: catalog.figure_parts(catalog.entries[entry])):
        if conflict.name in ambiguous:
            continue
        entry, other = catalog.entries[conflict.entry], catalog.entries[conflict.other]
        path = catalog.name_paths(entry)[conflict.position][1]
        message = f"`{conflict.name}` is what people type for `{other.id}`"
        hint = f"remove it; or if both are called so, say so in the id or the name of `{entry.id}`"
        problem = entry.document.problem(CatalogTakenName, message, path, key=path == entry.path, hint=hint)
        yield replace(problem, related=(Related(other.position, f"`{other.id}` is here"),))


def _form_problems(entry: Entry, named: Iterable[tuple[str, Path]]) -> Iterator[Problem]:
    """Ids with a meaning of their own in questions, and names that are overlong or have invisible characters."""
    if entry.id.casefold() == CUSTOM or JOINED in entry.id.casefold():
        message = f"the id `{entry.id}` has another meaning in questions"
        hint = f"choose an id other than `{CUSTOM}` and without `{JOINED}`"
        yield entry.document.problem(CatalogNameForm, message, entry.path, key=True, hint=hint)
    for name, path in named:
        message = ""
        if len(name) > MAX_LENGTH:
            message, hint = f"a name of {len(name):,} characters", f"the limit is {MAX_LENGTH}"
        elif name_form(name) == CUSTOM and path != entry.path:
            message, hint = f"the name `{name}` has another meaning in questions", "choose another"
        elif invisible := INVISIBLE.search(name):
            message, hint = f"the character U+{ord(invisible[0]):04X} is not allowed in a name", "delete it"
        elif alien := alien_character(name):
            message = f"the character U+{ord(alien):04X} looks like another one beside Latin letters and digits"
            hint = "write it in Latin letters"
        elif not name[:1].isalnum():  # spreadsheets take `=` and `@` for formulas
            message, hint = "a name starts with a letter or a digit", "delete what is before it"
        if message:
            yield entry.document.problem(CatalogNameForm, message, path, key=path == entry.path, hint=hint)


def dangling_references(catalogs: Mapping[str, Catalog], incomplete: Container[str]) -> Iterator[Problem]:
    """References to entries that do not exist, except in catalogs that are `incomplete`."""
    references = [
        (entry, field)
        for catalog in catalogs.values()
        for field in catalog.fields.values()
        if field.entry_of and field.entry_of not in incomplete
        for entry in catalog.entries.values()
    ]
    for entry, field in references:
        word, target = entry.value(field.name), catalogs[field.entry_of]
        if word is not None and word not in target.entries:
            path, message = (*entry.path, *field.name.split(".")), f"there is no `{word}` in `{target.kind}`"
            yield entry.document.problem(CatalogUnknownEntry, message, path, closest=target.nearest(word))
