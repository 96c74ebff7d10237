"""The parameters of the rules that can be fitted: constants and rows of tables with `calibrate`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.language.definitions import Constant, Definition, Table
from fitcard.language.rule_set import RuleSet
from fitcard.language.tables import Lookup
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Path

CALIBRATE, SPREAD_OF = "calibrate", "spread_of"
ROWS, OTHERWISE = "rows", "otherwise"


class CalibrateBounds(ProblemCode):
    """The current value of a parameter lies outside the bounds of its fit.

    Why: the fit would start where it may never end.
    Avoid: `headroom_share: {value: 2, calibrate: {minimum: 0.01, maximum: 0.2}, ...}`
    Prefer: `headroom_share: {value: 0.02, calibrate: {minimum: 0.01, maximum: 0.2}, ...}`
    """


@dataclass(frozen=True)
class Parameter:
    """A number of the rules that can be fitted: a constant, or a row of a table. Both bounds are above 0."""

    definition: Definition
    row: str | None
    value: float
    minimum: float
    maximum: float

    @property
    def label(self) -> str:
        """`layer_overhead.cuda`, or the name of a constant."""
        return self.definition.name if self.row is None else f"{self.definition.name}.{self.row}"

    @property
    def path(self) -> Path:
        """The path of the number in its document."""
        inner: Path = ("value",) if self.row is None else ((ROWS, self.row) if self.row != OTHERWISE else (OTHERWISE,))
        return (*self.definition.path, *inner)


@dataclass(frozen=True)
class Spread:
    """A constant with the ratio within which the `share` of all runs lies from the estimates of these quantities."""

    definition: Constant
    quantities: tuple[str, ...]
    share: float

    @property
    def value(self) -> float:
        """The current ratio."""
        return self.definition.value

    @property
    def label(self) -> str:
        """Its name."""
        return self.definition.name

    @property
    def path(self) -> Path:
        """The path of the number in its document."""
        return (*self.definition.path, "value")


def spreads_of(rule_set: RuleSet) -> list[Spread]:
    """The spreads of a profile."""
    return [
        Spread(definition, tuple(definition.data[CALIBRATE][SPREAD_OF]), float(definition.data[CALIBRATE]["share"]))
        for definition in rule_set.definitions.values()
        if isinstance(definition, Constant) and SPREAD_OF in definition.data.get(CALIBRATE, {})
    ]


def parameters_of(rule_set: RuleSet) -> list[Parameter]:
    """The parameters of a profile in dependency order. Rows that are 0 are excluded: a fit is of logarithms."""
    return [parameter for definition in rule_set.definitions.values() for parameter in _parameters(definition)]


def _parameters(definition: Definition) -> Iterator[Parameter]:
    if not isinstance(definition, Constant | Table) or CALIBRATE not in definition.data:
        return
    bounds = definition.data[CALIBRATE]
    if SPREAD_OF in bounds:
        return
    minimum, maximum = float(bounds["minimum"]), float(bounds["maximum"])
    if isinstance(definition, Constant):
        yield Parameter(definition, None, definition.value, minimum, maximum)
    elif isinstance(definition.rows, Lookup):
        rows = dict(definition.rows.rows) | {OTHERWISE: definition.rows.otherwise}
        for word, value in rows.items():
            if isinstance(value, float) and value:
                yield Parameter(definition, word, value, minimum, maximum)


def bounds_problems(rule_set: RuleSet) -> Iterator[Problem]:
    """An error for each parameter whose value is outside its bounds."""
    for parameter in parameters_of(rule_set):
        if parameter.minimum > parameter.maximum:
            message, path = "the minimum is above the maximum", (*parameter.definition.path, CALIBRATE, "minimum")
            yield parameter.definition.document.problem(CalibrateBounds, message, path, hint="exchange them")
        elif not parameter.minimum <= parameter.value <= parameter.maximum:
            message = f"{parameter.value:g} is outside {parameter.minimum:g} to {parameter.maximum:g}"
            hint = "change the value, or the bounds of its fit"
            yield parameter.definition.document.problem(CalibrateBounds, message, parameter.path, hint=hint)


def with_values(rules: CompiledRules, parameters: Sequence[Parameter], values: Sequence[float]) -> CompiledRules:
    """The rules with these values of the parameters."""
    definitions: dict[str, Any] = dict(rules.definitions)
    rows: dict[str, dict[str, float]] = {}
    for parameter, value in zip(parameters, values, strict=True):
        name = parameter.definition.name
        if parameter.row is None:
            definitions[name] = replace(definitions[name], value=float(value))
        else:
            rows.setdefault(name, {})[parameter.row] = float(value)
    for name, changed in rows.items():
        table: Table = definitions[name]
        assert isinstance(table.rows, Lookup)
        otherwise = changed.pop(OTHERWISE, table.rows.otherwise)
        definitions[name] = replace(table, rows=Lookup({**table.rows.rows, **changed}, otherwise))
    return rules.with_definitions(definitions)


def log_distance(value: float, other: float) -> float:
    """The absolute logarithm of the ratio of two values."""
    return abs(math.log(value / other))
