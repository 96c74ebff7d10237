"""Evaluating questions: only what the outputs need, in dependency order, every number finite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Entry
from fitcard.compiler.batch import QuestionBatch, VariedBatch, repeat_rows
from fitcard.compiler.compile import BATCH, NO_NAMES, CompiledPlan
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.finite import locate_non_finite
from fitcard.compiler.program import Taker, taker
from fitcard.language.definitions import Definition, Formula
from fitcard.language.expression import offset_of_node
from fitcard.language.question_fields import CURRENT, QUESTION
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

    rules: CompiledRules
    batch: QuestionBatch
    columns: Mapping[str, Column]
    given: frozenset[str]
    program: CompiledPlan
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
        chooser = self.rules.question_fields.default_table(axis)
        if found is None and chooser in self.columns:
            found = str(self.value(str(chooser), index))
        return self.batch.columns_of(axis).catalog.entries[found] if found is not None else None

    def independent_names(self, roots: frozenset[str]) -> frozenset[str]:
        """The names of the columns that vary by none of these axes and inputs."""
        return self._independent(roots)[0]

    def independent_columns(self, roots: frozenset[str]) -> dict[str, Column]:
        """The columns of these names."""
        names, take = self._independent(roots)
        return dict(zip(names, take(self.columns), strict=True))

    def _independent(self, roots: frozenset[str]) -> tuple[frozenset[str], Taker]:
        cache = self.program.independent
        if roots not in cache:
            independent = self.rules.dependencies.independent_of(roots)
            names = frozenset(name for name in self.columns if name in independent) - self.given
            cache[roots] = names, taker(tuple(names))
        return cache[roots]


def evaluate(
    rules: CompiledRules,
    batch: QuestionBatch,
    outputs: Iterable[str],
    inputs: Mapping[str, Numbers] | None = None,
    given: Mapping[str, Scalar | Column] | None = None,
    current: Mapping[str, Scalar | Column] | None = None,
    reuse: Evaluation | None = None,
    varied: VariedBatch | None = None,
) -> Evaluation:
    """The columns of `outputs`, and of all that they are computed from, for all questions of a batch.

    `inputs` are the questions' own numbers, NaN where a question does not give one. `given` sets names (formulas,
    tables, constants or catalog fields) to a value, or to a column, instead of computing them. `current` holds what
    `current.name` stands for. Columns of `reuse`, the evaluation of the questions of which these are `varied`, are not
    computed again.
    Raises ProblemsError where a name needs an axis that is not named, or a number comes out that is not finite.
    """
    values: dict[str, Any] = {name: as_column(value) for name, value in (given or {}).items()}
    columns, known = dict[str, Any](), NO_NAMES
    if reuse and varied:
        varying = varying_roots(rules, varied)
        columns, known = reuse.independent_columns(varying), reuse.independent_names(varying)
        if varied.origins is not None:
            columns = {name: repeat_rows(column, varied.origins) for name, column in columns.items()}
    program = rules.compiled(outputs, frozenset(values), batch.named, known)
    for name, default in rules.question_fields.defaults.items():
        if name not in columns:
            columns[name] = _input((inputs or {}).get(name.partition(".")[2]), default)
    columns |= values
    for name in program.plan.current:
        columns[f"{CURRENT}.{name}"] = as_column((current or {})[name])
    with np.errstate(all="ignore"):
        registers = program.run({BATCH: batch, **columns}, rules.values)
        columns |= zip(program.names, program.computed(registers), strict=True)
        if not all_columns_finite(program.checked(registers)):
            first = next(name for name, register in program.numbers if not all_finite(registers[register]))
            raise ProblemsError([_not_finite(rules.definitions[first], batch, columns)])
    return Evaluation(rules, batch, columns, frozenset(values), program)


def varying_roots(rules: CompiledRules, varied: VariedBatch) -> frozenset[str]:
    """What the variations differ in, as `varies_by` names it: axes, inputs, and the question's own row."""
    inputs = rules.question_fields.inputs
    return frozenset({CURRENT, *(f"{QUESTION}.{name}" if name in inputs else name for name in varied.differs)})


def _input(value: Numbers | None, default: np.float64) -> Any:
    """The column of an input, with its default where a question does not give it."""
    if value is None:
        return default
    return np.where(np.isnan(value), default, value) if isinstance(value, np.ndarray) else np.float64(value)


def _not_finite(definition: Definition, batch: QuestionBatch, columns: Mapping[str, Any]) -> Problem:
    bad = ~np.isfinite(columns[definition.name])
    index = first_true(bad, batch.shape)
    row = " ".join(batch.row(index).values()) or "the given values"
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
