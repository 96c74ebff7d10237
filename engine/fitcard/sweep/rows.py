"""The answers of one part of a sweep as columns, each only as large as the axes that it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.compiler.program import evaluate_expression
from fitcard.sweep.selection import Sweep
from fitcard.values import ABSENT, Column, WordColumn, as_column


@dataclass(frozen=True)
class Rows:
    """Columns by key, each broadcastable to the `shape` of a grid of questions.

    `selected` are the flat indices of the questions that meet the filter; None for all of them. Absent values are NaN
    in numbers, ABSENT in words; conditions that may be absent are columns of numbers.
    """

    columns: Mapping[str, Column]
    shape: tuple[int, ...]
    selected: NDArray[np.int64] | None

    @property
    def count(self) -> int:
        """The number of rows."""
        return int(np.prod(self.shape)) if self.selected is None else len(self.selected)

    def expand(self, cells: Any) -> NDArray[Any]:
        """The cells of a column as one value per row."""
        values = np.broadcast_to(cells, self.shape).ravel()
        return values if self.selected is None else values[self.selected]


def compute_rows(sweep: Sweep, number: int) -> Rows:
    """The answers of the part of that number. Raises ProblemsError if a number is not finite."""
    rules = sweep.rules
    grid = QuestionGrid.of(rules.question_fields, rules.columns, sweep.parts[number].entries)
    evaluation = evaluate(rules, grid, sweep.names, sweep.inputs, sweep.overrides)
    selected = None
    if sweep.where is not None:
        holds = evaluate_expression(sweep.where, evaluation.columns)
        selected = np.flatnonzero(np.broadcast_to(np.asarray(holds), grid.shape))
    columns = {column.key: _column(sweep, evaluation, column.name, column.when) for column in sweep.columns}
    return Rows(columns, grid.shape, selected)


def sweep_in_memory(sweep: Sweep) -> dict[str, Any]:
    """All rows as numpy arrays by column key: numbers with NaN, conditions, or words with None.

    Raises ProblemsError if a number is not finite.
    """
    parts = [compute_rows(sweep, number) for number in range(len(sweep.parts))]
    return {
        column.key: np.concatenate([_values(part, column.key) for part in parts]) if parts else np.empty(0)
        for column in sweep.columns
    }


def _values(rows: Rows, key: str) -> Any:
    column: Any = rows.columns[key]
    if isinstance(column, WordColumn):
        words = np.array([*column.words, None], dtype=object)  # ABSENT, which is -1, selects the last
        return words[rows.expand(column.codes)]
    return rows.expand(column)


def _column(sweep: Sweep, evaluation: Evaluation, name: str, conditions: tuple[str, ...]) -> Column:
    constant = sweep.rulebook_values.get(name)
    column: Column = evaluation.columns[name] if constant is None else as_column(constant)
    for condition in conditions:
        column = _where(evaluation.columns[condition], column)
    return _with_used_words(column) if isinstance(column, WordColumn) else column


def _where(condition: Any, column: Column) -> Column:
    """The column, absent where the condition does not hold."""
    if isinstance(column, WordColumn):
        return column._replace(codes=np.where(condition, column.codes, ABSENT))
    return np.where(condition, column, np.nan)


def _with_used_words(column: WordColumn) -> WordColumn:
    """The column with at most as many words as cells: a part contains few entries of a large catalog."""
    codes = np.asarray(column.codes)
    if len(column.words) <= codes.size:
        return column
    used, positions = np.unique(codes, return_inverse=True)
    has_absent = bool(used.size) and used[0] == ABSENT
    words = tuple(column.words[code] for code in used[int(has_absent) :])
    return WordColumn(positions.reshape(codes.shape) - int(has_absent), words)
