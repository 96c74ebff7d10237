"""Statistics of the changes of one output, collected part by part in memory independent of the number of questions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.diff.questions import ABSENT_WORD, Questions, word_codes
from fitcard.values import RELATIVE_TOLERANCE, Scalar

MAX_MOVERS = 5  # per output
MIN_CHANGE, MAX_CHANGE = 1e-12, 1e12  # range of the bins of relative changes
IGNORED_BITS = 43  # the last bits of a float, which do not affect its bin: 512 bins per power of two
FIRST, LAST = (int(np.float64(change).view(np.int64)) >> IGNORED_BITS for change in (MIN_CHANGE, MAX_CHANGE))
BINS = LAST - FIRST + 1  # per sign
SIZES = ((np.arange(FIRST, LAST + 1) << IGNORED_BITS) + (1 << IGNORED_BITS - 1)).view(np.float64)  # centers of bins
CENTERS = np.concatenate([-SIZES[::-1], SIZES])  # decreases, then increases
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, order=True)
class Mover:
    """A question with a large change. `distance` is 0 to 1, or 2 if the sign changed."""

    distance: float
    row: tuple[tuple[str, str], ...] = field(compare=False)  # axis and entry, without axes that make no difference
    question: Questions = field(compare=False, repr=False)
    old: Scalar = field(compare=False)
    new: Scalar = field(compare=False)


@dataclass
class ChangeTally(ABC):
    """The changes of one output so far. A cell of a column counts for all questions that share it."""

    questions: Questions
    moved: int = 0
    movers: list[Mover] = field(default_factory=list)

    @abstractmethod
    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Adds one part of the questions; returns which of its cells changed."""

    def _add_movers(self, part: Questions, distance: NDArray[Any], old: Any, new: Any) -> None:
        for index in _largest_changes(part, distance):
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
    """The changes of a number, relative to the old value; changes from 0 are only counted, in `from_zero`.

    NaN is an absent value, which `appeared` or `vanished`.
    """

    rose: int = 0
    fell: int = 0
    from_zero: int = 0
    appeared: int = 0
    vanished: int = 0
    least: float = np.inf
    most: float = -np.inf
    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2 * BINS, dtype=np.int64))  # as CENTERS
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Adds one part of the questions; returns which of its cells changed."""
        old, new = np.broadcast_arrays(old, new)
        change, size = new - old, np.maximum(np.abs(old), np.abs(new))
        distance = np.abs(change)
        changed, was_absent, is_absent = distance > RELATIVE_TOLERANCE * size, np.isnan(old), np.isnan(new)
        appeared, vanished = was_absent & ~is_absent, is_absent & ~was_absent
        differs: NDArray[np.bool_] = changed | appeared | vanished
        moved, questions_per_cell = int(np.count_nonzero(differs)), part.count // differs.size
        if not moved:
            self._add_sums(part, start, np.zeros((1,) * differs.ndim))
            return differs
        has_ratio = changed & (old != 0)
        count, rose, ratios = (int(np.count_nonzero(cells)) for cells in (changed, changed & (change > 0), has_ratio))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative, distance = change / np.abs(old), distance / size
        if ratios < differs.size:
            relative = np.where(has_ratio, relative, 0.0)
            distance = np.where(changed, distance, np.where(differs, 1.0, 0.0))
        self.moved += moved * questions_per_cell
        self.rose += rose * questions_per_cell
        self.fell += (count - rose) * questions_per_cell
        self.from_zero += (count - ratios) * questions_per_cell
        self.appeared += int(np.count_nonzero(appeared)) * questions_per_cell
        self.vanished += int(np.count_nonzero(vanished)) * questions_per_cell
        changes = relative if ratios == differs.size else relative[relative != 0]
        if changes.size:
            self.least, self.most = min(self.least, float(changes.min())), max(self.most, float(changes.max()))
            self.bins += np.bincount(_bin(changes).ravel(), minlength=self.bins.size) * questions_per_cell
        self._add_sums(part, start, relative)
        self._add_movers(part, distance, old, new)
        return differs

    def _add_sums(self, part: Questions, start: Mapping[str, int], relative: NDArray[np.float64]) -> None:
        """Adds the relative changes by entry of each axis that questions are about."""
        for axis in part.subjects:
            at = part.axes.index(axis)
            others = tuple(other for other in range(relative.ndim) if other != at)
            length = len(part.ids[axis])
            mean = relative.mean(axis=others)  # over cells of the entry, each of which has the same number of questions
            sums = self.sums.setdefault(axis, np.zeros(len(self.questions.ids[axis])))
            sums[start[axis] : start[axis] + length] += np.broadcast_to(mean, (length,)) * (part.count // length)

    def quantiles(self) -> Iterator[float]:
        """The 10th, 50th and 90th percentile of the relative changes, to 0.1 % of their value."""
        total = np.cumsum(self.bins)
        for quantile in QUANTILES:
            at = int(np.searchsorted(total, quantile * total[-1]))
            yield float(np.clip(CENTERS[at], self.least, self.most))

    def between(self, low: float, high: float) -> int:
        """The number of relative changes from `low` up to `high`."""
        low_bin, high_bin = np.searchsorted(CENTERS, (low, high))
        return int(self.bins[low_bin:high_bin].sum())

    def means(self, axis: str) -> NDArray[np.float64]:
        """The mean relative change by entry of an axis, over all questions about the entry."""
        return self.sums[axis] / (self.questions.count // len(self.questions.ids[axis]))


@dataclass
class WordChanges(ChangeTally):
    """The changes of a word or a condition. `order` is that of its words, empty if unknown."""

    order: tuple[str, ...] = ()
    counts: dict[tuple[str, str], int] = field(default_factory=dict)  # by old and new word

    def add(self, part: Questions, start: Mapping[str, int], old: Any, new: Any) -> NDArray[np.bool_]:
        """Adds one part of the questions; returns which of its cells changed."""
        old_codes, new_codes, words = word_codes(old, new)
        old_codes, new_codes = np.broadcast_arrays(old_codes, new_codes)
        differs: NDArray[np.bool_] = old_codes != new_codes
        questions_per_cell = part.count // differs.size
        self.moved += int(differs.sum()) * questions_per_cell
        pairs = np.bincount((old_codes * len(words) + new_codes).ravel(), minlength=len(words) ** 2)
        for pair in np.flatnonzero(pairs):
            key = (words[pair // len(words)], words[pair % len(words)])
            self.counts[key] = self.counts.get(key, 0) + int(pairs[pair]) * questions_per_cell
        if differs.any():
            rank = np.array([self.order.index(word) if word in self.order else 0 for word in words])
            steps = np.abs(rank[new_codes] - rank[old_codes]) / max(1, len(self.order))
            distance = np.where(differs, np.maximum(steps, MIN_CHANGE), 0.0)
            names = np.array(words, dtype=object)
            self._add_movers(part, distance, names[old_codes], names[new_codes])
        return differs


def _largest_changes(part: Questions, distance: NDArray[Any]) -> list[tuple[int, ...]]:
    """The indices of the cells with the largest distances, at most one for each subject of questions."""
    subjects = [part.axes.index(axis) for axis in part.subjects]
    others = tuple(at for at in range(distance.ndim) if at not in subjects)
    by_subject = distance.max(axis=others, keepdims=True)
    flat = by_subject.ravel()
    count = min(MAX_MOVERS, int(np.count_nonzero(flat)))
    largest: list[int] = np.argpartition(-flat, count - 1)[:count].tolist() if count else []
    cells = []
    for number in largest:
        start = np.unravel_index(number, by_subject.shape)
        of_subject = distance[
            tuple(slice(None) if at in others else slice(start[at], start[at] + 1) for at in range(distance.ndim))
        ]
        offset = np.unravel_index(int(np.argmax(of_subject)), of_subject.shape)
        cells.append(tuple(int(start[at] + offset[at]) for at in range(distance.ndim)))
    return cells


def _bin(relative: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each relative change, from the first bits of the float: decreases come first, then increases."""
    size = np.clip(np.abs(relative), MIN_CHANGE, MAX_CHANGE).view(np.int64) >> IGNORED_BITS
    bins: NDArray[np.int64] = np.where(relative < 0, LAST - size, BINS + size - FIRST)
    return bins


def _value(column: Any, cell: tuple[int, ...]) -> Scalar:
    value = column[cell]
    if isinstance(value, str):
        return None if value == ABSENT_WORD else str(value)
    return None if np.isnan(value) else float(value)
