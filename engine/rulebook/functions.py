"""The functions that expressions may call. Each works on whole columns, element by element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from engine.columns import Kind
from engine.rounding import round_half_up

NUMBER, CONDITION = Kind.NUMBER, Kind.CONDITION
ANY_NUMBER_OF = None


@dataclass(frozen=True)
class Function:
    """`takes` are the kinds of its arguments; the last one repeats up to `most` arguments (None: without limit)."""

    run: Callable[..., Any]
    takes: tuple[Kind, ...]
    least: int
    most: int | None
    gives: Kind = NUMBER
    about: str = ""


def _clamp(value: Any, low: Any, high: Any) -> Any:
    return np.minimum(np.maximum(value, low), high)


def _known(value: Any) -> Any:
    return ~np.isnan(value)


def _either(value: Any, instead: Any) -> Any:
    return np.where(np.isnan(value), instead, value)


FUNCTIONS: dict[str, Function] = {
    "min": Function(lambda *values: reduce(np.minimum, values), (NUMBER,), 2, ANY_NUMBER_OF, about="the least"),
    "max": Function(lambda *values: reduce(np.maximum, values), (NUMBER,), 2, ANY_NUMBER_OF, about="the greatest"),
    "floor": Function(np.floor, (NUMBER,), 1, 1, about="down to a whole number"),
    "ceil": Function(np.ceil, (NUMBER,), 1, 1, about="up to a whole number"),
    "round": Function(round_half_up, (NUMBER, NUMBER), 1, 2, about="to so many decimals, halves up"),
    "abs": Function(np.abs, (NUMBER,), 1, 1, about="without its sign"),
    "log2": Function(np.log2, (NUMBER,), 1, 1, about="logarithm to base 2"),
    "log10": Function(np.log10, (NUMBER,), 1, 1, about="logarithm to base 10"),
    "exp": Function(np.exp, (NUMBER,), 1, 1, about="e to the power"),
    "sqrt": Function(np.sqrt, (NUMBER,), 1, 1, about="square root"),
    "clamp": Function(_clamp, (NUMBER, NUMBER, NUMBER), 3, 3, about="value, kept between low and high"),
    "where": Function(
        np.where, (CONDITION, NUMBER, NUMBER), 3, 3, about="the second where the first holds, else the third"
    ),
    "known": Function(_known, (NUMBER,), 1, 1, CONDITION, about="whether the figure is there at all"),
    "either": Function(_either, (NUMBER, NUMBER), 2, 2, about="the first, or the second where the first is absent"),
}
