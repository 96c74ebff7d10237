"""The JSON Schemas (2020-12) of every kind of file, and what they say of a document, at its line and column.

Some keywords are our own: `unit` on a number says what it is counted in, `usual` between which two figures it is found
(beyond them is a warning), `sumsTo` on an object of numbers what they must add up to, `entryOf` on a text the kind of
catalog that it names an entry of, `groups` that reports sum up by it, `spelling` that it is
another name of the entry, and `day` that it says when. All are plain annotations to any other tool.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import jsonschema_rs

from fitcard.problems import Position, Problem, ProblemCode, ProblemsError
from fitcard.source.document import Document
from fitcard.source.schema_problems import schema_problems
from fitcard.suggest import closest

if TYPE_CHECKING:
    from referencing import Registry


EXACT = 1e-9  # sums of decimal fractions in floats


def _sums_to(total: float, data: Any) -> str:
    if isinstance(data, dict) and all(isinstance(part, int | float) for part in data.values()):
        found = math.fsum(data.values())
        if not math.isclose(found, total, abs_tol=EXACT):
            return f"these must add up to {total:g}, but add up to {found:g}"
    return ""


def _usual(bounds: list[float], data: Any) -> str:
    if isinstance(data, int | float) and not bounds[0] <= data <= bounds[1]:
        return f"{data:g} is unusual: usual are {bounds[0]:g} to {bounds[1]:g}"
    return ""


KEYWORDS: dict[str, Callable[[Any, Any], str]] = {"sumsTo": _sums_to, "usual": _usual}


Schema = dict[str, Any]  # as JSON is read


def fast_registry(schemas: Iterable[Schema]) -> Any:
    """Schemas by their `$id`, for quick validators of schemas that refer to them."""
    return jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas])


def fast_validator(schema: Schema, registry: Any) -> Any | None:
    """What says whether data fits a schema; None where it is no schema."""
    try:
        return jsonschema_rs.Draft202012Validator(schema, registry=registry, keywords=_QUICK)
    except ValueError:  # the one that tells why then says what is wrong with it
        return None


def explaining_validator(schema: Schema, registry: Any) -> Any:
    """What says why data does not fit a schema, with a `referencing` registry of what it refers to."""
    return _full()(schema, registry=registry)


@cache
def _full() -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - takes long to import, and is asked seldom
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    def checked(name: str) -> Any:
        def errors(_: Any, value: Any, data: Any, schema: Any) -> Iterator[ValidationError]:
            message = KEYWORDS[name](value, data)
            if message:
                yield ValidationError(message)

        return errors

    return extend(Draft202012Validator, {name: checked(name) for name in KEYWORDS})  # type: ignore[no-untyped-call]


def _keyword(name: str) -> Any:
    """The class that the quick validator makes of a keyword for each place where it stands."""

    class Keyword:
        def __init__(self, schema: Any, value: Any, path: Any) -> None:
            self.value = value

        def validate(self, data: Any) -> None:
            message = KEYWORDS[name](self.value, data)
            if message:
                raise ValueError(message)

    return Keyword


_QUICK = {name: _keyword(name) for name in KEYWORDS}


class SchemasUnreadable(ProblemCode):
    """The folder of schemas cannot be read, or a schema is not valid JSON.

    Why: no file can be checked without its schema.
    Avoid: a comma after the last key of an object
    Prefer: valid JSON.
    """


DIALECT = "https://json-schema.org/draft/2020-12/schema"
SUFFIX = ".schema.json"
BASE = "https://raw.githubusercontent.com/fitcard/fitcard/main/schemas/"  # what a relative `$id` is resolved against


@dataclass(frozen=True, repr=False)
class Schemas:
    """All schemas of one folder, by the kind of file that each describes."""

    by_kind: Mapping[str, Any]
    _quick: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<Schemas {len(self.by_kind)}>"

    @classmethod
    def load(cls, folder: Path, shown_as: str = "schemas") -> Schemas:
        """Every `<kind>.schema.json` of the folder, called `shown_as` in problems.

        Raises ProblemsFound where one cannot be read.
        """
        by_kind: dict[str, Any] = {}
        problems: list[Problem] = []
        for path in sorted(folder.glob("*" + SUFFIX)):
            text = ""
            try:
                text = path.read_text("utf-8")
                schema = json.loads(text)
                if not isinstance(schema, dict) or not isinstance(schema.get("$id"), str):
                    raise TypeError("it is not an object with an `$id`")
                by_kind[path.name.removesuffix(SUFFIX)] = {**schema, "$id": urljoin(BASE, schema["$id"])}
            except (OSError, ValueError, TypeError, RecursionError) as error:
                problems.append(_unreadable(f"{shown_as}/{path.name}", text, error))
        problems += _not_there(by_kind, shown_as)
        if problems:
            raise ProblemsError(problems)
        return cls(by_kind)

    @cached_property
    def registry(self) -> Registry[Any]:
        """All schemas by their `$id`, so that one may refer to another."""
        from referencing import Registry, Resource  # noqa: PLC0415 - nothing is resolved where all data fits

        resources = [(schema["$id"], Resource.from_contents(schema)) for schema in self.by_kind.values()]
        return Registry().with_resources(resources)

    @cached_property
    def _quick_registry(self) -> Any:
        return fast_registry(self.by_kind.values())

    def validator(self, kind: str) -> Any:
        """What says why documents of this kind are not as they must be."""
        return explaining_validator(self.by_kind[kind], self.registry)

    def fits(self, data: Any, kind: str) -> bool:
        """Whether the schema of `kind` has nothing against the data: said far sooner than what it has against it."""
        if kind not in self._quick:
            self._quick[kind] = fast_validator(self.by_kind[kind], self._quick_registry)
        quick = self._quick[kind]
        return bool(quick.is_valid(data)) if quick else bool(self.validator(kind).is_valid(data))

    def resolve(self, schema: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        """`schema` itself, or what its `$ref` points to, seen from the schema of `kind`."""
        return self.follow(schema, kind)[0]

    def follow(self, schema: Mapping[str, Any], kind: str) -> tuple[Mapping[str, Any], str]:
        """Like `resolve`, with the kind of the schema in which what was found stands."""
        if "$ref" not in schema:
            return schema, kind
        ref: str = schema["$ref"]
        file = ref.partition("#")[0].rpartition("/")[2]
        found: Mapping[str, Any] = self.registry.resolver(self.by_kind[kind]["$id"]).lookup(ref).contents
        return found, file.removesuffix(SUFFIX) or kind

    def is_valid(self, value: Any, part: Mapping[str, Any], kind: str) -> bool:
        """Whether the value is as one part of the schema of `kind` says."""
        return bool(self.validator(kind).evolve(schema=part).is_valid(value))

    def check(self, document: Document, kind: str) -> list[Problem]:
        """All that the schema of `kind` has against the document."""
        if self.fits(document.data, kind):
            return []
        return [
            problem
            for error in self.validator(kind).iter_errors(document.data)
            for problem in schema_problems(document, error, lambda part: self.resolve(part, kind))
        ]


def _not_there(by_kind: Mapping[str, Any], shown_as: str) -> Iterator[Problem]:
    """Schemas that refer to one that is not in the folder."""
    there = {schema["$id"] for schema in by_kind.values()}
    names = [f"{kind}{SUFFIX}" for kind in by_kind]
    for kind, schema in by_kind.items():
        for file in sorted({ref.partition("#")[0] for ref in _references(schema)}):
            if urljoin(schema["$id"], file) not in there:
                message, at = f"refers to `{file}`, which does not exist", Position(f"{shown_as}/{kind}{SUFFIX}", 1, 1)
                yield Problem(SchemasUnreadable, message, at, closest=closest(file, names))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(ref := part.get("$ref"), str):
            yield ref
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _unreadable(file: str, text: str, error: Exception) -> Problem:
    if not isinstance(error, json.JSONDecodeError):
        return Problem(SchemasUnreadable, f"cannot be read: {error}", Position(file, 1, 1))
    line = text.split("\n")[error.lineno - 1]
    position = Position(file, error.lineno, error.colno)
    return Problem(SchemasUnreadable, f"not JSON: {error.msg.lower()}", position, source_line=line)
