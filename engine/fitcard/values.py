"""The values that rules compute with: columns of numbers, conditions and words, and how single values are rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = float | NDArray[np.float64]
Conditions = bool | NDArray[np.bool_]
Codes = Any  # whole numbers of numpy: an array of them, or one that is the same everywhere
Scalar = float | bool | str | None  # the value of one cell; None where it is absent


class Kind(StrEnum):
    """What a name stands for in an expression."""

    NUMBER = "number"
    CONDITION = "condition"
    WORD = "word"


ABSENT = -1
LARGE_COLUMN = 4096  # of a column, for which nothing is quicker than to go through it once
SMALL_COLUMN = 64  # of a column, which are made plain values at once where one is asked for
SAME_SHARE = 1e-12  # numbers nearer to each other than this share of them differ in the last digits of a float alone


class WordColumn(NamedTuple):
    """Words by number: `words[codes]`, with ABSENT where there is none."""

    codes: Codes
    words: tuple[str, ...]


Column = Numbers | Conditions | WordColumn


def as_column(value: Scalar | Column) -> Any:
    """A value as a column that is the same everywhere; a column as it is."""
    if isinstance(value, np.ndarray | np.generic | WordColumn):
        return value
    if isinstance(value, str):
        return WordColumn(np.int64(0), (value,))
    if isinstance(value, bool):
        return np.bool_(value)
    return np.float64(np.nan if value is None else value)


def all_finite(numbers: Numbers) -> bool:
    """Whether no number of a column is absent or without bounds."""
    if not isinstance(numbers, np.ndarray):
        return math.isfinite(numbers)
    total = numbers.sum()  # half the time of looking at each; beyond bounds only where numbers are near them
    return math.isfinite(total) or bool(np.isfinite(numbers).all())


def all_columns_finite(columns: Collection[Numbers]) -> bool:
    """Whether no number of any of these columns is absent or without bounds."""
    totals: dict[tuple[int, ...], Any] = {}
    for numbers in columns:
        shape = numbers.shape if isinstance(numbers, np.ndarray) else ()
        if math.prod(shape) > LARGE_COLUMN:
            if not all_finite(numbers):
                return False
        else:  # one look at a sum of columns is quicker than a look at each; an odd one is looked at again
            totals[shape] = totals[shape] + numbers if shape in totals else numbers
    return all(map(all_finite, totals.values())) or all(map(all_finite, columns))


def nan_comparable(numbers: Any) -> NDArray[np.float64]:
    """The numbers, where one that is absent equals another that is."""
    return np.where(np.isnan(numbers), -np.inf, numbers)


def cell(column: Column, index: tuple[int, ...]) -> Scalar:
    """The value at one cell of the grid as plain Python; None where it is absent. Axes of length 1 stand for all."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if isinstance(data, np.ndarray) and data.ndim:
        data = data[tuple(0 if length == 1 else at for at, length in zip(index, data.shape, strict=True))]
    return to_python(column, data)


def cell_reader(column: Column) -> Callable[[tuple[int, ...]], Scalar]:
    """What `cell` gives for an index, for a column of which many cells are asked."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if not isinstance(data, np.ndarray) or data.size == 1:
        value = to_python(column, data if not isinstance(data, np.ndarray) else data.item())
        return lambda index: value
    along = [axis for axis, length in enumerate(data.shape) if length > 1]
    if len(along) > 1:
        return partial(cell, column)
    axis = along[0]
    if data.size > SMALL_COLUMN:
        at = data.ravel().item
        return lambda index: to_python(column, at(index[axis]))
    values = [to_python(column, one) for one in data.ravel().tolist()]
    return lambda index: values[index[axis]]


def to_python(column: Column, data: Any) -> Scalar:
    """One number, condition or code of a column as plain Python."""
    if isinstance(column, WordColumn):
        return column.words[data] if data >= 0 else None
    if isinstance(data, bool | np.bool_):
        return bool(data)
    number = float(data)
    return number if number == number else None  # noqa: PLR0124 - NaN is not itself


def first_true(marked: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the first marked cell of a grid of that shape; `marked` is a column of conditions that has one."""
    whole = np.broadcast_to(marked, np.broadcast_shapes(np.shape(marked), shape))
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(whole)), whole.shape))


NO_DECIMALS_FROM = 2.0**53  # from here on a float has no decimals, and times ten to some it may be beyond all floats


def round_half_up(value: Any, decimals: Any = 0.0) -> Any:
    """`value`, a number or a column, to so many decimals."""
    scale = np.power(10.0, decimals)
    return np.floor(value * scale + 1 / 2) / scale


def format_decimals(value: float, decimals: int) -> str:
    """`value` with exactly so many decimals: 247.05 is printed as 247.1."""
    rounded = value if abs(value) >= NO_DECIMALS_FROM else round_half_up(value, decimals)
    return f"{rounded:.{decimals}f}"


def round_significant(value: float, digits: int) -> float:
    """`value` to so many significant digits: 17521.3 to four of them is 17520."""
    return float(f"{value:.{digits}g}")


def whole_as_int(value: Any) -> Any:
    """A whole number without a decimal point, as it is read; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
