"""What a tool takes and gives, as JSON Schema: read from the rulebook, its catalogs and the schemas of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.answer.question import SHORT_LIST
from engine.answer.tools import NEAREST
from engine.columns import Kind
from engine.rulebook.catalogs import Catalog
from engine.rulebook.definitions import UNCOUNTED
from engine.rulebook.fields import Field
from engine.rulebook.rankings import HOLDS, LIMIT, WORD, Filter
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import PROFILE
from engine.rulebook.tools import (
    FIGURE,
    TEXT,
    AnswerPart,
    ExplanationPart,
    Kept,
    Part,
    RankingPart,
    SearchPart,
    Tool,
)

Schema = dict[str, Any]
ANSWER, RANKING = "answer", "ranking-answer"  # the schemas of what is kept
SAID = ("type", "description", "enum")  # what is taken over of them; bounds hold for numbers that are not rounded
TYPES = {Kind.NUMBER: "number", Kind.WORD: "string", Kind.CONDITION: "boolean"}


def input_schema(rulebook: Rulebook, tool: Tool) -> Schema:
    """The arguments of a tool, each with its type, its bounds or its words, and what it means."""
    properties = {name: _argument(rulebook, tool, name) for name in tool.takes}
    axes = rulebook.subject.axes
    needed = [name for name in tool.takes if name == FIGURE or (name in axes and axes[name].required)]
    required = [name for name in needed if name not in tool.assumes]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def output_schema(rulebook: Rulebook, tool: Tool) -> Schema:
    """The shape of what a tool gives; nothing in it is required, since what is absent is left out."""
    properties: Schema = {}
    for part in tool.gives:
        found = _given(rulebook, part)
        if part.asked.each:
            each = {part.asked.each: {"type": ["string", "number", "boolean"]}}
            items = _object({**each, **found})
            properties[part.asked.under] = {"type": "array", "items": items}
        elif part.asked.under:
            properties[part.asked.under] = _object(found)
        else:
            properties |= found
    if tool.assumes:
        properties["assumed"] = {"type": "array", "items": {"type": "string"}}
    return _object(properties)


def _argument(rulebook: Rulebook, tool: Tool, name: str) -> Schema:
    schema, about = _form(rulebook, tool, name)
    assert rulebook.tools is not None
    about = rulebook.tools.arguments.get(name, about)
    return {**schema, "description": about} if about else schema


def _form(rulebook: Rulebook, tool: Tool, name: str) -> tuple[Schema, str]:
    """The type of an argument, and what the rulebook says of it."""
    subject, usual = rulebook.subject, Schema()
    if name in subject.axes:
        axis, catalog = subject.axes[name], rulebook.catalog_of(name)
        usual = {"default": axis.default} if axis.default is not None else {}
        return {"type": "string", **_words(catalog), **usual}, axis.about
    if name in subject.inputs:
        asked = subject.inputs[name]
        usual = {"default": _whole(asked.default)} if asked.default is not None else {}
        bounds = {"minimum": _whole(asked.minimum), "maximum": _whole(asked.maximum)}
        return {"type": "integer" if asked.whole else "number", **bounds, **usual}, _in_unit(asked.about, asked.unit)
    if name == PROFILE:
        return {"type": "string", "enum": list(rulebook.rule_sets), "default": rulebook.default_profile}, ""
    if name == LIMIT:
        return {"type": "integer", "minimum": 1}, ""
    if name in (TEXT, FIGURE):
        return {"type": "string"}, ""
    axis_name, _, field_name = name.partition(".")
    if field_name:
        field = rulebook.catalog_of(axis_name).fields[field_name]
        return {"type": TYPES[field.kind]}, _in_unit(field.about, field.unit)
    asked_for = _filters(rulebook, tool)[name]
    kind = "boolean" if asked_for.how == HOLDS else "string" if asked_for.how == WORD else "number"
    usual = {"default": asked_for.usual} if asked_for.how == HOLDS else {}
    return {"type": kind, **usual}, asked_for.about


def _filters(rulebook: Rulebook, tool: Tool) -> dict[str, Filter]:
    found: dict[str, Filter] = {}
    for part in tool.gives:
        if isinstance(part, RankingPart):
            found |= rulebook.rankings[part.ranking].filters
        elif isinstance(part, SearchPart):
            found |= part.filters
    return found


def _words(catalog: Catalog) -> Schema:
    """The entries of a short catalog. Of a long one nothing: names of it are found in many spellings."""
    return {"enum": list(catalog.ids)} if len(catalog.ids) <= SHORT_LIST else {}


def _given(rulebook: Rulebook, part: Part) -> Schema:
    """The keys of what one part gives."""
    found: Schema
    match part:
        case AnswerPart():
            found = _kept(rulebook, part.kept, rulebook.schemas.by_kind.get(ANSWER, {}), ANSWER)["properties"]
        case RankingPart():
            found = _kept(rulebook, part.kept, rulebook.schemas.by_kind.get(RANKING, {}), RANKING)["properties"]
        case SearchPart():
            fields = rulebook.catalog_of(part.axis).fields
            items = {"type": "array", "items": _object({key: _field(fields[name]) for key, name in part.item.items()})}
            counted = {"type": "integer", "minimum": 0}
            found = {"found": counted, "left_off": counted, "entries": items, NEAREST: items}
        case ExplanationPart():
            steps = {"type": "array", "items": _object({key: {} for key in part.kept.parts})}
            found = {"steps": steps, "left_off": {"type": "integer", "minimum": 0}}
    return found


def _kept(rulebook: Rulebook, kept: Kept, schema: Mapping[str, Any], kind: str) -> Schema:
    """The part of a schema that describes what is kept."""
    schema, kind = rulebook.schemas.follow(schema, kind) if kind in rulebook.schemas.by_kind else (schema, kind)
    for option in schema.get("oneOf", ()):
        if "properties" in option:
            schema = option
    if "items" in schema:
        return {"type": "array", "items": _kept(rulebook, kept, schema["items"], kind)}
    declared = schema.get("properties", {})
    keys = kept.parts or (dict.fromkeys(declared, Kept({})) if declared else {})
    if keys:
        return _object({key: _kept(rulebook, part, declared.get(key, {}), kind) for key, part in keys.items()})
    return {key: schema[key] for key in SAID if key in schema}


def _field(field: Field) -> Schema:
    return {"type": TYPES[field.kind], "description": _in_unit(field.about, field.unit)}


def _in_unit(about: str, unit: str) -> str:
    return about if unit in UNCOUNTED else f"{about} [{unit}]"


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
