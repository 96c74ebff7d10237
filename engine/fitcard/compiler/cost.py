"""The cost of evaluation, estimated from the rules alone: nothing is compiled or evaluated.

The unit is one addition for one question, about half a nanosecond.
"""

from __future__ import annotations

import ast
from functools import singledispatch

from fitcard.language.definitions import Count, Definition, Formula, Table
from fitcard.language.expression import Expression
from fitcard.language.tables import Lookup

COMPILATION = 40_000  # of a definition, however many questions there are
CONDITION_COMPILATION = 200_000  # of a condition by itself, of which coverage is measured
CALL_OVERHEAD = 2_000  # questions; for fewer, calling an operation takes longer than what it does
SLOW_OPERATORS = (ast.Pow, ast.Mod, ast.FloorDiv)
SLOW_FUNCTIONS = frozenset({"round", "clamp", "log10", "log2", "exp", "sqrt"})
SLOW, SELECTION, LOOKUP, SOURCE, SEARCH, COUNT = 30, 3, 10, 5, 20, 100  # of an operation, for one question


def expression_cost(expression: Expression) -> int:
    """The cost of an expression for one question."""
    return sum(map(_node_cost, ast.walk(expression.tree)))


def _node_cost(node: ast.AST) -> int:
    match node:
        case ast.BinOp() | ast.UnaryOp():
            return SLOW if isinstance(node.op, SLOW_OPERATORS) else 1
        case ast.Call(func=ast.Name(id=name)):
            return SLOW if name in SLOW_FUNCTIONS else SELECTION * len(node.args)
        case ast.IfExp():
            return SELECTION
        case ast.Compare():
            return 2 * len(node.ops)
        case ast.BoolOp():
            return len(node.values)
    return 0


@singledispatch
def definition_cost(definition: Definition) -> int:
    """The cost of a definition for one question, without what it reads."""
    return 0


@definition_cost.register
def _formula_cost(formula: Formula) -> int:
    return expression_cost(formula.expression)


@definition_cost.register
def _table_cost(table: Table) -> int:
    return LOOKUP + SOURCE * len(table.reads) if isinstance(table.rows, Lookup) else SEARCH


@definition_cost.register
def _count_cost(count: Count) -> int:
    return COUNT * len(count.same)
