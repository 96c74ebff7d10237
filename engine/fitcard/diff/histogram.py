"""Counting what moved of one output, part by part of the questions, in memory that does not grow with their number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.diff.questions import Questions, in_words
from fitcard.values import RELATIVE_TOLERANCE, Scalar

MAX_MOVERS = 5
MIN_STEP, MAX_STEP = 1e-12, 1e12  # relative changes are counted in bins, which cover these
COARSE = 43  # how many of the last bits of a float its bin does not tell: 512 bins to each power of two
FIRST, LAST = (int(np.float64(step).view(np.int64)) >> COARSE for step in (MIN_STEP, MAX_STEP))
BINS = LAST - FIRST + 1  # to each sign
SIZES = ((np.arange(FIRST, LAST + 1) << COARSE) + (1 << COARSE - 1)).view(np.float64)  # the middle of each
MIDDLES = np.concatenate([-SIZES[::-1], SIZES])  # of falls, then of rises
SHARES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, order=True)
class Mover:
    """One question whose value moved far. `distance` is from 0 to 1, or 2 where the sign changed."""

    distance: float
    row: tuple[tuple[str, str], ...] = field(compare=False)  # axis and entry; without those that make no difference
    index: Questions = field(compare=False, repr=False)
    old: Scalar = field(compare=False)
    new: Scalar = field(compare=False)


@dataclass
class ChangeTally(ABC):
    """What is known of one output so far. Counts are of questions, however few cells their values took."""

    questions: Questions
    moved: int = 0
    movers: list[Mover] = field(default_factory=list)

    @abstractmethod
    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Counts one part of the questions; gives back which of its cells moved."""

    def _keep_movers(self, part: Questions, distance: NDArray[Any], old: Any, new: Any) -> None:
        for index in _farthest(part, distance):
            cell = tuple(min(at, length - 1) for at, length in zip(index, distance.shape, strict=True))
            row = tuple(
                (axis, ids[at])
                for (axis, ids), at, length in zip(part.ids.items(), index, distance.shape, strict=True)
                if length > 1 or len(part.ids[axis]) == 1
            )
            values = (_value(side, cell) for side in (old, new))
            self.movers.append(Mover(float(distance[cell]), row, part.at(index), *values))
        self.movers = sorted(self.movers, reverse=True)[:MAX_MOVERS]


@dataclass
class NumberChanges(ChangeTally):
    """An output that is a number. Relative changes are of the old value; what came from 0 is counted by itself."""

    rose: int = 0
    fell: int = 0
    from_zero: int = 0
    least: float = np.inf
    most: float = -np.inf
    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2 * BINS, dtype=np.int64))  # falls, then rises
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Counts one part of the questions."""
        old, new = np.broadcast_arrays(old, new)
        gap, size = new - old, np.maximum(np.abs(old), np.abs(new))
        far = np.abs(gap)
        marked: NDArray[np.bool_] = far > RELATIVE_TOLERANCE * size
        moved, each = int(np.count_nonzero(marked)), part.count // marked.size
        if not moved:
            self._add_sums(part, start, np.zeros((1,) * marked.ndim))
            return marked
        rose, from_zero = (int(np.count_nonzero(marked & kind)) for kind in (gap > 0, old == 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative, distance = gap / np.abs(old), far / size
        if moved < marked.size or from_zero:
            relative, distance = np.where(marked & (old != 0), relative, 0.0), np.where(marked, distance, 0.0)
        self.moved += moved * each
        self.rose += rose * each
        self.fell += (moved - rose) * each
        self.from_zero += from_zero * each
        found = relative if moved == marked.size and not from_zero else relative[relative != 0]
        if found.size:
            self.least, self.most = min(self.least, float(found.min())), max(self.most, float(found.max()))
            self.bins += np.bincount(_bin(found).ravel(), minlength=self.bins.size) * each
        self._add_sums(part, start, relative)
        self._keep_movers(part, distance, old, new)
        return marked

    def _add_sums(self, part: Questions, start: Mapping[str, int], relative: NDArray[np.float64]) -> None:
        """Adds the relative changes for each entry of the axes that a question is about."""
        for axis in part.subjects:
            at = part.axes.index(axis)
            others = tuple(other for other in range(relative.ndim) if other != at)
            length = len(part.ids[axis])
            mean = relative.mean(axis=others)  # over the cells of the entry, each of which stands for as many questions
            whole = self.sums.setdefault(axis, np.zeros(len(self.questions.ids[axis])))
            whole[start[axis] : start[axis] + length] += np.broadcast_to(mean, (length,)) * (part.count // length)

    def shares(self) -> Iterator[float]:
        """The relative changes below which a tenth, half and nine tenths of those that moved lie, each to 0.1 %."""
        total = np.cumsum(self.bins)
        for share in SHARES:
            at = int(np.searchsorted(total, share * total[-1]))
            yield float(np.clip(MIDDLES[at], self.least, self.most))

    def between(self, low: float, high: float) -> int:
        """How many relative changes lie from `low` up to `high`."""
        low_bin, high_bin = np.searchsorted(MIDDLES, (low, high))
        return int(self.bins[low_bin:high_bin].sum())

    def means(self, axis: str) -> NDArray[np.float64]:
        """The mean relative change over all questions about each entry of an axis."""
        return self.sums[axis] / (self.questions.count // len(self.questions.ids[axis]))


@dataclass
class WordChanges(ChangeTally):
    """An output that is a word or a condition. `order` is that of its words, as far as it is known."""

    order: tuple[str, ...] = ()
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Counts one part of the questions."""
        before, after, words = in_words(old, new)
        before, after = np.broadcast_arrays(before, after)
        marked: NDArray[np.bool_] = before != after
        each = part.count // marked.size
        self.moved += int(marked.sum()) * each
        pairs = np.bincount((before * len(words) + after).ravel(), minlength=len(words) ** 2)
        for pair in np.flatnonzero(pairs):
            key = (words[pair // len(words)], words[pair % len(words)])
            self.counts[key] = self.counts.get(key, 0) + int(pairs[pair]) * each
        if marked.any():
            rank = np.array([self.order.index(word) if word in self.order else 0 for word in words])
            steps = np.abs(rank[after] - rank[before]) / max(1, len(self.order))
            named = np.array(words, dtype=object)
            self._keep_movers(part, np.where(marked, np.maximum(steps, MIN_STEP), 0.0), named[before], named[after])
        return marked


def _farthest(part: Questions, distance: NDArray[Any]) -> list[tuple[int, ...]]:
    """The cells that moved farthest: one for each that a question can be about, the farthest of these."""
    about = [part.axes.index(axis) for axis in part.subjects]
    others = tuple(at for at in range(distance.ndim) if at not in about)
    best = distance.max(axis=others, keepdims=True)
    flat = best.ravel()
    most = min(MAX_MOVERS, int(np.count_nonzero(flat)))
    chosen: list[int] = np.argpartition(-flat, most - 1)[:most].tolist() if most else []
    cells = []
    for number in chosen:
        at = np.unravel_index(number, best.shape)
        inside = tuple(slice(None) if axis in others else slice(at[axis], at[axis] + 1) for axis in range(best.ndim))
        within = np.unravel_index(int(np.argmax(distance[inside])), distance[inside].shape)
        cells.append(tuple(int(at[axis] + within[axis]) for axis in range(best.ndim)))
    return cells


def _bin(relative: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each relative change, read off the first bits of the float: falls in the first half, then rises."""
    size = np.clip(np.abs(relative), MIN_STEP, MAX_STEP).view(np.int64) >> COARSE
    found: NDArray[np.int64] = np.where(relative < 0, LAST - size, BINS + size - FIRST)
    return found


def _value(column: Any, cell: tuple[int, ...]) -> Scalar:
    found = column[cell]
    return str(found) if isinstance(found, str) else float(found)
