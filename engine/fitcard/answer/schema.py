"""JSON Schemas of answers, rankings and parameters, derived from the layout, the rules and the catalogs.

`fitcard schemas` writes those of answers and rankings to the folder of schemas; `fitcard check` compares the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from fitcard.answer.question import SHORT_LIST
from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import DIMENSIONLESS, Table
from fitcard.language.question_fields import PROFILE, QUESTION
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
from fitcard.rulebook.rankings import HOLDS, LIMIT, WORD, Filter, RankingDefinition
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
        "computed_in": {**STRING, "description": "Unit of the formula, if its result is converted."},
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
        "computed_in",
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
    """The schemas of answers and rankings, by file name."""
    rankings = {RANKING: ranking_schema(rulebook)} if rulebook.rankings else {}
    return {ANSWER: answer_schema(rulebook), **rankings}


def answer_schema(rulebook: Rulebook) -> Schema:
    """The schema of an answer, in any profile and language."""
    builder = _LayoutSchemas(rulebook, rulebook.layout)
    root = builder.object(rulebook.layout.root, ())
    extra = {"figures": FIGURES, "set": OVERRIDES, "trace": TRACE}
    answer = _object({**root["properties"], **extra}, optional=("set", "trace"))
    return _document(ANSWER, "an answer", rulebook.layout.document.data["about"], answer)


def ranking_schema(rulebook: Rulebook) -> Schema:
    """The schema of all rankings; properties that some of them lack are optional."""
    merged = _merge([_ranking(rulebook, ranking) for ranking in rulebook.rankings.values()])
    about = "Entries of a catalog for a question, best first, each with its main strength and weakness."
    return _document(RANKING, "a ranking", about, merged)


def _ranking(rulebook: Rulebook, ranking: RankingDefinition) -> Schema:
    builder = _LayoutSchemas(rulebook, Layout({}, ranking.item, ranking.document))
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


class _LayoutSchemas:
    """Schemas of the nodes of a layout."""

    def __init__(self, rulebook: Rulebook, layout: Layout) -> None:
        self.rule_sets = tuple(rulebook.rule_sets.values())
        self.question_fields, self.catalogs = rulebook.question_fields, rulebook.catalogs
        self.layout = layout
        self.descriptions: Mapping[str, str] = layout.document.data.get("descriptions", {})

    def node(self, node: Node, keys: tuple[str, ...]) -> Schema:
        """The schema of a node; `keys` are its path in an answer."""
        about = self.descriptions.get(".".join(keys), "")
        match node:
            case ValueNode():
                return self.value(node.name)
            case MessageNode():
                return STRING
            case TextNode():
                return {"const": node.text}
            case ObjectNode():
                schema = self.object(node, keys)
                if node.when:
                    return _or_empty(schema, about)
                return {**schema, "description": about} if about else schema
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
        """The schema of an item of a list, where empty objects are left out."""
        return self.object(node, keys) if isinstance(node, ObjectNode) else self.node(node, keys)

    def object(self, node: ObjectNode, keys: tuple[str, ...]) -> Schema:
        """The schema of an object, regardless of its condition."""
        return _object({key: self.node(part, (*keys, key)) for key, part in node.parts.items()})

    def value(self, name: str) -> Schema:
        """The schema of a value: its type, its words if they are known, its description and unit."""
        space, _, rest = name.partition(".")
        if space == QUESTION:
            return self.input(rest)
        rule_set = self.rule_sets[0]
        in_rules = self.layout.name_in_rules(name, rule_set)
        described = [info for rules in self.rule_sets if (info := rules.describe(in_rules))]
        if not described:  # a property of the rulebook
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
        """The schema of an input of the question."""
        field = self.question_fields.inputs[name]
        kind = "number" if field.default is not None else ["number", "null"]
        unit = {} if field.unit in DIMENSIONLESS else {"unit": field.unit}
        return {"type": kind, "description": field.about, **unit, "minimum": field.minimum, "maximum": field.maximum}

    def matching(self, node: MatchingNode) -> Schema:
        """The schema of an entry of another catalog; its optional fields may be absent."""
        fields = self.catalogs[node.catalog].fields
        properties: dict[str, Schema] = {}
        for key, name in node.item.items():
            field = fields.get(name)
            unit = {"unit": field.unit} if field and field.unit not in DIMENSIONLESS else {}
            properties[key] = {"type": TYPES[field.kind], **unit} if field else _array(STRING)
        required = [key for key, name in node.item.items() if name in fields and fields[name].required]
        return _object(properties, optional=[key for key in properties if key not in required])

    def _words(self, name: str) -> list[str]:
        """All words of a table, in any profile; none for catalog fields, which may get others."""
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
    """The schema of an item of a list, which has a trace if the answer is explained."""
    if schema.get("type") != "object":
        return schema
    return {**schema, "properties": {**schema["properties"], "trace": TRACE}}


def _merge(schemas: list[Schema]) -> Schema:
    """A schema for all values of several: common properties are required; constants and words become an `enum`."""
    return reduce(_merge_two, schemas)


def _merge_two(first: Schema, second: Schema) -> Schema:
    if first == second:
        return first
    if first.get("type") == second.get("type") == "object" and "properties" in first and "properties" in second:
        names = dict.fromkeys((*first["properties"], *second["properties"]))
        sides = first["properties"], second["properties"]
        properties = {name: _merge([side[name] for side in sides if name in side]) for name in names}
        required = {*first["required"]} & {*second["required"]}
        return _object(properties, optional=[name for name in names if name not in required])
    if first.get("type") == second.get("type") == "array":
        return _array(_merge_two(first["items"], second["items"]), first.get("description", ""))
    words = [*_constants(first), *(word for word in _constants(second) if word not in _constants(first))]
    if _constants(first) and _constants(second):
        return {"enum": words}
    options = [*first.get("anyOf", [first]), *(option for option in second.get("anyOf", [second]))]
    return {"anyOf": [option for at, option in enumerate(options) if option not in options[:at]]}


def _constants(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else schema.get("enum", [])


def parameter_schema(rulebook: Rulebook, name: str, filters: Mapping[str, Filter]) -> tuple[Schema, str]:
    """The schema of a parameter, and its description.

    A parameter is an axis, an input, the profile, `limit`, a field of an axis, or a filter. Raises KeyError for others.
    """
    question_fields, default = rulebook.question_fields, Schema()
    if name in question_fields.axes:
        axis, catalog = question_fields.axes[name], rulebook.catalog_of(name)
        default = {"default": axis.default} if axis.default is not None else {}
        return {"type": "string", **_choices(catalog), **default}, axis.about
    if name in question_fields.inputs:
        number = question_fields.inputs[name]
        default = {"default": as_plain_number(number.default)} if number.default is not None else {}
        bounds = {"minimum": as_plain_number(number.minimum), "maximum": as_plain_number(number.maximum)}
        kind = "integer" if number.whole else "number"
        return {"type": kind, **bounds, **default}, in_unit(number.about, number.unit)
    if name == PROFILE:
        return {"type": "string", "enum": list(rulebook.rule_sets), "default": rulebook.default_profile}, ""
    if name == LIMIT:
        return {"type": "integer", "minimum": 1}, ""
    axis_name, _, field_name = name.partition(".")
    if field_name:
        field = rulebook.catalog_of(axis_name).fields[field_name]
        return {"type": TYPES[field.kind]}, in_unit(field.about, field.unit)
    condition = filters[name]
    kind = "boolean" if condition.operator == HOLDS else "string" if condition.operator == WORD else "number"
    default = {"default": condition.default} if condition.operator == HOLDS else {}
    return {"type": kind, **default}, condition.about


def in_unit(about: str, unit: str) -> str:
    """A description with its unit."""
    return about if unit in DIMENSIONLESS else f"{about} [{unit}]"


def as_plain_number(number: float) -> float | int:
    """The number, as an integer if it is whole."""
    return int(number) if float(number).is_integer() else number


def _choices(catalog: Catalog) -> Schema:
    """The ids of a short catalog; nothing for a long one, whose entries have many spellings."""
    return {"enum": list(catalog.ids)} if len(catalog.ids) <= SHORT_LIST else {}
