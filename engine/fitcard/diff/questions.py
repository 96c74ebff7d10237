"""The questions that two rulebooks can both be asked, and their columns brought to the same axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.compiler.batch import Chunks, QuestionGrid
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.values import Column, WordColumn

ABSENT_WORD, TRUTH = "absent", ("false", "true")
Ids = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Questions:
    """`ids` by axis: the entries that both sides have, on axes that are swept; the default on the others.

    On an axis that one side lacks it is the default of the other. One that is not there is left to the rules to choose.
    """

    base: CompiledRules
    head: CompiledRules
    ids: Ids

    @classmethod
    def both_know(cls, base: CompiledRules, head: CompiledRules) -> Questions:
        """Every question that can be asked of both."""
        ids: dict[str, tuple[str, ...]] = {}
        for rules, other in ((head, base), (base, head)):
            for axis in rules.question_fields.axes.values():
                catalog = rules.catalogs[axis.catalog]
                if axis.name in other.question_fields.axes and axis.swept and axis.name not in ids:
                    ids[axis.name] = _of_both(base, head, axis.name)
                elif axis.name not in ids and not axis.default_by:
                    ids[axis.name] = (axis.default or catalog.ids[0],)
        return cls(base, head, ids)

    def opened(self, opened: str) -> Questions:
        """Each entry of an axis that is not swept, of what questions are about, with the defaults of all else."""
        axes = self.head.question_fields.axes
        ids = {**self.ids, opened: _of_both(self.base, self.head, opened)}
        for name, entries in self.ids.items():
            default = axes[name].default if name in axes else None
            if name != opened and default in entries and default is not None:
                ids[name] = (default,)
        in_order = [*(name for name in axes if name in ids), *(name for name in ids if name not in axes)]
        return replace(self, ids={name: ids[name] for name in in_order})

    @property
    def axes(self) -> tuple[str, ...]:
        """All axes of either side."""
        return tuple(self.ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The axes without a default: what a question is about."""
        axes = self.head.question_fields.axes
        return tuple(name for name in self.ids if name in axes and axes[name].default is None)

    @property
    def longest(self) -> str:
        """The axis with most entries."""
        return max(self.ids, key=lambda name: len(self.ids[name]))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many entries there are on each axis."""
        return tuple(len(entries) for entries in self.ids.values())

    @property
    def count(self) -> int:
        """How many questions there are."""
        return math.prod(self.shape)

    def parts(self, most: int) -> Iterator[tuple[Questions, Mapping[str, int]]]:
        """The same questions in parts of at most so many, each with where it starts on each axis.

        The axis with most entries is cut first: what differs by the others is then computed for many at once.
        """
        for part in Chunks({self.longest: self.ids[self.longest], **self.ids}, most):
            yield replace(self, ids={axis: part.entries[axis] for axis in self.ids}), part.start

    def at(self, index: tuple[int, ...]) -> Questions:
        """The one question at a cell."""
        return replace(self, ids={axis: (ids[at],) for (axis, ids), at in zip(self.ids.items(), index, strict=True)})

    def grid(self, rules: CompiledRules) -> QuestionGrid:
        """The grid of these questions on one side."""
        return QuestionGrid.of(rules.question_fields, rules.columns, self.ids)

    def aligned(self, column: Column, rules: CompiledRules) -> Any:
        """A column of one side, with the axes of these questions; words stay words."""
        if isinstance(column, WordColumn):
            return WordColumn(self._aligned(column.codes, rules), column.words)
        return self._aligned(np.asarray(column), rules)

    def _aligned(self, data: NDArray[Any], rules: CompiledRules) -> NDArray[Any]:
        own = [axis for axis in rules.question_fields.axes if axis in self.ids]
        if not data.ndim:
            return data.reshape((1,) * len(self.ids))
        moved = np.moveaxis(data, range(len(own)), [[*filter(own.__contains__, self.ids)].index(axis) for axis in own])
        lengths = iter(moved.shape)
        return moved.reshape([next(lengths) if axis in own else 1 for axis in self.ids])


def _of_both(base: CompiledRules, head: CompiledRules, axis: str) -> tuple[str, ...]:
    """The entries of an axis that both sides have."""
    old, new = (rules.catalogs[rules.question_fields.axes[axis].catalog].entries for rules in (base, head))
    return tuple(entry for entry in new if entry in old)


def in_words(old: Column, new: Column) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Two columns of words or of conditions as numbers of the same words; the first word stands for an absent one."""
    one, other = _as_words(old), _as_words(new)
    words = tuple(dict.fromkeys((ABSENT_WORD, *one.words, *other.words)))
    number = {word: at for at, word in enumerate(words)}
    first, second = (
        np.array([0, *(number[word] for word in column.words)], dtype=np.int64)[column.codes + 1]
        for column in (one, other)
    )
    return first, second, words


def _as_words(column: Column) -> WordColumn:
    return column if isinstance(column, WordColumn) else WordColumn(np.asarray(column, dtype=np.int64), TRUTH)
