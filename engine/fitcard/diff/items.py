"""The named items of rules and catalogs, which are compared by name and not by position.

The fields of an item are flat: `reference.title`, `weights.speed`, `rows.F16`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from fitcard.diff.schema import ItemKind
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

RULE_KINDS = {section: ItemKind(section.removesuffix("s")) for section in SECTIONS}
ITSELF = ""  # name of the only field of an item that is a single value


@dataclass(frozen=True)
class Item:
    """`within` is the profile or the catalog that contains it; empty for the rules themselves."""

    kind: ItemKind
    name: str
    within: str
    fields: Mapping[str, Any]
    document: Document
    path: Path

    @property
    def is_rule(self) -> bool:
        """Whether it is a constant, table, formula or count."""
        return self.kind in RULE_KINDS.values()

    @property
    def key(self) -> tuple[str, str, str]:
        """Its identity in both versions. All rules are of one kind here: a constant may become a formula."""
        return ("rule" if self.is_rule else str(self.kind), self.within, self.name)


def items_in(kind: str, document: Document, path: str) -> Iterator[Item]:
    """All items of a file that has passed its schema. `path` is relative to the folder of rules or catalogs."""
    match kind:
        case _ if kind in (RULES, PROFILE):
            yield from _rule_file_items(kind, document, path)
        case _ if kind == TESTS:
            yield from _list_items(ItemKind.TEST, "tests", document)
        case _ if kind == RULEBOOK:
            for key, value in document.data.items():
                yield Item(ItemKind.SETTING, key, "", flatten(value), document, (key,))
        case _ if kind == MESSAGES:
            language = document.data["language"]
            for key, value in flatten(document.data).items():
                yield Item(ItemKind.TEXT, key, language, {ITSELF: value}, document, tuple(key.split(".")))
        case _ if kind == LAYOUT:
            yield from _layout_items(document, ("picks", "answer", "contradictions"))
        case _ if kind == RANKINGS:
            yield from _layout_items(document, ("filters", "rankings"))
        case _ if kind == CHANGES:  # affects neither answers nor checks
            return
        case _ if kind == BACKTEST:
            yield from _backtest_items(document, path)
        case _ if kind == CHECKS:
            for section in ("checks", "alike"):
                for name, data in document.data.get(section, {}).items():
                    yield Item(ItemKind.TEST, name, CHECKS, flatten(data), document, (section, name))
            yield _file_item(document, path)
        case _:
            for name, data in document.data["entries"].items():
                yield Item(ItemKind.ENTRY, name, kind, flatten(data), document, ("entries", name))
            yield _file_item(document, path)


def _rule_file_items(kind: str, document: Document, path: str) -> Iterator[Item]:
    within = FilePath(document.path).stem if kind == PROFILE else ""
    if within:
        head = {key: document.data[key] for key in ("title", "about") if key in document.data}
        yield Item(ItemKind.PROFILE, within, "", head, document, ("title",))
    else:
        yield _file_item(document, path)
    for part in ((), ADDS) if ADDS[0] in document.data else ((),):
        for section in SECTIONS:
            for name in document.at(part).get(section) or ():
                yield rule_item(document, (*part, section, name), within)
    yield from _list_items(ItemKind.INVARIANT, "invariants", document)


def rule_item(document: Document, path: Path, within: str = "") -> Item:
    """One constant, table, formula or count of a file."""
    data = document.at(path)
    fields = {**flatten({key: value for key, value in data.items() if key != "rows"}), **_row_fields(data)}
    return Item(RULE_KINDS[str(path[-2])], str(path[-1]), within, fields, document, path)


def _layout_items(document: Document, sections: tuple[str, ...]) -> Iterator[Item]:
    for section in sections:
        for key, value in document.data.get(section, {}).items():
            yield Item(ItemKind.LAYOUT, key, section, flatten(value), document, (section, key))


def _backtest_items(document: Document, path: str) -> Iterator[Item]:
    """A test for each quantity, and one named `path` for what they have in common."""
    common = {key: document.data[key] for key in ("catalog", "weigh", "near", "fit")}
    yield Item(ItemKind.TEST, path, BACKTEST, flatten(common), document, ())
    for name, data in document.data["quantities"].items():
        yield Item(ItemKind.TEST, name, BACKTEST, flatten(data), document, ("quantities", name))
    yield _file_item(document, path)


def _file_item(document: Document, path: str) -> Item:
    """The title and description of a file."""
    head = {key: document.data[key] for key in ("title", "about", "reference") if key in document.data}
    return Item(ItemKind.FILE, path, "", flatten(head), document, ())


def _list_items(kind: ItemKind, section: str, document: Document) -> Iterator[Item]:
    for number, data in enumerate(document.data.get(section) or ()):
        yield Item(kind, data["name"], "", flatten(data), document, (section, number))


def _row_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of a table as fields named by their word, their result, or their position on the input axis."""
    rows = data.get("rows")
    if isinstance(rows, dict):
        return {f"rows.{word}": _row_value(result) for word, result in rows.items()}
    fields: dict[str, Any] = {}
    for row in rows or ():
        if isinstance(row, list):
            fields[f"rows.{row[0]}"] = row[1]
        elif "gives" in row:
            bound, value = next((key, value) for key, value in row.items() if key != "gives")
            fields[_unique(f"rows.{row['gives']}.{bound}", fields)] = value
        else:
            fields["rows.otherwise"] = row["otherwise"]
    return fields


def _row_value(result: Any) -> Any:
    return f"value of {result['value_of']}" if isinstance(result, dict) else result


def _unique(name: str, names: Mapping[str, Any]) -> str:
    """The name, with a number if it occurs already."""
    number, unique = 1, name
    while unique in names:
        number += 1
        unique = f"{name} ({number})"
    return unique


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """The values in nested maps, and in lists of maps, by dotted names; other lists unchanged."""
    nested: Mapping[Any, Any] | None = value if isinstance(value, dict) else None
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        nested = dict(enumerate(value))
    if nested is None:
        return {prefix: value}
    fields: dict[str, Any] = {}
    for key, part in nested.items():
        fields |= flatten(part, f"{prefix}.{key}" if prefix else str(key))
    return fields
