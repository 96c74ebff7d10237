"""Coverage: the parts of rules that questions reach (formulas, both outcomes of each condition, rows of tables)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.compiler.evaluation import Evaluation, Index
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
    """A part of a definition. `key` is its position, and what it is at that position.

    `inputs` are the names whose values determine whether a question reaches it.
    """

    key: Key
    definition: Definition
    what: str
    path: Path
    inputs: tuple[str, ...] = ()
    offset: int | None = None

    def warning(self, kind: type[ProblemCode], message: str, hint: str = "") -> Problem:
        """A warning at its position."""
        document, key, severity = self.definition.document, isinstance(self.definition, Table), Severity.WARNING
        return document.problem(kind, message, self.path, key=key, offset=self.offset, severity=severity, hint=hint)


def coverage_parts(definition: Definition) -> Iterator[CoveragePart]:
    """A formula and both outcomes of each condition in it, or the rows of a table; none for other definitions."""
    if isinstance(definition, Formula):
        yield _formula_part(definition)
        for condition in definition.expression.conditions:
            yield from (_outcome(definition, condition, holds) for holds in (True, False))
    elif isinstance(definition, Table):
        yield from _row_parts(definition)


def _formula_part(formula: Formula) -> CoveragePart:
    return CoveragePart(
        (formula.position, "formula"), formula, f"the formula `{formula.name}`", (*formula.path, "expr")
    )


def _outcome(formula: Formula, condition: Expression, holds: bool) -> CoveragePart:
    path, offset = (*formula.path, "expr"), offset_of_node(condition.source, condition.tree)
    where = formula.document.position(path, offset=offset)
    what = f"`{condition.text}` being {str(holds).lower()}"
    return CoveragePart((where, what), formula, what, path, tuple(condition.names), offset)


def _row_parts(table: Table) -> Iterator[CoveragePart]:
    data = table.data["rows"]
    if isinstance(table.rows, Lookup):
        for word in table.rows.rows:
            yield _row_part(table, ("rows", word), f"the row `{word}` of `{table.name}`")
        if table.rows.otherwise is not None:
            yield _row_part(table, (OTHERWISE,), f"`otherwise` of `{table.name}`")
    elif isinstance(table.rows, Bands):
        for number in range(len(data)):
            yield _row_part(table, ("rows", number), f"row {number + 1} of `{table.name}`")
    else:
        for number in range(len(data) - 1):
            yield _row_part(table, ("rows", number), f"the segment after knot {number + 1} of `{table.name}`")


def _row_part(table: Table, row: Path, what: str) -> CoveragePart:
    path = (*table.path, *row)
    return CoveragePart((table.document.position(path), what), table, what, path, (table.input,))


def covered(evaluation: Evaluation, index: Index | None = None, names: Container[str] | None = None) -> Iterator[Key]:
    """The keys of the parts that the questions reach, or the one at `index`; none of names that are overridden.

    `names` restricts them to these definitions.
    """
    definitions = (
        definition
        for name, definition in evaluation.rules.definitions.items()
        if name in evaluation.columns and name not in evaluation.overridden and (names is None or name in names)
    )
    return covered_by_inputs(evaluation, definitions, index)


def covered_by_inputs(
    evaluation: Evaluation, definitions: Iterable[Definition], index: Index | None = None
) -> Iterator[Key]:
    """Like `covered`, for definitions of which the inputs of all parts are evaluated."""
    for definition in definitions:
        if isinstance(definition, Formula):
            yield _formula_part(definition).key
            for condition in definition.expression.conditions:
                column = _at(evaluate_expression(condition, evaluation.columns), evaluation, index)
                yield from (
                    _outcome(definition, condition, holds).key for holds in (True, False) if (column == holds).any()
                )
        elif isinstance(definition, Table):
            matching = set(_matching_rows(definition, evaluation.columns[definition.input], evaluation, index))
            yield from (part.key for part in _row_parts(definition) if part.path[len(definition.path) :] in matching)


def _at(column: Any, evaluation: Evaluation, index: Index | None) -> Any:
    """The value of a column in one cell; the column if `index` is None."""
    if index is None or not np.ndim(column):
        return column
    return np.broadcast_to(column, np.broadcast_shapes(np.shape(column), evaluation.batch.shape))[index]


def _distinct(column: Any) -> Any:
    """The distinct integers of a column, ABSENT or more; by counting, which is far faster than sorting."""
    return np.flatnonzero(np.bincount(np.ravel(column).astype(np.int64) - ABSENT)) + ABSENT


def _matching_rows(table: Table, column: Column, evaluation: Evaluation, index: Index | None) -> Iterator[Path]:
    """The paths within a table of the rows that match the values of its input."""
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
        segments = np.searchsorted(rows.x, values, side="right") - 1
        yield from (("rows", int(segment)) for segment in _distinct(np.clip(segments, 0, len(rows.x) - 2)))
        return
    is_descending = "at_least" in table.data["rows"][0]
    for band in _distinct(np.minimum(evaluation.rules.values[table.name].band(values), len(rows.bounds))):
        yield ("rows", len(rows.bounds) - int(band) if is_descending else int(band))
