"""Many questions at once: the rules of one profile over the catalogs, with inputs of many sizes.

One trial runs over the axes that are swept, with what answers by default on the others; each of those is opened in a
trial of its own, over fewer entries of the rest. Where the catalogs hold more questions than can be tried in a moment,
a trial takes the entries that tell most: those with the least and the greatest of each figure that a rule reads, those
that lack it, and one for each word that a table has a row for; the rest are drawn by lot. The lot falls the same each
time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from engine.columns import ABSENT, Column, Scalar, WordColumn
from engine.evaluate.evaluation import Evaluation, evaluate
from engine.evaluate.grid import Grid
from engine.rulebook.definitions import Table
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.subject import Input
from engine.rulebook.tables import Lookup

Inputs = Mapping[str, float]
INPUT_STEPS = 4  # an input is tried at so many places from its least to its greatest, beside not being given at all
KEPT = 3 / 4  # of the entries of the longest axis, each time that there are too many questions
OTHERS = 4  # a trial of one more axis asks so many times fewer questions
SEED = 1


@dataclass
class Trial:
    """One rule set, asked about these entries of each axis. What was evaluated is kept for whoever asks next."""

    rule_set: RuleSet
    ids: Mapping[str, tuple[str, ...]]
    _whole: dict[int, Evaluation] = field(default_factory=dict, repr=False)
    _compared: dict[tuple[float, ...], dict[str, Scalar]] = field(default_factory=dict, repr=False)

    @cached_property
    def inputs(self) -> tuple[Inputs, ...]:
        """The inputs to ask with: none at all, then all together from the least to the greatest."""
        asked = self.rule_set.subject.inputs
        if not asked:
            return ({},)
        steps = zip(*(_steps(one) for one in asked.values()), strict=True)
        return ({}, *(dict(zip(asked, values, strict=True)) for values in steps))

    def whole(self, number: int = 0) -> Evaluation:
        """Every definition, with the inputs of that number; what is compared is compared with the first question.

        Raises ProblemsFound where a number is not finite.
        """
        if number not in self._whole:
            inputs, everything = self.inputs[number], list(self.rule_set.definitions)
            self._whole[number] = evaluate(
                self.rule_set, self._grid(self.ids), everything, inputs, current=self._first(inputs)
            )
        return self._whole[number]

    def stepped(self, number: int, cause: str, column: Column, effect: str) -> Column:
        """The effect once more, with another column in place of the cause and all else as in `whole(number)`.

        Raises ProblemsFound where a number is not finite.
        """
        before = self.whole(number)
        behind = self.rule_set.readers(cause)
        given = {name: before.columns[name] for name in self.rule_set.definitions if name not in behind}
        given[cause] = column
        inputs = self.inputs[number]
        after = evaluate(self.rule_set, before.grid, [effect], inputs, given, self._first(inputs))
        return after.columns[effect]

    def evaluate(self, names: Iterable[str], number: int) -> Evaluation:
        """Names, catalog figures among them, with the inputs of that number. Raises ProblemsFound as `whole` does."""
        wanted, inputs = set(names), self.inputs[number]
        kept: Mapping[str, Column] = self._whole[number].columns if number in self._whole else {}
        known = {name: kept[name] for name in wanted if name in kept}
        return evaluate(self.rule_set, self._grid(self.ids), wanted, inputs, known, self._first(inputs))

    def row(self, index: tuple[int, ...]) -> tuple[str, ...]:
        """The id of each axis at one cell."""
        return tuple(self._grid(self.ids).row(index).values())

    def _first(self, inputs: Inputs) -> dict[str, Scalar]:
        """What `current` stands for: the values of the first question."""
        asked = tuple(inputs.values())
        if asked not in self._compared:
            compared = self.rule_set.plan(self.rule_set.definitions).current
            first = {axis: entries[:1] for axis, entries in self.ids.items()}
            row = evaluate(self.rule_set, self._grid(first), compared, inputs)
            self._compared[asked] = {name: row.value(name, (0,) * len(first)) for name in compared}
        return self._compared[asked]

    def _grid(self, ids: Mapping[str, tuple[str, ...]]) -> Grid:
        return Grid.of(self.rule_set.subject, self.rule_set.catalogs, ids)


def trials_of(rule_set: RuleSet, most: int | None = None) -> list[Trial]:
    """Trials over the whole catalogs, or over at most about so many questions in all, those that tell most."""
    swept = _swept(rule_set)
    others = [axis for axis in rule_set.subject.axes.values() if not axis.swept]
    trials = [_trial(rule_set, swept, most)]
    for axis in others:
        opened = {**swept, axis.name: rule_set.catalogs[axis.catalog].ids}
        trials.append(_trial(rule_set, opened, (most or math.prod(map(len, swept.values()))) // len(others) // OTHERS))
    return trials


def trials_of_all(rule_set: RuleSet, most: int) -> Iterator[Trial]:
    """Trials that together ask every question over the axes that are swept, each of at most about so many."""
    ids = _swept(rule_set)
    longest = max(ids, key=lambda name: len(ids[name]))
    others = math.prod(len(entries) for name, entries in ids.items() if name != longest)
    step = max(1, most // others)
    for start in range(0, len(ids[longest]), step):
        yield Trial(rule_set, {**ids, longest: ids[longest][start : start + step]})


def _swept(rule_set: RuleSet) -> dict[str, tuple[str, ...]]:
    """All entries of the axes that are swept, and the defaults of those others that have one."""
    found = {}
    for axis in rule_set.subject.axes.values():
        if axis.swept:
            found[axis.name] = rule_set.catalogs[axis.catalog].ids
        elif axis.default is not None:
            found[axis.name] = (axis.default,)
    return found


def _trial(rule_set: RuleSet, ids: Mapping[str, tuple[str, ...]], most: int | None) -> Trial:
    """The trial over these entries, or over so many of them that there are at most about so many questions."""
    if most is None or math.prod(map(len, ids.values())) <= most:
        return Trial(rule_set, ids)
    needed = {name: _telling(rule_set, name, ids[name]) for name in ids}
    sizes = {name: len(entries) for name, entries in ids.items()}
    while math.prod(sizes.values()) > most:
        axis = max(sizes, key=lambda name: sizes[name] / len(needed[name]))
        if sizes[axis] == len(needed[axis]):
            break
        sizes[axis] = max(len(needed[axis]), int(sizes[axis] * KEPT))
    return Trial(rule_set, {name: _chosen(ids[name], needed[name], sizes[name]) for name in ids})


def _steps(asked: Input) -> Any:
    """Whole numbers from the least to the greatest, each as many times the last where the least is above 0."""
    spread = np.geomspace if asked.minimum > 0 else np.linspace
    return np.round(spread(asked.minimum, asked.maximum, INPUT_STEPS)).clip(asked.minimum, asked.maximum)


def _telling(rule_set: RuleSet, axis: str, ids: tuple[str, ...]) -> list[int]:
    """The entries, by number, that no trial leaves out."""
    grid = Grid.of(rule_set.subject, rule_set.catalogs, {axis: ids})
    fields = [name.partition(".") for name in rule_set.plan(rule_set.definitions).fields]
    found = {0: None}
    for space, _, name in fields:
        if space == axis:
            found |= dict.fromkeys(_extremes(grid.column(f"{space}.{name}"), _keys(rule_set, f"{space}.{name}")))
    return list(found)


def _extremes(column: Column, keys: frozenset[str]) -> Iterator[int]:
    """Where a figure is least, greatest and absent; where a word is each of the keys, another, and absent."""
    if isinstance(column, WordColumn):
        words: list[Any] = [column.words[code] if code != ABSENT else None for code in column.codes]
        first = {(word if word is None or word in keys else ""): at for at, word in reversed(list(enumerate(words)))}
        yield from first.values()
        return
    figures = np.asarray(column, dtype=float)
    if np.isnan(figures).any():
        yield int(np.isnan(figures).argmax())
    if not np.isnan(figures).all():
        yield int(np.nanargmin(figures))
        yield int(np.nanargmax(figures))


def _keys(rule_set: RuleSet, name: str) -> frozenset[str]:
    """The words that tables have a row for, where they go by `name`."""
    tables = (one for one in rule_set.definitions.values() if isinstance(one, Table) and one.input == name)
    return frozenset(word for table in tables if isinstance(table.rows, Lookup) for word in table.rows.rows)


def _chosen(ids: tuple[str, ...], needed: list[int], size: int) -> tuple[str, ...]:
    """So many of the ids, those needed among them, in their own order."""
    lot = np.random.default_rng(SEED).permutation(len(ids)).tolist()
    taken = list(dict.fromkeys([*needed, *lot]))[:size]
    return tuple(ids[at] for at in sorted(taken))
