"""Evaluation of questions: computes the names that the outputs need, and checks that all numbers are finite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Entry
from fitcard.compiler.batch import QuestionBatch, VariedBatch, repeat_rows
from fitcard.compiler.compile import BATCH, NO_NAMES, CompiledPlan
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.finite import not_finite
from fitcard.compiler.program import Getter, getter
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.problems import ProblemsError
from fitcard.values import (
    ABSENT,
    Column,
    Numbers,
    Scalar,
    WordColumn,
    all_columns_finite,
    all_finite,
    as_column,
    cell,
    cell_reader,
    whole_as_int,
)

Index = tuple[int, ...]  # of a cell: the index on each dimension of the batch


@dataclass(frozen=True)
class Evaluation:
    """Columns by name for the questions of a batch: the outputs and all names that they depend on.

    Names that are `overridden` have a value of the caller; what they would depend on is not computed.
    """

    rules: CompiledRules
    batch: QuestionBatch
    columns: Mapping[str, Column]
    overridden: frozenset[str]
    program: CompiledPlan
    _readers: dict[str, Callable[[Index], Scalar]] = field(default_factory=dict, repr=False, compare=False)

    def value(self, name: str, index: Index) -> Scalar:
        """The value of `name` in one cell; None if absent."""
        return self.values(name)(index)

    def values(self, name: str) -> Callable[[Index], Scalar]:
        """The function from the index of a cell to the value of `name`; None if absent."""
        reader = self._readers.get(name)
        if reader is None:
            reader = self._readers[name] = cell_reader(self.columns[name])
        return reader

    def entry(self, axis: str, index: Index) -> Entry | None:
        """The entry of an axis in one question, whether named or chosen by a table; None without one."""
        entry = self.batch.entry(axis, index)
        chooser = self.rules.question_fields.default_table(axis)
        if entry is None and chooser in self.columns:
            entry = str(self.value(str(chooser), index))
        return self.batch.columns_of(axis).catalog.entries[entry] if entry is not None else None

    def independent_names(self, roots: frozenset[str]) -> frozenset[str]:
        """The names of the columns that depend on none of these axes and inputs."""
        return self._independent(roots)[0]

    def independent_columns(self, roots: frozenset[str]) -> dict[str, Column]:
        """The columns that depend on none of these axes and inputs."""
        names, get_columns = self._independent(roots)
        return dict(zip(names, get_columns(self.columns), strict=True))

    def _independent(self, roots: frozenset[str]) -> tuple[frozenset[str], Getter]:
        cache = self.program.independent
        if roots not in cache:
            independent = self.rules.dependencies.independent_of(roots)
            names = frozenset(name for name in self.columns if name in independent) - self.overridden
            cache[roots] = names, getter(tuple(names))
        return cache[roots]

    def rows(self, cells: Sequence[Index], names: Collection[str]) -> list[dict[str, Any]]:
        """The values of `names` in each of these cells: integers where they are whole, None where absent."""
        columns = self.columns
        if not cells:
            return []
        if len(cells) == 1:
            return [{name: _plain_value(columns[name], cells[0]) for name in names}]
        positions = np.array([position for position, *_ in cells], dtype=np.intp)
        by_name = [_plain_values(columns[name], cells, positions) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*by_name, strict=True)]


def evaluate(
    rules: CompiledRules,
    batch: QuestionBatch,
    outputs: Iterable[str],
    inputs: Mapping[str, Numbers] | None = None,
    overrides: Mapping[str, Scalar | Column] | None = None,
    current: Mapping[str, Scalar | Column] | None = None,
    reuse: Evaluation | None = None,
    varied: VariedBatch | None = None,
) -> Evaluation:
    """The columns of `outputs`, and of all names that they depend on, for all questions of a batch.

    `inputs` are the inputs of the questions, NaN where a question has the default. `overrides` sets names (formulas,
    tables, constants or catalog fields) to a value or a column in place of computing them. `current` has the values of
    `current.name`. `reuse` is the evaluation of the questions that are `varied` in this batch: columns that do not
    depend on the variation are taken from it.

    Raises ProblemsError where a name depends on an axis without an entry, or a number is not finite.
    """
    values: dict[str, Any] = {name: as_column(value) for name, value in (overrides or {}).items()}
    columns, known = dict[str, Any](), NO_NAMES
    if reuse and varied:
        varying = varying_roots(rules, varied)
        columns, known = reuse.independent_columns(varying), reuse.independent_names(varying)
        if varied.origins is not None:
            columns = {name: repeat_rows(column, varied.origins) for name, column in columns.items()}
    program = rules.compiled(outputs, frozenset(values), batch.named, known)
    for name, default in rules.question_fields.defaults.items():
        if name not in columns:
            columns[name] = _input_column((inputs or {}).get(name.partition(".")[2]), default)
    columns |= values
    for name in program.plan.current:
        columns[f"{CURRENT}.{name}"] = as_column((current or {})[name])
    with np.errstate(all="ignore"):
        registers = program.run({BATCH: batch, **columns}, rules.values)
        columns |= zip(program.names, program.results(registers), strict=True)
        if not all_columns_finite(program.checked(registers)):
            first = next(name for name, register in program.numbers if not all_finite(registers[register]))
            raise ProblemsError([not_finite(rules.definitions[first], batch, columns)])
    return Evaluation(rules, batch, columns, frozenset(values), program)


def varying_roots(rules: CompiledRules, varied: VariedBatch) -> frozenset[str]:
    """The axes and inputs in which variations differ, and `current`, in the form of `Dependencies.varies_by`."""
    inputs = rules.question_fields.inputs
    return frozenset({CURRENT, *(f"{QUESTION}.{name}" if name in inputs else name for name in varied.differing)})


def _input_column(value: Numbers | None, default: np.float64) -> Any:
    if value is None:
        return default
    return np.where(np.isnan(value), default, value) if isinstance(value, np.ndarray) else np.float64(value)


def _plain_value(column: Column, index: Index) -> Any:
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if isinstance(data, np.ndarray):
        if data.ndim != 1:
            return whole_as_int(cell(column, index))
        data = data.item(index[0] if data.size > 1 else 0)
    if isinstance(column, WordColumn):
        return column.words[data] if data != ABSENT else None
    if isinstance(data, float):
        return None if data != data else int(data) if data.is_integer() else float(data)  # noqa: PLR0124 - NaN
    return bool(data)


def _plain_values(column: Column, cells: Sequence[Index], positions: Any) -> list[Any]:
    """The same for many cells, without a call per value, which would take most of the time of an answer."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if not isinstance(data, np.ndarray) or data.size == 1:
        return [_plain_value(column, cells[0])] * len(cells)
    if data.ndim > 1:
        return [_plain_value(column, index) for index in cells]
    values = data[positions].tolist()
    if isinstance(column, WordColumn):
        words = (*column.words, None)  # at the code -1 of an absent word
        return [words[code] for code in values]
    if data.dtype.kind != "f":
        return list(values)
    return [
        None if value != value else int(value) if value.is_integer() else value  # noqa: PLR0124 - NaN is not itself
        for value in values
    ]
