"""Access to the catalogs and rules of a rulebook as plain data, and statistics of its catalogs."""

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
    """All catalogs with their number of entries, or the entries of one. Raises ProblemsFound for an unknown kind."""
    if not kind:
        return {
            "catalogs": [{"kind": name, "entries": len(catalog.entries)} for name, catalog in rulebook.catalogs.items()]
        }
    catalog = _catalog(rulebook, kind)
    return {"kind": kind, "entries": [{"id": entry.id, "name": entry.name} for entry in catalog.entries.values()]}


def catalog_entry(rulebook: Rulebook, kind: str, word: str) -> dict[str, Any]:
    """One entry as written, with the unit of each figure and its place. Raises ProblemsFound where it is unknown."""
    catalog = _catalog(rulebook, kind)
    entry = _meant(rulebook, catalog, kind, word)
    return {"kind": kind, "id": entry.id, **entry.data, "units": _units(catalog, entry), **_place(entry)}


def catalog_by_axis(rulebook: Rulebook, axis: str) -> Catalog:
    """The catalog that an axis takes its entries from. Raises ProblemsFound where there is no such axis."""
    if axis not in rulebook.question_fields.axes:
        known = tuple(rulebook.question_fields.axes)
        raise ProblemsError([question_problem(UnknownParameter, "axis", axis, closest(axis, known) or known)])
    return rulebook.catalog_of(axis)


def find_entry(rulebook: Rulebook, axis: str, word: str) -> Entry:
    """The entry of an axis that a word means. Raises ProblemsFound where it means none, or several."""
    return _meant(rulebook, catalog_by_axis(rulebook, axis), axis, word)


def rule_list(rulebook: Rulebook, profile: str = "") -> dict[str, Any]:
    """Every definition of a profile, in dependency order. Raises ProblemsFound for an unknown profile."""
    rule_set = _rule_set(rulebook, profile)
    return {
        "title": rulebook.title,
        "version": rulebook.version,
        "sha256": rulebook.sha256,
        "profile": rule_set.profile,
        "rules": [_brief(definition) for definition in rule_set.definitions.values()],
    }


def rule_detail(rulebook: Rulebook, name: str, profile: str = "") -> dict[str, Any]:
    """One definition whole: its text, what it reads, and what reads it. Raises ProblemsFound for an unknown name."""
    rule_set = _rule_set(rulebook, profile)
    definition = rule_set.definitions.get(name)
    if definition is None:
        raise ProblemsError([unknown_rule(name, rule_set)])
    users = [other.name for other in rule_set.definitions.values() if name in other.reads]
    detail = {**_brief(definition), **_content(definition), "reads": list(definition.reads), "read_by": users}
    detail |= {key: definition.data[key] for key in ("calibrate", "fitted") if key in definition.data}
    return detail | ({"reference": dict(definition.reference)} if definition.reference else {})


def rule_graph(
    rulebook: Rulebook, names: Iterable[str] = (), profile: str = "", *, readers: bool = False
) -> dict[str, tuple[str, ...]]:
    """What each definition reads, in dependency order: of all, or of those behind `names`.

    With `readers`, of those that `names` are read by. Raises ProblemsFound for a name or a profile that is unknown.
    """
    rule_set, wanted = _rule_set(rulebook, profile), list(names)
    unknown = [name for name in wanted if name not in rule_set.definitions]
    if unknown:
        raise ProblemsError(unknown_rule(name, rule_set) for name in unknown)
    reads = {name: definition.reads for name, definition in rule_set.definitions.items()}
    if not wanted:
        return reads
    ahead = {name: [other for other in reads if name in reads[other]] for name in reads} if readers else reads
    near: dict[str, None] = {}
    while wanted:
        name = wanted.pop()
        if name in reads and name not in near:
            near[name] = None
            wanted += ahead[name]
    return {name: found for name, found in reads.items() if name in near}


def _brief(definition: Definition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "kind": type(definition).__name__.lower(),
        "unit": definition.unit,
        "about": definition.about,
        **_place(definition),
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


def _place(thing: Definition | Entry) -> dict[str, Any]:
    return {"file": thing.position.file, "line": thing.position.line}


def _units(catalog: Catalog, entry: Entry) -> dict[str, str]:
    fields = catalog.fields.values()
    return {
        field.name: field.unit
        for field in fields
        if isinstance(entry.value(field.name), int | float) and field.unit != "condition"
    }


def _meant(rulebook: Rulebook, catalog: Catalog, field: str, word: str) -> Entry:
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
    """Each catalog that has entries; ages are counted in days until `today`."""
    return {
        "rules": {"version": rulebook.version, "sha256": rulebook.sha256},
        "today": today.isoformat(),
        "catalogs": {
            kind: {
                "entries": len(catalog.entries),
                "groups": dict(_groups(catalog)),
                "known": dict(_known(catalog)),
                "days": dict(_days(catalog, today)),
            }
            for kind, catalog in rulebook.catalogs.items()
            if catalog.entries
        },
    }


def _groups(catalog: Catalog) -> Iterator[tuple[str, dict[str, int]]]:
    """For each field that groups entries how many have each word, the most frequent first."""
    for field in catalog.fields.values():
        if field.groups:
            words = [entry.value(field.name) for entry in catalog.entries.values()]
            yield field.name, dict(Counter(word for word in words if word is not None).most_common())


def _known(catalog: Catalog) -> Iterator[tuple[str, float]]:
    """The share of entries that have each field that may be absent; of a condition, absent says no."""
    for field in catalog.fields.values():
        if not field.required and not field.of_day and field.kind is not Kind.CONDITION:
            there = sum(entry.value(field.name) is not None for entry in catalog.entries.values())
            yield field.name, there / len(catalog.entries)


def _days(catalog: Catalog, today: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of each field that says when: the oldest, the median and the newest day, and how many days ago that was."""
    for field in catalog.fields.values():
        words = [entry.value(field.name) for entry in catalog.entries.values()] if field.day else []
        days = sorted(parse_date(word) for word in words if word is not None)
        if days:
            told = {"oldest": days[0], "median": median_low(days), "newest": days[-1]}
            yield (
                field.name,
                {name: {"day": day.isoformat(), "days_ago": (today - day).days} for name, day in told.items()},
            )
