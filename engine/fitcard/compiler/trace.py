"""How a number came about: every definition, catalog figure and input it was made of, in dependency order."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

from fitcard.compiler.evaluation import Evaluation
from fitcard.language.definitions import Constant, Count, Definition, Formula, Table
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.tables import Lookup

GIVEN = "given"


def trace(
    evaluation: Evaluation, index: tuple[int, ...], names: Iterable[str], told: Container[str] = ()
) -> list[dict[str, Any]]:
    """One step for each name that `names` were made of, and for themselves, at one cell; what is read comes first.

    A step has `name`, `kind`, `value`, `unit`, `about` and `file` and `line`; a formula `expr`, and the unit that it is
    `computed_in` where the value is converted from that; a table `by`, and both `inputs` by name; a catalog figure its
    `entry`, `source` and `checked_on`, and as `inputs` the table that chose the entry where the question did not name
    it. What was given, or `told` before, is not followed further.
    """
    computed = {
        name: definition
        for name, definition in evaluation.rules.definitions.items()
        if name in evaluation.columns and name not in evaluation.given
    }
    needed: dict[str, None] = {}
    stack = sorted(names)
    while stack:
        name = stack.pop()
        if name not in needed and name in evaluation.columns and name not in told:
            needed[name] = None
            stack += computed[name].reads if name in computed else _chooser(evaluation, index, name)
    leaves = [_leaf(evaluation, index, name) for name in sorted(needed) if name not in computed]
    steps = [step for step in leaves if "inputs" not in step]
    for name, definition in computed.items():
        if name in needed:
            steps.append(_step(evaluation, index, definition))
            steps += (step for step in leaves if name in step.get("inputs", ()))
    return steps


def _chooser(evaluation: Evaluation, index: tuple[int, ...], name: str) -> tuple[str, ...]:
    """The table that chose the entry of which `name` is a figure; empty where the question named it."""
    chooser = evaluation.rules.question_fields.default_table(name)
    named = evaluation.batch.entry(name.partition(".")[0], index) is not None or name in evaluation.given
    return (chooser,) if chooser in evaluation.columns and chooser and not named else ()


def _leaf(evaluation: Evaluation, index: tuple[int, ...], name: str) -> dict[str, Any]:
    space, _, rest = name.partition(".")
    info = evaluation.rules.describe(name)
    step: dict[str, Any] = {"name": name, "kind": "field", "value": evaluation.value(name, index)}
    if info:
        step |= {"unit": info.unit, "about": info.about}
    if name in evaluation.given:
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


def _step(evaluation: Evaluation, index: tuple[int, ...], definition: Definition) -> dict[str, Any]:
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
        step["inputs"] = {name: evaluation.value(name, index) for name in _read_here(evaluation, index, definition)}
    if definition.reference:
        step["reference"] = dict(definition.reference)
    return step


def _read_here(evaluation: Evaluation, index: tuple[int, ...], definition: Definition) -> list[str]:
    """What was read for this cell: of a lookup's other results, only the one that was taken."""
    if isinstance(definition, Table) and isinstance(definition.rows, Lookup):
        word = evaluation.value(definition.input, index)
        result = definition.rows.rows.get(str(word), definition.rows.otherwise)
        taken = getattr(result, "name", None)
        return [definition.input, *([taken] if taken else [])]
    return [name for name in definition.reads if name in evaluation.columns]
