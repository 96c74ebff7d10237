"""simpleeval with column semantics, restricted to the trees that `rulebook/expression.py` lets through."""

from __future__ import annotations

import ast
import operator
import threading
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from simpleeval import SimpleEval

from engine.columns import Column
from engine.rulebook.expression import Expression
from engine.rulebook.functions import FUNCTIONS

# Plain operators in place of simpleeval's safe_add, safe_mult and safe_power, which refuse arrays. What those guard
# against, text and integers of any size, never gets past the reader.
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: np.logical_not,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
RUN = {name: function.run for name, function in FUNCTIONS.items()}


class ColumnEvaluator(SimpleEval):  # type: ignore[misc]
    """Element by element: ternary is `where`, `and` / `or` / `not` are logical, a chained comparison means both."""

    def __init__(self) -> None:
        super().__init__(operators=OPERATORS, functions=RUN, names={}, allowed_attrs={})
        self.nodes = {
            ast.Name: self._eval_name,
            ast.Constant: self._eval_constant,
            ast.BinOp: self._eval_binop,
            ast.UnaryOp: self._eval_unaryop,
            ast.Call: self._eval_call,
            ast.BoolOp: self._eval_boolop,
            ast.Compare: self._eval_compare,
            ast.IfExp: self._eval_ifexp,
        }

    def run(self, expression: Expression, names: dict[str, Any]) -> Column:
        """The column that the expression gives; NaN where floats that no column took part in divide or overflow."""
        self.names = names
        try:
            column: Column = self.eval(expression.source, previously_parsed=expression.tree)
        except ArithmeticError:  # Python's own floats raise where columns give NaN
            return np.float64(np.nan)
        return column

    def _eval(self, node: ast.AST) -> Any:
        """What a node gives. Trees hold no other nodes, and no value but columns: the reader has seen to both."""
        return self.nodes[type(node)](node)

    def _eval_boolop(self, node: ast.BoolOp) -> Any:
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return reduce(join, [self._eval(value) for value in node.values])

    def _eval_compare(self, node: ast.Compare) -> Any:
        sides = [self._eval(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return reduce(np.logical_and, [OPERATORS[type(op)](left, right) for op, left, right in pairs])

    def _eval_ifexp(self, node: ast.IfExp) -> Any:
        return np.where(self._eval(node.test), self._eval(node.body), self._eval(node.orelse))


_LOCAL = threading.local()
_MAKING = threading.Lock()


def evaluator() -> ColumnEvaluator:
    """This thread's own evaluator: one that threads share gives one question the numbers of another."""
    if not hasattr(_LOCAL, "evaluator"):
        with _MAKING:  # simpleeval's constructor touches the process-wide warning filters
            _LOCAL.evaluator = ColumnEvaluator()
    found: ColumnEvaluator = _LOCAL.evaluator
    return found
