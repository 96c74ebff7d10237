"""Imports: how what another program wrote becomes entries of a catalog, as a file of `kind: import` says it.

A value is an expression over the keys of a record and over other values, a list of which the first that is there is
taken, or one of a few small ways to read words and lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.catalog.fields import catalog_kinds, fields_of
from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.resolution import NameCycle, NameUnknown
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest


class ImportUnknown(ProblemCode):
    """An importer writes to a catalog or field that does not exist.

    Why: what it reads could not be written.
    Avoid: `fields: {kv_head: num_key_value_heads}`, since models have no such field
    Prefer: `fields: {kv_heads: num_key_value_heads}`
    """


class ImportPattern(ProblemCode):
    """A search pattern of an importer is not a valid regular expression, or does not have exactly one group.

    Why: it could not match anything, or it would be unclear what to take.
    Avoid: `find: "([0-9.]+ GiB"`
    Prefer: `find: "([0-9.]+) GiB"`
    """


PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
TODAY, FILE = "today", "file"  # what every record has: the day, and the name of the file that is read
PATTERNS = {"find": 1, "matching": 0}  # parts of a value that are regular expressions, with their groups
READ_BY = ("word", "has", "count", "largest", "in")  # parts of a value that name what they read


@dataclass(frozen=True)
class Value:
    """How one value is worked out: `data` as written, with its expressions read, by their text.

    It reads keys, other values, and what was said of fields beside the file.
    """

    data: Any
    expressions: Mapping[str, Expression]


@dataclass(frozen=True)
class KnownAs:
    """How an entry that is in the catalog already is found: by names, best first, and figures `alike` to a share."""

    names: tuple[Value, ...]
    alike: Mapping[str, float]


@dataclass(frozen=True)
class Import:
    """`keys` are paths into a record by our name for them; `machine` is what is read where there is no file.

    One that is `last` is read only where no other finds anything on this machine.
    """

    title: str
    about: str
    word: str
    catalog: str
    reads: str
    document: Document
    keys: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Value]
    fields: Mapping[str, Value]
    within: tuple[str, ...]
    needs: tuple[str, ...]
    joins: tuple[str, ...]
    each: str
    last: bool
    only: Value | None
    id: Value | None
    known_as: KnownAs | None
    machine: Mapping[str, Mapping[str, Any]]


def read_import(document: Document, schemas: Schemas) -> tuple[Import | None, list[Problem]]:
    """The import in a file that has passed its schema, and what is wrong with it."""
    reader = _Reader(document)
    data = document.data
    keys = {name: (paths,) if isinstance(paths, str) else tuple(paths) for name, paths in data.get("keys", {}).items()}
    values = {name: reader.value(("values", name)) for name in data.get("values", {})}
    fields = {name: reader.value(("fields", name)) for name in data["fields"]}
    names = data.get("known_as", {}).get("names", ())
    known_as = [reader.value(("known_as", "names", at)) for at in range(len(names))]
    only = reader.value(("only",)) if "only" in data else None
    entry_id = reader.value(("id",)) if "id" in data else None
    of_machine = {name for name in (*data.get("machine", ()), data.get("each")) if name}
    there = {TODAY, FILE, *keys, *values, *of_machine}
    said = set(fields_of(schemas, data["catalog"])) if data["catalog"] in catalog_kinds(schemas) else set(fields)
    problems = [*reader.problems, *reader.unknown(there | said), *reader.cycles(values)]
    problems += _unknown_places(document, schemas, there)
    found = Import(
        title=data["title"],
        about=data["about"],
        word=data["word"],
        catalog=data["catalog"],
        reads=data["reads"],
        document=document,
        keys=keys,
        values=values,
        fields=fields,
        within=tuple(data.get("within", ())),
        needs=tuple(data.get("needs", ())),
        joins=tuple(data.get("joins", ())),
        each=data.get("each", ""),
        last=data.get("last", False),
        only=only,
        id=entry_id,
        known_as=KnownAs(tuple(known_as), data["known_as"].get("alike", {})) if known_as else None,
        machine=data.get("machine", {}),
    )
    return (None if problems else found), problems


def _unknown_places(document: Document, schemas: Schemas, there: set[str]) -> Iterator[Problem]:
    """A catalog, fields of it, or keys that are needed, of which there are none."""
    data = document.data
    kinds = catalog_kinds(schemas)
    for section in ("needs", "joins"):
        for at, name in enumerate(data.get(section, ())):
            if name not in there:
                message, near = f"undefined name `{name}`", closest(name, there)
                yield document.problem(NameUnknown, message, (section, at), closest=near)
    if data["catalog"] not in kinds:
        message, near = f"there is no kind of catalog `{data['catalog']}`", closest(data["catalog"], kinds)
        yield document.problem(ImportUnknown, message, ("catalog",), closest=near)
        return
    entry = schemas.by_kind[data["catalog"]]["$defs"]["entry"]["properties"]
    known = {*entry, *fields_of(schemas, data["catalog"])}
    places: list[Path] = [("fields", name) for name in data["fields"]]
    places += [("known_as", "alike", name) for name in data.get("known_as", {}).get("alike", ())]
    for path in places:
        if path[-1] not in known:
            message, near = f"entries of `{data['catalog']}` have no field `{path[-1]}`", closest(str(path[-1]), known)
            yield document.problem(ImportUnknown, message, path, key=True, closest=near)


class _Reader:
    """Reads the values of one file, and keeps which names each reads, and where."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self._reads: list[tuple[str, Path, int | None]] = []

    def value(self, path: Path) -> Value:
        """The value at a path of the file."""
        expressions: dict[str, Expression] = {}
        self._visit(self.document.at(path), path, expressions)
        return Value(self.document.at(path), expressions)

    def unknown(self, there: set[str]) -> Iterator[Problem]:
        """Names that stand for nothing: they are neither `there` nor part of a record."""
        for name, path, offset in self._reads:
            if name not in there:
                message, near = f"undefined name `{name}`", closest(name, there)
                yield self.document.problem(NameUnknown, message, path, offset=offset, closest=near)

    def cycles(self, values: Mapping[str, Value]) -> Iterator[Problem]:
        """Values that need themselves."""
        reads: dict[str, set[str]] = {name: set() for name in values}
        for name, path, _ in self._reads:
            if path[0] == "values" and name in values:
                reads[str(path[1])].add(name)
        for name in values:
            if way := _way(name, name, reads, ()):
                message = f"`{name}` depends on itself: {' -> '.join(way)}"
                yield self.document.problem(NameCycle, message, ("values", name), key=True, hint="break the cycle")
                return

    def _visit(self, data: Any, path: Path, expressions: dict[str, Expression]) -> None:
        if isinstance(data, str):
            self._expression(data, path, expressions)
        elif isinstance(data, list):
            for at, part in enumerate(data):
                self._visit(part, (*path, at), expressions)
        elif isinstance(data, dict):
            self._map(data, path, expressions)

    def _map(self, data: Mapping[str, Any], path: Path, expressions: dict[str, Expression]) -> None:
        for key in ("when", "value"):
            if key in data:
                self._visit(data[key], (*path, key), expressions)
        self._reads += [(data[key], (*path, key), None) for key in READ_BY if key in data]
        self._reads += [(name, (*path, "text"), None) for name in PLACEHOLDER.findall(data.get("text", ""))]
        for key, wanted in PATTERNS.items():
            if key in data:
                self._pattern(data[key], (*path, key), wanted)

    def _pattern(self, pattern: str, path: Path, wanted: int) -> None:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            self.problems.append(self.document.problem(ImportPattern, f"invalid regular expression: {error}", path))
            return
        if groups != wanted:
            hint = "put the part to extract in `(...)`, and use `(?:...)` for other groups"
            message = f"the pattern has {groups} groups, and must have {wanted}"
            self.problems.append(self.document.problem(ImportPattern, message, path, hint=hint))

    def _expression(self, text: str, path: Path, expressions: dict[str, Expression]) -> None:
        try:
            expression = expressions[text] = parse(text)
        except ExpressionError as found:
            self.problems += [fault.problem(self.document, path) for fault in found.faults]
            return
        self._reads += [(name, path, expression.offset_of(name)) for name in expression.names]


def _way(start: str, end: str, reads: Mapping[str, set[str]], seen: tuple[str, ...]) -> tuple[str, ...]:
    """The way from a name through what it reads to `end`; empty where there is none."""
    for name in sorted(reads[start]):
        if name == end:
            return (*seen, start, end)
        if name not in seen and name != start and (found := _way(name, end, reads, (*seen, start))):
            return found
    return ()
