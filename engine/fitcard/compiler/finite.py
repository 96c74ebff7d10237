"""Non-finite numbers: which columns have to be checked, and the problem that reports one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.program import evaluate_expression
from fitcard.language.definitions import Definition, Formula
from fitcard.language.expression import Expression, offset_of_node, text_of_node
from fitcard.problems import Problem, ProblemCode
from fitcard.values import Scalar, cell, first_true


class NotFinite(ProblemCode):
    """For some question a rule divides by zero, reads an absent figure, or overflows. The problem names the question.

    Why: answers must hold finite numbers only.
    Avoid: `expr: model.kv_heads * model.head_dim`, since some models have no `kv_heads`
    Prefer: `expr: either(model.kv_heads * model.head_dim, 1024)`, or `a if known(model.kv_heads) else b`.
    """


PROPAGATING = (ast.Add, ast.Sub, ast.Mult)  # operators whose result is not finite if either operand is not
DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)


def implied_finite(names: Iterable[str], definitions: Mapping[str, Definition]) -> frozenset[str]:
    """Those of the names, which are numbers, that are finite wherever all of the others are."""
    candidates = list(names)
    formulas = [formula for name in candidates if isinstance(formula := definitions[name], Formula)]
    implied = (read for formula in formulas for read in _finite_operands(formula.expression.tree))
    return frozenset(implied).intersection(candidates)


def _finite_operands(node: ast.expr) -> frozenset[str]:
    """The names that are finite wherever the expression is finite."""
    match node:
        case ast.Name():
            return frozenset([node.id])
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _finite_operands(node.operand)
        case ast.BinOp() if isinstance(node.op, PROPAGATING):
            return _finite_operands(node.left) | _finite_operands(node.right)
        case ast.BinOp(op=ast.Div()):
            return _finite_operands(node.left)
        case ast.IfExp():
            return _finite_operands(node.body) & _finite_operands(node.orelse)
    return frozenset()


def not_finite(definition: Definition, batch: QuestionBatch, columns: Mapping[str, Any]) -> Problem:
    """The problem of a column that is not finite for some question of a batch, at the operand that causes it."""
    index = first_true(~np.isfinite(columns[definition.name]), batch.shape)
    row = " ".join(batch.row(index).values()) or "the given values"
    inputs = ", ".join(f"{name} = {format_value(cell(columns[name], index))}" for name in definition.reads)
    message = f"`{definition.name}` is not a finite number for {row}: {inputs}"
    hint = "guard it: `known(x)`, `either(x, y)`, `a if condition else b`"
    if not isinstance(definition, Formula):
        return definition.document.problem(NotFinite, message, definition.path, key=True, hint=hint)
    cause, reason = _Search(definition.expression, columns, index).search(definition.expression.tree)
    path, offset = (*definition.path, "expr"), offset_of_node(definition.expression.source, cause)
    return definition.document.problem(NotFinite, message, path, offset=offset, hint=f"{reason}: {hint}")


def format_value(value: Scalar) -> str:
    """A value in a problem."""
    return "absent" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


class _Search:
    """The search for the operand that makes an expression non-finite in one cell."""

    def __init__(self, expression: Expression, columns: Mapping[str, Any], index: tuple[int, ...]) -> None:
        self.expression, self.source = expression, expression.source
        self.columns, self.index = columns, index

    def search(self, node: ast.expr) -> tuple[ast.expr, str]:
        """The innermost node that is not finite although its operands are, or the divisor 0, and the reason."""
        operands = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if isinstance(node, ast.IfExp):  # only the branch that was selected
            operands = [node.test, node.body if self.value(node.test) else node.orelse]
        if isinstance(node, ast.Call):
            operands = node.args
        for operand in operands:
            if not np.isfinite(self.value(operand)):
                return self.search(operand)
        if isinstance(node, ast.BinOp) and isinstance(node.op, DIVISIONS) and self.value(node.right) == 0:
            return node.right, f"`{text_of_node(self.source, node.right)}` is 0"
        if isinstance(node, ast.Name):
            return node, f"`{node.id}` is absent"
        return node, f"`{text_of_node(self.source, node)}` is not a finite number"

    def value(self, node: ast.expr) -> float:
        """The value of a subtree in the cell; 0 or 1 for a condition."""
        column: Any = evaluate_expression(self.expression.part(node), self.columns)
        if np.ndim(column):
            axes = zip(self.index, np.shape(column), strict=True)
            column = column[tuple(0 if length == 1 else at for at, length in axes)]
        return float(column)
