"""The parts of rules that a question reaches: each formula, both sides of each condition, and each row of a table."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.compiler.evaluation import Evaluation
from fitcard.compiler.program import evaluate_expression
from fitcard.language.definitions import Definition, Formula, Table
from fitcard.language.expression import Expression, offset_of_node
from fitcard.language.tables import Bands, Knots, Lookup
from fitcard.problems import Position, Problem, ProblemCode, Severity
from fitcard.source.document import Path
from fitcard.values import ABSENT, Column, WordColumn

OTHERWISE = "otherwise"
Key = tuple[Position, str]


@dataclass(frozen=True)
class CoveragePart:
    """One thing that a question can reach. `key` is its place and what there is at that place."""

    key: Key
    definition: Definition
    what: str
    path: Path
    offset: int | None = None

    def warning(self, kind: type[ProblemCode], message: str, hint: str = "") -> Problem:
        """A warning at its place."""
        document, place = self.definition.document, self.offset
        key = isinstance(self.definition, Table)
        return document.problem(kind, message, self.path, key=key, offset=place, severity=Severity.WARNING, hint=hint)


def coverage_parts(definition: Definition) -> Iterator[CoveragePart]:
    """Its formula and both sides of each condition in it, or each row of its table; of a constant, nothing."""
    if isinstance(definition, Formula):
        yield _formula_part(definition)
        for condition in definition.expression.conditions:
            yield from (_side(definition, condition, holds) for holds in (True, False))
    elif isinstance(definition, Table):
        yield from _rows(definition)


def _formula_part(formula: Formula) -> CoveragePart:
    return CoveragePart(
        (formula.position, "formula"), formula, f"the formula `{formula.name}`", (*formula.path, "expr")
    )


def _side(formula: Formula, condition: Expression, holds: bool) -> CoveragePart:
    path, offset = (*formula.path, "expr"), offset_of_node(condition.source, condition.tree)
    where = formula.document.position(path, offset=offset)
    what = f"`{condition.text}` being {str(holds).lower()}"
    return CoveragePart((where, what), formula, what, path, offset)


def _rows(table: Table) -> Iterator[CoveragePart]:
    data = table.data["rows"]
    if isinstance(table.rows, Lookup):
        for word in table.rows.rows:
            yield _row(table, ("rows", word), f"the row `{word}` of `{table.name}`")
        if table.rows.otherwise is not None:
            yield _row(table, (OTHERWISE,), f"`otherwise` of `{table.name}`")
    elif isinstance(table.rows, Bands):
        for number in range(len(data)):
            yield _row(table, ("rows", number), f"row {number + 1} of `{table.name}`")
    else:
        for number in range(len(data) - 1):
            yield _row(table, ("rows", number), f"the segment after knot {number + 1} of `{table.name}`")


def _row(table: Table, path: Path, what: str) -> CoveragePart:
    whole = (*table.path, *path)
    return CoveragePart((table.document.position(whole), what), table, what, whole)


def covered(
    evaluation: Evaluation, index: tuple[int, ...] | None = None, names: Container[str] | None = None
) -> Iterator[Key]:
    """What the questions of the grid reach, or the one at `index`; not what was given instead of computed.

    Of all rules, or of those with these `names`.
    """
    for name, definition in evaluation.rules.definitions.items():
        if name not in evaluation.columns or name in evaluation.given or (names is not None and name not in names):
            continue
        if isinstance(definition, Formula):
            yield _formula_part(definition).key
            for condition in definition.expression.conditions:
                column = _at(evaluate_expression(condition, evaluation.columns), evaluation, index)
                yield from (
                    _side(definition, condition, holds).key for holds in (True, False) if (column == holds).any()
                )
        elif isinstance(definition, Table):
            taken = set(_rows_taken(definition, evaluation.columns[definition.input], evaluation, index))
            yield from (part.key for part in _rows(definition) if part.path[len(definition.path) :] in taken)


def _at(column: Any, evaluation: Evaluation, index: tuple[int, ...] | None) -> Any:
    """A column as it is, or its value in one cell."""
    if index is None or not np.ndim(column):
        return column
    return np.broadcast_to(column, np.broadcast_shapes(np.shape(column), evaluation.batch.shape))[index]


def _distinct(column: Any) -> Any:
    """Each whole number from ABSENT on that is in a column; counted, for sorting takes far longer."""
    return np.flatnonzero(np.bincount(np.ravel(column).astype(np.int64) - ABSENT)) + ABSENT


def _rows_taken(table: Table, column: Column, evaluation: Evaluation, index: tuple[int, ...] | None) -> Iterator[Path]:
    rows = table.rows
    if isinstance(rows, Lookup):
        assert isinstance(column, WordColumn)
        for code in _distinct(_at(column.codes, evaluation, index)):
            word = None if code == ABSENT else column.words[code]
            yield ("rows", word) if word is not None and word in rows.rows else (OTHERWISE,)
        return
    assert not isinstance(column, WordColumn)
    values = _at(column, evaluation, index)
    if isinstance(rows, Knots):
        lines = np.searchsorted(rows.x, values, side="right") - 1
        yield from (("rows", int(line)) for line in _distinct(np.clip(lines, 0, len(rows.x) - 2)))
        return
    falling = "at_least" in table.data["rows"][0]
    for place in _distinct(np.minimum(evaluation.rules.values[table.name].place(values), len(rows.bounds))):
        yield ("rows", len(rows.bounds) - int(place) if falling else int(place))
