"""Every question over some entries of each axis, divided into parts of bounded size, in an order that never changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Chunk:
    """Some of the questions: the entries of each axis, and where these start among all of the axis."""

    entries: Mapping[str, Any]
    start: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many questions it holds."""
        return math.prod(len(some) for some in self.entries.values())


@dataclass(frozen=True)
class Chunks:
    """The parts by number, each of at most `most` questions.

    `entries` are a tuple or range for each axis. Questions come as they do in a grid, the last axis running fastest,
    so that all parts one after another are the whole.
    """

    entries: Mapping[str, Any]
    most: int

    @property
    def count(self) -> int:
        """How many questions there are."""
        return math.prod(self._lengths)

    @property
    def _lengths(self) -> list[int]:
        return [len(every) for every in self.entries.values()]

    @property
    def _cut(self) -> tuple[int, int, int]:
        """The number of the axis that is cut, how many of its entries go into a part, and how many pieces that makes.

        Of each axis before it a part has one entry, of those after it all.
        """
        lengths = self._lengths
        at = next(at for at in range(len(lengths)) if math.prod(lengths[at + 1 :]) <= self.most)
        step = self.most // math.prod(lengths[at + 1 :])
        return at, step, math.ceil(lengths[at] / step)

    def __len__(self) -> int:
        if not self.count:
            return 0
        at, _, pieces = self._cut
        return math.prod(self._lengths[:at]) * pieces

    def __getitem__(self, number: int) -> Chunk:
        """The part of that number. Raises IndexError where there is none."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        cut, step, pieces = self._cut
        before, after = self._lengths[:cut], self._lengths[cut + 1 :]
        which, piece = divmod(number, pieces)
        starts = [*map(int, np.unravel_index(which, before)), piece * step, *(0 for _ in after)]
        lengths = [*(1 for _ in before), step, *after]
        start = dict(zip(self.entries, starts, strict=True))
        some = {
            axis: every[start[axis] : start[axis] + length]
            for (axis, every), length in zip(self.entries.items(), lengths, strict=True)
        }
        return Chunk(some, start)

    def __iter__(self) -> Iterator[Chunk]:
        return (self[number] for number in range(len(self)))
