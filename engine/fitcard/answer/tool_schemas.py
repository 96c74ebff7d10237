"""What a tool takes and gives, as JSON Schema: read from the rulebook, its catalogs and the schemas of answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitcard.answer.parameter_schemas import TYPES, Schema, in_unit, parameter_schema
from fitcard.answer.tools import NEAREST
from fitcard.rulebook.fields import Field
from fitcard.rulebook.rankings import Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.tools import (
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

ANSWER, RANKING = "answer", "ranking-answer"  # the schemas of what is kept
SAID = ("type", "description", "enum")  # what is taken over of them; bounds hold for numbers that are not rounded


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
    if name in (TEXT, FIGURE):
        return {"type": "string"}, ""
    return parameter_schema(rulebook, name, _filters(rulebook, tool))


def _filters(rulebook: Rulebook, tool: Tool) -> dict[str, Filter]:
    found: dict[str, Filter] = {}
    for part in tool.gives:
        if isinstance(part, RankingPart):
            found |= rulebook.rankings[part.ranking].filters
        elif isinstance(part, SearchPart):
            found |= part.filters
    return found


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
    return {"type": TYPES[field.kind], "description": in_unit(field.about, field.unit)}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}
