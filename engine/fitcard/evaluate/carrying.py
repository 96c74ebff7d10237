"""Which numbers need no look of their own: what is not finite in them shows in what is made of them.

A sum, a difference or a product is finite only where both its parts are, and a quotient only where what is divided is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from fitcard.rulebook.definitions import Definition, Formula

CARRIED_BY_BOTH = (ast.Add, ast.Sub, ast.Mult)


def carried(names: Iterable[str], definitions: Mapping[str, Definition]) -> frozenset[str]:
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
