"""Evaluating a grid: only what the outputs need, in dependency order, every number finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.codes import Code
from engine.columns import Column, Kind, Numbers, Scalar, WordColumn, cell, first_cell
from engine.evaluate.asked import Asked
from engine.evaluate.counting import counted
from engine.evaluate.culprit import culprit
from engine.evaluate.evaluator import evaluator
from engine.evaluate.table_values import table_value
from engine.problems import Problem, ProblemsFound
from engine.rulebook.catalogs import Entry
from engine.rulebook.definitions import Constant, Count, Definition, Formula, Table
from engine.rulebook.expression import offset_of_node
from engine.rulebook.rule_set import Plan, RuleSet
from engine.rulebook.subject import CURRENT, QUESTION


class AxisMissing(Code):
    """A number was asked for that depends on something the question does not name.

    Why: it is different for each entry.
    Avoid: a test with `given: {parcel: piano}` that expects a figure of the van
    Prefer: `given: {parcel: piano, van: large}`, or a value for the name itself.
    """


class NotFinite(Code):
    """A rule divides by 0, reads a figure that is absent, or grows beyond all numbers for some question.

    Why: no answer may hold such a number; the question that is named would have none.
    Avoid: `expr: weight / van.payload` where some vans have no `payload`
    Prefer: `expr: weight / either(van.payload, usual_payload)`, or `a if condition else b`.
    """


@dataclass(frozen=True)
class Evaluation:
    """Columns by name over the questions: the outputs, and all that they were made of down to what was `given`."""

    rule_set: RuleSet
    asked: Asked
    columns: Mapping[str, Column]
    given: frozenset[str]

    def value(self, name: str, index: tuple[int, ...]) -> Scalar:
        """The value of `name` at one cell; None where it is absent."""
        return cell(self.columns[name], index)

    def entry(self, axis: str, index: tuple[int, ...]) -> Entry | None:
        """The entry of an axis in one question, whether it was named or chosen; None where neither."""
        found = self.asked.entry(axis, index)
        chooser = self.rule_set.subject.chooser_of(axis)
        if found is None and chooser in self.columns:
            found = str(self.value(str(chooser), index))
        return self.asked.catalog(axis).entries[found] if found is not None else None


def evaluate(
    rule_set: RuleSet,
    asked: Asked,
    outputs: Iterable[str],
    inputs: Mapping[str, Numbers] | None = None,
    given: Mapping[str, Scalar | Column] | None = None,
    current: Mapping[str, Scalar] | None = None,
    known: Mapping[str, Column] | None = None,
) -> Evaluation:
    """All `outputs` for all questions.

    `inputs` are the questions' own numbers, NaN where a question does not give one. `given` sets names (formulas,
    tables, constants or catalog fields) to a value, or to a column, instead of computing them. `current` holds what
    `current.name` stands for. `known` are columns that were computed before and are the same here.
    Raises ProblemsFound where a name needs an axis that is not named, or a number comes out that is not finite.
    """
    given = given or {}
    plan = rule_set.plan(outputs, frozenset(given).union(known or ()), asked.named)
    columns: dict[str, Any] = {**(known or {}), **{name: _everywhere(value) for name, value in given.items()}}
    chosen = _chosen(rule_set, asked, plan)
    missing = [name for name in plan.fields if name.partition(".")[0] not in asked.named and name not in chosen]
    if missing:
        raise ProblemsFound(_missing_axis(name) for name in missing)
    chosen_by: dict[str, list[str]] = {}
    for field, chooser in chosen.items():
        chosen_by.setdefault(chooser, []).append(field)
    for name in plan.fields:
        if name not in chosen:
            columns[name] = asked.column(name)
        elif chosen[name] in columns:
            columns[name] = _of_chosen(asked, name, columns[chosen[name]])
    for name, one in rule_set.subject.inputs.items():
        columns.setdefault(f"{QUESTION}.{name}", _input((inputs or {}).get(name), one.default))
    for name in plan.current:
        columns[f"{CURRENT}.{name}"] = _everywhere((current or {})[name])
    with np.errstate(all="ignore"):
        run = evaluator()
        for name in plan.steps:
            definition = rule_set.definitions[name]
            columns[name] = _step(run, definition, rule_set, columns)
            for field in chosen_by.get(name, ()):
                columns[field] = _of_chosen(asked, field, columns[name])
            if rule_set.kinds[name] is Kind.NUMBER and not np.isfinite(columns[name]).all():
                raise ProblemsFound([_not_finite(definition, asked, columns)])
    return Evaluation(rule_set, asked, columns, frozenset(given))


def _input(value: Numbers | None, default: float | None) -> Any:
    """The column of an input, with its default where a question does not give it."""
    instead = np.nan if default is None else default
    if value is None:
        return np.float64(instead)
    return np.where(np.isnan(value), instead, value) if isinstance(value, np.ndarray) else np.float64(value)


def _chosen(rule_set: RuleSet, asked: Asked, plan: Plan) -> dict[str, str]:
    """The figures of entries that a table chooses, each with that table."""
    found = {
        name: rule_set.subject.chooser_of(name) for name in plan.fields if name.partition(".")[0] not in asked.named
    }
    return {name: chooser for name, chooser in found.items() if chooser}


def _of_chosen(asked: Asked, name: str, entries: WordColumn) -> Any:
    """The column of a figure. Raises ProblemsFound where an entry was given that is not there."""
    try:
        return asked.chosen_column(name, entries)
    except KeyError as unknown:
        axis, word = name.partition(".")[0], str(unknown.args[0])
        message, near = f"there is no {axis} `{word}`", asked.catalog(axis).nearest(word)
        raise ProblemsFound([Problem(AxisMissing, message, field=axis, closest=near)]) from None


def _step(run: Any, definition: Definition, rule_set: RuleSet, columns: dict[str, Any]) -> Any:
    if isinstance(definition, Formula):
        return run.run(definition.expression, columns)
    if isinstance(definition, Table):
        return table_value(definition, columns)
    if isinstance(definition, Count):
        return counted(definition, rule_set.catalogs, columns)
    assert isinstance(definition, Constant)
    return np.float64(definition.value)


def _everywhere(value: Scalar | Column) -> Any:
    if isinstance(value, np.ndarray | np.generic | WordColumn):
        return value
    if isinstance(value, str):
        return WordColumn(np.array(0, dtype=np.int64), (value,))
    if isinstance(value, bool):
        return np.bool_(value)
    return np.float64(np.nan if value is None else value)


def _missing_axis(name: str) -> Problem:
    axis = name.partition(".")[0]
    return Problem(AxisMissing, f"this needs `{name}`", field=axis, hint=f"name a {axis}, or give `{name}` itself")


def _not_finite(definition: Definition, asked: Asked, columns: Mapping[str, Any]) -> Problem:
    bad = ~np.isfinite(columns[definition.name])
    index = first_cell(bad, asked.shape)
    row = " ".join(asked.row(index).values()) if asked.shape else "the values given"
    read = ", ".join(f"{name} = {shown(cell(columns[name], index))}" for name in definition.reads)
    message = f"`{definition.name}` is not a finite number for {row}: {read}"
    hint = "guard it: `known(x)`, `either(x, y)`, `a if condition else b`"
    if not isinstance(definition, Formula):
        return definition.document.problem(NotFinite, message, definition.path, key=True, hint=hint)
    with np.errstate(all="ignore"):
        part, does = culprit(definition.expression, columns, index)
    path, offset = (*definition.path, "expr"), offset_of_node(definition.expression.source, part)
    return definition.document.problem(NotFinite, message, path, offset=offset, hint=f"{does}: {hint}")


def shown(value: Scalar) -> str:
    """A value in a message to whoever keeps the rules."""
    return "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
