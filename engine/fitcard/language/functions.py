"""The functions that expressions may call. Each works on whole columns, element by element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any

import numpy as np

from fitcard.values import ABSENT, Kind, WordColumn, round_half_up

NUMBER, CONDITION = Kind.NUMBER, Kind.CONDITION
UNLIMITED = None


class UnitRule(Enum):
    """The unit of a function's result, and those of its arguments."""

    SAME = "the result has the unit of the first argument, to which the others are converted"
    FIRST = "the result has the unit of the argument"
    ROUNDED = "the result has the unit of the first argument, in which it is rounded; the other is a plain number"
    PURE = "arguments and result are plain numbers"
    ROOT = "the square root of the unit of the argument"
    CONDITION = "any unit; the result is a condition"


@dataclass(frozen=True)
class Function:
    """`parameter_kinds` are the kinds of its arguments; the last one repeats up to `max_arguments` arguments (None:
    without limit).

    A function that takes `accepts_words` too can be given one in place of a number.
    """

    run: Callable[..., Any]
    parameter_kinds: tuple[Kind, ...]
    min_arguments: int
    max_arguments: int | None
    unit_rule: UnitRule
    returns: Kind = NUMBER
    about: str = ""
    accepts_words: bool = False

    def argument_kinds(self, arguments: int) -> tuple[Kind, ...]:
        """The kinds of so many arguments."""
        return tuple(self.parameter_kinds[min(at, len(self.parameter_kinds) - 1)] for at in range(arguments))


def select(condition: Any, one: Any, other: Any) -> Any:
    """`one` where the condition holds, else `other`."""
    if isinstance(condition, np.ndarray):
        if _is_number(one) and _is_number(other):  # taken from two, which needs no guess at each condition
            return np.array((other, one)).take(condition.view(np.int8), mode="clip")
        return np.where(condition, one, other)
    return one if condition else other  # numpy takes twenty times as long for a single number, here and below


def logical_not(condition: Any) -> Any:
    """Where the condition does not hold."""
    if isinstance(condition, np.ndarray):
        return ~condition
    return np.False_ if condition else np.True_


def _is_number(value: Any) -> bool:
    return isinstance(value, float)


def _lesser(one: Any, other: Any) -> Any:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.minimum(one, other)
    return one if one < other or one != one else other  # noqa: PLR0124  NaN, which is absent, is not itself


def _greater(one: Any, other: Any) -> Any:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.maximum(one, other)
    return one if one > other or one != one else other  # noqa: PLR0124


def _least(first: Any, second: Any, *others: Any) -> Any:
    return reduce(_lesser, others, _lesser(first, second)) if others else _lesser(first, second)


def _greatest(first: Any, second: Any, *others: Any) -> Any:
    return reduce(_greater, others, _greater(first, second)) if others else _greater(first, second)


def _clamp(value: Any, low: Any, high: Any) -> Any:
    return _lesser(_greater(value, low), high)


def _known(value: Any) -> Any:
    return value.codes != ABSENT if isinstance(value, WordColumn) else value == value  # noqa: PLR0124


def _either(value: Any, instead: Any) -> Any:
    return select(value == value, value, instead)  # noqa: PLR0124


FUNCTIONS: dict[str, Function] = {
    "min": Function(_least, (NUMBER,), 2, UNLIMITED, UnitRule.SAME, about="smallest argument"),
    "max": Function(_greatest, (NUMBER,), 2, UNLIMITED, UnitRule.SAME, about="largest argument"),
    "floor": Function(np.floor, (NUMBER,), 1, 1, UnitRule.ROUNDED, about="rounded down to an integer"),
    "ceil": Function(np.ceil, (NUMBER,), 1, 1, UnitRule.ROUNDED, about="rounded up to an integer"),
    "round": Function(
        round_half_up, (NUMBER, NUMBER), 1, 2, UnitRule.ROUNDED, about="rounded to the given decimals, half up"
    ),
    "abs": Function(np.abs, (NUMBER,), 1, 1, UnitRule.FIRST, about="absolute value"),
    "log2": Function(np.log2, (NUMBER,), 1, 1, UnitRule.PURE, about="base-2 logarithm"),
    "log10": Function(np.log10, (NUMBER,), 1, 1, UnitRule.PURE, about="base-10 logarithm"),
    "exp": Function(np.exp, (NUMBER,), 1, 1, UnitRule.PURE, about="exponential function"),
    "sqrt": Function(np.sqrt, (NUMBER,), 1, 1, UnitRule.ROOT, about="square root"),
    "clamp": Function(_clamp, (NUMBER, NUMBER, NUMBER), 3, 3, UnitRule.SAME, about="value, limited to low and high"),
    "where": Function(
        select,
        (CONDITION, NUMBER, NUMBER),
        3,
        3,
        UnitRule.SAME,
        about="second argument if the first holds, else the third",
    ),
    "known": Function(
        _known,
        (NUMBER,),
        1,
        1,
        UnitRule.CONDITION,
        returns=CONDITION,
        about="whether the value is present",
        accepts_words=True,
    ),
    "either": Function(
        _either, (NUMBER, NUMBER), 2, 2, UnitRule.SAME, about="first argument, or the second if the first is absent"
    ),
}
