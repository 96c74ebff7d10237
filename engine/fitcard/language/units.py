"""Automatic unit conversion: expressions are checked and converted once, when the rules are loaded.

Programs, coverage and the location of non-finite numbers use the converted expressions.

- A product or quotient has the product or quotient of the units; the quotient of two commensurable values is a plain
  number. Factors are converted only where required: `Gparam * bit/param` is 1/8 of `GB`.
- A sum, a difference, `%`, a comparison, `a if c else b`, `min`, `max`, `clamp`, `where` and `either` have the unit of
  their first operand, to which the others are converted. A bare 0 is compatible with any unit; `0 * percent` is in
  percent.
- `floor`, `ceil`, `round` and `//` round in the unit of their argument: 12.3 percent to 12 percent. To round a fraction
  `x` to whole percent, round the plain number `x / percent`.
- `log2`, `log10`, `exp`, exponents and digits take plain numbers; `sqrt` halves the powers of the unit. The exponent
  of a value with a unit is a literal number, such as `2`, `-1` or `1 / 2`.
- The result is converted to the declared unit of the formula, and a `value_of` to that of the table, as are the
  numbers in its rows. Bounds and knots are in the unit of the input of their table.
- A profile overrides a rule in the unit of the rule.

A unit is written as a name: `512 * MB`, `2 * FLOP / param / token`. A number without a unit is a plain number, never
percent. A rule with the name of a unit hides the unit. Incommensurable units are an error, and counts of different
things are incommensurable: bytes with tokens, plain numbers with tokens. Units with an offset, such as degrees Celsius,
are not supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fitcard.language.definitions import DIMENSIONLESS, Definition, Formula, Table, row_references
from fitcard.language.expression import Expression
from fitcard.language.rule_set import RuleSet
from fitcard.language.tables import Lookup, ValueOf
from fitcard.language.unit_conversion import ANY_UNIT, ExpressionConverter, conversion_to, display_unit
from fitcard.language.unit_system import PLAIN, Conversion, Unit, UnitSystem
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.source.document import Document, Path
from fitcard.values import Kind


class UnitDefinition(ProblemCode):
    """A unit definition in the rulebook cannot be parsed.

    Why: formulas in that unit could not be checked or converted.
    Avoid: `bit 0.125 byte`, `degC = kelvin; offset: 273.15`
    Prefer: `bit = 0.125 * byte`. Units with an offset are not supported.
    """


class UnitUnknown(ProblemCode):
    """A rule or an input has a unit that the rulebook does not define.

    Why: formulas could not be checked or converted.
    Avoid: `unit: GBps`
    Prefer: `unit: GB/s`, or a definition under `units` in `rulebook.yaml`.
    """


class UnitRows(ProblemCode):
    """A row of a table takes its value from a name in a unit that is incommensurable with that of the table.

    Why: the result would have different units for different questions.
    Avoid: `unit: GB` over `llama.cpp: {value_of: device.bandwidth}`
    Prefer: a name in a unit of the same dimension, such as `{value_of: device.memory}`
    """


class UnitOverlay(ProblemCode):
    """A profile gives a rule in another unit than the rules do.

    Why: answers show the rule under one unit in all profiles.
    Avoid: `ttft: {unit: s, ...}` in a profile, over `ttft: {unit: ms, ...}` of the rules
    Prefer: `ttft: {unit: ms, ...}`; the formula itself may use seconds.
    """


class NameHidesUnit(ProblemCode):
    """A rule has the name of a unit.

    Why: formulas that write the unit get the value of the rule instead.
    Avoid: `percent: {value: 100, unit: percent, ...}`
    Prefer: another name, or no rule where the unit itself is meant: `share / percent`.
    """


def read_units(document: Document) -> tuple[UnitSystem, list[Problem]]:
    """The units of a rulebook file that conforms to its schema, and the problems of their definitions."""
    units = UnitSystem(document.data["units"])
    hint = "write `name = [dimension]`, `name = 1000 * other`, or `prefix- = 1e3 = p-`"
    problems = [
        document.problem(UnitDefinition, f"cannot parse the unit: {error}", ("units", number), hint=hint)
        for number, error in units.errors.items()
    ]
    for name, data in document.data.get("inputs", {}).items():
        if _unit(units, data["unit"]) is None:
            problems.append(_unknown_unit(units, data["unit"], document, ("inputs", name)))
    return units, problems


def _unit(units: UnitSystem, text: str) -> Unit | None:
    """The unit with this text, None if undefined; conditions and words are dimensionless."""
    return PLAIN if text in DIMENSIONLESS else units.parse(text)


def _unknown_unit(units: UnitSystem, text: str, document: Document, path: Path) -> Problem:
    near = units.suggest(text)
    hint = "" if near else "define it under `units` in `rulebook.yaml`"
    return document.problem(UnitUnknown, f"undefined unit `{text}`", (*path, "unit"), hint=hint, closest=near)


class RuleConverter:
    """Converts the rule sets of all profiles; definitions that profiles share are converted, and reported, once."""

    def __init__(self, units: UnitSystem, base: Mapping[str, Definition]) -> None:
        self._units, self._base = units, base
        self._converted: dict[tuple[int, frozenset[str]], Definition] = {}
        self._originals: list[Definition] = []  # keeps the ids in use

    def convert(self, rule_set: RuleSet) -> tuple[RuleSet, list[Problem]]:
        """The rule set with converted expressions and rows, and the problems of units in it.

        No problems are reported if definitions of units have errors.
        """
        problems: list[Problem] = []
        definitions: dict[str, Definition] = {}
        names = _NameUnits(rule_set, self._units)
        hidden = frozenset(name for name in rule_set.definitions if self._units.named(name) is not None)
        for name, definition in rule_set.definitions.items():
            key = (id(definition), hidden)
            if key not in self._converted:
                self._originals.append(definition)
                converted, own_problems = self._convert(rule_set, definition, names)
                self._converted[key] = converted
                problems += own_problems
            definitions[name] = self._converted[key]
        return replace(rule_set, definitions=definitions), [] if self._units.errors else problems

    def _convert(
        self, rule_set: RuleSet, definition: Definition, names: _NameUnits
    ) -> tuple[Definition, list[Problem]]:
        declared = _unit(self._units, definition.unit)
        problems = list(self._problems(definition, declared))
        unit = ANY_UNIT if declared is None else declared
        if isinstance(definition, Formula):
            is_number = rule_set.kinds[definition.name] is Kind.NUMBER
            path = (*definition.path, "expr")
            converter = ExpressionConverter(self._units, names, definition.expression, definition.document, path)
            tree = (
                converter.result(unit, definition) if is_number else converter.operand(definition.expression.tree).node
            )
            problems += converter.problems
            if tree is not definition.expression.tree:
                expression = definition.expression.part(tree)
                return replace(definition, expression=expression, computed_in=converter.computed_in), problems
        elif isinstance(definition, Table) and definition.kind is Kind.NUMBER and isinstance(definition.rows, Lookup):
            conversions, row_problems = _row_conversions(definition, unit, names)
            problems += row_problems
            if conversions:
                return replace(definition, rows=_with_conversions(definition.rows, conversions)), problems
        return definition, problems

    def _problems(self, definition: Definition, declared: Unit | None) -> Iterator[Problem]:
        name, document = definition.name, definition.document
        if declared is None:
            yield _unknown_unit(self._units, definition.unit, document, definition.path)
        if self._units.named(name) is not None:
            message, hint = f"`{name}` is also a unit", "rename it, or remove it where the unit is meant"
            severity = Severity.WARNING
            yield document.problem(NameHidesUnit, message, definition.path, key=True, severity=severity, hint=hint)
        overridden = self._base.get(name, definition)
        base_unit = _unit(self._units, overridden.unit)
        if declared is not None and base_unit is not None and not declared.agrees(base_unit):
            message = f"the rules give `{name}` in `{overridden.unit}`, but the profile in `{definition.unit}`"
            hint = f"write `unit: {overridden.unit}`"
            yield document.problem(UnitOverlay, message, (*definition.path, "unit"), hint=hint)


class _NameUnits:
    """The units of the names in the expressions of a rule set."""

    def __init__(self, rule_set: RuleSet, units: UnitSystem) -> None:
        self._rule_set, self._units = rule_set, units
        self._known: dict[str, tuple[Unit, bool]] = {}

    def unit(self, name: str) -> Unit:
        """The unit of a name, or the unit with that name; ANY_UNIT for an unknown one, which is reported elsewhere."""
        return self._find(name)[0]

    def is_unit(self, name: str) -> bool:
        """Whether it is the name of a unit, and of no rule, field or input."""
        return self._find(name)[1]

    def _find(self, name: str) -> tuple[Unit, bool]:
        if name not in self._known:
            info = self._rule_set.describe(name)
            unit = _unit(self._units, info.unit) if info else self._units.named(name)
            self._known[name] = (ANY_UNIT, False) if unit is None else (unit, info is None)
        return self._known[name]


def convert_condition(
    expression: Expression,
    rule_set: RuleSet,
    units: UnitSystem,
    document: Document,
    path: Path,
    compares_bare_numbers: bool = False,
) -> tuple[Expression, list[Problem]]:
    """A condition with converted operands, and the problems of units in it.

    If it `compares_bare_numbers`, a number without a unit is in the unit of the other side of a comparison.
    """
    names = _NameUnits(rule_set, units)
    converter = ExpressionConverter(units, names, expression, document, path, compares_bare_numbers)
    tree = converter.operand(expression.tree).node
    return expression if tree is expression.tree else expression.part(tree), converter.problems


def _row_conversions(table: Table, declared: Unit, names: _NameUnits) -> tuple[dict[str, Conversion], list[Problem]]:
    conversions: dict[str, Conversion] = {}
    problems: list[Problem] = []
    for name, path in row_references(table):
        unit = names.unit(name)
        if unit is ANY_UNIT or declared is ANY_UNIT or unit.agrees(declared):
            continue
        conversion = conversion_to(unit, declared)
        if conversion is None:
            message = f"the rows give {display_unit(declared)}, but `{name}` is in {display_unit(unit)}"
            hint = "use a name in a unit of the same dimension, or a number"
            problems.append(table.document.problem(UnitRows, message, path, hint=hint))
        else:
            conversions[name] = conversion
    return conversions, problems


def _with_conversions(lookup: Lookup, conversions: Mapping[str, Conversion]) -> Lookup:
    def convert(result: Any) -> Any:
        is_converted = isinstance(result, ValueOf) and result.name in conversions
        return replace(result, conversion=conversions[result.name]) if is_converted else result

    return Lookup({word: convert(result) for word, result in lookup.rows.items()}, convert(lookup.otherwise))
