"""Conversion of one expression: each part is read with its unit, and converted where that differs from another.

The rules of conversion are in `units.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from fitcard.language.definitions import Formula
from fitcard.language.expression import Expression, offset_of_node, text_of_node
from fitcard.language.functions import FUNCTIONS, UnitRule
from fitcard.language.unit_system import (
    MAX_SCALE,
    MIN_SCALE,
    ONE,
    PLAIN,
    Conversion,
    Scale,
    Unit,
    UnitError,
    UnitSystem,
)
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.values import Kind


class UnitMismatch(ProblemCode):
    """Operands that are added, subtracted, compared or chosen between are incommensurable.

    Why: memory plus bandwidth, or milliseconds plus tokens per second, is meaningless. Units of the same dimension,
        such as GB and MB, are converted.
    Avoid: `needed_memory + device.bandwidth`, `max(1, needed_memory)`
    Prefer: `needed_memory + headroom`, `max(1 * GB, needed_memory)`
    """


class UnitResult(ProblemCode):
    """A formula gives a unit that is incommensurable with the one it declares.

    Why: an inverted ratio or a missing operand is easy to write and hard to see in the result. Units of the same
        dimension, such as s/token and ms/token, are converted.
    Avoid: `decode_tok_s: {unit: token/s, expr: read_per_token / device.bandwidth}`, which gives seconds per token
    Prefer: `decode_tok_s: {unit: token/s, expr: device.bandwidth / read_per_token}`
    """


ANY_UNIT = Unit({}, ONE, {})  # of 0, which is 0 of anything, and of parts that are already reported
MAX_SHOWN = 40
EXPLICIT = "write the number with its unit: `{}`"


def conversion_to(unit: Unit, wanted: Unit) -> Conversion | None:
    """The conversion between two units; None where they are incommensurable."""
    try:
        return Conversion.of(unit.factor_to(wanted)) if unit.is_commensurable(wanted) else None
    except UnitError:
        return None


class NameUnits(Protocol):
    """The units of the names in an expression."""

    def unit(self, name: str) -> Unit:
        """The unit of a name, or the unit that it is."""

    def is_unit(self, name: str) -> bool:
        """Whether it is a unit itself."""


@dataclass(frozen=True)
class _Part:
    """A part of an expression as it is evaluated, in its unit.

    It is `literal` where it is made of plain numbers alone, and `bare` where it is a unit by itself, whose value is 1.
    """

    node: ast.expr
    unit: Unit
    literal: bool = False
    bare: bool = False


@dataclass
class ExpressionConverter:
    """Converts one expression; its problems are where units disagree.

    `computed_in` is the unit from which the result is converted; empty where it is not, or from a plain number.
    """

    units: UnitSystem
    names: NameUnits
    expression: Expression
    document: Document
    path: Path
    problems: list[Problem] = field(default_factory=list)
    computed_in: str = ""

    def result(self, declared: Unit, formula: Formula) -> ast.expr:
        """The whole expression in the unit that its formula declares."""
        part = self.read(self.expression.tree)
        if self.problems or part.unit is ANY_UNIT or declared is ANY_UNIT or part.unit.agrees(declared):
            return part.node
        found = self._converted(part, declared)
        if found is None or (part.literal and declared.is_named_number):
            hint = "correct the formula or its unit"
            if part.literal:
                hint = EXPLICIT.format(f"{self._text(part.node)} * {formula.unit}")
            message = f"the formula gives {display_unit(part.unit)}, but its unit is `{formula.unit}`"
            problem = formula.document.problem(UnitResult, message, (*formula.path, "unit"), hint=hint)
            self.problems.append(problem)
        self.computed_in = "" if part.unit.is_plain else part.unit.text
        return found or part.node

    def read(self, node: ast.expr) -> _Part:
        """A part of the expression, whose own parts agree."""
        match node:
            case ast.Constant(value=bool()):
                return _Part(node, PLAIN)
            case ast.Constant(value=value):
                return _Part(node, PLAIN if value else ANY_UNIT, literal=True)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp():
                part = self.read(node.operand)
                return _Part(_with(node, operand=part.node), part.unit, part.literal)
            case ast.BinOp():
                return self._operation(node)
            case ast.BoolOp():
                return _Part(_with(node, values=[self.read(value).node for value in node.values]), PLAIN)
            case ast.Compare():
                (left, *others), _ = self._same(map(self.read, (node.left, *node.comparators)), "compared")
                return _Part(_with(node, left=left, comparators=others), PLAIN)
            case ast.IfExp():
                test, parts = self.read(node.test).node, [self.read(node.body), self.read(node.orelse)]
                (body, orelse), unit = self._same(parts, "alternatives of one condition")
                chosen = _with(node, test=test, body=body, orelse=orelse)
                return _Part(chosen, unit, all(part.literal for part in parts))
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node)
        raise AssertionError(f"{type(node).__name__} passed the allow-list")

    def _name(self, node: ast.Name, name: str) -> _Part:
        unit = self.names.unit(name)
        return _Part(_number(1, node), unit, bare=True) if self.names.is_unit(name) else _Part(node, unit)

    def _operation(self, node: ast.BinOp) -> _Part:
        match node.op:
            case ast.Add() | ast.Sub() | ast.Mod():
                parts = [self.read(node.left), self.read(node.right)]
                (one, other), unit = self._same(parts, "added, subtracted or used with `%`")
                return _Part(_with(node, left=one, right=other), unit, all(part.literal for part in parts))
            case ast.Pow():
                return self._power(node)
        left, right = self.read(node.left), self.read(node.right)
        literal = left.literal and right.literal
        unit = self._combined(node, left.unit, right.unit)
        if unit is ANY_UNIT:
            return _Part(_with(node, left=left.node, right=right.node), ANY_UNIT, literal)
        if isinstance(node.op, ast.Mult):
            return self._product(node, left, right, unit)
        if isinstance(node.op, ast.FloorDiv):
            return self._floor(node, left, right, unit)
        if left.unit.is_commensurable(right.unit) and not unit.powers.keys().isdisjoint(right.unit.powers):
            left, unit = replace(left, node=self._converted(left, right.unit) or left.node), PLAIN
        if right.bare:
            return _Part(left.node, unit, bare=left.bare and not unit.is_plain)
        return _Part(_with(node, left=left.node, right=right.node), unit, literal)

    def _combined(self, node: ast.BinOp, left: Unit, right: Unit) -> Unit:
        """The unit of a product or quotient; a problem where it is beyond all bounds."""
        if left is ANY_UNIT or right is ANY_UNIT:
            return ANY_UNIT
        try:
            return left * right if isinstance(node.op, ast.Mult) else left / right
        except UnitError as error:
            self._problem(node, f"`{self._text(node)}` comes to a unit with {error}")
            return ANY_UNIT

    def _product(self, node: ast.BinOp, left: _Part, right: _Part, unit: Unit) -> _Part:
        if right.bare:
            part = _Part(left.node, unit, bare=left.bare)
        else:
            product = right.node if left.bare else _with(node, left=left.node, right=right.node)
            part = _Part(product, unit, left.literal and right.literal)
        if left.unit.dimension and not unit.dimension and not unit.is_plain:
            return _Part(self._converted(part, PLAIN) or part.node, PLAIN)
        return part

    def _floor(self, node: ast.BinOp, left: _Part, right: _Part, unit: Unit) -> _Part:
        """Rounded down in a unit that has one for each thing that it measures."""
        exact = PLAIN if left.unit.is_commensurable(right.unit) else self.units.reduced(unit)
        scaled = self._converted(replace(left, unit=unit), exact) or left.node
        return _Part(_with(node, left=scaled, right=right.node), exact, left.literal and right.literal)

    def _power(self, node: ast.BinOp) -> _Part:
        base, exponent = self.read(node.left), self._plain(self.read(node.right), "an exponent")
        raised = _with(node, left=base.node, right=exponent.node)
        if base.unit is ANY_UNIT or base.unit.is_plain:
            return _Part(raised, base.unit, base.literal and exponent.literal)
        if not base.unit.dimension:
            return _Part(_with(raised, left=self._converted(base, PLAIN) or base.node), PLAIN)
        power = _literal(exponent.node)
        if power is None:
            unit = display_unit(base.unit)
            self._problem(node.left, f"`{self._text(node.left)}` is in {unit}, but its exponent is not a plain number")
            return _Part(raised, ANY_UNIT)
        return _Part(base.node if base.bare else raised, self._raised(base, power), bare=base.bare)

    def _call(self, name: str, node: ast.Call) -> _Part:
        function = FUNCTIONS[name]
        first, *others = map(self.read, node.args)
        match function.unit_rule:
            case UnitRule.PURE:
                plain = self._plain(first, f"the argument of `{name}`")
                return _Part(_with(node, args=[plain.node]), PLAIN)
            case UnitRule.SAME:
                kinds = function.argument_kinds(len(node.args))
                parts = [part for part, kind in zip((first, *others), kinds, strict=True) if kind is Kind.NUMBER]
                values, unit = self._same(parts, f"combined by `{name}`")
                conditions = [first.node] if len(values) < len(node.args) else []
                literal = all(part.literal for part in parts)
                return _Part(_with(node, args=[*conditions, *values]), unit, literal)
            case UnitRule.ROUNDED:
                digits = [self._plain(other, f"each further argument of `{name}`").node for other in others]
                unit = first.unit if first.unit is ANY_UNIT else self.units.reduced(first.unit)
                rounded = first.node if unit is first.unit else self._converted(first, unit) or first.node
                return _Part(_with(node, args=[rounded, *digits]), unit, first.literal)
            case UnitRule.ROOT:
                return _Part(_with(node, args=[first.node]), self._raised(first, Fraction(1, 2)), first.literal)
            case UnitRule.FIRST:
                return _Part(_with(node, args=[first.node]), first.unit, first.literal)
        return _Part(_with(node, args=[first.node]), PLAIN)

    def _same(self, parts: Iterable[_Part], what: str) -> tuple[list[ast.expr], Unit]:
        """The parts in the unit of the first that has one; a problem at the first that cannot be converted to it."""
        whole = list(parts)
        first = next((part for part in whole if part.unit is not ANY_UNIT), None)
        if first is None:
            return [part.node for part in whole], ANY_UNIT
        nodes: list[ast.expr] = []
        for part in whole:
            if part.unit is ANY_UNIT or part.unit.agrees(first.unit):
                nodes.append(part.node)
                continue
            clash = (part.literal and first.unit.is_named_number) or (first.literal and part.unit.is_named_number)
            converted = None if clash else self._converted(part, first.unit)
            if converted is None:
                one, other = (f"`{self._text(found.node)}`" for found in (first, part))
                message = f"{one} is in {display_unit(first.unit)} and {other} in {display_unit(part.unit)}"
                number, unit = (part, first.unit) if part.literal else (first, part.unit)
                hint = EXPLICIT.format(f"{self._text(number.node)} * {unit.text}") if number.literal else ""
                self._problem(part.node, f"{message}: they cannot be {what}", hint)
                return [part.node for part in whole], ANY_UNIT
            nodes.append(converted)
        return nodes, first.unit

    def _raised(self, part: _Part, power: Fraction) -> Unit:
        """The unit of the part to a power; a problem where that is beyond all bounds."""
        if part.unit is ANY_UNIT:
            return part.unit
        try:
            return part.unit**power
        except UnitError as error:
            self._problem(part.node, f"`{self._text(part.node)}` comes to a unit with {error}")
            return ANY_UNIT

    def _plain(self, part: _Part, what: str) -> _Part:
        """The part as a plain number; a problem where it is none."""
        if part.unit is ANY_UNIT or part.unit.is_plain:
            return part
        converted = self._converted(part, PLAIN)
        if converted is None:
            message = f"{what} must be a plain number, but `{self._text(part.node)}` is in {display_unit(part.unit)}"
            self._problem(part.node, message)
        return _Part(converted or part.node, PLAIN)

    def _converted(self, part: _Part, unit: Unit) -> ast.expr | None:
        """The part in another unit; None where the two are incommensurable."""
        if part.unit.agrees(unit):
            return part.node
        if conversion_to(part.unit, unit) is None:
            return None
        return _scaled(part.node, part.unit.factor_to(unit))

    def _text(self, node: ast.expr) -> str:
        text = text_of_node(self.expression.source, node)
        return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."

    def _problem(self, node: ast.expr, message: str, hint: str = "") -> None:
        offset = offset_of_node(self.expression.source, node)
        hint = hint or "only units of the same dimension are converted: correct one of the two"
        self.problems.append(self.document.problem(UnitMismatch, message, self.path, offset=offset, hint=hint))


def _with(node: Any, **fields: Any) -> Any:
    """The node with other parts; the node itself where they are the same."""

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, list):
            return all(part is before for part, before in zip(one, other, strict=True))
        return one is other

    if all(same(value, getattr(node, name)) for name, value in fields.items()):
        return node
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)


def _number(value: float, place: ast.expr) -> ast.Constant:
    return ast.copy_location(ast.Constant(float(value)), place)


def _literal(node: ast.expr) -> Fraction | None:
    """The number that is written there, with its sign; None where it is none."""
    match node:
        case ast.Constant(value=float(value)):
            return Fraction(str(value))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=float(value))):
            return -Fraction(str(value))
    return None


def _scaled(node: ast.expr, factor: Scale) -> ast.expr:
    """The node times a factor, which a number that leads the node takes in."""
    folded = _folded(node, factor)
    if folded is not None:
        return folded
    conversion = Conversion.of(factor)
    operation = ast.Div() if conversion.divides else ast.Mult()
    return ast.copy_location(ast.BinOp(node, operation, _number(conversion.number, node)), node)


def _folded(node: ast.expr, factor: Scale) -> ast.expr | None:
    """The node with the factor in the number that leads it; None where there is none."""
    match node:
        case ast.Constant(value=float(value)) if isinstance(factor, Fraction):
            scaled = Fraction(str(value)) * factor
            return _number(float(scaled), node) if MIN_SCALE <= abs(scaled) <= MAX_SCALE else None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = _folded(operand, factor)
            return None if inner is None else _with(node, operand=inner)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div()):
            inner = _folded(left, factor)
            return None if inner is None else _with(node, left=inner)
    return None


def display_unit(unit: Unit) -> str:
    """The unit as a message shows it."""
    return "no unit" if unit.is_plain else f"`{unit.text}`"
