"""Catalogs and rules of a rulebook as plain data, and statistics of its catalogs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from statistics import median_low
from typing import Any

from fitcard.answer.problems import (
    UnknownCatalog,
    UnknownCatalogEntry,
    UnknownEntry,
    UnknownParameter,
    question_problem,
)
from fitcard.answer.question import unknown_rule
from fitcard.catalog.catalog import Catalog, Entry, parse_date
from fitcard.language.definitions import Constant, Count, Definition, Formula, Table
from fitcard.language.question_fields import PROFILE
from fitcard.language.rule_set import RuleSet
from fitcard.language.tables import Bands, Knots, Lookup, Result, ValueOf
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest
from fitcard.values import Kind


def catalog_list(rulebook: Rulebook, kind: str = "") -> dict[str, Any]:
    """All catalogs with their number of entries, or the entries of one. Raises ProblemsError for an unknown kind."""
    if not kind:
        return {
            "catalogs": [{"kind": name, "entries": len(catalog.entries)} for name, catalog in rulebook.catalogs.items()]
        }
    catalog = _catalog(rulebook, kind)
    return {"kind": kind, "entries": [{"id": entry.id, "name": entry.name} for entry in catalog.entries.values()]}


def catalog_entry(rulebook: Rulebook, kind: str, word: str) -> dict[str, Any]:
    """An entry as in its file, with units and its position. Raises ProblemsError if it is unknown."""
    catalog = _catalog(rulebook, kind)
    entry = _find(rulebook, catalog, kind, word)
    return {"kind": kind, "id": entry.id, **entry.data, "units": _units(catalog, entry), **_position(entry)}


def catalog_by_axis(rulebook: Rulebook, axis: str) -> Catalog:
    """The catalog of an axis. Raises ProblemsError if the axis does not exist."""
    if axis not in rulebook.question_fields.axes:
        known = tuple(rulebook.question_fields.axes)
        raise ProblemsError([question_problem(UnknownParameter, "axis", axis, closest(axis, known) or known)])
    return rulebook.catalog_of(axis)


def find_entry(rulebook: Rulebook, axis: str, word: str) -> Entry:
    """The entry that a word refers to. Raises ProblemsError if it refers to none, or to several."""
    return _find(rulebook, catalog_by_axis(rulebook, axis), axis, word)


def rule_list(rulebook: Rulebook, profile: str = "") -> dict[str, Any]:
    """All definitions of a profile, in dependency order. Raises ProblemsError for an unknown profile."""
    rule_set = _rule_set(rulebook, profile)
    return {
        "title": rulebook.title,
        "version": rulebook.version,
        "sha256": rulebook.sha256,
        "profile": rule_set.profile,
        "rules": [_summary(definition) for definition in rule_set.definitions.values()],
    }


def rule_detail(rulebook: Rulebook, name: str, profile: str = "") -> dict[str, Any]:
    """A definition with its content, what it reads, and what reads it. Raises ProblemsError for an unknown name."""
    rule_set = _rule_set(rulebook, profile)
    definition = rule_set.definitions.get(name)
    if definition is None:
        raise ProblemsError([unknown_rule(name, rule_set)])
    readers = [other.name for other in rule_set.definitions.values() if name in other.reads]
    detail = {**_summary(definition), **_content(definition), "reads": list(definition.reads), "read_by": readers}
    detail |= {key: definition.data[key] for key in ("calibrate", "fitted") if key in definition.data}
    return detail | ({"reference": dict(definition.reference)} if definition.reference else {})


def rule_graph(
    rulebook: Rulebook, names: Iterable[str] = (), profile: str = "", *, readers: bool = False
) -> dict[str, tuple[str, ...]]:
    """The names that each definition reads, in dependency order.

    Only of `names` and the definitions that they depend on; with `readers`, only of `names` and the definitions that
    depend on them. Raises ProblemsError for an unknown name or profile.
    """
    rule_set, pending = _rule_set(rulebook, profile), list(names)
    unknown = [name for name in pending if name not in rule_set.definitions]
    if unknown:
        raise ProblemsError(unknown_rule(name, rule_set) for name in unknown)
    reads = {name: definition.reads for name, definition in rule_set.definitions.items()}
    if not pending:
        return reads
    edges = {name: [other for other in reads if name in reads[other]] for name in reads} if readers else reads
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name in reads and name not in reached:
            reached.add(name)
            pending += edges[name]
    return {name: names_read for name, names_read in reads.items() if name in reached}


def _summary(definition: Definition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "kind": type(definition).__name__.lower(),
        "unit": definition.unit,
        "about": definition.about,
        **_position(definition),
    }


def _content(definition: Definition) -> dict[str, Any]:
    match definition:
        case Constant():
            return {"value": definition.value}
        case Count():
            having = {"having": definition.having} if definition.having else {}
            return {"of": definition.catalog, "same": list(definition.same), **having}
        case Formula():
            return {"expr": " ".join(definition.expression.source.split())}
        case Table(rows=Bands() as bands):
            return {"by": definition.input, "bounds": list(bands.bounds), "results": list(bands.results)}
        case Table(rows=Knots() as knots):
            return {"by": definition.input, "knots": [list(knot) for knot in zip(knots.x, knots.y, strict=True)]}
        case Table(rows=Lookup() as lookup):
            rows = {word: _result(result) for word, result in lookup.rows.items()}
            return {"by": definition.input, "rows": rows, "otherwise": _result(lookup.otherwise)}
    raise AssertionError(definition)


def _result(result: Result | ValueOf | None) -> Any:
    return {"value_of": result.name} if isinstance(result, ValueOf) else result


def _position(source: Definition | Entry) -> dict[str, Any]:
    return {"file": source.position.file, "line": source.position.line}


def _units(catalog: Catalog, entry: Entry) -> dict[str, str]:
    fields = catalog.fields.values()
    return {
        field.name: field.unit
        for field in fields
        if isinstance(entry.value(field.name), int | float) and field.unit != "condition"
    }


def _find(rulebook: Rulebook, catalog: Catalog, field: str, word: str) -> Entry:
    entry = catalog.find(word)
    if entry is None:
        raise ProblemsError([question_problem(UnknownCatalogEntry, field, word, catalog.nearest(word))])
    return entry


def _catalog(rulebook: Rulebook, kind: str) -> Catalog:
    if kind not in rulebook.catalogs:
        kinds = tuple(rulebook.catalogs)
        raise ProblemsError([question_problem(UnknownCatalog, "catalog", kind, closest(kind, kinds) or kinds)])
    return rulebook.catalogs[kind]


def _rule_set(rulebook: Rulebook, profile: str) -> RuleSet:
    name = profile or rulebook.default_profile
    if name not in rulebook.rule_sets:
        names = tuple(rulebook.rule_sets)
        raise ProblemsError([question_problem(UnknownEntry, PROFILE, name, closest(name, names) or names)])
    return rulebook.rule_sets[name]


def catalog_stats(rulebook: Rulebook, today: date) -> dict[str, Any]:
    """Statistics of each catalog that has entries; ages are in days before `today`."""
    return {
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
        "today": today.isoformat(),
        "catalogs": {
            kind: {
                "entries": len(catalog.entries),
                "groups": dict(_group_sizes(catalog)),
                "known": dict(_field_coverage(catalog)),
                "days": dict(_dates(catalog, today)),
            }
            for kind, catalog in rulebook.catalogs.items()
            if catalog.entries
        },
    }


def _group_sizes(catalog: Catalog) -> Iterator[tuple[str, dict[str, int]]]:
    """For each field with `groups`, the number of entries by word, most frequent first."""
    for field in catalog.fields.values():
        if field.groups:
            words = [entry.value(field.name) for entry in catalog.entries.values()]
            yield field.name, dict(Counter(word for word in words if word is not None).most_common())


def _field_coverage(catalog: Catalog) -> Iterator[tuple[str, float]]:
    """For each optional field, the share of entries that have it; not for conditions, whose absence means false."""
    for field in catalog.fields.values():
        if not field.required and not field.of_day and field.kind is not Kind.CONDITION:
            count = sum(entry.value(field.name) is not None for entry in catalog.entries.values())
            yield field.name, count / len(catalog.entries)


def _dates(catalog: Catalog, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """For each date field, the oldest, median and newest date, and their ages in days."""
    for field in catalog.fields.values():
        words = [entry.value(field.name) for entry in catalog.entries.values()] if field.day else []
        days = sorted(parse_date(word) for word in words if word is not None)
        if days:
            dates = {"oldest": days[0], "median": median_low(days), "newest": days[-1]}
            yield (
                field.name,
                {name: {"day": day.isoformat(), "days_ago": (today - day).days} for name, day in dates.items()},
            )
