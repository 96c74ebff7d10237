"""How values are written in texts: numbers, money and days, each in the way of one language."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from functools import cached_property, lru_cache
from typing import Literal

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern, get_decimal_symbol, parse_pattern

from fitcard.values import Scalar, format_decimals

MAX_CACHED = 2048
DEFAULT_PRECISION, MAX_PRECISION = 27, 400  # digits that decimals have unless told, and those of the largest float
DayStyle = Literal["short", "medium", "long", "full"]


@dataclass(frozen=True)
class Format:
    """How a value is written in the language of `locale`: a word in lower `case`, a day in the style `date`, a number.

    A number is divided by `per` and written with `decimals` and then `suffix`; with `group`, its digits stand in
    groups. With `currency` it is money, and its sign stands where the language puts it.
    """

    locale: Locale
    decimals: int = 0
    per: float = 1
    group: bool = False
    suffix: str = ""
    case: str = ""
    currency: str = ""
    date: DayStyle | None = None

    def write(self, value: Scalar) -> str:
        """The value as text; an absent number is written as 0, and a text that is no day as it is."""
        if isinstance(value, str):
            return self._word(value)
        return self._numbers(float(value or 0))

    @cached_property
    def _numbers(self) -> Callable[[float], str]:
        """Writes numbers, and knows those that it wrote lately: a page writes many of them again and again."""
        return lru_cache(MAX_CACHED)(self._written)

    def _written(self, value: float) -> str:
        text = format_decimals(value / self.per, self.decimals)
        if not (self.group or self.currency):  # nothing but the point is the language's own
            return text.replace(".", self._point) + self.suffix
        number = Decimal(text)
        if number.adjusted() + self.decimals < DEFAULT_PRECISION:
            return self._number(number)
        with localcontext(prec=MAX_PRECISION):
            return self._number(number)

    def _number(self, number: Decimal) -> str:
        return (self._money(number) if self.currency else self._grouped(number)) + self.suffix

    def _word(self, word: str) -> str:
        if self.date is not None:
            try:
                return format_date(date.fromisoformat(word), self.date, self.locale)
            except ValueError:
                return word
        return word.lower() if self.case == "lower" else word

    def _grouped(self, number: Decimal) -> str:
        written: str = self._group_pattern.apply(number, self.locale)
        return written

    def _money(self, number: Decimal) -> str:
        written: str = self._money_pattern.apply(number, self.locale, currency=self.currency, currency_digits=False)
        return written

    @cached_property
    def _point(self) -> str:
        """What the language writes before decimals."""
        return get_decimal_symbol(self.locale)

    @cached_property
    def _group_pattern(self) -> NumberPattern:
        fraction = "." + "0" * self.decimals if self.decimals else ""
        return parse_pattern("#,##0" + fraction)

    @cached_property
    def _money_pattern(self) -> NumberPattern:
        pattern: NumberPattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (self.decimals, self.decimals)  # a currency's own decimals would add cents
        return pattern
