"""What a parameter may be, as JSON Schema: read from the rulebook, its catalogs and the filters of its rankings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitcard.answer.question import SHORT_LIST
from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import DIMENSIONLESS
from fitcard.language.question_fields import PROFILE
from fitcard.rulebook.rankings import HOLDS, LIMIT, WORD, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import Kind

Schema = dict[str, Any]
TYPES = {Kind.NUMBER: "number", Kind.WORD: "string", Kind.CONDITION: "boolean"}


def parameter_schema(rulebook: Rulebook, name: str, filters: Mapping[str, Filter]) -> tuple[Schema, str]:
    """The type of a parameter with its bounds or its words, and what the rulebook says of it.

    It is an axis, an input, the profile, `limit`, a figure of an axis, or a filter. Raises KeyError where it is none.
    """
    question_fields, usual = rulebook.question_fields, Schema()
    if name in question_fields.axes:
        axis, catalog = question_fields.axes[name], rulebook.catalog_of(name)
        usual = {"default": axis.default} if axis.default is not None else {}
        return {"type": "string", **_words(catalog), **usual}, axis.about
    if name in question_fields.inputs:
        asked = question_fields.inputs[name]
        usual = {"default": as_plain_number(asked.default)} if asked.default is not None else {}
        bounds = {"minimum": as_plain_number(asked.minimum), "maximum": as_plain_number(asked.maximum)}
        return {"type": "integer" if asked.whole else "number", **bounds, **usual}, in_unit(asked.about, asked.unit)
    if name == PROFILE:
        return {"type": "string", "enum": list(rulebook.rule_sets), "default": rulebook.default_profile}, ""
    if name == LIMIT:
        return {"type": "integer", "minimum": 1}, ""
    axis_name, _, field_name = name.partition(".")
    if field_name:
        field = rulebook.catalog_of(axis_name).fields[field_name]
        return {"type": TYPES[field.kind]}, in_unit(field.about, field.unit)
    asked_for = filters[name]
    kind = "boolean" if asked_for.operator == HOLDS else "string" if asked_for.operator == WORD else "number"
    usual = {"default": asked_for.default} if asked_for.operator == HOLDS else {}
    return {"type": kind, **usual}, asked_for.about


def in_unit(about: str, unit: str) -> str:
    """What is said of a figure, with what it is counted in."""
    return about if unit in DIMENSIONLESS else f"{about} [{unit}]"


def as_plain_number(number: float) -> float | int:
    """A number as people write it."""
    return int(number) if float(number).is_integer() else number


def _words(catalog: Catalog) -> Schema:
    """The entries of a short catalog. Of a long one nothing: names of it are found in many spellings."""
    return {"enum": list(catalog.ids)} if len(catalog.ids) <= SHORT_LIST else {}
