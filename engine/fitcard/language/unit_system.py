"""Units and the factors between them, as a rulebook defines them.

A definition adds a unit of a new dimension (`byte = [information] = B`), a multiple of other units
(`bit = 0.125 * byte`), a share of one (`percent = 0.01`) or a prefix (`giga- = 1e9 = G-`); further names follow after
`=`. This is a part of the notation of pint. Factors are exact fractions. Units that differ by an offset, such as
degrees Celsius, are not supported.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache, reduce

Scale = Fraction | float  # a float where a root has no exact value

MAX_CACHED = 4096  # products of units
MAX_LENGTH = 100  # characters of a unit
MAX_POWER = 99
MIN_SCALE, MAX_SCALE = 1e-300, 1e300  # of a unit in base units: what leaves room for products in a float
EXACT = 1e-12  # factors nearer to each other than this share differ in the last digits of a float alone
ZERO, ONE = Fraction(0), Fraction(1)
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<mark>\*\*|[*/^()-]))"
)


class UnitError(Exception):
    """Raised for a unit that cannot be read, or that is beyond all bounds, with what is wrong."""


@dataclass(frozen=True)
class Conversion:
    """From one unit to another: numbers are multiplied by `number`, or divided by it."""

    number: float
    divides: bool = False

    @classmethod
    def of(cls, factor: Scale) -> Conversion:
        """The conversion by a factor: dividing by 1000 is exact where times 0.001 is not.

        Raises UnitError where no float is that large or small.
        """
        if not MIN_SCALE <= factor <= MAX_SCALE:
            raise UnitError("a factor beyond all bounds")
        if isinstance(factor, Fraction) and factor.numerator == 1:
            return cls(float(factor.denominator), divides=True)
        return cls(float(factor))


@dataclass(frozen=True, eq=False)
class Unit:
    """`powers` are those of the units it is written in, `dimension` those of base units; `scale` is in base units."""

    powers: Mapping[str, Fraction]
    scale: Scale
    dimension: Mapping[str, Fraction]

    @cached_property
    def text(self) -> str:
        """As rules write it, such as `GB/token`; `1` for plain numbers."""
        above = [_raised(name, power) for name, power in self.powers.items() if power > 0]
        below = [_raised(name, -power) for name, power in self.powers.items() if power < 0]
        return "/".join(["*".join(above) or "1", *below])

    @property
    def is_plain(self) -> bool:
        """Whether it is that of plain numbers."""
        return not self.dimension and self.scale == 1

    @property
    def is_named_number(self) -> bool:
        """Whether it is one unit that stands for a number, such as `percent`."""
        return not self.dimension and self.scale != 1 and list(self.powers.values()) == [1]

    def is_commensurable(self, other: Unit) -> bool:
        """Whether the two measure the same, so that there is a factor between them."""
        return self.dimension == other.dimension

    def agrees(self, other: Unit) -> bool:
        """Whether the two measure the same in the same steps, however they are written."""
        return self is other or (self.dimension == other.dimension and _same_scale(self.scale, other.scale))

    def factor_to(self, other: Unit) -> Scale:
        """What a number in this unit is multiplied by to be in the other, which measures the same."""
        return self.scale / other.scale

    def __mul__(self, other: Unit) -> Unit:
        return _combined(self, other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return _combined(self, other, -1)

    def __pow__(self, power: Fraction) -> Unit:
        if abs(power) > MAX_POWER:
            raise UnitError(f"a power beyond {MAX_POWER}")
        powers, dimension = _times(self.powers, power), _times(self.dimension, power)
        if max(map(abs, powers.values()), default=ZERO) > MAX_POWER:
            raise UnitError(f"a power beyond {MAX_POWER}")
        try:
            return _checked(powers, self.scale**power, dimension)
        except OverflowError:
            raise UnitError("a factor beyond all bounds") from None


@lru_cache(maxsize=MAX_CACHED)
def _combined(one: Unit, other: Unit, power: int) -> Unit:
    """The product of the two, or the quotient for a `power` of -1."""
    scale = one.scale * other.scale if power > 0 else one.scale / other.scale
    return _checked(_sum(one.powers, other.powers, power), scale, _sum(one.dimension, other.dimension, power))


def _same_scale(one: Scale, other: Scale) -> bool:
    if isinstance(one, Fraction) and isinstance(other, Fraction):
        return one == other
    return math.isclose(one, other, rel_tol=EXACT)


def _checked(powers: Mapping[str, Fraction], scale: Scale, dimension: Mapping[str, Fraction]) -> Unit:
    if not MIN_SCALE <= scale <= MAX_SCALE:
        raise UnitError("a factor beyond all bounds")
    return Unit(powers, scale, dimension)


def _sum(one: Mapping[str, Fraction], other: Mapping[str, Fraction], sign: int) -> dict[str, Fraction]:
    names = dict.fromkeys((*one, *other))
    powers = {name: one.get(name, ZERO) + sign * other.get(name, ZERO) for name in names}
    return {name: power for name, power in powers.items() if power}


def _times(powers: Mapping[str, Fraction], power: Fraction) -> dict[str, Fraction]:
    return {name: own * power for name, own in powers.items() if power}


def _share(one: Mapping[str, Fraction], other: Mapping[str, Fraction]) -> Fraction | None:
    """The power to which the other dimension is the one; None where there is none."""
    if not one or one.keys() != other.keys():
        return None
    shares = {power / other[name] for name, power in one.items()}
    return shares.pop() if len(shares) == 1 else None


def _raised(name: str, power: Fraction) -> str:
    if power == 1:
        return name
    return f"{name}**{power}" if power.denominator == 1 else f"{name}**{float(power):g}"


PLAIN = Unit({}, ONE, {})


@dataclass(frozen=True)
class _Prefix:
    symbol: str
    scale: Fraction


class UnitSystem:
    """The units of a rulebook, and what is wrong with its definitions by their number.

    A unit whose definition cannot be read measures something of its own, so that what uses it can be read.
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

    def named(self, name: str) -> Unit | None:
        """The unit of that name, with or without a prefix; None where there is none."""
        if name not in self._named:
            self._named[name] = self._units[name] if name in self._units else self._with_prefix(name)
        return self._named[name]

    def _with_prefix(self, name: str) -> Unit | None:
        for prefix, meant in self._prefixes.items():
            unit = self._units.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
            if unit is not None:
                symbol = f"{meant.symbol}{next(iter(unit.powers))}"
                return Unit({symbol: ONE}, meant.scale * unit.scale, unit.dimension)
        return None

    def parse(self, text: str) -> Unit | None:
        """The unit that is written so, such as `GB/token`, `W*s/TFLOP` or `1`; None where there is none."""
        if text not in self._parsed:
            try:
                number, unit = _UnitParser(self, text).read()
                self._parsed[text] = unit if number == 1 else None
            except UnitError:
                self._parsed[text] = None
        return self._parsed[text]

    def reduced(self, unit: Unit) -> Unit:
        """The unit with one for each thing that it measures: `GB*token/MB` is `token`. One alone stays as it is."""
        if len(unit.powers) == 1:
            return unit
        found: dict[str, Fraction] = {}
        for symbol, power in sorted(unit.powers.items(), key=lambda item: item[1] < 0):
            dimension = self._of(symbol).dimension
            for other in found:
                share = _share(dimension, self._of(other).dimension)
                if share:
                    found[other] += power * share
                    break
            else:
                found |= {symbol: power} if dimension else {}
        try:
            return reduce(operator.mul, (self._of(symbol) ** power for symbol, power in found.items()), PLAIN)
        except UnitError:
            return unit

    def _of(self, symbol: str) -> Unit:
        unit = self.named(symbol)
        assert unit is not None, symbol
        return unit

    def _define(self, name: str, others: Sequence[str]) -> None:
        self._named.clear()
        if not others:
            raise UnitError("`=` is missing")
        if not re.fullmatch(r"[^\W\d]\w*-?", name):
            raise UnitError(f"`{name}` is not a name")
        meaning, *more = others
        if ";" in meaning:
            raise UnitError("an offset is not supported")
        if any(not re.fullmatch(r"[^\W\d]\w*-?", other) or other.endswith("-") != name.endswith("-") for other in more):
            raise UnitError("further names are separated by `=`")
        known: Mapping[str, object] = self._prefixes if name.endswith("-") else self._units
        for one in (name, *more):
            if one.removesuffix("-") in known:
                raise UnitError(f"`{one}` is defined twice")
        symbol = (more or [name])[0].removesuffix("-")
        if name.endswith("-"):
            number, unit = _UnitParser(self, meaning).read()
            if not unit.is_plain:
                raise UnitError("a prefix must be a number")
            for one in (name, *more):
                self._prefixes[one.removesuffix("-")] = _Prefix(symbol, number)
            return
        base = re.fullmatch(r"\[(\w*)\]", meaning)
        if base:
            made = Unit({symbol: ONE}, ONE, {base[1]: ONE} if base[1] else {})
        else:
            number, unit = _UnitParser(self, meaning).read()
            made = _checked({symbol: ONE}, number * unit.scale, unit.dimension)
        for one in (name, *more):
            self._units[one] = made


class _UnitParser:
    """Reads products, quotients and powers of units and numbers, from left to right."""

    def __init__(self, system: UnitSystem, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise UnitError(f"longer than {MAX_LENGTH} characters")
        self.system, self.tokens, at = system, list[tuple[str, str]](), 0
        text = text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise UnitError(f"`{text[at:].strip()[0]}` is not part of a unit")
            self.tokens.append((found.lastgroup or "", found[found.lastgroup or 0].replace("^", "**")))
            at = found.end()

    def read(self) -> tuple[Fraction, Unit]:
        """The number and the unit that it is multiplied by."""
        found = self._product()
        if self.tokens:
            raise UnitError(f"`{self.tokens[0][1]}` is unexpected")
        return found

    def _product(self) -> tuple[Fraction, Unit]:
        number, unit = self._power()
        while self.tokens and self.tokens[0][1] in ("*", "/"):
            mark = self.tokens.pop(0)[1]
            other, by = self._power()
            number, unit = (number * other, unit * by) if mark == "*" else (number / other, unit / by)
            _checked({}, number, {})
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
                number = _whole_power(number, power)
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
            found = self._product()
            if self.tokens[:1] == [("mark", ")")]:
                self.tokens.pop(0)
                return found
        raise UnitError(f"`{text}` is unexpected")


def _whole_power(number: Fraction, power: Fraction) -> Fraction:
    raised = (Unit({}, number, {}) ** power).scale
    if not isinstance(raised, Fraction):
        raise UnitError("a root of a number")
    return raised


def _number(text: str) -> Fraction:
    if not MIN_SCALE <= float(text) <= MAX_SCALE:
        raise UnitError(f"`{text}` is beyond all bounds")
    return Fraction(text)
