"""What formulas do, written down: simpleeval walks each once, over numbered places instead of values.

An operator or function that it meets becomes an operation on the places that its arguments have, and its result has a
place of its own. A formula can do nothing that simpleeval would not do, and when questions are asked no tree is walked.
"""

from __future__ import annotations

import ast
import operator
import threading
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
from simpleeval import SimpleEval

from fitcard.language.expression import Expression
from fitcard.language.functions import FUNCTIONS, logical_not, select
from fitcard.language.unit_system import Conversion

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
    ast.Not: logical_not,
    ast.And: operator.and_,
    ast.Or: operator.or_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_MAKING = threading.Lock()


class Operation(NamedTuple):
    """What is done with the values at some places, and the place of what comes out, or the places of all that does."""

    run: Callable[..., Any]
    reads: tuple[int, ...]
    into: int | slice


class Tracer(SimpleEval):  # type: ignore[misc]
    """Element by element: ternary chooses, `and` / `or` / `not` join conditions, a chained comparison means both.

    `start` holds a value for each place: a number that stands in a formula, or None until it is put there. The same
    operation on the same places is done once.
    """

    def __init__(self) -> None:
        with _MAKING:  # simpleeval's constructor touches the process-wide warning filters
            super().__init__(
                operators={kind: partial(self.emit, run) for kind, run in OPERATORS.items()},
                functions={name: partial(self.emit, function.run) for name, function in FUNCTIONS.items()},
                names={},
                allowed_attrs={},
            )
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
        self.start: list[Any] = []
        self.operations: list[Operation] = []
        self._done: dict[tuple[Any, ...], int] = {}

    def new_register(self, value: Any = None) -> int:
        """A new place, with what it holds from the start."""
        self.start.append(value)
        return len(self.start) - 1

    def emit(self, run: Callable[..., Any], *reads: int) -> int:
        """The place of what `run` gives for the values at these places."""
        key = (run, *reads)
        if key not in self._done:
            self._done[key] = self.new_register()
            self.operations.append(Operation(run, reads, self._done[key]))
        return self._done[key]

    def emit_many(self, run: Callable[..., Any], *reads: int, gives: int) -> range:
        """The places of the values, so many, of the list that `run` gives for the values at these places."""
        first = len(self.start)
        self.start += [None] * gives
        self.operations.append(Operation(run, reads, slice(first, first + gives)))
        return range(first, first + gives)

    def constant(self, written: float | bool) -> int:
        """The place of a number or condition that is the same for all questions."""
        value = np.bool_(written) if isinstance(written, bool) else np.float64(written)
        key = (type(value), written)
        if key not in self._done:
            self._done[key] = self.new_register(value)
        return self._done[key]

    def convert(self, place: int, conversion: Conversion) -> int:
        """The place of the numbers of another, in another unit."""
        run = OPERATORS[ast.Div if conversion.divides else ast.Mult]
        return self.emit(run, place, self.constant(conversion.number))

    def trace(self, expression: Expression, places: dict[str, int]) -> int:
        """The place of what the expression gives, where its names have these places."""
        self.names = places
        place: int = self.eval(expression.source, previously_parsed=expression.tree)
        return place

    def _eval_constant(self, node: ast.Constant) -> int:
        return self.constant(node.value)  # type: ignore[arg-type]

    def _eval_boolop(self, node: ast.BoolOp) -> int:
        join = self.operators[type(node.op)]
        place: int = reduce(join, [self._eval(value) for value in node.values])
        return place

    def _eval_compare(self, node: ast.Compare) -> int:
        sides = [self._eval(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        place: int = reduce(
            self.operators[ast.And], [self.operators[type(op)](left, right) for op, left, right in pairs]
        )
        return place

    def _eval_ifexp(self, node: ast.IfExp) -> int:
        return self.emit(select, self._eval(node.test), self._eval(node.body), self._eval(node.orelse))
