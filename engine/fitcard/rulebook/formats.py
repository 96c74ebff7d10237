"""Formats of values in texts: numbers, money and dates, by the conventions of a locale."""

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

MAX_CACHED = 2048  # texts of numbers, for each format
DEFAULT_PRECISION, MAX_PRECISION = 27, 400  # digits of decimals; the largest float has 309
DateStyle = Literal["short", "medium", "long", "full"]


@dataclass(frozen=True)
class ValueFormat:
    """A format of numbers, words (`case`: `lower`) or ISO dates (`date`: a CLDR style).

    A number is divided by `per`, rounded to `decimals`, and followed by `suffix`; its digits are grouped with `group`.
    With a `currency` it is money, whose symbol is where the locale puts it.
    """

    locale: Locale
    decimals: int = 0
    per: float = 1
    group: bool = False
    suffix: str = ""
    case: str = ""
    currency: str = ""
    date: DateStyle | None = None

    @property
    def is_for_words(self) -> bool:
        """Whether it changes words, rather than numbers."""
        return bool(self.case) or self.date is not None

    def write(self, value: Scalar) -> str:
        """The value as text. An absent number is 0; a word that is not a date is unchanged."""
        if isinstance(value, str):
            return self._write_word(value)
        return self._number_writer(float(value or 0))

    @cached_property
    def _number_writer(self) -> Callable[[float], str]:
        """`_write_number` with a cache: a page repeats many numbers."""
        return lru_cache(MAX_CACHED)(self._write_number)

    def _write_number(self, value: float) -> str:
        text = format_decimals(value / self.per, self.decimals)
        if not (self.group or self.currency):  # only the decimal separator depends on the locale
            return text.replace(".", self._decimal_separator) + self.suffix
        number = Decimal(text)
        if number.adjusted() + self.decimals < DEFAULT_PRECISION:
            return self._write_decimal(number)
        with localcontext(prec=MAX_PRECISION):
            return self._write_decimal(number)

    def _write_decimal(self, number: Decimal) -> str:
        return (self._write_money(number) if self.currency else self._write_grouped(number)) + self.suffix

    def _write_word(self, word: str) -> str:
        if self.date is not None:
            try:
                return format_date(date.fromisoformat(word), self.date, self.locale)
            except ValueError:
                return word
        return word.lower() if self.case == "lower" else word

    def _write_grouped(self, number: Decimal) -> str:
        written: str = self._group_pattern.apply(number, self.locale)
        return written

    def _write_money(self, number: Decimal) -> str:
        written: str = self._money_pattern.apply(number, self.locale, currency=self.currency, currency_digits=False)
        return written

    @cached_property
    def _decimal_separator(self) -> str:
        return get_decimal_symbol(self.locale)

    @cached_property
    def _group_pattern(self) -> NumberPattern:
        fraction = "." + "0" * self.decimals if self.decimals else ""
        return parse_pattern("#,##0" + fraction)

    @cached_property
    def _money_pattern(self) -> NumberPattern:
        pattern: NumberPattern = copy(self.locale.currency_formats["standard"])
        pattern.frac_prec = (self.decimals, self.decimals)  # instead of those of the currency, which would add cents
        return pattern
