"""Unit conversion of one expression: infers the unit of each operand and converts operands where units differ.

The rules of conversion are documented in `units.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from fitcard.language.definitions import Formula
from fitcard.language.expression import OPERATIONS, Expression, offset_of_node, text_of_node
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


ANY_UNIT = Unit({}, ONE, {})  # of a bare 0, which is compatible with any unit, and of operands with a reported problem
MAX_EXCERPT = 40  # characters of an expression in a message
WRITE_UNIT = "write the number with its unit: `{}`"
WRITE_EXPONENT = "write the exponent as a number, or divide the base by its unit"


def conversion_to(unit: Unit, target: Unit) -> Conversion | None:
    """The conversion between two units; None if they are incommensurable."""
    try:
        return Conversion.of(unit.factor_to(target)) if unit.is_commensurable(target) else None
    except UnitError:
        return None


class NameUnits(Protocol):
    """The units of the names in an expression."""

    def unit(self, name: str) -> Unit:
        """The unit of a name, or the unit with that name."""

    def is_unit(self, name: str) -> bool:
        """Whether it is the name of a unit."""


@dataclass(frozen=True)
class _Operand:
    """A converted subtree with its unit.

    `literal` says whether it has literal numbers only, and `bare` whether it is only a unit, with the value 1.
    """

    node: ast.expr
    unit: Unit
    literal: bool = False
    bare: bool = False


@dataclass
class ExpressionConverter:
    """Converts one expression, and collects the `problems` of incommensurable operands.

    Numbers without a unit are plain numbers; if it `compares_bare_numbers`, those on a side of a comparison are in the
    unit of the other. `computed_in` is the unit from which the result is converted; empty if it is not, or from a plain
    number.
    """

    units: UnitSystem
    names: NameUnits
    expression: Expression
    document: Document
    path: Path
    compares_bare_numbers: bool = False
    problems: list[Problem] = field(default_factory=list)
    computed_in: str = ""

    def result(self, declared: Unit, formula: Formula) -> ast.expr:
        """The tree of the expression, converted to the declared unit of its formula."""
        whole = self.operand(self.expression.tree)
        if self.problems or whole.unit is ANY_UNIT or declared is ANY_UNIT or whole.unit.agrees(declared):
            return whole.node
        converted = self._convert(whole, declared)
        if converted is None or (whole.literal and declared.is_named_number):
            hint = "correct the formula or its unit"
            if whole.literal:
                hint = self._write_unit(self.expression.tree, declared)
            message = f"the formula gives {display_unit(whole.unit)}, but its unit is `{formula.unit}`"
            problem = formula.document.problem(UnitResult, message, (*formula.path, "unit"), hint=hint)
            self.problems.append(problem)
        self.computed_in = "" if whole.unit.is_plain else whole.unit.text
        return converted or whole.node

    def operand(self, node: ast.expr) -> _Operand:
        """A subtree with its unit, its own operands converted."""
        match node:
            case ast.Constant(value=bool()):
                return _Operand(node, PLAIN)
            case ast.Constant(value=value):
                return _Operand(node, PLAIN if value else ANY_UNIT, literal=True)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp():
                part = self.operand(node.operand)
                return _Operand(_with(node, operand=part.node), part.unit, part.literal)
            case ast.BinOp():
                return self._operation(node)
            case ast.BoolOp():
                return _Operand(_with(node, values=[self.operand(value).node for value in node.values]), PLAIN)
            case ast.Compare():
                parts, bare_numbers = (node.left, *node.comparators), self.compares_bare_numbers
                (left, *others), _, _ = self._in_one_unit(parts, "compared", bare_numbers)
                return _Operand(_with(node, left=left, comparators=others), PLAIN)
            case ast.IfExp():
                test, branches = self.operand(node.test).node, (node.body, node.orelse)
                (body, orelse), unit, literal = self._in_one_unit(branches, "alternatives of one condition")
                return _Operand(_with(node, test=test, body=body, orelse=orelse), unit, literal)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node)
        raise AssertionError(f"{type(node).__name__} passed the allow-list")

    def _name(self, node: ast.Name, name: str) -> _Operand:
        unit = self.names.unit(name)
        return _Operand(_number(1, node), unit, bare=True) if self.names.is_unit(name) else _Operand(node, unit)

    def _operation(self, node: ast.BinOp) -> _Operand:
        match node.op:
            case ast.Add() | ast.Sub() | ast.Mod():
                what = "added, subtracted or used with `%`"
                parts, unit, literal = self._in_one_unit((node.left, node.right), what)
                return _Operand(_with(node, left=parts[0], right=parts[1]), unit, literal)
            case ast.Pow():
                return self._power(node)
        left, right = self.operand(node.left), self.operand(node.right)
        literal = left.literal and right.literal
        if not literal:
            left, right = _plain_literal(left), _plain_literal(right)
        unit = self._combined_unit(node, left.unit, right.unit)
        if unit is ANY_UNIT:
            return _Operand(_with(node, left=left.node, right=right.node), ANY_UNIT, literal)
        if isinstance(node.op, ast.Mult):
            return self._product(node, left, right, unit)
        if isinstance(node.op, ast.FloorDiv):
            return self._floor(node, left, right, unit)
        if left.unit.is_commensurable(right.unit) and not unit.powers.keys().isdisjoint(right.unit.powers):
            left, unit = replace(left, node=self._convert(left, right.unit) or left.node), PLAIN
        if right.bare:
            return _Operand(left.node, unit, bare=left.bare and not unit.is_plain)
        return _Operand(_with(node, left=left.node, right=right.node), unit, literal)

    def _combined_unit(self, node: ast.BinOp, left: Unit, right: Unit) -> Unit:
        """The unit of a product or quotient; a problem if it is out of range."""
        if left is ANY_UNIT or right is ANY_UNIT:
            return ANY_UNIT
        try:
            return left * right if isinstance(node.op, ast.Mult) else left / right
        except UnitError as error:
            self._problem(node, f"`{self._text(node)}` comes to a unit with {error}")
            return ANY_UNIT

    def _product(self, node: ast.BinOp, left: _Operand, right: _Operand, unit: Unit) -> _Operand:
        if right.bare:
            part = _Operand(left.node, unit, bare=left.bare)
        else:
            product = right.node if left.bare else _with(node, left=left.node, right=right.node)
            part = _Operand(product, unit, left.literal and right.literal)
        if left.unit.dimension and not unit.dimension and not unit.is_plain:
            return _Operand(self._convert(part, PLAIN) or part.node, PLAIN)
        return part

    def _floor(self, node: ast.BinOp, left: _Operand, right: _Operand, unit: Unit) -> _Operand:
        """A quotient, rounded down in its reduced unit."""
        exact = PLAIN if left.unit.is_commensurable(right.unit) else self.units.reduced(unit)
        scaled = self._convert(replace(left, unit=unit), exact) or left.node
        return _Operand(_with(node, left=scaled, right=right.node), exact, left.literal and right.literal)

    def _power(self, node: ast.BinOp) -> _Operand:
        base, exponent = self.operand(node.left), self._plain(node.right, "an exponent")
        literal = base.literal and exponent.literal
        base = base if literal else _plain_literal(base)
        power = _with(node, left=base.node, right=exponent.node)
        if base.unit is ANY_UNIT or base.unit.is_plain:
            return _Operand(power, base.unit, literal)
        if not base.unit.dimension:
            return _Operand(_with(power, left=self._convert(base, PLAIN) or base.node), PLAIN)
        number = _literal_number(exponent.node)
        if number is None:
            text, wrong = self._text(node.left), self._text(node.right)
            message = f"`{text}` is in {display_unit(base.unit)}: its exponent must be a literal number, not `{wrong}`"
            self._problem(node.left, message, WRITE_EXPONENT)
            return _Operand(power, ANY_UNIT)
        unit = self._power_unit(node.left, base.unit, number)
        return _Operand(base.node if base.bare else power, unit, bare=base.bare)

    def _call(self, name: str, node: ast.Call) -> _Operand:
        function = FUNCTIONS[name]
        match function.unit_rule:
            case UnitRule.PURE:
                plain = self._plain(node.args[0], f"the argument of `{name}`")
                return _Operand(_with(node, args=[plain.node]), PLAIN, plain.literal)
            case UnitRule.SAME:
                kinds = function.argument_kinds(len(node.args))
                start = kinds.index(Kind.NUMBER)
                conditions = [self.operand(argument).node for argument in node.args[:start]]
                values, unit, literal = self._in_one_unit(node.args[start:], f"combined by `{name}`")
                return _Operand(_with(node, args=[*conditions, *values]), unit, literal)
        first = self.operand(node.args[0])
        match function.unit_rule:
            case UnitRule.ROUNDED:
                digits = [self._plain(other, f"each further argument of `{name}`").node for other in node.args[1:]]
                unit = first.unit if first.unit is ANY_UNIT else self.units.reduced(first.unit)
                rounded = first.node if unit is first.unit else self._convert(first, unit) or first.node
                return _Operand(_with(node, args=[rounded, *digits]), unit, first.literal)
            case UnitRule.ROOT:
                unit = self._power_unit(node.args[0], first.unit, Fraction(1, 2))
                return _Operand(_with(node, args=[first.node]), unit, first.literal)
            case UnitRule.FIRST:
                return _Operand(_with(node, args=[first.node]), first.unit, first.literal)
        return _Operand(_with(node, args=[first.node]), PLAIN)

    def _in_one_unit(
        self, parts: Iterable[ast.expr], what: str, bare_numbers: bool = False
    ) -> tuple[list[ast.expr], Unit, bool]:
        """The operands in the unit of the first that has one, that unit, and whether all are literal.

        `bare_numbers` are in the unit of the nearest other. A problem at the first operand that cannot be converted.
        """
        operands = [(part, self.operand(part)) for part in parts]
        converted = [operand.node for _, operand in operands]
        literal = all(operand.literal for _, operand in operands)
        if bare_numbers and not literal:
            units = _units_of_neighbours([operand for _, operand in operands])
            operands = [
                (part, replace(operand, unit=unit, literal=False))
                for (part, operand), unit in zip(operands, units, strict=True)
            ]
        first_part, first = next((pair for pair in operands if pair[1].unit is not ANY_UNIT), operands[0])
        for at, (part, operand) in enumerate(operands):
            if first.unit is ANY_UNIT or operand.unit is ANY_UNIT or operand.unit.agrees(first.unit):
                continue
            is_ambiguous = (operand.literal and first.unit.is_named_number) or (
                first.literal and operand.unit.is_named_number
            )
            node = None if is_ambiguous else self._convert(operand, first.unit)
            if node is None:
                left, right = f"`{self._text(first_part)}`", f"`{self._text(part)}`"
                message = f"{left} is in {display_unit(first.unit)} and {right} in {display_unit(operand.unit)}"
                number, unit = (part, first.unit) if operand.literal else (first_part, operand.unit)
                hint = self._write_unit(number, unit) if operand.literal or first.literal else ""
                self._problem(part, f"{message}: they cannot be {what}", hint)
                return [operand.node for _, operand in operands], ANY_UNIT, False
            converted[at] = node
        return converted, first.unit, literal

    def _power_unit(self, node: ast.expr, unit: Unit, power: Fraction) -> Unit:
        """The unit of a power; a problem if it is out of range."""
        if unit is ANY_UNIT:
            return unit
        try:
            return unit**power
        except UnitError as error:
            self._problem(node, f"`{self._text(node)}` comes to a unit with {error}")
            return ANY_UNIT

    def _plain(self, node: ast.expr, what: str) -> _Operand:
        """The operand as a plain number; a problem if it has a dimension."""
        operand = self.operand(node)
        if operand.unit is ANY_UNIT or operand.unit.is_plain:
            return operand
        converted = self._convert(operand, PLAIN)
        if converted is None:
            text, unit = self._text(node), display_unit(operand.unit)
            self._problem(node, f"{what} must be a plain number, but `{text}` is in {unit}")
        return _Operand(converted or operand.node, PLAIN)

    def _convert(self, operand: _Operand, unit: Unit) -> ast.expr | None:
        """The operand in another unit; None if they are incommensurable."""
        if operand.unit.agrees(unit):
            return operand.node
        if conversion_to(operand.unit, unit) is None:
            return None
        return _scaled(operand.node, operand.unit.factor_to(unit))

    def _text(self, node: ast.expr) -> str:
        text = text_of_node(self.expression.source, node)
        return text if len(text) <= MAX_EXCERPT else text[:MAX_EXCERPT] + "..."

    def _write_unit(self, node: ast.expr, unit: Unit) -> str:
        """The hint that writes an operand with its unit, to paste in its place."""
        source = self.expression.source
        text = text_of_node(source, node)
        if isinstance(node, ast.IfExp) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)):
            text = f"({text})"
        product = f"{text} * {unit.text}"
        is_divisor = source[: offset_of_node(source, node)].rstrip().endswith("%")
        return WRITE_UNIT.format(f"({product})" if is_divisor else product)

    def _problem(self, node: ast.expr, message: str, hint: str = "") -> None:
        offset = offset_of_node(self.expression.source, node)
        hint = hint or "only units of the same dimension are converted: correct one of the two"
        self.problems.append(self.document.problem(UnitMismatch, message, self.path, offset=offset, hint=hint))


def _with(node: Any, **fields: Any) -> Any:
    """The node with these fields; the same node if nothing changes."""

    def is_same(new: Any, old: Any) -> bool:
        if isinstance(new, list):
            return all(part is before for part, before in zip(new, old, strict=True))
        return new is old

    if all(is_same(value, getattr(node, name)) for name, value in fields.items()):
        return node
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)


def _number(value: float, location: ast.expr) -> ast.Constant:
    return ast.copy_location(ast.Constant(float(value)), location)


def _plain_literal(operand: _Operand) -> _Operand:
    """The operand, of no unit if it has literal numbers only: `0 * percent` is in percent."""
    return replace(operand, unit=PLAIN) if operand.literal else operand


def _units_of_neighbours(operands: list[_Operand]) -> Iterator[Unit]:
    """The unit of each operand; for literal numbers that of the nearest other, first to the left."""
    for at, operand in enumerate(operands):
        others = (operand, *reversed(operands[:at]), *operands[at + 1 :])
        yield next(other.unit for other in others if not other.literal)


def _literal_number(node: ast.expr) -> Fraction | None:
    """The exact value of literal numbers with signs and `+ - * /`; None for any other node."""
    match node:
        case ast.Constant(value=float(value)):
            return Fraction(str(value))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            number = _literal_number(operand)
            return -number if number is not None and isinstance(node.op, ast.USub) else number
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            left, right = _literal_number(node.left), _literal_number(node.right)
            if left is None or right is None or (isinstance(node.op, ast.Div) and not right):
                return None
            result = OPERATIONS[type(node.op)](left, right)
            return result if isinstance(result, Fraction) else None
    return None


def _scaled(node: ast.expr, factor: Scale) -> ast.expr:
    """The node times a factor, which is folded into a leading number."""
    folded = _fold(node, factor)
    if folded is not None:
        return folded
    conversion = Conversion.of(factor)
    operation = ast.Div() if conversion.divides else ast.Mult()
    return ast.copy_location(ast.BinOp(node, operation, _number(conversion.number, node)), node)


def _fold(node: ast.expr, factor: Scale) -> ast.expr | None:
    """The node with the factor in its leading number; None if it has none."""
    match node:
        case ast.Constant(value=float(value)) if isinstance(factor, Fraction):
            scaled = Fraction(str(value)) * factor
            return _number(float(scaled), node) if not scaled or MIN_SCALE <= abs(scaled) <= MAX_SCALE else None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = _fold(operand, factor)
            return None if inner is None else _with(node, operand=inner)
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div()):
            inner = _fold(left, factor)
            return None if inner is None else _with(node, left=inner)
    return None


def display_unit(unit: Unit) -> str:
    """The unit in a message."""
    return "no unit" if unit.is_plain else f"`{unit.text}`"
