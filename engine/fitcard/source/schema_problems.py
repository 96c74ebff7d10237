"""Schema errors as problems: with position, a message for authors of the file, and a hint what to write instead."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.source.document import Document
from fitcard.source.document import Path as DocumentPath
from fitcard.suggest import closest, did_you_mean

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

YAML_1_1_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
TYPE_NAMES = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "object": "a map of keys",
    "array": "a list",
    "null": "nothing",
}


class SchemaUnknownKey(ProblemCode):
    """A key is not allowed here.

    Why: a misspelt key would have no effect, and nobody would notice.
    Avoid: `bandwith: 68`
    Prefer: `bandwidth: 68`
    """


class SchemaMissingKey(ProblemCode):
    """A required key is missing. The hint shows how to write it.

    Why: a number without a unit, description or source cannot be verified.
    Avoid: `headroom_share: {value: 0.02}`
    Prefer: `headroom_share: {value: 0.02, unit: "1", about: Share of the usable memory that is kept free.}`
    """


class SchemaKeyForm(ProblemCode):
    """A key is not a valid name.

    Why: names are used in formulas, and ids in URLs.
    Avoid: `Headroom Share: {...}`
    Prefer: `headroom_share: {...}`
    """


class SchemaChoice(ProblemCode):
    """A value is not one of the allowed words.

    Why: rules match these words exactly.
    Avoid: `attention: fulll`
    Prefer: `attention: full`
    """


class SchemaType(ProblemCode):
    """A value has the wrong type, such as text in place of a number.

    Why: YAML 1.2 reads `yes`, `on`, `1:30` and `1_000` as text, and so is a number with its unit.
    Avoid: `memory: 16 GB`, `unified: yes`, `bandwidth: 89,6`
    Prefer: `memory: 16`, `unified: true`, `bandwidth: 89.6`
    """


class SchemaSum(ProblemCode):
    """Numbers that must add up to a total do not.

    Why: weights that add up to more than 1 would raise every score unintentionally.
    Avoid: `weights: {quality: 0.6, speed: 0.6}`
    Prefer: `weights: {quality: 0.5, speed: 0.5}`
    """


class SchemaRange(ProblemCode):
    """A number is outside its plausible range.

    Why: such numbers usually have a wrong digit or unit.
    Avoid: `layers: -40`
    Prefer: `layers: 40`
    """


class SchemaUnusual(ProblemCode):
    """A figure is possible but unusual, and should be verified.

    Why: a figure in MB instead of GB is a thousand times too large.
    Avoid: `memory: 16384` for a device with 16 GB
    Prefer: `memory: 16`; if the figure is correct, widen `usual` in the schema.
    """


class SchemaTooShort(ProblemCode):
    """A text, list or map is shorter than required.

    Why: an empty description or list of sources tells readers nothing.
    Avoid: `about: Weights`
    Prefer: `about: Memory that the weights take.`
    """


class SchemaForm(ProblemCode):
    """A text does not have the required format, such as that of a date.

    Why: dates and ids are compared and sorted.
    Avoid: `checked_on: 1/2/2026`
    Prefer: `checked_on: 2026-02-01`
    """


class SchemaOther(ProblemCode):
    """A file violates its schema in another way. The message is that of the schema validator.

    Why: editors and other tools read these files by the same schema.
    Avoid: what the message names
    Prefer: what the schema in `schemas/` requires.
    """


Resolve = Callable[[Mapping[str, Any]], Mapping[str, Any]]  # a part of a schema -> the target of its `$ref`
BOUNDS = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
ONE_LINE = r"^\S(.*\S)?$"  # the pattern of names and titles in the schemas
MAX_MESSAGE = 200  # characters of a message of the validator, which quotes what is wrong
LENGTHS = {"minLength": "characters", "minItems": "items", "minProperties": "keys"}


def schema_problems(document: Document, error: ValidationError, resolve: Resolve) -> Iterator[Problem]:
    """The problems of a validation error. Of `anyOf` and `oneOf`, those of the branch that matches best."""
    if error.context:
        from jsonschema.exceptions import best_match  # noqa: PLC0415 - only needed for invalid data

        best = best_match([error])
        if best is not None and best is not error:
            yield from schema_problems(document, best, resolve)
            return
    path: DocumentPath = tuple(error.absolute_path)
    keyword, value = str(error.validator), error.instance
    expected: Any = error.validator_value
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    about = _description(schema)
    if keyword == "additionalProperties" and isinstance(value, dict):
        yield from _unknown_keys(document, path, value, schema)
    elif keyword in ("required", "dependentRequired") and isinstance(value, dict):
        yield from _missing_keys(document, path, error, schema, resolve)
    elif "propertyNames" in error.absolute_schema_path:
        message = f"`{value}` is not a valid key"
        yield document.problem(SchemaKeyForm, message, (*path, str(value)), key=True, hint=about)
    elif keyword in ("enum", "const"):
        yield _choice_problem(document, path, value, expected if keyword == "enum" else [expected])
    elif keyword == "type":
        types = expected if isinstance(expected, list) else [expected]
        message = f"must be {' or '.join(TYPE_NAMES[name] for name in types)}, not {_describe(value)}"
        yield document.problem(SchemaType, message, path, hint=_type_hint(value, types))
    elif keyword == "sumsTo":
        yield document.problem(SchemaSum, error.message, path, key=True, hint="change one of them")
    elif keyword == "usual":
        unit = schema.get("unit", "1")
        hint = f"{about}; is it in {unit}?" if unit != "1" else about
        yield document.problem(SchemaUnusual, error.message, path, severity=Severity.WARNING, hint=hint)
    elif keyword in BOUNDS:
        message = f"must be {BOUNDS[keyword]} {expected:g}, not {_describe(value)}"
        yield document.problem(SchemaRange, message, path, hint=about)
    elif keyword in LENGTHS:
        message = f"must have at least {expected} {LENGTHS[keyword]}" if value else "must not be empty"
        yield document.problem(SchemaTooShort, message, path, hint=about)
    elif keyword == "pattern" and expected == ONE_LINE:
        yield document.problem(SchemaForm, "must be one line without spaces around it", path, hint=about)
    elif keyword == "pattern":
        yield document.problem(SchemaForm, f"{_describe(value)} has the wrong format", path, hint=about)
    else:
        yield document.problem(SchemaOther, error.message, path, hint=about)


def unexplained_problem(document: Document, error: Any) -> Problem:
    """The problem of an error of the fast validator, with the message of the validator."""
    message = error.message if len(error.message) <= MAX_MESSAGE else f"{error.message[:MAX_MESSAGE]} ..."
    severity = Severity.WARNING if "usual" in error.schema_path else Severity.ERROR
    return document.problem(SchemaOther, message, tuple(error.instance_path), severity=severity)


def _unknown_keys(
    document: Document, path: DocumentPath, value: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[Problem]:
    known = list(schema.get("properties", {}))
    for unknown in (key for key in value if key not in known):
        near = closest(unknown, known)
        hint = did_you_mean(near) or f"the allowed keys are: {', '.join(known)}"
        if value[unknown] is None and " " in unknown:  # the rest of an unquoted text in braces, after its comma
            hint = "a comma ends a value in braces: put the text in quotes"
        message = f"`{unknown}` is not a key of {schema.get('title', 'this')}"
        yield document.problem(SchemaUnknownKey, message, (*path, unknown), key=True, hint=hint, closest=near)


def _missing_keys(
    document: Document, path: DocumentPath, error: ValidationError, schema: Mapping[str, Any], resolve: Resolve
) -> Iterator[Problem]:
    """The missing key of this error, unless an unknown key is a misspelling of it."""
    value: Any = error.instance
    expected: Any = error.validator_value
    if isinstance(expected, dict):  # dependentRequired: by the key that requires others
        expected = [key for present, required in expected.items() if present in value for key in required]
    known = schema.get("properties", {})
    misspelt = {near for key in value if key not in known for near in closest(key, known, 1)}
    for missing in (key for key in expected if key not in value and key not in misspelt):
        if f"'{missing}'" in error.message:
            message = f"`{missing}` is missing from {schema.get('title', 'this')}"
            hint = _key_hint(missing, resolve(known.get(missing, {})))
            yield document.problem(SchemaMissingKey, message, path, key=True, hint=hint)


def _choice_problem(document: Document, path: DocumentPath, value: Any, expected: list[Any]) -> Problem:
    choices = [str(choice) for choice in expected]
    near = closest(str(value), choices)
    hint = did_you_mean(near) if near and len(choices) > 1 else f"write {' or '.join(f'`{c}`' for c in choices)}"
    return document.problem(SchemaChoice, f"`{value}` is not an allowed value", path, hint=hint, closest=near)


def _key_hint(key: str, schema: Mapping[str, Any]) -> str:
    example = next(iter(schema.get("examples", [])), None)
    hint = f"add `{key}: {_yaml(example)}`" if example is not None else f"add `{key}:`"
    about = _description(schema)
    return f"{hint}: {about}" if about else hint


def _description(schema: Mapping[str, Any]) -> str:
    """The description as a clause: lower case, without full stop."""
    text = str(schema.get("description", ""))
    return text[:1].lower() + text[1:].rstrip(".")


def _yaml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(part)}" for key, part in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        return "a map of keys"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type_hint(value: Any, types: list[str]) -> str:
    if isinstance(value, str) and ("number" in types or "integer" in types):
        bare = re.sub(r"(?<=\d),(?=\d{3}(\D|$))", "", value).replace(",", ".").replace("_", "")
        try:
            finite = math.isfinite(float(bare))
        except ValueError:
            finite = False
        if not finite:
            if ":" in value:
                return "write the number itself: YAML 1.1 read `1:30` as 90, and YAML 1.2 does not"
            return "write a plain number; its unit is given by the schema or by `unit`"
        return f"write `{bare}`, with a decimal point and no separators"
    if "boolean" in types and (boolean := YAML_1_1_BOOLEANS.get(str(value).casefold())):
        return f"write `{boolean}`: the booleans of YAML 1.2 are `true` and `false`"
    if "string" in types and isinstance(value, bool | int | float):
        return "put it in quotes"
    return ""
