"""Units: every expression runs once more on what its names are counted in, and must give the unit it declares.

GB against GiB, ms against s, tokens added to bytes, a forgotten factor of 8 or 1000: each is a problem at its place.
Units agree where they count the same in the same steps, however they are written: `Gparam * byte/param` is `GB`.
The rulebook says which units there are, in the notation of pint; a number written in an expression counts nothing, but
for 0, which is 0 of anything.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from fitcard.language.definitions import DIMENSIONLESS, Formula, Table, row_references
from fitcard.language.expression import offset_of_node, text_of_node
from fitcard.language.functions import FUNCTIONS, UnitRule
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document
from fitcard.suggest import closest
from fitcard.values import Kind


class UnitDefinition(ProblemCode):
    """A unit definition in the rulebook cannot be parsed.

    Why: formulas in that unit could not be checked.
    Avoid: `bit 0.125 byte`
    Prefer: `bit = 0.125 * byte`
    """


class UnitUnknown(ProblemCode):
    """A rule has a unit that the rulebook does not define.

    Why: it cannot be checked whether the formula gives that unit.
    Avoid: `unit: GBps`
    Prefer: `unit: GB/s`, or a definition under `units` in `rulebook.yaml`.
    """


class UnitMismatch(ProblemCode):
    """Operands that are added, subtracted, compared or chosen between have different units.

    Why: memory plus bandwidth, or milliseconds plus tokens per second, is meaningless.
    Avoid: `needed_memory + device.bandwidth`, `ttft + decode_tok_s`
    Prefer: `needed_memory + headroom`
    """


class UnitResult(ProblemCode):
    """A formula gives another unit than it declares.

    Why: an inverted ratio or a missing factor, such as 8 bits per byte, is easy to write and hard to see in the result.
    Avoid: `decode_tok_s: {unit: token/s, expr: read_per_token / device.bandwidth}`, which gives seconds per token
    Prefer: `decode_tok_s: {unit: token/s, expr: device.bandwidth / read_per_token}`
    """


class UnitRows(ProblemCode):
    """A row of a table takes its value from a name with another unit.

    Why: the result would have different units for different questions.
    Avoid: `unit: GB` over `llama.cpp: {value_of: device.bandwidth}`
    Prefer: a name that has the unit of the table, such as `{value_of: device.memory}`
    """


Unit = Any  # pint builds the class of its units when it runs
ANY_UNIT: Any = object()  # the unit of 0, which is 0 of anything, and of what is already known to be wrong
POWER = re.compile(r"(?:\*\*|\^)(?!\s*[-+]?\d{1,2}(?:\.\d+)?(?!\s*(?:\*\*|\^)|[\w.]))")  # to more than a small number
MAX_LENGTH = 100  # characters of a unit
ROOT = 1 / 2
EXACT = 1e-12  # factors that are nearer to 1 differ in the last digits of a float alone
MAX_SHOWN = 40


def unit_problems(document: Document, definitions: Sequence[str], rule_sets: Iterable[RuleSet]) -> list[Problem]:
    """Every disagreement of units in every profile; what is wrong in all of them is said once."""
    registry, problems = _registry(document, definitions)
    if problems:
        return problems
    units = cache(partial(_unit, registry))
    checked: set[Any] = set()
    checkers = [_Checker(registry, units, checked, rule_set) for rule_set in rule_sets]
    return list(dict.fromkeys(problem for checker in checkers for problem in checker.problems()))


def _registry(document: Document, definitions: Sequence[str]) -> tuple[Any, list[Problem]]:
    """The units of the rulebook and no others, and what is wrong with their definitions."""
    import pint  # noqa: PLC0415 - takes long to import, and rules that hold another mistake are not counted in units

    registry: Any = pint.UnitRegistry(None)
    wrong: dict[int, str] = {}
    for at, definition in enumerate(definitions):
        try:
            _look_at(definition)
            registry.define(definition)
        except Exception as error:
            wrong[at] = _first_line(error) if "=" in definition else "`=` is missing"
    for at, definition in enumerate(definitions):
        name = definition.partition("=")[0].strip()
        try:
            if at not in wrong and not name.endswith("-"):
                (1 * registry.parse_units(name)).to_root_units()
        except Exception as error:
            wrong[at] = _first_line(error)
    hint = "write `name = [dimension]`, `name = 1000 * other`, or `prefix- = 1e3 = p-`"
    return registry, [
        document.problem(UnitDefinition, f"cannot parse the unit: {what}", ("units", at), hint=hint)
        for at, what in wrong.items()
    ]


def _unit(registry: Any, text: str) -> Unit | None:
    """The unit that is written so; None where there is none. Conditions and words count nothing."""
    if text in DIMENSIONLESS:
        return registry.dimensionless
    try:
        _look_at(text)
        return registry.parse_units(text)
    except Exception:  # pint lets through whatever reading such a text raises
        return None


@dataclass
class _Checker:
    """Checks one profile. What was `checked` in another, where all that it reads is the same too, is not again."""

    registry: Any
    unit: Callable[[str], Unit | None]
    checked: set[Any]
    rule_set: RuleSet
    known: dict[str, Unit] = field(default_factory=dict)
    agreed: dict[tuple[Unit, Unit], bool] = field(default_factory=dict)

    def problems(self) -> Iterator[Problem]:
        for definition in self.rule_set.definitions.values():
            read = (self.rule_set.definitions.get(name) for name in definition.reads)
            itself = (id(definition), *map(id, read))
            if itself in self.checked:
                continue
            self.checked.add(itself)
            declared = self.unit(definition.unit)
            if declared is None:
                near = closest(
                    definition.unit, [name for name in map(str, dir(self.registry)) if not name.startswith("_")]
                )
                message = f"undefined unit `{definition.unit}`"
                hint = "" if near else "define it under `units` in the rulebook file"
                yield definition.document.problem(
                    UnitUnknown, message, (*definition.path, "unit"), hint=hint, closest=near
                )
            elif isinstance(definition, Formula) and self.rule_set.kinds[definition.name] is Kind.NUMBER:
                yield from self._formula(definition, declared)
            elif isinstance(definition, Formula):
                yield from self._inference(definition).faults(definition.expression.tree)
            elif isinstance(definition, Table) and definition.kind is Kind.NUMBER:
                yield from self._table(definition, declared)

    def unit_of_name(self, name: str) -> Unit:
        """What a name is counted in; anything, where its own unit is not known and told elsewhere."""
        if name not in self.known:
            info = self.rule_set.describe(name)
            unit = self.unit(info.unit) if info else None
            self.known[name] = ANY_UNIT if unit is None else unit
        return self.known[name]

    def agree(self, one: Unit, other: Unit) -> bool:
        """Whether two units count the same in the same steps."""
        if one == other:
            return True
        if (one, other) not in self.agreed:
            same = one.dimensionality == other.dimensionality
            self.agreed[one, other] = same and math.isclose((1 * one).to(other).magnitude, 1, rel_tol=EXACT)
        return self.agreed[one, other]

    def _inference(self, formula: Formula) -> _Inference:
        return _Inference(self, formula)

    def _formula(self, formula: Formula, declared: Unit) -> Iterator[Problem]:
        inference = self._inference(formula)
        found = inference.measure(formula.expression.tree)
        yield from inference.problems
        if not inference.problems and found is not ANY_UNIT and not self.agree(found, declared):
            message = f"the formula gives {_named(found)}, but its unit is `{formula.unit}`{_factor(found, declared)}"
            hint = "convert it with a constant that carries both units, or correct the unit"
            yield formula.document.problem(UnitResult, message, (*formula.path, "unit"), hint=hint)

    def _table(self, table: Table, declared: Unit) -> Iterator[Problem]:
        for name, path in row_references(table):
            unit = self.unit_of_name(name)
            if unit is not ANY_UNIT and not self.agree(unit, declared):
                message = (
                    f"the rows give {_named(declared)}, but `{name}` is in {_named(unit)}{_factor(unit, declared)}"
                )
                hint = "use a name in the unit of the table, or a number"
                yield table.document.problem(UnitRows, message, path, hint=hint)


@dataclass
class _Inference:
    """What one expression is counted in, and where its parts disagree."""

    checker: _Checker
    formula: Formula
    problems: list[Problem] = field(default_factory=list)

    def faults(self, tree: ast.expr) -> list[Problem]:
        self.measure(tree)
        return self.problems

    @property
    def pure(self) -> Unit:
        return self.checker.registry.dimensionless

    def measure(self, node: ast.expr) -> Unit:
        match node:
            case ast.Constant(value=value):
                return ANY_UNIT if value == 0 and not isinstance(value, bool) else self.pure
            case ast.Name(id=name):
                return self.checker.unit_of_name(name)
            case ast.UnaryOp():
                return self.measure(node.operand)
            case ast.BinOp():
                return self._operation(node)
            case ast.BoolOp():
                for part in node.values:
                    self.measure(part)
                return self.pure
            case ast.Compare():
                self._same([node.left, *node.comparators], "compared")
                return self.pure
            case ast.IfExp():
                self.measure(node.test)
                return self._same([node.body, node.orelse], "alternatives of one condition")
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node)
        raise AssertionError(f"{type(node).__name__} passed the allow-list")

    def _operation(self, node: ast.BinOp) -> Unit:
        match node.op:
            case ast.Add() | ast.Sub() | ast.Mod():
                return self._same([node.left, node.right], "added, subtracted or used with `%`")
            case ast.Pow():
                return self._power(node)
        left, right = self.measure(node.left), self.measure(node.right)
        if left is ANY_UNIT or right is ANY_UNIT:
            return ANY_UNIT
        return left * right if isinstance(node.op, ast.Mult) else left / right

    def _power(self, node: ast.BinOp) -> Unit:
        base = self.measure(node.left)
        self._pure(node.right, "an exponent")
        if base is ANY_UNIT or self.checker.agree(base, self.pure):
            return base
        if isinstance(node.right, ast.Constant):
            return base**node.right.value
        told = f"`{self._text(node.left)}` is in {_named(base)}, but its exponent is not a plain number"
        self._problem(node.left, told)
        return ANY_UNIT

    def _call(self, name: str, node: ast.Call) -> Unit:
        match FUNCTIONS[name].unit_rule:
            case UnitRule.SAME:
                values = [
                    value
                    for value, kind in zip(node.args, FUNCTIONS[name].argument_kinds(len(node.args)), strict=True)
                    if kind is Kind.NUMBER
                ]
                return self._same(values, f"combined by `{name}`")
            case UnitRule.FIRST:
                for extra in node.args[1:]:
                    self._pure(extra, f"each further argument of `{name}`")
                return self.measure(node.args[0])
            case UnitRule.PURE:
                for value in node.args:
                    self._pure(value, f"the argument of `{name}`")
                return self.pure
            case UnitRule.ROOT:
                unit = self.measure(node.args[0])
                return unit if unit is ANY_UNIT else unit**ROOT
            case UnitRule.CONDITION:
                self.measure(node.args[0])
                return self.pure

    def _same(self, nodes: Iterable[ast.expr], what: str) -> Unit:
        """The unit that all of these share; a problem at the first that does not."""
        shared: Unit = ANY_UNIT
        first: ast.expr | None = None
        for node in nodes:
            unit = self.measure(node)
            if unit is ANY_UNIT:
                continue
            if shared is ANY_UNIT:
                shared, first = unit, node
            elif first is not None and not self.checker.agree(unit, shared):
                one, other = f"`{self._text(first)}` is in {_named(shared)}", f"`{self._text(node)}` in {_named(unit)}"
                self._problem(node, f"{one} and {other}{_factor(unit, shared)}: they cannot be {what}")
                return ANY_UNIT
        return shared

    def _pure(self, node: ast.expr, what: str) -> None:
        unit = self.measure(node)
        if unit is not ANY_UNIT and not self.checker.agree(unit, self.pure):
            self._problem(node, f"{what} must be a plain number, but `{self._text(node)}` is in {_named(unit)}")

    def _text(self, node: ast.expr) -> str:
        return _shortened(text_of_node(self.formula.expression.source, node))

    def _problem(self, node: ast.expr, message: str) -> None:
        offset = offset_of_node(self.formula.expression.source, node)
        hint = "convert it with a constant that carries both units"
        path = (*self.formula.path, "expr")
        self.problems.append(self.formula.document.problem(UnitMismatch, message, path, offset=offset, hint=hint))


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


def _look_at(text: str) -> None:
    """Raises ValueError for a unit that would take pint without end: it computes powers of whole numbers exactly."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH} characters")
    if POWER.search(text):
        raise ValueError("a power must be a number of one or two digits")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _named(unit: Unit) -> str:
    return f"`{unit:~}`" if str(unit) != "dimensionless" else "no unit"


def _factor(found: Unit, wanted: Unit) -> str:
    """How far apart two units of one dimension are; nothing where their dimensions differ."""
    if found.dimensionality != wanted.dimensionality:
        return ""
    return f", a factor of {(1 * found).to(wanted).magnitude:g} apart"
