"""Numbers that are not finite: which of them must be looked at, and which part of a formula is to blame."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from fitcard.compiler.program import evaluate_expression
from fitcard.language.definitions import Definition, Formula
from fitcard.language.expression import Expression, text_of_node

CARRIED_BY_BOTH = (ast.Add, ast.Sub, ast.Mult)


def implied_finite(names: Iterable[str], definitions: Mapping[str, Definition]) -> frozenset[str]:
    """Those of the names, all of them numbers, that the formula of another of them carries."""
    among = list(names)
    expressions = [one.expression for name in among if isinstance(one := definitions[name], Formula)]
    return frozenset(read for one in expressions for read in _carried_by(one.tree)).intersection(among)


def _carried_by(node: ast.expr) -> frozenset[str]:
    """The names of which no cell can be other than finite where the expression is finite there."""
    match node:
        case ast.Name():
            return frozenset([node.id])
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _carried_by(node.operand)
        case ast.BinOp() if isinstance(node.op, CARRIED_BY_BOTH):
            return _carried_by(node.left) | _carried_by(node.right)
        case ast.BinOp(op=ast.Div()):
            return _carried_by(node.left)
        case ast.IfExp():
            return _carried_by(node.body) & _carried_by(node.orelse)
    return frozenset()


DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)


def locate_non_finite(
    expression: Expression, columns: Mapping[str, Any], index: tuple[int, ...]
) -> tuple[ast.expr, str]:
    """The part of the expression that is to blame in that cell, and what it does there."""
    return _Search(expression, columns, index).search(expression.tree)


class _Search:
    def __init__(self, expression: Expression, columns: Mapping[str, Any], index: tuple[int, ...]) -> None:
        self.expression, self.source = expression, expression.source
        self.columns, self.index = columns, index

    def search(self, node: ast.expr) -> tuple[ast.expr, str]:
        """The innermost part that is not finite although all its own parts are."""
        parts = [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        if isinstance(node, ast.IfExp):  # the side that is not taken does no harm
            parts = [node.test, node.body if self.value(node.test) else node.orelse]
        if isinstance(node, ast.Call):
            parts = node.args
        for part in parts:
            if not np.isfinite(self.value(part)):
                return self.search(part)
        if isinstance(node, ast.BinOp) and isinstance(node.op, DIVISIONS) and self.value(node.right) == 0:
            return node.right, f"`{text_of_node(self.source, node.right)}` is 0"
        if isinstance(node, ast.Name):
            return node, f"`{node.id}` is absent"
        return node, f"`{text_of_node(self.source, node)}` is not a finite number"

    def value(self, node: ast.expr) -> float:
        """What a part of the expression gives in the cell; conditions count as 0 and 1."""
        found: Any = evaluate_expression(self.expression.part(node), self.columns)
        if np.ndim(found):
            places = zip(self.index, np.shape(found), strict=True)
            found = found[tuple(0 if length == 1 else at for at, length in places)]
        return float(found)
