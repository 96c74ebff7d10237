"""Whether an expression gives a number or a condition, and where the two are mixed up."""

from __future__ import annotations

import ast
from collections.abc import Callable

from fitcard.language.expression import Expression, Fault, offset_of_node
from fitcard.language.functions import FUNCTIONS
from fitcard.problems import ProblemCode
from fitcard.values import Kind


class ExpressionKind(ProblemCode):
    """An expression has a number, a condition or a word where another kind is required.

    Why: true is not 1 in rules, and a word has no numeric value.
    Avoid: `(question.users > 1) * headroom_share`, `device.family + 1`
    Prefer: `headroom_share if question.users > 1 else 0`; a lookup table maps a word to a number.
    """


def infer_kind(expression: Expression, kind_of_name: Callable[[str], Kind | None]) -> tuple[Kind | None, list[Fault]]:
    """Whether the expression gives a number or a condition, and each place where the two are mixed up.

    `kind_of_name` answers None for a name that is unknown; nothing is said about those here.
    """
    faults: list[Fault] = []

    def want(node: ast.expr, wanted: Kind, what: str) -> None:
        found = kind(node)
        if found is not None and found is not wanted:
            hint = "compare it with a number" if wanted is Kind.CONDITION else "write `a if condition else b`"
            if found is Kind.WORD:
                hint = "map the word to a number with a lookup table"
            message = f"{what} must be a {wanted}, but is a {found}"
            faults.append(Fault(ExpressionKind, message, offset_of_node(expression.source, node), hint))

    def kind(node: ast.expr) -> Kind | None:
        match node:
            case ast.Constant(value=bool()):
                return Kind.CONDITION
            case ast.Constant():
                return Kind.NUMBER
            case ast.Name():
                return kind_of_name(node.id)
            case ast.BinOp():
                want(node.left, Kind.NUMBER, "the left side")
                want(node.right, Kind.NUMBER, "the right side")
                return Kind.NUMBER
            case ast.UnaryOp(op=ast.Not()):
                want(node.operand, Kind.CONDITION, "the operand of `not`")
                return Kind.CONDITION
            case ast.UnaryOp():
                want(node.operand, Kind.NUMBER, "the operand of the sign")
                return Kind.NUMBER
            case ast.BoolOp():
                for value in node.values:
                    want(value, Kind.CONDITION, "each side of `and` and `or`")
                return Kind.CONDITION
            case ast.Compare():
                for value in (node.left, *node.comparators):
                    want(value, Kind.NUMBER, "each side of a comparison")
                return Kind.CONDITION
            case ast.IfExp():
                want(node.test, Kind.CONDITION, "the condition between `if` and `else`")
                chosen = kind(node.body)
                if chosen is not None:
                    want(node.orelse, chosen, "the value after `else`")
                return chosen
            case ast.Call(func=ast.Name(id=name)):
                function = FUNCTIONS[name]
                for argument, wanted in zip(node.args, function.argument_kinds(len(node.args)), strict=True):
                    if function.accepts_words and kind(argument) is Kind.WORD:
                        continue
                    want(argument, wanted, f"the argument of `{name}`")
                return function.returns
        raise AssertionError(f"{type(node).__name__} passed the allow-list")

    return kind(expression.tree), faults
