"""Entries that a question brings along: of one's own, or one of the catalog with figures changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.answer.problems import OwnEntryWrong, question_problem
from fitcard.catalog.catalog import Catalog, Entry, Field
from fitcard.compiler.engine import Engine
from fitcard.language.question_fields import Axis
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Path
from fitcard.source.schema_problems import schema_problems
from fitcard.source.yaml_reader import read_text
from fitcard.values import Kind

CUSTOM, BASE = "own", "like"
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class CustomEntry:
    """An entry that a question brings along, and the one of the catalog that it is like, if any."""

    entry: Entry
    base: Entry | None


def custom_entry(rulebook: Rulebook, axis: Axis, figures: Figures, like: Entry | None = None) -> CustomEntry:
    """An entry for an axis from its fields as they stand in a catalog; those that are not given are as of `base`.

    Raises ProblemsFound with one problem for each field that is not there, not as its schema says, or missing.
    """
    catalog = rulebook.catalog_of(axis.name)
    data = _merged(_without_other_names(catalog, like), figures) if like else dict(figures)
    text = json.dumps(data, indent=1, ensure_ascii=False)
    document = read_text(text, axis.name)[0] or Document(axis.name, text, data, {})
    problems = list(_problems(rulebook, axis, catalog, data, document))
    if problems:
        raise ProblemsError(problems)
    return CustomEntry(Entry(CUSTOM, data, document, custom=True), like)


def entry_from_parameters(catalog: Catalog, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by dotted name, as an address or a command line gives them, as the data of an entry."""
    data: dict[str, Any] = {}
    for name, value in parameters.items():
        *outer, last = name.split(".")
        inside = data
        for step in outer:
            inside = inside.setdefault(step, {})
            if not isinstance(inside, dict):
                break
        else:
            inside[last] = _value(catalog, name, value)
    return data


def with_custom_entries(engine: Engine, custom: Mapping[str, CustomEntry]) -> Engine:
    """The engine with these entries, by axis, in its catalogs: the same rules, asked about something of one's own."""
    if not custom:
        return engine
    axes = engine.rulebook.question_fields.axes
    return engine.with_entries({axes[axis].catalog: one.entry for axis, one in custom.items()})


def changed_figures(rulebook: Rulebook, own: Mapping[str, CustomEntry]) -> Iterator[tuple[str, Field, Any, Any]]:
    """Each number that is not that of the entry it is like: its name in formulas, its field, itself, and that other."""
    for axis, brought in own.items():
        for name, field in rulebook.catalog_of(axis).fields.items() if brought.base else ():
            new, old = brought.entry.value(name), brought.base.value(name) if brought.base else None
            if field.kind is Kind.NUMBER and new != old:
                yield f"{axis}.{name}", field, new, old


def _value(catalog: Catalog, name: str, value: Any) -> Any:
    """Text as the field wants it, where that can be said; else as it is, which its schema then refuses."""
    field = catalog.fields.get(name)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
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


def _without_other_names(catalog: Catalog, like: Entry) -> dict[str, Any]:
    others = {field.name for field in catalog.fields.values() if field.spelling} | {"aliases"}
    return {key: value for key, value in like.data.items() if key not in others}


def _merged(data: Figures, more: Figures) -> dict[str, Any]:
    both = dict(data)
    for key, value in more.items():
        inner = both.get(key)
        both[key] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return both


def _problems(rulebook: Rulebook, axis: Axis, catalog: Catalog, data: Figures, document: Document) -> Iterator[Problem]:
    """What its schema has against the entry, and what the axis needs of it; nobody asks it for a source."""
    schemas, kind = rulebook.schemas, catalog.kind
    declared = schemas.by_kind[kind]["$defs"]["entry"]
    part = {key: value for key, value in declared.items() if key != "dependentRequired"} | {
        "required": list(axis.custom_fields)
    }
    for error in schemas.validator(kind).evolve(schema=part).iter_errors(data):
        for problem in errors(list(schema_problems(document, error, lambda one: schemas.resolve(one, kind)))):
            what = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            field = ".".join((axis.name, *_path(document, problem, error.absolute_path)))
            yield question_problem(OwnEntryWrong, field, "", problem.closest, what=what)


def _path(document: Document, problem: Problem, otherwise: Any) -> Iterator[str]:
    """The keys on the way to what the problem is about."""
    place = problem.position
    found: Path = tuple(otherwise)
    for path, at in document.spans.items():
        if place and at.key_line == place.line - 1 and len(path) > len(found):
            found = path
    return map(str, found)
