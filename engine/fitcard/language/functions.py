"""The functions of expressions, each element-wise over columns or single numbers."""

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
    """A function: its implementation, the kinds of its arguments and result, and how it treats units.

    The last of the `parameter_kinds` repeats up to `max_arguments`, None for no limit. With `accepts_words`, an
    argument may be a word in place of a number.
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
        """The kinds of the arguments of a call with this number of them."""
        return tuple(self.parameter_kinds[min(at, len(self.parameter_kinds) - 1)] for at in range(arguments))


def select(condition: Any, if_true: Any, if_false: Any) -> Any:
    """`if_true` where the condition holds, else `if_false`."""
    if isinstance(condition, np.ndarray):
        if isinstance(if_true, float) and isinstance(if_false, float):  # `take` needs no branch per element
            return np.array((if_false, if_true)).take(condition.view(np.int8), mode="clip")
        return np.where(condition, if_true, if_false)
    return if_true if condition else if_false  # numpy takes 20 times as long for a single number, here and below


def logical_not(condition: Any) -> Any:
    """The negation of a condition."""
    if isinstance(condition, np.ndarray):
        return ~condition
    return np.False_ if condition else np.True_


def _min_of_two(left: Any, right: Any) -> Any:
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return np.minimum(left, right)
    return left if left < right or left != left else right  # noqa: PLR0124 - NaN, an absent number, is not itself


def _max_of_two(left: Any, right: Any) -> Any:
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return np.maximum(left, right)
    return left if left > right or left != left else right  # noqa: PLR0124


def _minimum(first: Any, second: Any, *others: Any) -> Any:
    return reduce(_min_of_two, others, _min_of_two(first, second)) if others else _min_of_two(first, second)


def _maximum(first: Any, second: Any, *others: Any) -> Any:
    return reduce(_max_of_two, others, _max_of_two(first, second)) if others else _max_of_two(first, second)


def _clamp(value: Any, low: Any, high: Any) -> Any:
    return _min_of_two(_max_of_two(value, low), high)


def _is_known(value: Any) -> Any:
    return value.codes != ABSENT if isinstance(value, WordColumn) else value == value  # noqa: PLR0124


def _coalesce(value: Any, fallback: Any) -> Any:
    return select(value == value, value, fallback)  # noqa: PLR0124


FUNCTIONS: dict[str, Function] = {
    "min": Function(_minimum, (NUMBER,), 2, UNLIMITED, UnitRule.SAME, about="smallest argument"),
    "max": Function(_maximum, (NUMBER,), 2, UNLIMITED, UnitRule.SAME, about="largest argument"),
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
        _is_known,
        (NUMBER,),
        1,
        1,
        UnitRule.CONDITION,
        returns=CONDITION,
        about="whether the value is present",
        accepts_words=True,
    ),
    "either": Function(
        _coalesce, (NUMBER, NUMBER), 2, 2, UnitRule.SAME, about="first argument, or the second if the first is absent"
    ),
}
