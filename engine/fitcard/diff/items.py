"""What the files of a rulebook are made of, thing by thing, each known by what it is called and not by where it stands.

Of each thing the fields are flat: `reference.title`, `weights.speed`, `rows.F16`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any

from fitcard.language.definitions import ADDS, SECTIONS
from fitcard.rulebook.files import (
    BACKTEST,
    CHANGES,
    CHECKS,
    LAYOUT,
    MESSAGES,
    PROFILE,
    RANKINGS,
    RULEBOOK,
    RULES,
    TESTS,
)
from fitcard.source.document import Document, Path


class ItemKind(StrEnum):
    """The kinds of things, in the order in which a reviewer reads them."""

    SETTING = "setting"
    PROFILE = "profile"
    CONSTANT = "constant"
    TABLE = "table"
    FORMULA = "formula"
    COUNT = "count"
    ENTRY = "entry"
    LAYOUT = "layout"
    INVARIANT = "invariant"
    TEST = "test"
    TEXT = "text"
    FILE = "file"


RULE_KINDS = {section: ItemKind(section.removesuffix("s")) for section in SECTIONS}
ALL = ""  # of a thing that is one value and has no fields


@dataclass(frozen=True)
class Item:
    """`within` is the profile or the catalog that holds it; empty for what stands in the rules themselves."""

    what: ItemKind
    name: str
    within: str
    fields: Mapping[str, Any]
    document: Document
    path: Path

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by: a constant that becomes a formula is still the same thing."""
        return ("rule" if self.what in RULE_KINDS.values() else str(self.what), self.within, self.name)


def items_in(kind: str, document: Document, path: str) -> Iterator[Item]:
    """All things of a file that has passed its schema, and that is known by `path`."""
    match kind:
        case _ if kind in (RULES, PROFILE):
            yield from _of_rules(kind, document, path)
        case _ if kind == TESTS:
            yield from _listed(ItemKind.TEST, "tests", document)
        case _ if kind == RULEBOOK:
            for key, value in document.data.items():
                yield Item(ItemKind.SETTING, key, "", flat(value), document, (key,))
        case _ if kind == MESSAGES:
            for key, value in flat(document.data).items():
                yield Item(ItemKind.TEXT, key, document.data["language"], {ALL: value}, document, tuple(key.split(".")))
        case _ if kind == LAYOUT:
            for section in ("picks", "answer"):
                for key, value in document.data.get(section, {}).items():
                    yield Item(ItemKind.LAYOUT, key, section, flat(value), document, (section, key))
        case _ if kind == RANKINGS:
            for section in ("filters", "rankings"):
                for key, value in document.data.get(section, {}).items():
                    yield Item(ItemKind.LAYOUT, key, section, flat(value), document, (section, key))
        case _ if kind == CHANGES:  # neither an answer nor a check
            return
        case _ if kind == BACKTEST:
            yield from _of_backtest(document, path)
        case _ if kind == CHECKS:
            for section in ("checks", "alike"):
                for name, data in document.data.get(section, {}).items():
                    yield Item(ItemKind.TEST, name, CHECKS, flat(data), document, (section, name))
            yield _head(document, path)
        case _:
            for name, data in document.data["entries"].items():
                yield Item(ItemKind.ENTRY, name, kind, flat(data), document, ("entries", name))
            yield _head(document, path)


def _of_rules(kind: str, document: Document, path: str) -> Iterator[Item]:
    within = FilePath(document.path).stem if kind == PROFILE else ""
    if within:
        about = {key: document.data[key] for key in ("title", "about") if key in document.data}
        yield Item(ItemKind.PROFILE, within, "", about, document, ("title",))
    else:
        yield _head(document, path)
    for part in ((), ADDS) if ADDS[0] in document.data else ((),):
        for section in SECTIONS:
            for name in document.at(part).get(section) or ():
                yield rule_item(document, (*part, section, name), within)
    yield from _listed(ItemKind.INVARIANT, "invariants", document)


def _of_backtest(document: Document, path: str) -> Iterator[Item]:
    """Each quantity is a test, and so is what all of them go by, which is known by `path`."""
    shared = {key: document.data[key] for key in ("catalog", "weigh", "near", "fit")}
    yield Item(ItemKind.TEST, path, BACKTEST, flat(shared), document, ())
    for name, data in document.data["quantities"].items():
        yield Item(ItemKind.TEST, name, BACKTEST, flat(data), document, ("quantities", name))
    yield _head(document, path)


def rule_item(document: Document, path: Path, within: str = "") -> Item:
    """One constant, table or formula of a file."""
    data = document.at(path)
    fields = {**flat({key: value for key, value in data.items() if key != "rows"}), **_rows(data)}
    return Item(RULE_KINDS[str(path[-2])], str(path[-1]), within, fields, document, path)


def _head(document: Document, path: str) -> Item:
    """What a file says of itself."""
    said = {key: document.data[key] for key in ("title", "about", "reference") if key in document.data}
    return Item(ItemKind.FILE, path, "", flat(said), document, ())


def _listed(what: ItemKind, section: str, document: Document) -> Iterator[Item]:
    for number, data in enumerate(document.data.get(section) or ()):
        yield Item(what, data["name"], "", flat(data), document, (section, number))


def _rows(data: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of a table, each known by its word, by what it gives, or by its place on the axis."""
    rows = data.get("rows")
    if isinstance(rows, dict):
        return {f"rows.{word}": _taken(result) for word, result in rows.items()}
    found: dict[str, Any] = {}
    for row in rows or ():
        if isinstance(row, list):
            found[f"rows.{row[0]}"] = row[1]
        elif "gives" in row:
            bound, value = next((key, value) for key, value in row.items() if key != "gives")
            found[_free(f"rows.{row['gives']}.{bound}", found)] = value
        else:
            found["rows.otherwise"] = row["otherwise"]
    return found


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name for a row beside others that give the same."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _taken(result: Any) -> Any:
    return f"value of {result['value_of']}" if isinstance(result, dict) else result


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """The values inside of maps, and of lists of maps, by dotted names; other lists as they are."""
    inside: Mapping[Any, Any] | None = value if isinstance(value, dict) else None
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        inside = dict(enumerate(value))
    if inside is None:
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, part in inside.items():
        found |= flat(part, f"{prefix}.{key}" if prefix else str(key))
    return found
