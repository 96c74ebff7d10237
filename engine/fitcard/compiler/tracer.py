"""Traces expressions: simpleeval evaluates each one once over registers in place of values.

Each operator or function call is recorded as an operation on the registers of its arguments, with a register for its
result. So a formula can do nothing that simpleeval would not do, and no tree is evaluated when questions are answered.
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

# Plain operators in place of simpleeval's safe_add, safe_mult and safe_power, which reject arrays. The parser already
# rejects what those protect against: text and integers of unlimited size.
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
_CONSTRUCTION = threading.Lock()


class Operation(NamedTuple):
    """A function, the registers of its arguments, and the register of its result, or a slice of several results."""

    run: Callable[..., Any]
    reads: tuple[int, ...]
    into: int | slice


class Tracer(SimpleEval):  # type: ignore[misc]
    """Records `operations`, each distinct one once.

    `start` has the initial value of each register: a constant, or None. Operations are element-wise: a ternary selects,
    `and` / `or` / `not` combine conditions, and a chained comparison is the conjunction of its comparisons.
    """

    def __init__(self) -> None:
        with _CONSTRUCTION:  # simpleeval's constructor modifies the warning filters of the process
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
        self._registers: dict[tuple[Any, ...], int] = {}

    def new_register(self, value: Any = None) -> int:
        """A new register with an initial value."""
        self.start.append(value)
        return len(self.start) - 1

    def emit(self, run: Callable[..., Any], *reads: int) -> int:
        """Records a call of `run` with the values of these registers; the register of its result."""
        key = (run, *reads)
        if key not in self._registers:
            self._registers[key] = self.new_register()
            self.operations.append(Operation(run, reads, self._registers[key]))
        return self._registers[key]

    def emit_many(self, run: Callable[..., Any], *reads: int, results: int) -> range:
        """Records a call of `run`, which returns a list with this number of results; their registers."""
        first = len(self.start)
        self.start += [None] * results
        self.operations.append(Operation(run, reads, slice(first, first + results)))
        return range(first, first + results)

    def constant(self, literal: float | bool) -> int:
        """The register of a number or condition that is the same for all questions."""
        value = np.bool_(literal) if isinstance(literal, bool) else np.float64(literal)
        key = (type(value), literal)
        if key not in self._registers:
            self._registers[key] = self.new_register(value)
        return self._registers[key]

    def convert(self, register: int, conversion: Conversion) -> int:
        """Records the conversion of a register to another unit; the register of its result."""
        run = OPERATORS[ast.Div if conversion.divides else ast.Mult]
        return self.emit(run, register, self.constant(conversion.number))

    def trace(self, expression: Expression, registers: dict[str, int]) -> int:
        """Records an expression whose names are in these registers; the register of its result."""
        self.names = registers
        result: int = self.eval(expression.source, previously_parsed=expression.tree)
        return result

    def _eval_constant(self, node: ast.Constant) -> int:
        return self.constant(node.value)  # type: ignore[arg-type]

    def _eval_boolop(self, node: ast.BoolOp) -> int:
        combine = self.operators[type(node.op)]
        result: int = reduce(combine, [self._eval(value) for value in node.values])
        return result

    def _eval_compare(self, node: ast.Compare) -> int:
        sides = [self._eval(side) for side in (node.left, *node.comparators)]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        comparisons = [self.operators[type(op)](left, right) for op, left, right in pairs]
        result: int = reduce(self.operators[ast.And], comparisons)
        return result

    def _eval_ifexp(self, node: ast.IfExp) -> int:
        return self.emit(select, self._eval(node.test), self._eval(node.body), self._eval(node.orelse))
