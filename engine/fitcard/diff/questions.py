"""The questions that two versions of the rules can both answer, and columns aligned to their axes."""

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

ABSENT_WORD, CONDITIONS = "absent", ("false", "true")


@dataclass(frozen=True)
class Questions:
    """All combinations of `ids`, the entries by axis.

    Axes that are swept have the entries of both versions, others their default; an axis that one version lacks has the
    default of the other. An axis without ids is left to the rules.
    """

    base: CompiledRules
    head: CompiledRules
    ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def shared(cls, base: CompiledRules, head: CompiledRules) -> Questions:
        """All questions that both versions can answer."""
        ids: dict[str, tuple[str, ...]] = {}
        for rules, other in ((head, base), (base, head)):
            for axis in rules.question_fields.axes.values():
                catalog = rules.catalogs[axis.catalog]
                if axis.name in other.question_fields.axes and axis.swept and axis.name not in ids:
                    ids[axis.name] = _shared_entries(base, head, axis.name)
                elif axis.name not in ids and not axis.default_by:
                    ids[axis.name] = (axis.default or catalog.ids[0],)
        return cls(base, head, ids)

    def opened(self, opened: str) -> Questions:
        """All entries of an axis that is not swept, about the same subjects, with the defaults of the other axes."""
        axes = self.head.question_fields.axes
        ids = {**self.ids, opened: _shared_entries(self.base, self.head, opened)}
        for name, entries in self.ids.items():
            default = axes[name].default if name in axes else None
            if name != opened and default in entries and default is not None:
                ids[name] = (default,)
        in_order = [*(name for name in axes if name in ids), *(name for name in ids if name not in axes)]
        return replace(self, ids={name: ids[name] for name in in_order})

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of either version."""
        return tuple(self.ids)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The axes without a default, which say what a question is about."""
        axes = self.head.question_fields.axes
        return tuple(name for name in self.ids if name in axes and axes[name].default is None)

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of entries by axis."""
        return tuple(len(entries) for entries in self.ids.values())

    @property
    def count(self) -> int:
        """The number of questions."""
        return math.prod(self.shape)

    def parts(self, max_questions: int) -> Iterator[tuple[Questions, Mapping[str, int]]]:
        """The questions in parts of at most `max_questions`, each with the index of its first entry by axis.

        The longest axis is split first, so that rules that do not depend on it are evaluated for many questions at
        once.
        """
        longest = max(self.ids, key=lambda name: len(self.ids[name]))
        for part in Chunks({longest: self.ids[longest], **self.ids}, max_questions):
            yield replace(self, ids={axis: part.entries[axis] for axis in self.ids}), part.start

    def at(self, index: tuple[int, ...]) -> Questions:
        """The single question at an index of each axis."""
        return replace(self, ids={axis: (ids[at],) for (axis, ids), at in zip(self.ids.items(), index, strict=True)})

    def grid(self, rules: CompiledRules) -> QuestionGrid:
        """The questions as a batch for the rules of one version."""
        return QuestionGrid.of(rules.question_fields, rules.columns, self.ids)

    def aligned(self, column: Column, rules: CompiledRules) -> Any:
        """A column of one version with the axes of these questions; a WordColumn remains one."""
        if isinstance(column, WordColumn):
            return WordColumn(self._aligned(column.codes, rules), column.words)
        return self._aligned(np.asarray(column), rules)

    def _aligned(self, data: NDArray[Any], rules: CompiledRules) -> NDArray[Any]:
        own = [axis for axis in rules.question_fields.axes if axis in self.ids]
        if not data.ndim:
            return data.reshape((1,) * len(self.ids))
        order = [axis for axis in self.ids if axis in own]
        moved = np.moveaxis(data, range(len(own)), [order.index(axis) for axis in own])
        lengths = iter(moved.shape)
        return moved.reshape([next(lengths) if axis in own else 1 for axis in self.ids])


def _shared_entries(base: CompiledRules, head: CompiledRules, axis: str) -> tuple[str, ...]:
    """The entries of an axis in both versions."""
    old, new = (rules.catalogs[rules.question_fields.axes[axis].catalog].entries for rules in (base, head))
    return tuple(entry for entry in new if entry in old)


def word_codes(old: Column, new: Column) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Two columns of words or conditions as codes, indices of the returned words; the first word is an absent one."""
    columns = as_words(old), as_words(new)
    words = tuple(dict.fromkeys((ABSENT_WORD, *columns[0].words, *columns[1].words)))
    codes = {word: code for code, word in enumerate(words)}
    old_codes, new_codes = (
        np.array([0, *(codes[word] for word in column.words)], dtype=np.int64)[column.codes + 1] for column in columns
    )
    return old_codes, new_codes, words


def as_words(column: Column) -> WordColumn:
    """A column of words, or of conditions as words."""
    return column if isinstance(column, WordColumn) else WordColumn(np.asarray(column, dtype=np.int64), CONDITIONS)
