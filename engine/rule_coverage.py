"""What the rule tests reach: each formula, both sides of each condition, and each row of each table."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.answer.asking import Row
from engine.evaluate.evaluation import Evaluation
from engine.evaluate.evaluator import evaluator
from engine.problems import Position, Problem, Severity
from engine.rulebook.definitions import Definition, Formula, Table
from engine.rulebook.expression import Expression, offset_of_node
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.tables import Bands, Knots, Lookup

OTHERWISE = "otherwise"
Key = tuple[Position, str]


@dataclass(frozen=True)
class Part:
    """One thing that a test can reach. `key` is its place and what there is at that place."""

    key: Key
    definition: Definition
    what: str
    path: tuple[str | int, ...]
    offset: int | None = None

    def problem(self) -> Problem:
        """That no test reaches it."""
        document = self.definition.document
        message = f"no test reaches {self.what}"
        return document.problem("test-coverage", message, self.path, offset=self.offset, severity=Severity.WARNING)


@dataclass(frozen=True)
class Coverage:
    """All parts of the rules of all profiles, and which of them were reached."""

    parts: tuple[Part, ...]
    reached: frozenset[Key]

    @property
    def missing(self) -> list[Part]:
        """What no test reaches, in the order of files and lines."""
        return sorted((part for part in self.parts if part.key not in self.reached), key=lambda part: part.key)

    @property
    def share(self) -> float:
        """The share of all parts that is reached; 1 where there are none."""
        return 1 - len(self.missing) / len(self.parts) if self.parts else 1


def coverage(rulebook: Rulebook, rows: Iterable[Row]) -> Coverage:
    """What these rows, the questions of tests, reach of the rules."""
    parts = {
        part.key: part
        for rule_set in rulebook.rule_sets.values()
        for definition in rule_set.definitions.values()
        for part in _parts(definition)
    }
    return Coverage(tuple(parts.values()), frozenset(key for row in rows for key in _reached(row)))


def _parts(definition: Definition) -> Iterator[Part]:
    if isinstance(definition, Formula):
        yield _formula_part(definition)
        for condition in _conditions(definition.expression):
            yield from (_side(definition, condition, holds) for holds in (True, False))
    elif isinstance(definition, Table):
        yield from _rows(definition)


def _formula_part(formula: Formula) -> Part:
    return Part((formula.position, "formula"), formula, f"the formula `{formula.name}`", (*formula.path, "expr"))


def _conditions(expression: Expression) -> list[ast.expr]:
    """What stands between `if` and `else`, wherever it stands."""
    return [node.test for node in ast.walk(expression.tree) if isinstance(node, ast.IfExp)]


def _side(formula: Formula, condition: ast.expr, holds: bool) -> Part:
    path, offset = (*formula.path, "expr"), offset_of_node(formula.expression.source, condition)
    where = formula.document.position(path, offset=offset)
    what = f"`{ast.unparse(condition)}` being {str(holds).lower()}"
    return Part((where, what), formula, what, path, offset)


def _rows(table: Table) -> Iterator[Part]:
    data = table.document.data[table.section][table.name]["rows"]
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
            yield _row(table, ("rows", number), f"the line from knot {number + 1} of `{table.name}`")


def _row(table: Table, path: tuple[str | int, ...], what: str) -> Part:
    whole = (*table.path, *path)
    return Part((table.document.position(whole), what), table, what, whole)


def _reached(row: Row) -> Iterator[Key]:
    evaluation = row.evaluation
    for name, definition in evaluation.rule_set.definitions.items():
        if name not in evaluation.columns or name in evaluation.given:
            continue
        if isinstance(definition, Formula):
            yield _formula_part(definition).key
            for condition in _conditions(definition.expression):
                yield _side(definition, condition, _holds(evaluation, row, definition, condition)).key
        elif isinstance(definition, Table):
            path = _row_taken(definition, row.value(definition.input))
            yield from (part.key for part in _rows(definition) if part.path == (*definition.path, *path))


def _holds(evaluation: Evaluation, row: Row, formula: Formula, condition: ast.expr) -> bool:
    """Whether a condition holds in one row; evaluated over the whole grid like any other part of the formula."""
    part = Expression(formula.expression.source, condition, ())
    with np.errstate(all="ignore"):
        column: Any = evaluator().run(part, dict(evaluation.columns))
    shape = np.broadcast_shapes(np.shape(column), evaluation.grid.shape)
    return bool(np.broadcast_to(column, shape)[row.index])


def _row_taken(table: Table, value: Any) -> tuple[str | int, ...]:
    rows = table.rows
    if isinstance(rows, Lookup):
        return ("rows", str(value)) if value in rows.rows else (OTHERWISE,)
    if isinstance(rows, Knots):
        return ("rows", int(np.clip(np.searchsorted(rows.x, value, side="right") - 1, 0, len(rows.x) - 2)))
    place = int(rows.place(value))
    falling = "at_least" in table.document.data[table.section][table.name]["rows"][0]
    return ("rows", len(rows.bounds) - place if falling else place)
