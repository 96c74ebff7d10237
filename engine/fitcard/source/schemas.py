"""The JSON Schemas (2020-12) of all kinds of files, and the validation of documents against them.

Additional keywords, which other tools ignore:

- `usual: [low, high]`: a number outside is a warning.
- `sumsTo: total`: the numbers of an object must add up to it.
- `unit`, `entryOf`, `groups`, `spelling`, `day`, `recurs`: annotations of catalog fields, see
  `fitcard.catalog.catalog.Field`.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache, cached_property, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import jsonschema_rs

from fitcard.problems import Position, Problem, ProblemCode, ProblemsError, Severity
from fitcard.source.document import Document
from fitcard.source.folders import leads_elsewhere
from fitcard.source.limits import TooMany
from fitcard.source.schema_problems import schema_problems, unexplained_problem
from fitcard.source.yaml_reader import read_content
from fitcard.suggest import closest

if TYPE_CHECKING:
    from referencing import Registry


MAX_PROBLEMS = 200  # of a file; as many as of its syntax


class SchemasUnreadable(ProblemCode):
    """The folder of schemas cannot be read, or a schema is not valid JSON.

    Why: no file can be checked without its schema.
    Avoid: a comma after the last key of an object
    Prefer: valid JSON.
    """


Schema = dict[str, Any]  # parsed JSON
DIALECT = "https://json-schema.org/draft/2020-12/schema"
SUFFIX = ".schema.json"
UNSUPPORTED = ("$dynamicRef", "patternProperties")  # keywords that only another validator supports, or in linear time
BASE = "https://raw.githubusercontent.com/fitcard/fitcard/main/schemas/"  # of relative `$id`s
DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?", re.ASCII)
TOLERANCE = 1e-9  # of sums of decimal fractions in floats


def _check_sum(total: float, data: Any) -> str:
    """The keyword `sumsTo`: an error message, empty if `data` is valid."""
    if isinstance(data, dict) and all(isinstance(part, int | float) for part in data.values()):
        try:
            actual = math.fsum(data.values())
        except OverflowError:  # integers beyond floats, or a sum that is
            actual = math.inf
        if not math.isclose(actual, total, abs_tol=TOLERANCE):
            return f"these must add up to {total:g}, but add up to {actual:g}"
    return ""


def _check_usual(bounds: list[float], data: Any) -> str:
    """The keyword `usual`: an error message, empty if `data` is valid."""
    if isinstance(data, int | float) and not bounds[0] <= data <= bounds[1]:
        number = f"{data:g}" if abs(data) <= sys.float_info.max else "this"
        return f"{number} is unusual: usual are {bounds[0]:g} to {bounds[1]:g}"
    return ""


def _check_day(_: bool, data: Any) -> str:
    """The keyword `day`: an error message, empty if `data` is a day or a month, or has another form than these."""
    if not isinstance(data, str) or not DAY.fullmatch(data):
        return ""
    year, month, *day = map(int, data.split("-"))
    try:
        date(year, month, *day or [1])
    except ValueError:
        return f"there is no day {data}" if day else f"there is no month {data}"
    return ""


KEYWORDS: dict[str, Callable[[Any, Any], str]] = {
    "sumsTo": _check_sum, "usual": _check_usual, "day": _check_day
}  # fmt: skip


def _fast_keyword(check: Callable[[Any, Any], str]) -> type:
    """An additional keyword for the fast validator."""

    class Keyword:
        def __init__(self, schema: Any, value: Any, path: Any) -> None:
            self.value = value

        def validate(self, data: Any) -> None:
            if message := check(self.value, data):
                raise ValueError(message)

    return Keyword


_LINEAR = jsonschema_rs.RegexOptions()
_FAST_KEYWORDS: dict[str, Any] = {name: _fast_keyword(check) for name, check in KEYWORDS.items()}


@cache
def _pattern(pattern: str) -> Any:
    """A validator of a pattern that takes a time in proportion to the text; `re` may take an exponential one.

    Raises ValueError for one that cannot be read, or looks ahead or behind.
    """
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_LINEAR)


@cache
def _explaining_validator() -> Any:
    """The class of validators that report errors, with the additional keywords."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - slow to import, and only needed for invalid data
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415
    from jsonschema.validators import extend  # noqa: PLC0415

    def keyword(check: Callable[[Any, Any], str]) -> Any:
        def errors(_: Any, value: Any, data: Any, schema: Any) -> Iterator[ValidationError]:
            if message := check(value, data):
                yield ValidationError(message)

        return errors

    def check_pattern(pattern: str, data: Any) -> str:
        return "" if _pattern(pattern).is_valid(data) else "wrong format"

    keywords = {name: keyword(check) for name, check in (*KEYWORDS.items(), ("pattern", check_pattern))}
    return extend(Draft202012Validator, keywords)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, repr=False)
class Schemas:
    """The schemas of a folder, by kind of file."""

    by_kind: Mapping[str, Any]
    _fast_validators: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<Schemas {len(self.by_kind)}>"

    @classmethod
    def load(cls, folder: Path, name: str = "schemas") -> Schemas:
        """Reads every `<kind>.schema.json` of the folder, which problems call `name`.

        Raises ProblemsError if one cannot be read, or refers to one that is missing.
        """
        by_kind: dict[str, Schema] = {}
        problems: list[Problem] = []
        for path in sorted(folder.glob("*" + SUFFIX)):
            text = ""
            try:
                if leads_elsewhere(path, folder):
                    raise OSError("it is a link that leads out of the folder, or to no file")
                content = read_content(path, f"{name}/{path.name}")
                if isinstance(content, Problem):
                    problems.append(content)
                    continue
                text = content.decode()
                schema = json.loads(text)
                if not isinstance(schema, dict) or not isinstance(schema.get("$id"), str):
                    raise TypeError("it is not an object with an `$id`")
                by_kind[path.name.removesuffix(SUFFIX)] = {**schema, "$id": urljoin(BASE, schema["$id"])}
            except (OSError, ValueError, TypeError, RecursionError) as error:
                problems.append(_unreadable(f"{name}/{path.name}", text, error))
        problems += _invalid_schemas(by_kind, name)
        if problems:
            raise ProblemsError(problems)
        return cls(by_kind)

    @cached_property
    def _registry(self) -> Registry[Any]:
        """The schemas by `$id`, for references between them."""
        from referencing import Registry, Resource  # noqa: PLC0415 - not needed for valid data

        resources = [(schema["$id"], Resource.from_contents(schema)) for schema in self.by_kind.values()]
        return Registry().with_resources(resources)

    @cached_property
    def _fast_registry(self) -> Any:
        return jsonschema_rs.Registry([(schema["$id"], schema) for schema in self.by_kind.values()])

    def validator(self, kind: str) -> Any:
        """A validator of `jsonschema` for files of this kind, which reports all errors but is slow."""
        return _explaining_validator()(self.by_kind[kind], registry=self._registry)

    def is_valid(self, data: Any, kind: str) -> bool:
        """Whether data is valid against the schema of `kind`, by a fast validator."""
        if kind not in self._fast_validators:
            self._fast_validators[kind] = self._fast_validator(kind)
        return bool(self._fast_validators[kind].is_valid(data))

    def _fast_validator(self, kind: str) -> Any:
        schema, registry = self.by_kind[kind], self._fast_registry
        try:
            options: dict[str, Any] = {"registry": registry, "keywords": _FAST_KEYWORDS, "pattern_options": _LINEAR}
            return jsonschema_rs.Draft202012Validator(schema, **options)
        except ValueError:  # not a valid schema: the other validator reports what is wrong with it
            return self.validator(kind)

    def resolve(self, schema: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        """A part of the schema of `kind`, or the target of its `$ref`."""
        return self.follow(schema, kind)[0]

    def follow(self, schema: Mapping[str, Any], kind: str) -> tuple[Mapping[str, Any], str]:
        """Like `resolve`, with the kind of the schema that contains the target."""
        if "$ref" not in schema:
            return schema, kind
        ref: str = schema["$ref"]
        file = ref.partition("#")[0].rpartition("/")[2]
        target: Mapping[str, Any] = self._registry.resolver(self.by_kind[kind]["$id"]).lookup(ref).contents
        return target, file.removesuffix(SUFFIX) or kind

    def is_valid_part(self, value: Any, part: Mapping[str, Any], kind: str) -> bool:
        """Whether a value is valid against a part of the schema of `kind`."""
        return bool(self.validator(kind).evolve(schema=part).is_valid(value))

    def check(self, document: Document, kind: str, *, explain: bool = True) -> list[Problem]:
        """All problems of the document against the schema of `kind`; those after MAX_PROBLEMS as a single one.

        Without `explain`, they have the messages of the fast validator, in a hundredth of the time.
        """
        if self.is_valid(document.data, kind):
            return []
        found = self._explained(document, kind) if explain else self._unexplained(document, kind)
        problems = list(islice(found, MAX_PROBLEMS + 1))
        if len(problems) > MAX_PROBLEMS:
            message, hint = f"more than {MAX_PROBLEMS} problems in this file", "correct the first ones, and check again"
            problems[-1] = replace(problems[-1], kind=TooMany, message=message, severity=Severity.ERROR, hint=hint)
        return problems

    def _explained(self, document: Document, kind: str) -> Iterator[Problem]:
        for error in self.validator(kind).iter_errors(document.data):
            yield from schema_problems(document, error, partial(self.resolve, kind=kind))

    def _unexplained(self, document: Document, kind: str) -> Iterator[Problem]:
        validator = self._fast_validators[kind]
        if not isinstance(validator, jsonschema_rs.Draft202012Validator):  # the schema itself is not valid
            yield from self._explained(document, kind)
            return
        for error in validator.iter_errors(document.data):
            yield unexplained_problem(document, error)


def _invalid_schemas(by_kind: Mapping[str, Schema], folder: str) -> Iterator[Problem]:
    """The first fault of each schema: another dialect, a reference to none of the schemas, or an invalid keyword."""
    ids = {schema["$id"] for schema in by_kind.values()}
    for kind, schema in by_kind.items():
        texts = _keyword_texts(schema)
        missing = {ref.partition("#")[0] for ref in texts["$ref"]}
        missing = {file for file in missing if urljoin(schema["$id"], file) not in ids}
        message, near = "", tuple[str, ...]()
        if any(dialect != DIALECT for dialect in texts["$schema"]):
            message = f"`$schema` must be `{DIALECT}`"
        elif len(texts["$id"]) > 1:
            message = "`$id` is not supported within a schema"  # it would be another base of references
        elif unsupported := next(filter(texts.get, UNSUPPORTED), ""):
            message = f"`{unsupported}` is not supported"
        elif missing:
            file = min(missing)
            message = f"refers to `{file}`, which does not exist"
            near = closest(file, [f"{other}{SUFFIX}" for other in by_kind])
        elif not jsonschema_rs.meta.is_valid(schema):
            message = "is not a valid schema"
        elif invalid := next(filter(None, map(_pattern_error, texts["pattern"])), ""):
            message = invalid
        if message:
            yield Problem(SchemasUnreadable, message, Position(f"{folder}/{kind}{SUFFIX}", 1, 1), closest=near)


def _keyword_texts(schema: Schema) -> Mapping[str, list[str]]:
    """The texts of some keywords anywhere in a schema."""
    texts: dict[str, list[str]] = {key: [] for key in ("$id", "$schema", "$ref", "pattern", *UNSUPPORTED)}
    parts: list[Any] = [schema]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            for key in texts.keys() & part.keys():
                if isinstance(part[key], str):
                    texts[key].append(part[key])
                elif key in UNSUPPORTED and isinstance(part[key], dict):
                    texts[key] += part[key]
            part = part.values()
        parts += [value for value in part if isinstance(value, dict | list)]
    return texts


def _pattern_error(pattern: str) -> str:
    try:
        _pattern(pattern)
    except ValueError:
        return f"`{pattern}` is not a regular expression, or looks ahead or behind"
    return ""


def _unreadable(file: str, text: str, error: Exception) -> Problem:
    if not isinstance(error, json.JSONDecodeError):
        return Problem(SchemasUnreadable, f"cannot be read: {error}", Position(file, 1, 1))
    line = text.split("\n")[error.lineno - 1]
    position = Position(file, error.lineno, error.colno)
    return Problem(SchemasUnreadable, f"not JSON: {error.msg.lower()}", position, source_line=line)
