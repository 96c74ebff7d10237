"""The values that rules compute with: columns of numbers, conditions and words; and the rounding of single values."""

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
Codes = Any  # numpy integers: an array, or a scalar for a constant column
Scalar = float | bool | str | None  # the value of one cell; None where it is absent

ABSENT = -1  # the code of an absent word
LARGE_COLUMN = 4096  # cells; from here on one pass over each column is fastest
SMALL_COLUMN = 64  # cells; up to here a column is converted to plain Python at once
RELATIVE_TOLERANCE = 1e-12  # numbers within it differ only by floating-point error
MAX_EXACT_INTEGER = 2.0**53  # larger floats have no decimals, and scaled by a power of ten may overflow


class Kind(StrEnum):
    """The kind of value of an expression."""

    NUMBER = "number"
    CONDITION = "condition"
    WORD = "word"


class WordColumn(NamedTuple):
    """A dictionary-encoded column: the words are `words[codes]`, with ABSENT for none."""

    codes: Codes
    words: tuple[str, ...]


Column = Numbers | Conditions | WordColumn


def as_column(value: Scalar | Column) -> Any:
    """A scalar as a constant column; a column unchanged."""
    if isinstance(value, np.ndarray | np.generic | WordColumn):
        return value
    if isinstance(value, str):
        return WordColumn(np.int64(0), (value,))
    if isinstance(value, bool):
        return np.bool_(value)
    return np.float64(np.nan if value is None else value)


def all_finite(numbers: Numbers) -> bool:
    """Whether every value of a column is finite; absent values (NaN) are not."""
    if not isinstance(numbers, np.ndarray):
        return math.isfinite(numbers)
    total = numbers.sum()  # twice as fast as isfinite().all(); an overflow of the sum falls back to that
    return math.isfinite(total) or bool(np.isfinite(numbers).all())


def all_columns_finite(columns: Collection[Numbers]) -> bool:
    """Whether every value of every column is finite."""
    totals: dict[tuple[int, ...], Any] = {}
    for numbers in columns:
        shape = numbers.shape if isinstance(numbers, np.ndarray) else ()
        if math.prod(shape) > LARGE_COLUMN:
            if not all_finite(numbers):
                return False
        else:  # one check of summed columns is faster than one of each; on failure each is checked below
            totals[shape] = totals[shape] + numbers if shape in totals else numbers
    return all(map(all_finite, totals.values())) or all(map(all_finite, columns))


def nan_comparable(numbers: Any) -> NDArray[np.float64]:
    """The numbers with NaN replaced by -inf, so that absent values compare as equal."""
    return np.where(np.isnan(numbers), -np.inf, numbers)


def cell(column: Column, index: tuple[int, ...]) -> Scalar:
    """The value at one cell of the grid as plain Python; None where it is absent. Axes of length 1 broadcast."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if isinstance(data, np.ndarray) and data.ndim:
        data = data[tuple(0 if length == 1 else at for at, length in zip(index, data.shape, strict=True))]
    return to_python(column, data)


def cell_reader(column: Column) -> Callable[[tuple[int, ...]], Scalar]:
    """`cell` for one column, prepared for many indices."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if not isinstance(data, np.ndarray) or data.size == 1:
        value = to_python(column, data if not isinstance(data, np.ndarray) else data.item())
        return lambda index: value
    varying = [axis for axis, length in enumerate(data.shape) if length > 1]
    if len(varying) > 1:
        return partial(cell, column)
    axis = varying[0]
    if data.size > SMALL_COLUMN:
        item = data.ravel().item
        return lambda index: to_python(column, item(index[axis]))
    values = [to_python(column, number) for number in data.ravel().tolist()]
    return lambda index: values[index[axis]]


def to_python(column: Column, data: Any) -> Scalar:
    """One number, condition or code of a column as plain Python; None where it is absent."""
    if isinstance(column, WordColumn):
        return column.words[data] if data >= 0 else None
    if isinstance(data, bool | np.bool_):
        return bool(data)
    number = float(data)
    return number if number == number else None  # noqa: PLR0124 - NaN is not itself


def first_true(conditions: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the first true cell of a column over a grid of that shape; at least one cell must be true."""
    grid = np.broadcast_to(conditions, np.broadcast_shapes(np.shape(conditions), shape))
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(grid)), grid.shape))


def round_half_up(value: Any, decimals: Any = 0.0) -> Any:
    """A number or column, rounded to this many decimals."""
    scale = np.power(10.0, decimals)
    return np.floor(value * scale + 1 / 2) / scale


def format_decimals(value: float, decimals: int) -> str:
    """`value` with exactly this many decimals: 247.05 with one is `247.1`."""
    rounded = value if abs(value) >= MAX_EXACT_INTEGER else round_half_up(value, decimals)
    return f"{rounded:.{decimals}f}"


def round_significant(value: float, digits: int) -> float:
    """`value` rounded to significant digits: 17521.3 to four is 17520."""
    return float(f"{value:.{digits}g}")


def whole_as_int(value: Any) -> Any:
    """A float without decimals as an int; any other value unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
