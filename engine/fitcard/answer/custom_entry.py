"""Custom entries of questions: new entries, or catalog entries with changed fields."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from fitcard.answer.problems import OwnEntryWrong, question_problem
from fitcard.catalog.catalog import CUSTOM, Catalog, Entry, Field
from fitcard.compiler.engine import Engine
from fitcard.language.question_fields import Axis
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Path
from fitcard.source.schema_problems import schema_problems
from fitcard.source.text import UNSHOWN
from fitcard.source.yaml_reader import read_text
from fitcard.values import Kind

BASE = "like"
MAX_DEPTH = 8  # of maps and lists in a custom entry; those of the catalogs have two
EntryData = Mapping[str, Any]


@dataclass(frozen=True)
class CustomEntry:
    """A custom entry, and the catalog entry that it changes, if any."""

    entry: Entry
    base: Entry | None


def custom_entry(rulebook: Rulebook, axis: Axis, fields: EntryData, base: Entry | None = None) -> CustomEntry:
    """An entry of an axis with the data `fields`; other fields are those of `base`.

    Raises ProblemsError with a problem for each field that is unknown, invalid or missing.
    """
    catalog = rulebook.catalog_of(axis.name)
    data = _merge(_without_aliases(catalog, base), fields) if base else dict(fields)
    text = json.dumps(data, indent=1, ensure_ascii=False)
    document = read_text(text, axis.name)[0] or Document(axis.name, text, data, {})
    problems = list(_problems(rulebook, axis, catalog, data, document))
    if problems:
        raise ProblemsError(problems)
    return CustomEntry(Entry(CUSTOM, data, document, custom=True), base)


def entry_from_parameters(catalog: Catalog, axis: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an entry of `axis` from fields by dotted name, with values as text or plain data.

    Raises ProblemsError with a problem for each value that is not plain data, such as a date or infinity.
    """
    problems: list[Problem] = []
    parameters = _plain_data(parameters, axis, problems)
    if problems:
        raise ProblemsError(problems)
    data: dict[str, Any] = {}
    for name, value in parameters.items():
        *outer, last = name.split(".")
        parent = data
        for step in outer:
            parent = parent.setdefault(step, {})
            if not isinstance(parent, dict):
                break
        else:
            parent[last] = _parse_value(catalog, name, value)
    return data


def _plain_data(value: Any, field: str, problems: list[Problem], depth: int = 0) -> Any:
    """The value at `field` as dicts with text as keys, lists, texts, booleans and numbers. Appends to `problems`."""
    value = value.item() if isinstance(value, np.generic) else value
    what = f"must be a number, text, true, false, a list or a map, not a Python {type(value).__name__}"
    if isinstance(value, Mapping | list | tuple) and depth > MAX_DEPTH:
        what = "is nested too deeply"
    elif isinstance(value, Mapping) and not all(isinstance(key, str) for key in value):
        what = "must have texts as keys"
    elif isinstance(value, Mapping):
        return {key: _plain_data(part, f"{field}.{key}", problems, depth + 1) for key, part in value.items()}
    elif isinstance(value, list | tuple):
        return [_plain_data(part, f"{field}.{at}", problems, depth + 1) for at, part in enumerate(value)]
    elif isinstance(value, str) and (unshown := UNSHOWN.search(value)):
        what = f"has the character U+{ord(unshown[0]):04X}"
    elif value is None or isinstance(value, str):
        return value
    elif isinstance(value, Real | Decimal) and math.isfinite(_as_float(value)):
        return value if isinstance(value, int) else float(value)
    elif isinstance(value, Real | Decimal):
        what = "is not a finite number, or too large"
    problems.append(question_problem(OwnEntryWrong, field, "", what=what))
    return None


def _as_float(number: Real | Decimal) -> float:
    """The number as a float; NaN for one that is too large, and for a signaling NaN."""
    try:
        return float(number)
    except (OverflowError, ValueError):
        return math.nan


def with_custom_entries(engine: Engine, custom: Mapping[str, CustomEntry]) -> Engine:
    """The engine with these entries, by axis, in its catalogs."""
    if not custom:
        return engine
    axes = engine.rulebook.question_fields.axes
    return engine.with_entries({axes[axis].catalog: each.entry for axis, each in custom.items()})


def changed_fields(rulebook: Rulebook, custom: Mapping[str, CustomEntry]) -> Iterator[tuple[str, Field, Any, Any]]:
    """Each number that differs from that of the base: its name in formulas, field, value, and value in the base."""
    for axis, each in custom.items():
        for name, field in rulebook.catalog_of(axis).fields.items() if each.base else ():
            new, old = each.entry.value(name), each.base.value(name) if each.base else None
            if field.kind is Kind.NUMBER and new != old:
                yield f"{axis}.{name}", field, new, old


def _parse_value(catalog: Catalog, name: str, value: Any) -> Any:
    """Text as a value of the kind of the field; unchanged if it is not one, so that the schema rejects it."""
    field = catalog.fields.get(name)
    if field is None or not isinstance(value, str):
        return value
    if field.kind is Kind.CONDITION:
        return {"true": True, "1": True, "false": False, "0": False}.get(value.casefold(), value)
    if field.kind is Kind.NUMBER:
        try:
            number = float(value)
        except ValueError:
            return value
        if not math.isfinite(number):
            return value
        return int(number) if number.is_integer() else number
    return value


def _without_aliases(catalog: Catalog, entry: Entry) -> dict[str, Any]:
    aliases = {field.name for field in catalog.fields.values() if field.spelling} | {"aliases"}
    return {key: value for key, value in entry.data.items() if key not in aliases}


def _merge(data: EntryData, changes: EntryData) -> dict[str, Any]:
    merged = dict(data)
    for key, value in changes.items():
        inner = merged.get(key)
        merged[key] = _merge(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return merged


def _problems(
    rulebook: Rulebook, axis: Axis, catalog: Catalog, data: EntryData, document: Document
) -> Iterator[Problem]:
    """Problems of the schema of the catalog, with the required fields of the axis and without required sources."""
    schemas, kind = rulebook.schemas, catalog.kind
    declared = schemas.by_kind[kind]["$defs"]["entry"]
    schema = {key: value for key, value in declared.items() if key != "dependentRequired"} | {
        "required": list(axis.custom_fields)
    }
    for error in schemas.validator(kind).evolve(schema=schema).iter_errors(data):
        for problem in errors(list(schema_problems(document, error, lambda part: schemas.resolve(part, kind)))):
            text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            field = ".".join((axis.name, *_keys(document, problem, error.absolute_path)))
            yield question_problem(OwnEntryWrong, field, "", problem.closest, what=text)


def _keys(document: Document, problem: Problem, error_path: Iterable[str | int]) -> Iterator[str]:
    """The path of a problem: that of the key at its position, which is at `error_path` or below."""
    position = problem.position
    longest: Path = tuple(error_path)
    for path, span in document.spans.items():
        if position and span.key_line == position.line - 1 and len(path) > len(longest):
            longest = path
    return map(str, longest)
