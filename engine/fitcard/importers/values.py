"""Numbers and texts of records. An absent number is NaN, as in columns of the engine; an absent text is None."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sized
from typing import Any

from fitcard.values import MAX_EXACT_INTEGER, RELATIVE_TOLERANCE, round_half_up

ABSENT = math.nan


def known(number: float) -> bool:
    """Whether a number is present."""
    return not math.isnan(number)


def first_known(*numbers: float) -> float:
    """The first number that is present."""
    return next((number for number in numbers if known(number)), ABSENT)


def number_of(value: Any) -> float:
    """A number or a text as a number; absent if it is neither or not finite."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return ABSENT
    return number if math.isfinite(number) else ABSENT


def ratio(numerator: float, denominator: float) -> float:
    """The quotient; absent for a denominator of 0."""
    return numerator / denominator if denominator else ABSENT


def floor(number: float) -> float:
    """The number rounded down; absent if it is absent."""
    return float(math.floor(number)) if math.isfinite(number) else ABSENT


def ceil(number: float) -> float:
    """The number rounded up; absent if it is absent."""
    return float(math.ceil(number)) if math.isfinite(number) else ABSENT


def rounded(number: float, decimals: int = 0) -> float:
    """The number rounded to `decimals`, halves up; absent if it is absent, unchanged if it has no decimals anyway."""
    return float(round_half_up(number, decimals)) if abs(number) < MAX_EXACT_INTEGER else number


def whole(number: float) -> int | float:
    """A number as an integer if it is one up to rounding errors."""
    nearest = round(number)
    return nearest if abs(number - nearest) <= RELATIVE_TOLERANCE * max(1, abs(number)) else number


def text_of(value: Any) -> str:
    """A value as text, whole numbers without decimals."""
    return str(whole(value)) if isinstance(value, float) and math.isfinite(value) else str(value)


def join_known(*parts: Any, separator: str = "") -> str | None:
    """The parts as one text; None if a part is absent."""
    if any(part is None or (isinstance(part, float) and math.isnan(part)) for part in parts):
        return None
    return separator.join(map(text_of, parts))


def is_control(character: str) -> bool:
    """Whether a character is not shown as one: control characters, marks of direction, halves of surrogate pairs."""
    return not character.isprintable() and unicodedata.category(character) != "Zs"


def find(pattern: str, value: Any) -> str | None:
    """The first group of the first match of a regular expression in the text of a value; None without a match."""
    match = re.search(pattern, text_of(value)) if value is not None else None
    return match[1] if match else None


def find_number(pattern: str, value: Any) -> float:
    """The first group of a regular expression as a number."""
    return number_of(find(pattern, value))


def count(items: Sized | None, *choices: Any) -> float:
    """The number of items that are one of the `choices`, or of all without choices; absent if there is no list."""
    if items is None:
        return ABSENT
    return float(sum(item in choices for item in items) if choices and isinstance(items, Iterable) else len(items))


def count_positive(numbers: Iterable[float] | None) -> float:
    """The number of positive numbers; absent if there is no list."""
    return ABSENT if numbers is None else float(sum(number > 0 for number in numbers))
