"""The JSON Schemas (2020-12) of every kind of file, and what they say of a document, at its line and column.

Two keywords are our own: `unit` on a number says what it is counted in, `sumsTo` on an object of numbers what they must
add up to. Both are plain annotations to any other tool.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry, Resource

from engine.closest import closest, suggestion
from engine.problems import Problem
from engine.read.document import Document
from engine.read.document import Path as DocumentPath

SUFFIX = ".schema.json"
EXACT = 1e-9  # sums of decimal fractions in floats
TYPE_WORDS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "object": "a map of keys",
    "array": "a list",
    "null": "nothing",
}


def _sums_to(validator: Any, total: float, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and all(isinstance(part, int | float) for part in instance.values()):
        found = math.fsum(instance.values())
        if not math.isclose(found, total, abs_tol=EXACT):
            yield ValidationError(f"these must add up to {total:g}, and add up to {found:g}")


_Validator: Any = extend(Draft202012Validator, {"sumsTo": _sums_to})  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Schemas:
    """All schemas of one folder, by the kind of file that each describes."""

    by_kind: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Schemas:
        """Every `<kind>.schema.json` of the folder. Raises OSError or ValueError where one cannot be read."""
        return cls(
            {
                path.name.removesuffix(SUFFIX): json.loads(path.read_text("utf-8"))
                for path in sorted(folder.glob("*" + SUFFIX))
            }
        )

    @cached_property
    def registry(self) -> Registry[Any]:
        """All schemas by their `$id`, so that one may refer to another."""
        resources = [(schema["$id"], Resource.from_contents(schema)) for schema in self.by_kind.values()]
        return Registry().with_resources(resources)

    def validator(self, kind: str) -> Any:
        """What checks documents of this kind."""
        return _Validator(self.by_kind[kind], registry=self.registry)

    def resolve(self, schema: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
        """`schema` itself, or what its `$ref` points to, seen from the schema of `kind`."""
        if "$ref" not in schema:
            return schema
        resolver = self.registry.resolver(self.by_kind[kind]["$id"])
        found: Mapping[str, Any] = resolver.lookup(schema["$ref"]).contents
        return found

    def check(self, document: Document, kind: str) -> list[Problem]:
        """All that the schema of `kind` has against the document."""
        return [
            problem
            for error in self.validator(kind).iter_errors(document.data)
            for problem in _problems(document, error, lambda part: self.resolve(part, kind))
        ]


Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _problems(document: Document, error: ValidationError, resolve: Resolve) -> Iterator[Problem]:
    if error.context:  # anyOf and oneOf: what the nearest of the alternatives says
        nearest = best_match([error])
        if nearest is not None and nearest is not error:
            yield from _problems(document, nearest, resolve)
            return
    path: DocumentPath = tuple(error.absolute_path)
    rule, value = str(error.validator), error.instance
    expected: Any = error.validator_value
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if rule == "additionalProperties" and isinstance(value, dict):
        known = list(schema.get("properties", {}))
        for stray in (key for key in value if key not in known):
            near = closest(stray, known)
            hint = suggestion(near) or f"the keys here are: {', '.join(known)}"
            if value[stray] is None and " " in stray:  # the rest of a text in braces that holds a comma
                hint = "a comma ends a value in braces: put the text in quotes"
            message = f"`{stray}` is not a key of {schema.get('title', 'this')}"
            yield document.problem("schema-unknown-key", message, (*path, stray), key=True, hint=hint, closest=near)
    elif rule == "required" and isinstance(value, dict):
        known = schema.get("properties", {})
        misspelt = {near for key in value if key not in known for near in closest(key, known, 1)}
        for missing in (key for key in expected if key not in value and key not in misspelt):
            if f"'{missing}'" in error.message:
                message = f"`{missing}` is missing from {schema.get('title', 'this')}"
                hint = _how_to_write(missing, resolve(schema.get("properties", {}).get(missing, {})))
                yield document.problem("schema-missing-key", message, path, key=True, hint=hint)
    elif rule == "propertyNames" or (error.parent is not None and error.parent.validator == "propertyNames"):
        hint = str(schema.get("description", ""))
        yield document.problem(
            "schema-key-form", f"`{value}` cannot be a key here", (*path, str(value)), key=True, hint=hint
        )
    elif rule in ("enum", "const"):
        choices = [str(choice) for choice in (expected if rule == "enum" else [expected])]
        near = closest(str(value), choices)
        hint = suggestion(near) if near and len(choices) > 1 else f"write {' or '.join(f'`{c}`' for c in choices)}"
        yield document.problem("schema-choice", f"`{value}` is not one of the choices", path, hint=hint, closest=near)
    elif rule == "type":
        kinds = expected if isinstance(expected, list) else [expected]
        wanted = " or ".join(TYPE_WORDS[kind] for kind in kinds)
        yield document.problem(
            "schema-type", f"must be {wanted}, not {_shown(value)}", path, hint=_type_hint(value, kinds)
        )
    elif rule == "sumsTo":
        yield document.problem("schema-sum", error.message, path, key=True, hint="change one of them")
    elif rule in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        words = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
        message = f"must be {words[rule]} {expected:g}, not {_shown(value)}"
        yield document.problem("schema-range", message, path, hint=_description(schema))
    elif rule in ("minLength", "minItems", "minProperties"):
        counted = {"minLength": "characters", "minItems": "items", "minProperties": "keys"}[rule]
        message = f"must have at least {expected} {counted}" if value else "must not be empty"
        yield document.problem("schema-too-short", message, path, hint=_description(schema))
    elif rule == "pattern":
        yield document.problem(
            "schema-form", f"{_shown(value)} has not the right form", path, hint=_description(schema)
        )
    else:
        yield document.problem("schema", error.message, path, hint=_description(schema))


def _how_to_write(key: str, schema: Mapping[str, Any]) -> str:
    example = next(iter(schema.get("examples", [])), None)
    written = f"add `{key}: {_yaml(example)}`" if example is not None else f"add `{key}:`"
    about = _description(schema)
    return f"{written}: {about}" if about else written


def _description(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description", ""))
    return text[:1].lower() + text[1:].rstrip(".")


def _yaml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(part)}" for key, part in value.items()) + "}"
    return str(value)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a map of keys"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type_hint(value: Any, kinds: list[str]) -> str:
    if isinstance(value, str) and ("number" in kinds or "integer" in kinds):
        bare = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", value).replace(",", ".").replace("_", "")
        try:
            float(bare)
        except ValueError:
            return "write a plain number; its unit is said once, by the schema or by `unit`"
        return f"write `{bare}`, with a point for decimals and nothing else"
    if "string" in kinds and isinstance(value, bool | int | float):
        return "put it in quotes"
    return ""
