"""JSON Schemas derived from type hints: those of MCP tools, and those of files that describe typed data.

They are derived here and not by pydantic, for two reasons. MCP clients pass them to a language model, so they are
short: without titles and without alternatives for null. And every command can import them without an extra.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from fitcard.source.schemas import BASE, DIALECT, SUFFIX, Schema

JSON_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


@dataclass(frozen=True)
class Minimum:
    """Metadata of a number: its lower bound."""

    value: int


@dataclass(frozen=True)
class MaxItems:
    """Metadata of a list: its maximum length."""

    count: int


def schema_of(hint: Any, definitions: dict[str, Schema] | None = None) -> Schema:
    """JSON Schema of a type hint.

    Supported are str, int, float, bool, None, Any, StrEnum, Literal, list, tuple of equal types, dict with text as
    keys, TypedDict, unions of these, and Annotated with a description (text) or the metadata of this module.

    Without `definitions` the schema is compact: nested types stand inline, other keys are allowed, and None in a union
    stands for an absent value. With `definitions`, each TypedDict is added to them and referred to, allows no other
    keys, and has its docstring as description; None is null.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        keywords = {key: value for extra in arguments[1:] for key, value in _keywords(extra)}
        return schema_of(arguments[0], definitions) | keywords
    if origin is NotRequired:
        return schema_of(arguments[0], definitions)
    if origin in (Union, UnionType):
        nullable = definitions is not None
        options = [schema_of(option, definitions) for option in arguments if nullable or option is not NoneType]
        return options[0] if len(options) == 1 else {"type": [option["type"] for option in options]}
    if origin is Literal:
        return {"type": JSON_TYPES[type(arguments[0])], "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], definitions)}
    if origin is tuple:
        items = schema_of(arguments[0], definitions)
        return {"type": "array", "items": items, "minItems": len(arguments), "maxItems": len(arguments)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], definitions)}
    if is_typeddict(hint):
        return _object(hint, definitions)
    if hint is Any:
        return {}
    if issubclass(hint, StrEnum):
        return {"type": "string", "enum": [str(member) for member in hint]}
    return {"type": JSON_TYPES[hint]}


def schema_document(kind: str, title: str, shape: Any) -> Schema:
    """The content of `<kind>.schema.json`: the schema of a TypedDict, with those that it contains under `$defs`."""
    definitions: dict[str, Schema] = {}
    schema_of(shape, definitions)
    root = definitions.pop(_definition_name(shape))
    head = {"$schema": DIALECT, "$id": f"{BASE}{kind}{SUFFIX}", "title": title}
    return {**head, **root, "$defs": definitions}


@cache
def fields_of(shape: Any) -> Mapping[str, Any]:
    """The type hints of a TypedDict by key."""
    return get_type_hints(shape, include_extras=True)


def _object(shape: Any, definitions: dict[str, Schema] | None) -> Schema:
    fields = fields_of(shape)
    # With postponed annotations, `__required_keys__` ignores NotRequired.
    required = [key for key in fields if key in shape.__required_keys__ and get_origin(fields[key]) is not NotRequired]
    keys: Schema = {"required": required} if required else {}
    if definitions is None:
        properties = {key: schema_of(field) for key, field in fields.items()}
        return {"type": "object", **keys, "properties": properties}
    name = _definition_name(shape)
    if name not in definitions:
        schema: Schema = {"type": "object"}
        definitions[name] = schema  # before its fields, which may refer to it
        if shape.__doc__:
            schema["description"] = " ".join(shape.__doc__.split())
        schema |= {**keys, "additionalProperties": False}
        schema["properties"] = {key: schema_of(field, definitions) for key, field in fields.items()}
    return {"$ref": f"#/$defs/{name}"}


def _definition_name(shape: Any) -> str:
    return str(shape.__name__).removesuffix("Data")


def _keywords(metadata: object) -> Iterator[tuple[str, Any]]:
    match metadata:
        case str():
            yield "description", metadata
        case Minimum():
            yield "minimum", metadata.value
        case MaxItems():
            yield "maxItems", metadata.count
