"""Evaluating questions: only what the outputs need, in dependency order, every number finite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Entry
from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.compile import BATCH, compile_plan
from fitcard.compiler.finite import locate_non_finite
from fitcard.getter import Taker, taker
from fitcard.language.definitions import Definition, Formula
from fitcard.language.expression import offset_of_node
from fitcard.language.question_fields import CURRENT
from fitcard.language.rule_set import NO_NAMES, Plan, RuleSet
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.values import (
    Column,
    Numbers,
    Scalar,
    all_columns_finite,
    all_finite,
    as_column,
    cell,
    cell_reader,
    first_true,
)


class NotFinite(ProblemCode):
    """For some question a rule divides by zero, reads an absent figure, or overflows. The problem names the question.

    Why: answers must hold finite numbers only.
    Avoid: `expr: model.kv_heads * model.head_dim`, since some models have no `kv_heads`
    Prefer: `expr: either(model.kv_heads * model.head_dim, 1024)`, or `a if known(model.kv_heads) else b`.
    """


Index = tuple[int, ...]  # of a cell: its place on each axis of what was asked


@dataclass(frozen=True)
class Evaluation:
    """Columns by name over the questions: the outputs, and all that they were made of down to what was `given`."""

    rule_set: RuleSet
    batch: QuestionBatch
    columns: Mapping[str, Column]
    given: frozenset[str]
    plan: Plan
    _cells: dict[str, Callable[[Index], Scalar]] = field(default_factory=dict, repr=False, compare=False)

    def value(self, name: str, index: Index) -> Scalar:
        """The value of `name` at one cell; None where it is absent."""
        return self.values(name)(index)

    def values(self, name: str) -> Callable[[Index], Scalar]:
        """What gives the value of `name` at a cell; None where it is absent."""
        found = self._cells.get(name)
        if found is None:
            found = self._cells[name] = cell_reader(self.columns[name])
        return found

    def entry(self, axis: str, index: Index) -> Entry | None:
        """The entry of an axis in one question, whether it was named or chosen; None where neither."""
        found = self.batch.entry(axis, index)
        chooser = self.rule_set.question_fields.default_table(axis)
        if found is None and chooser in self.columns:
            found = str(self.value(str(chooser), index))
        return self.batch.catalog(axis).entries[found] if found is not None else None

    def independent_names(self, others: frozenset[str]) -> frozenset[str]:
        """The names of the columns that are the same whatever these axes and inputs are."""
        return self._unmoved(others)[0]

    def independent_columns(self, others: frozenset[str]) -> dict[str, Column]:
        """The columns of these names."""
        names, take = self._unmoved(others)
        return dict(zip(names, take(self.columns), strict=True))

    def _unmoved(self, others: frozenset[str]) -> tuple[frozenset[str], Taker]:
        if others not in self.plan.made:
            unmoved = self.rule_set.independent_of(others)
            names = frozenset(name for name in self.columns if name in unmoved) - self.given
            self.plan.made[others] = names, taker(tuple(names))
        found: tuple[frozenset[str], Taker] = self.plan.made[others]
        return found


def evaluate(
    rule_set: RuleSet,
    asked: QuestionBatch,
    outputs: Iterable[str],
    inputs: Mapping[str, Numbers] | None = None,
    given: Mapping[str, Scalar | Column] | None = None,
    current: Mapping[str, Scalar] | None = None,
    before: Evaluation | None = None,
    others: frozenset[str] = NO_NAMES,
) -> Evaluation:
    """All `outputs` for all questions.

    `inputs` are the questions' own numbers, NaN where a question does not give one. `given` sets names (formulas,
    tables, constants or catalog fields) to a value, or to a column, instead of computing them. `current` holds what
    `current.name` stands for. What was evaluated `before` for questions that differ in no more than the axes and inputs
    `others` is not computed again.
    Raises ProblemsFound where a name needs an axis that is not named, or a number comes out that is not finite.
    """
    values: dict[str, Any] = {name: as_column(value) for name, value in (given or {}).items()}
    columns = before.independent_columns(others) if before else {}
    plan = rule_set.plan(
        outputs, frozenset(values), asked.named, before.independent_names(others) if before else NO_NAMES
    )
    made = compile_plan(rule_set, plan, asked.named)
    for name, default in rule_set.question_fields.defaults.items():
        if name not in columns:
            columns[name] = _input((inputs or {}).get(name.partition(".")[2]), default)
    columns |= values
    for name in plan.current:
        columns[f"{CURRENT}.{name}"] = as_column((current or {})[name])
    with np.errstate(all="ignore"):
        at = made.run({BATCH: asked, **columns}, rule_set.leaf_values)
        columns |= zip(made.names, made.computed(at), strict=True)
        if not all_columns_finite(made.looked_at(at)):
            first = next(name for name, place in made.numbers if not all_finite(at[place]))
            raise ProblemsError([_not_finite(rule_set.definitions[first], asked, columns)])
    return Evaluation(rule_set, asked, columns, frozenset(values), plan)


def _input(value: Numbers | None, default: np.float64) -> Any:
    """The column of an input, with its default where a question does not give it."""
    if value is None:
        return default
    return np.where(np.isnan(value), default, value) if isinstance(value, np.ndarray) else np.float64(value)


def _not_finite(definition: Definition, asked: QuestionBatch, columns: Mapping[str, Any]) -> Problem:
    bad = ~np.isfinite(columns[definition.name])
    index = first_true(bad, asked.shape)
    row = " ".join(asked.row(index).values()) or "the given values"
    read = ", ".join(f"{name} = {format_value(cell(columns[name], index))}" for name in definition.reads)
    message = f"`{definition.name}` is not a finite number for {row}: {read}"
    hint = "guard it: `known(x)`, `either(x, y)`, `a if condition else b`"
    if not isinstance(definition, Formula):
        return definition.document.problem(NotFinite, message, definition.path, key=True, hint=hint)
    part, does = locate_non_finite(definition.expression, columns, index)
    path, offset = (*definition.path, "expr"), offset_of_node(definition.expression.source, part)
    return definition.document.problem(NotFinite, message, path, offset=offset, hint=f"{does}: {hint}")


def format_value(value: Scalar) -> str:
    """A value in a message to whoever keeps the rules."""
    return "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
