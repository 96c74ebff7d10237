"""The values that rules work on: columns of numbers, of conditions, and of words.

A column of numbers is a numpy float (the same everywhere) or a numpy array that broadcasts over the axes of a grid; a
column of conditions is the same in booleans. Words are a `WordColumn`. An absent figure is NaN; an absent word has the
code ABSENT.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

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
FEW_CELLS = 64  # of a column, which are made plain values at once where one is asked for
SAME = 1e-12  # numbers nearer to each other than this share of them differ in the last digits of a float alone


@dataclass(frozen=True)
class WordColumn:
    """Words by number: `words[codes]`, with ABSENT where there is none."""

    codes: Codes
    words: tuple[str, ...]


Column = Numbers | Conditions | WordColumn


def everywhere(value: Scalar | Column) -> Any:
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


def comparable(numbers: Any) -> NDArray[np.float64]:
    """The numbers, where one that is absent equals another that is."""
    return np.where(np.isnan(numbers), -np.inf, numbers)


def cell(column: Column, index: tuple[int, ...]) -> Scalar:
    """The value at one cell of the grid as plain Python; None where it is absent. Axes of length 1 stand for all."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    if isinstance(data, np.ndarray) and data.ndim:
        data = data[tuple(0 if length == 1 else at for at, length in zip(index, data.shape, strict=True))]
    if isinstance(column, WordColumn):
        return column.words[int(data)] if data >= 0 else None
    if isinstance(data, bool | np.bool_):
        return bool(data)
    number = float(data)
    return None if math.isnan(number) else number


def cells(column: Column) -> Callable[[tuple[int, ...]], Scalar]:
    """What `cell` gives for an index, for a column of which many cells are asked."""
    data: Any = column.codes if isinstance(column, WordColumn) else column
    size, shape = np.size(data), np.shape(data)
    if size == 1:
        value = cell(column, (0,) * len(shape))
        return lambda index: value
    along = [axis for axis, length in enumerate(shape) if length > 1]
    if len(along) > 1 or size > FEW_CELLS:
        return partial(cell, column)
    axis, numbers = along[0], data.ravel().tolist()
    if isinstance(column, WordColumn):
        values = [column.words[code] if code >= 0 else None for code in numbers]
    else:
        values = [None if number != number else number for number in numbers]  # noqa: PLR0124 - NaN is not itself
    return lambda index: values[index[axis]]


def first_cell(marked: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the first marked cell of a grid of that shape; `marked` is a column of conditions that has one."""
    whole = np.broadcast_to(marked, np.broadcast_shapes(np.shape(marked), shape))
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(whole)), whole.shape))
