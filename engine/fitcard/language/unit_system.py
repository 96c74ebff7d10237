"""Units and the factors between them, defined in a subset of the notation of pint.

A definition adds a unit of a new dimension (`byte = [information] = B`), a multiple of other units
(`bit = 0.125 * byte`), a plain number (`percent = 0.01`) or a prefix (`giga- = 1e9 = G-`); aliases follow after `=`.
Factors are exact fractions. Units with an offset, such as degrees Celsius, are not supported.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, reduce

from fitcard.suggest import closest, may_compare, similarity

Scale = Fraction | float  # a float where a root has no exact value

MAX_CACHED_PRODUCTS = 4096
MAX_LENGTH = 100  # characters of a unit
MAX_POWER = 99
MIN_SCALE, MAX_SCALE = 1e-300, 1e300  # of a unit in base units; products still fit in a float
MIN_SIMILARITY = 0.8  # of a suggested unit with a prefix
RELATIVE_TOLERANCE = 1e-12  # of rounding errors in factors
ZERO, ONE = Fraction(0), Fraction(1)
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<mark>\*\*|[*/^()-]))"
)


class UnitError(Exception):
    """Raised for a unit that cannot be parsed or is out of range."""


@dataclass(frozen=True)
class Conversion:
    """A conversion between two units: multiplication by `number`, or division if it `divides`."""

    number: float
    divides: bool = False

    @classmethod
    def of(cls, factor: Scale) -> Conversion:
        """The conversion by a factor. Raises UnitError if the factor is out of range.

        Divides by the inverse of a factor such as 1/1000, since floats represent 1000 exactly, but not 0.001.
        """
        if not MIN_SCALE <= factor <= MAX_SCALE:
            raise UnitError("a factor beyond all bounds")
        if isinstance(factor, Fraction) and factor.numerator == 1:
            return cls(float(factor.denominator), divides=True)
        return cls(float(factor))


@dataclass(frozen=True, eq=False)
class Unit:
    """A unit: the `powers` of its symbols, its `dimension` in powers of base units, and its `scale` in base units."""

    powers: Mapping[str, Fraction]
    scale: Scale
    dimension: Mapping[str, Fraction]

    @cached_property
    def text(self) -> str:
        """The notation of rules, such as `GB/token`; `1` for plain numbers."""
        numerator = [_power_text(name, power) for name, power in self.powers.items() if power > 0]
        denominator = [_power_text(name, -power) for name, power in self.powers.items() if power < 0]
        return "/".join(["*".join(numerator) or "1", *denominator])

    @property
    def is_plain(self) -> bool:
        """Whether it is the unit of plain numbers."""
        return not self.dimension and self.scale == 1

    @property
    def is_named_number(self) -> bool:
        """Whether it is the name of a number, such as `percent`."""
        return not self.dimension and self.scale != 1 and list(self.powers.values()) == [1]

    def is_commensurable(self, other: Unit) -> bool:
        """Whether both have the same dimension, so that values can be converted."""
        return self.dimension == other.dimension

    def agrees(self, other: Unit) -> bool:
        """Whether both have the same dimension and scale, so that values need no conversion."""
        return self is other or (self.dimension == other.dimension and _same_scale(self.scale, other.scale))

    def factor_to(self, other: Unit) -> Scale:
        """The factor that converts values to a commensurable unit."""
        return self.scale / other.scale

    def __mul__(self, other: Unit) -> Unit:
        return _combine(self, other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return _combine(self, other, -1)

    def __pow__(self, power: Fraction) -> Unit:
        if abs(power) > MAX_POWER:
            raise UnitError(f"a power beyond {MAX_POWER}")
        powers, dimension = _scale_powers(self.powers, power), _scale_powers(self.dimension, power)
        if max(map(abs, powers.values()), default=ZERO) > MAX_POWER:
            raise UnitError(f"a power beyond {MAX_POWER}")
        try:
            return _checked_unit(powers, self.scale**power, dimension)
        except OverflowError:
            raise UnitError("a factor beyond all bounds") from None


@lru_cache(maxsize=MAX_CACHED_PRODUCTS)
def _combine(left: Unit, right: Unit, sign: int) -> Unit:
    """The product, or the quotient for a `sign` of -1."""
    scale = left.scale * right.scale if sign > 0 else left.scale / right.scale
    powers, dimension = (
        _add_powers(left.powers, right.powers, sign),
        _add_powers(left.dimension, right.dimension, sign),
    )
    return _checked_unit(powers, scale, dimension)


def _same_scale(left: Scale, right: Scale) -> bool:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left == right
    return math.isclose(left, right, rel_tol=RELATIVE_TOLERANCE)


def _checked_unit(powers: Mapping[str, Fraction], scale: Scale, dimension: Mapping[str, Fraction]) -> Unit:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise UnitError("a factor beyond all bounds")
    return Unit(powers, scale, dimension)


def _add_powers(left: Mapping[str, Fraction], right: Mapping[str, Fraction], sign: int) -> dict[str, Fraction]:
    names = dict.fromkeys((*left, *right))
    powers = {name: left.get(name, ZERO) + sign * right.get(name, ZERO) for name in names}
    return {name: power for name, power in powers.items() if power}


def _scale_powers(powers: Mapping[str, Fraction], factor: Fraction) -> dict[str, Fraction]:
    return {name: power * factor for name, power in powers.items() if factor}


def _exponent(dimension: Mapping[str, Fraction], base: Mapping[str, Fraction]) -> Fraction | None:
    """The exponent with which `base` gives `dimension`; None if there is none."""
    if not dimension or dimension.keys() != base.keys():
        return None
    exponents = {power / base[name] for name, power in dimension.items()}
    return exponents.pop() if len(exponents) == 1 else None


def _power_text(name: str, power: Fraction) -> str:
    if power == 1:
        return name
    return f"{name}**{power}" if power.denominator == 1 else f"{name}**{float(power):g}"


PLAIN = Unit({}, ONE, {})


@dataclass(frozen=True)
class _Prefix:
    symbol: str
    scale: Fraction


class UnitSystem:
    """The units of a rulebook, and the `errors` of definitions by their index.

    A unit whose definition has an error gets a dimension of its own, so that formulas in that unit can be checked.
    """

    def __init__(self, definitions: Sequence[str]) -> None:
        self.errors: dict[int, str] = {}
        self._units: dict[str, Unit] = {}
        self._prefixes: dict[str, _Prefix] = {}
        self._named: dict[str, Unit | None] = {}
        self._parsed: dict[str, Unit | None] = {}
        for number, definition in enumerate(definitions):
            name, *others = (part.strip() for part in definition.split("="))
            try:
                self._define(name, others)
            except UnitError as error:
                self.errors[number] = str(error)
                symbol = re.match(r"\w+", name)
                if symbol:
                    self._units.setdefault(symbol[0], Unit({symbol[0]: ONE}, ONE, {symbol[0]: ONE}))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all units, without prefixes."""
        return tuple(self._units)

    def closest(self, word: str) -> tuple[str, ...]:
        """The names most similar to `word`, best first; with prefixes only if the best has one and is very similar.

        Long prefixes are combined with long names, and symbols with symbols: `gigabyte`, `GB`.
        """
        if not may_compare(len(self._prefixes) * len(self._units)):
            return ()
        prefixed = [
            f"{text}{name}"
            for text, prefix in self._prefixes.items()
            for name, unit in self._units.items()
            if (text == prefix.symbol) is (name in unit.powers)
        ]
        matches = closest(word, [*self._units, *prefixed])
        if matches and matches[0] in prefixed and similarity(word, matches[0]) >= MIN_SIMILARITY:
            return matches
        return closest(word, self._units)

    def suggest(self, text: str) -> tuple[str, ...]:
        """Units for an undefined one: the text with its first undefined name replaced by the closest ones."""
        for name in re.finditer(r"[^\W\d]\w*", text):
            if self.named(name[0]) is None:
                return tuple(f"{text[: name.start()]}{near}{text[name.end() :]}" for near in self.closest(name[0]))
        return ()

    def named(self, name: str) -> Unit | None:
        """The unit with this name, with or without a prefix; None if undefined."""
        if name not in self._named:
            self._named[name] = self._units[name] if name in self._units else self._with_prefix(name)
        return self._named[name]

    def _with_prefix(self, name: str) -> Unit | None:
        for text, prefix in self._prefixes.items():
            unit = self._units.get(name.removeprefix(text)) if name.startswith(text) else None
            if unit is not None:
                symbol = f"{prefix.symbol}{next(iter(unit.powers))}"
                return Unit({symbol: ONE}, prefix.scale * unit.scale, unit.dimension)
        return None

    def parse(self, text: str) -> Unit | None:
        """The unit with this text, such as `GB/token`, `W*s/TFLOP` or `1`; None if undefined."""
        if text not in self._parsed:
            try:
                number, unit = _UnitParser(self, text).parse()
                self._parsed[text] = unit if number == 1 else None
            except UnitError:
                self._parsed[text] = None
        return self._parsed[text]

    def reduced(self, unit: Unit) -> Unit:
        """The unit with one symbol per dimension: `GB*token/MB` is `token`; one with a single symbol is unchanged."""
        if len(unit.powers) == 1:
            return unit
        powers: dict[str, Fraction] = {}
        for symbol, power in sorted(unit.powers.items(), key=lambda item: item[1] < 0):
            dimension = self._symbol(symbol).dimension
            for other in powers:
                exponent = _exponent(dimension, self._symbol(other).dimension)
                if exponent:
                    powers[other] += power * exponent
                    break
            else:
                powers |= {symbol: power} if dimension else {}
        try:
            return reduce(operator.mul, (self._symbol(symbol) ** power for symbol, power in powers.items()), PLAIN)
        except UnitError:
            return unit

    def _symbol(self, symbol: str) -> Unit:
        unit = self.named(symbol)
        assert unit is not None, symbol
        return unit

    def _define(self, name: str, others: Sequence[str]) -> None:
        self._named.clear()
        if not others:
            raise UnitError("`=` is missing")
        if not re.fullmatch(r"[^\W\d]\w*-?", name):
            raise UnitError(f"`{name}` is not a name")
        value, *aliases = others
        if ";" in value:
            raise UnitError("an offset is not supported")
        is_prefix = name.endswith("-")
        if any(not re.fullmatch(r"[^\W\d]\w*-?", alias) or alias.endswith("-") != is_prefix for alias in aliases):
            raise UnitError("further names are separated by `=`")
        names = [each.removesuffix("-") for each in (name, *aliases)]
        defined: Mapping[str, object] = self._prefixes if is_prefix else self._units
        for each in (name, *aliases):
            if each.removesuffix("-") in defined:
                raise UnitError(f"`{each}` is defined twice")
        symbol = names[1] if aliases else names[0]
        if is_prefix:
            number, unit = _UnitParser(self, value).parse()
            if not unit.is_plain:
                raise UnitError("a prefix must be a number")
            self._prefixes |= dict.fromkeys(names, _Prefix(symbol, number))
            return
        base = re.fullmatch(r"\[(\w*)\]", value)
        if base:
            defined_unit = Unit({symbol: ONE}, ONE, {base[1]: ONE} if base[1] else {})
        else:
            number, unit = _UnitParser(self, value).parse()
            defined_unit = _checked_unit({symbol: ONE}, number * unit.scale, unit.dimension)
        self._units |= dict.fromkeys(names, defined_unit)


class _UnitParser:
    """Parses products, quotients and powers of units and numbers, from left to right."""

    def __init__(self, system: UnitSystem, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise UnitError(f"longer than {MAX_LENGTH} characters")
        self.system, self.tokens, at = system, list[tuple[str, str]](), 0
        text = text.rstrip()
        while at < len(text):
            token = TOKEN.match(text, at)
            if token is None:
                raise UnitError(f"`{text[at:].strip()[0]}` is not part of a unit")
            self.tokens.append((token.lastgroup or "", token[token.lastgroup or 0].replace("^", "**")))
            at = token.end()

    def parse(self) -> tuple[Fraction, Unit]:
        """The number and the unit whose product the text is."""
        product = self._product()
        if self.tokens:
            raise UnitError(f"`{self.tokens[0][1]}` is unexpected")
        return product

    def _product(self) -> tuple[Fraction, Unit]:
        number, unit = self._power()
        while self.tokens and self.tokens[0][1] in ("*", "/"):
            mark = self.tokens.pop(0)[1]
            factor, factor_unit = self._power()
            number, unit = (
                (number * factor, unit * factor_unit) if mark == "*" else (number / factor, unit / factor_unit)
            )
            _checked_unit({}, number, {})
        return number, unit

    def _power(self) -> tuple[Fraction, Unit]:
        number, unit = self._atom()
        if self.tokens and self.tokens[0][1] == "**":
            self.tokens.pop(0)
            sign = -1 if self.tokens and self.tokens[0][1] == "-" and self.tokens.pop(0) else 1
            if not self.tokens or self.tokens[0][0] != "number" or self.tokens[1:2] == [("mark", "**")]:
                raise UnitError("a power must be one number")
            power = sign * _number(self.tokens.pop(0)[1])
            unit = unit**power
            if number != 1:
                number = _exact_power(number, power)
        return number, unit

    def _atom(self) -> tuple[Fraction, Unit]:
        if not self.tokens:
            raise UnitError("it is incomplete")
        kind, text = self.tokens.pop(0)
        if kind == "number":
            return _number(text), PLAIN
        if kind == "name":
            unit = self.system.named(text)
            if unit is None:
                raise UnitError(f"undefined unit `{text}`")
            return ONE, unit
        if text == "(":
            product = self._product()
            if self.tokens[:1] == [("mark", ")")]:
                self.tokens.pop(0)
                return product
        raise UnitError(f"`{text}` is unexpected")


def _exact_power(number: Fraction, power: Fraction) -> Fraction:
    result = (Unit({}, number, {}) ** power).scale
    if not isinstance(result, Fraction):
        raise UnitError("a root of a number")
    return result


def _number(text: str) -> Fraction:
    if not MIN_SCALE <= float(text) <= MAX_SCALE:
        raise UnitError(f"`{text}` is beyond all bounds")
    return Fraction(text)
