"""The answers of one part of a sweep: one column after another, each as small as what it differs by allows."""

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
    """Columns by key over questions that lie in a grid of that `shape`, and which of these are `kept`, None for all.

    A column broadcasts over the shape. Absent is NaN in numbers, and in conditions that can be absent, which are
    numbers then; in words it is ABSENT.
    """

    columns: Mapping[str, Column]
    shape: tuple[int, ...]
    kept: NDArray[np.int64] | None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(np.prod(self.shape)) if self.kept is None else len(self.kept)

    def spread(self, cells: Any) -> NDArray[Any]:
        """The cells of a column as one value for each row."""
        whole = np.broadcast_to(cells, self.shape).ravel()
        return whole if self.kept is None else whole[self.kept]


def compute_rows(sweep: Sweep, number: int) -> Rows:
    """The answers of the part of that number. Raises ProblemsFound where a number is not finite."""
    rules = sweep.rules
    grid = QuestionGrid.of(rules.question_fields, rules.columns, sweep.parts[number].entries)
    found = evaluate(rules, grid, sweep.names, sweep.inputs, sweep.overrides)
    kept = None
    if sweep.where is not None:
        holds = evaluate_expression(sweep.where, found.columns)
        kept = np.flatnonzero(np.broadcast_to(np.asarray(holds), grid.shape))
    columns = {column.key: _column(sweep, found, column.name, column.when) for column in sweep.columns}
    return Rows(columns, grid.shape, kept)


def _column(sweep: Sweep, found: Evaluation, name: str, when: tuple[str, ...]) -> Column:
    column: Column = as_column(sweep.rulebook_values[name]) if name in sweep.rulebook_values else found.columns[name]
    for condition in when:
        column = _only_where(found.columns[condition], column)
    return _shortened(column) if isinstance(column, WordColumn) else column


def _only_where(holds: Any, column: Column) -> Column:
    """The column, absent where the condition does not hold."""
    if isinstance(column, WordColumn):
        return column._replace(codes=np.where(holds, column.codes, ABSENT))
    return np.where(holds, column, np.nan)


def _shortened(column: WordColumn) -> WordColumn:
    """The column with no more words than it has cells: of a large catalog a part names few entries."""
    codes = np.asarray(column.codes)
    if len(column.words) <= codes.size:
        return column
    used, places = np.unique(codes, return_inverse=True)
    absent = bool(used.size) and used[0] == ABSENT
    words = tuple(column.words[code] for code in used[int(absent) :])
    return WordColumn(places.reshape(codes.shape) - int(absent), words)
