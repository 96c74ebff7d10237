"""Parts of an expression that are made of numbers alone, and come to none that can be computed with."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator

OPERATIONS: dict[type[ast.operator], Callable[[float, float], object]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip


def endless_parts(tree: ast.expr) -> Iterator[ast.expr]:
    """The innermost parts of a checked tree that come to infinity or to no number, such as `4000000 ** 4000000`.

    They are computed in floats, which takes no time however large they are.
    """
    found: list[ast.expr] = []
    _value(tree, found)
    yield from found


def _value(node: ast.expr, found: list[ast.expr]) -> float | None:
    """What a part comes to; None where that depends on a name, or where it was found wanting."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant():
            return float(str(node.value))
        case ast.UnaryOp(op=ast.USub()):
            value = _value(node.operand, found)
            return None if value is None else -value
        case ast.BinOp():
            left, right = _value(node.left, found), _value(node.right, found)
            if left is None or right is None:
                return None
            try:
                result = OPERATIONS[type(node.op)](left, right)
            except ArithmeticError:
                result = math.nan
            if isinstance(result, float) and math.isfinite(result):  # a root of less than 0 is no float
                return result
            found.append(node)
            return None
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            _value(part, found)
    return None
