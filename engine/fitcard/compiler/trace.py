"""Traces: how a value is computed, step by step, from definitions, catalog fields and inputs."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from fitcard.compiler.evaluation import Evaluation, Index
from fitcard.language.definitions import Constant, Count, Definition, Formula, Table
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.tables import Lookup, ValueOf

GIVEN = "given"


def trace(
    evaluation: Evaluation, index: Index, names: Iterable[str], known: Container[str] = ()
) -> list[dict[str, Any]]:
    """The steps that compute `names` in one cell, in dependency order.

    Each step has `name`, `kind`, `value`, `unit`, `about`, `file` and `line`. A formula has `expr`, and `computed_in`
    if its result is converted from that unit; a table has its input as `by`; both have their `inputs` by name. A field
    of a catalog has `entry`, `source` and `checked_on`, and as `inputs` the table that chose the entry, if one did.
    Names that are overridden have no inputs; those that are `known` have no step.
    """
    computed = {
        name: definition
        for name, definition in evaluation.rules.definitions.items()
        if name in evaluation.columns and name not in evaluation.overridden
    }
    needed: dict[str, None] = {}
    stack = sorted(names)
    while stack:
        name = stack.pop()
        if name not in needed and name in evaluation.columns and name not in known:
            needed[name] = None
            stack += computed[name].reads if name in computed else _chooser(evaluation, index, name)
    leaves = [_leaf(evaluation, index, name) for name in sorted(needed) if name not in computed]
    steps = [step for step in leaves if "inputs" not in step]
    for name, definition in computed.items():
        if name in needed:
            steps.append(_step(evaluation, index, definition))
            steps += (step for step in leaves if name in step.get("inputs", ()))
    return steps


def _chooser(evaluation: Evaluation, index: Index, name: str) -> tuple[str, ...]:
    """The table that chose the entry of the catalog field `name`; empty if the question names the entry."""
    chooser = evaluation.rules.question_fields.default_table(name)
    named = evaluation.batch.entry(name.partition(".")[0], index) is not None or name in evaluation.overridden
    return (chooser,) if chooser in evaluation.columns and chooser and not named else ()


def _leaf(evaluation: Evaluation, index: Index, name: str) -> dict[str, Any]:
    space, _, rest = name.partition(".")
    info = evaluation.rules.describe(name)
    step: dict[str, Any] = {"name": name, "kind": "field", "value": evaluation.value(name, index)}
    if info:
        step |= {"unit": info.unit, "about": info.about}
    if name in evaluation.overridden:
        return step | {"kind": GIVEN}
    if space in (QUESTION, CURRENT):
        return step | {"kind": space}
    entry = evaluation.entry(space, index)
    if entry is not None and entry.custom:
        return step | {"kind": GIVEN}
    if entry is not None:
        step |= {
            "entry": entry.id,
            "file": entry.position.file,
            "line": entry.document.position((*entry.path, *rest.split(".")), key=True).line,
        }
        step |= {key: entry.data[key] for key in ("source", "checked_on") if key in entry.data}
    for chooser in _chooser(evaluation, index, name):
        step["inputs"] = {chooser: evaluation.value(chooser, index)}
    return step


def _step(evaluation: Evaluation, index: Index, definition: Definition) -> dict[str, Any]:
    step: dict[str, Any] = {
        "name": definition.name,
        "kind": type(definition).__name__.lower(),
        "value": evaluation.value(definition.name, index),
        "unit": definition.unit,
        "about": definition.about,
        "file": definition.position.file,
        "line": definition.position.line,
    }
    if isinstance(definition, Formula):
        step["expr"] = " ".join(definition.expression.source.split())
        if definition.computed_in:
            step["computed_in"] = definition.computed_in
    if isinstance(definition, Table):
        step["by"] = definition.input
    if isinstance(definition, Count):
        step["of"] = definition.catalog
    if not isinstance(definition, Constant):
        step["inputs"] = {name: evaluation.value(name, index) for name in _inputs(evaluation, index, definition)}
    if definition.reference:
        step["reference"] = dict(definition.reference)
    return step


def _inputs(evaluation: Evaluation, index: Index, definition: Definition) -> list[str]:
    """The names that determine the value in this cell: of the names in a lookup, only that of the matching row."""
    if isinstance(definition, Table) and isinstance(definition.rows, Lookup):
        word = evaluation.value(definition.input, index)
        result = definition.rows.rows.get(str(word), definition.rows.otherwise)
        return [definition.input, *([result.name] if isinstance(result, ValueOf) else [])]
    return [name for name in definition.reads if name in evaluation.columns]
