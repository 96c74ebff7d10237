"""The JSON Schemas of answers and rankings, derived from the layout and from what rules and catalogs say of each name.

`fitcard schemas` writes them to the folder of schemas, and `fitcard check` holds the files against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fitcard.language.definitions import DIMENSIONLESS, Table
from fitcard.language.question_fields import QUESTION
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    ListNode,
    MatchingNode,
    MessageNode,
    Node,
    ObjectNode,
    TextNode,
    ValueNode,
)
from fitcard.rulebook.rankings import Ranking
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.schemas import BASE, DIALECT, SUFFIX
from fitcard.values import Kind

Schema = dict[str, Any]
TYPES = {Kind.NUMBER: "number", Kind.WORD: "string", Kind.CONDITION: "boolean"}
STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
SCALAR: Schema = {"type": ["number", "string", "boolean", "null"]}
ANSWER, RANKING = "answer", "ranking-answer"


def _object(properties: Mapping[str, Schema], *, optional: Iterable[str] = (), about: str = "") -> Schema:
    required = [name for name in properties if name not in set(optional)]
    described = {"description": about} if about else {}
    return {
        "type": "object",
        **described,
        "required": required,
        "additionalProperties": False,
        "properties": dict(properties),
    }


def _array(items: Schema, about: str = "") -> Schema:
    return {"type": "array", **({"description": about} if about else {}), "items": items}


TRACE = _array({"$ref": "#/$defs/step"}, "How figures are computed, in dependency order; in items only what differs.")
FIGURE = _object(
    {
        "label": STRING,
        "value": {"type": ["number", "string", "null"]},
        "unit": STRING,
        "text": {**STRING, "description": "The value with its unit, in the language of the answer."},
    }
)
FIGURES: Schema = {
    "type": "object",
    "description": "Further figures by the name of their rule.",
    "additionalProperties": FIGURE,
}
OVERRIDE = _object({"name": STRING, "value": SCALAR, "instead_of": SCALAR, "unit": STRING})
OVERRIDES = _array(OVERRIDE, "Constants and catalog figures that the question overrides.")
STEP_KINDS = ("constant", "formula", "table", "count", "field", "question", "current", "given")
STEP = _object(
    {
        "name": STRING,
        "kind": {"enum": [*STEP_KINDS]},
        "value": SCALAR,
        "unit": STRING,
        "about": STRING,
        "file": STRING,
        "line": {"type": "integer"},
        "expr": {**STRING, "description": "The formula."},
        "by": {**STRING, "description": "Name that selects the row of a table."},
        "of": {**STRING, "description": "Catalog whose entries are counted."},
        "inputs": {"type": "object", "description": "Inputs by name.", "additionalProperties": SCALAR},
        "reference": {"type": "object"},
        "entry": {**STRING, "description": "The catalog entry."},
        "source": _array(STRING),
        "checked_on": STRING,
    },
    optional=(
        "unit",
        "about",
        "file",
        "line",
        "expr",
        "by",
        "of",
        "inputs",
        "reference",
        "entry",
        "source",
        "checked_on",
    ),
)


def answer_schemas(rulebook: Rulebook) -> dict[str, Schema]:
    """The schema of an answer and that of a ranking, by the name of their files."""
    rankings = {RANKING: ranking_schema(rulebook)} if rulebook.rankings else {}
    return {ANSWER: answer_schema(rulebook), **rankings}


def answer_schema(rulebook: Rulebook) -> Schema:
    """The schema of an answer, in any profile and language."""
    builder = _Builder(rulebook, rulebook.layout)
    root = builder.object(rulebook.layout.root, ())
    extra = {"figures": FIGURES, "set": OVERRIDES, "trace": TRACE}
    answer = _object({**root["properties"], **extra}, optional=("set", "trace"))
    return _document(ANSWER, "an answer", rulebook.layout.document.data["about"], answer)


def ranking_schema(rulebook: Rulebook) -> Schema:
    """The schema of all rankings: what they have in common is required."""
    merged = _merge([_ranking(rulebook, ranking) for ranking in rulebook.rankings.values()])
    about = "Entries of a catalog for a question, best first, each with its main strength and weakness."
    return _document(RANKING, "a ranking", about, merged)


def _ranking(rulebook: Rulebook, ranking: Ranking) -> Schema:
    builder = _Builder(rulebook, Layout({}, ranking.item, ranking.document))
    part = _object(
        {"part": STRING, "label": STRING, "points": NUMBER, "weight": NUMBER, "gained": NUMBER, "ahead": NUMBER}
    )
    remark = _object({"part": STRING, "sentence": STRING})
    row = builder.object(ranking.item, ())
    rows = _object(
        {
            "rank": {"type": "integer", "minimum": 1},
            **row["properties"],
            "parts": _array(part, "Components of the score."),
            "praise": _or_empty(remark, "Component with the largest positive difference, if any."),
            "blame": _or_empty(remark, "Component with the largest negative difference, if any."),
            "cells": _array(STRING, "Table cells."),
        },
    )
    names = ("version", "sha256", "profile")
    properties = {
        "ranking": {"const": ranking.name},
        "title": STRING,
        **builder.object(ranking.head, ())["properties"],
        "filters": {"type": "object", "description": "Filters that were applied, by name."},
        "entries": {"type": "integer", "description": "Entries of the catalog."},
        "ranked": {"type": "integer", "description": "Entries that pass the filters."},
        "columns": _array(STRING, "Column titles."),
        "rows": _array(rows, "Best entries, up to the limit."),
        "rules": _object(dict.fromkeys(names, STRING)),
        "set": OVERRIDES,
    }
    return _object(properties, optional=("set",))


def _document(kind: str, title: str, about: str, schema: Schema) -> Schema:
    head = {"$schema": DIALECT, "$id": f"{BASE}{kind}{SUFFIX}", "title": title, "description": about}
    return {**head, **schema, "$defs": {"step": STEP}}


class _Builder:
    """Schemas of the parts of a layout."""

    def __init__(self, rulebook: Rulebook, layout: Layout) -> None:
        self.rule_sets = tuple(rulebook.rule_sets.values())
        self.question_fields, self.catalogs = rulebook.question_fields, rulebook.catalogs
        self.layout = layout
        self.descriptions: Mapping[str, str] = layout.document.data.get("descriptions", {})

    def node(self, node: Node, keys: tuple[str, ...]) -> Schema:
        """The schema of what a part of the layout gives; `keys` lead to it in an answer."""
        about = self.descriptions.get(".".join(keys), "")
        match node:
            case ValueNode():
                return self.value(node.name)
            case MessageNode():
                return STRING
            case TextNode():
                return {"const": node.text}
            case ObjectNode():
                found = self.object(node, keys)
                return _or_empty(found, about) if node.when else {**found, **({"description": about} if about else {})}
            case ListNode():
                parts = [
                    self.node(part.item, keys) if isinstance(part, EachNode) else self.part(part, keys)
                    for part in node.parts
                ]
                traced = any(isinstance(part, EachNode) for part in node.parts)
                items = _merge(parts)
                return _array(_traced(items) if traced else items, about)
            case EachNode():
                return _array(_traced(self.node(node.item, keys)), about)
            case AlongNode():
                return _array(self.node(node.item, keys), about)
            case MatchingNode():
                return _array(self.matching(node), about)
        raise AssertionError(node)

    def part(self, node: Node, keys: tuple[str, ...]) -> Schema:
        """An item of a list; one whose condition does not hold is left out."""
        return self.object(node, keys) if isinstance(node, ObjectNode) else self.node(node, keys)

    def object(self, node: ObjectNode, keys: tuple[str, ...]) -> Schema:
        """The schema of an object, as if it had no condition."""
        return _object({key: self.node(part, (*keys, key)) for key, part in node.parts.items()})

    def value(self, name: str) -> Schema:
        """The schema of a name: its type, its words where they are known, and what the rules say of it."""
        space, _, rest = name.partition(".")
        if space == QUESTION:
            return self.input(rest)
        rule_set = self.rule_sets[0]
        in_rules = self.layout.name_in_rules(name, rule_set)
        described = [info for rules in self.rule_sets if (info := rules.describe(in_rules))]
        if not described:  # what the rulebook says of itself
            return STRING
        info = described[0]
        schema: Schema = {"type": TYPES[info.kind]}
        nullable = self._may_be_absent(in_rules)
        if info.kind is Kind.WORD and (words := self._words(in_rules)):
            schema = {"enum": [*words, *([None] if nullable else [])]}
        elif nullable:
            schema = {"type": [TYPES[info.kind], "null"]}
        unit = {} if info.unit in DIMENSIONLESS else {"unit": info.unit}
        about = {"description": info.about} if info.about else {}
        return {**schema, **about, **unit}

    def input(self, name: str) -> Schema:
        """The schema of a number that a question may carry."""
        asked = self.question_fields.inputs[name]
        kind = "number" if asked.default is not None else ["number", "null"]
        unit = {} if asked.unit in DIMENSIONLESS else {"unit": asked.unit}
        return {"type": kind, "description": asked.about, **unit, "minimum": asked.minimum, "maximum": asked.maximum}

    def matching(self, node: MatchingNode) -> Schema:
        """The schema of an entry of another catalog: the fields that it has."""
        fields = self.catalogs[node.catalog].fields
        properties: dict[str, Schema] = {}
        for key, name in node.item.items():
            field = fields.get(name)
            unit = {"unit": field.unit} if field and field.unit not in DIMENSIONLESS else {}
            properties[key] = {"type": TYPES[field.kind], **unit} if field else _array(STRING)
        required = [key for key, name in node.item.items() if name in fields and fields[name].required]
        return _object(properties, optional=[key for key in properties if key not in required])

    def _words(self, name: str) -> list[str]:
        """Every word that a table can give, in any profile; none for a field of a catalog, which may grow."""
        words: dict[str, None] = {}
        for rules in self.rule_sets:
            if isinstance(rules.definitions.get(name), Table):
                words |= dict.fromkeys(rules.possible_words(name)[0])
        return list(words)

    def _may_be_absent(self, name: str) -> bool:
        space, _, rest = name.partition(".")
        axis = self.question_fields.axes.get(space)
        if axis:
            field = self.catalogs[axis.catalog].fields[rest]
            return not field.required
        return any(rules.kinds.get(name) is Kind.WORD and rules.possible_words(name)[1] for rules in self.rule_sets)


def _or_empty(schema: Schema, about: str) -> Schema:
    return {**({"description": about} if about else {}), "oneOf": [{"type": "object", "maxProperties": 0}, schema]}


def _traced(schema: Schema) -> Schema:
    """An item of a list, which has a trace of its own in an answer that is explained."""
    if schema.get("type") != "object":
        return schema
    return {**schema, "properties": {**schema["properties"], "trace": TRACE}}


def _merge(schemas: list[Schema]) -> Schema:
    """One schema for several: what all objects have is required; constants and words that differ become an `enum`."""
    first, *others = schemas
    for other in others:
        first = _merge_two(first, other)
    return first


def _merge_two(one: Schema, other: Schema) -> Schema:
    if one == other:
        return one
    if one.get("type") == other.get("type") == "object" and "properties" in one and "properties" in other:
        names = dict.fromkeys((*one["properties"], *other["properties"]))
        both = {name: _merge(list(_of_each(name, one["properties"], other["properties"]))) for name in names}
        required = {*one["required"]} & {*other["required"]}
        return _object(both, optional=[name for name in names if name not in required])
    if one.get("type") == other.get("type") == "array":
        return _array(_merge_two(one["items"], other["items"]), one.get("description", ""))
    words = [*_constants(one), *(word for word in _constants(other) if word not in _constants(one))]
    if _constants(one) and _constants(other):
        return {"enum": words}
    options = [*one.get("anyOf", [one]), *(option for option in other.get("anyOf", [other]))]
    return {"anyOf": [option for at, option in enumerate(options) if option not in options[:at]]}


def _of_each(name: str, *properties: Mapping[str, Schema]) -> Iterator[Schema]:
    return (one[name] for one in properties if name in one)


def _constants(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else schema.get("enum", [])
