"""Many questions at once: the rules of one profile, asked about entries and inputs of many sizes.

Where the catalogs hold no more questions than can be tried in a moment, all of them are asked. Else they are drawn by
lot, so that entries that tell much are never left out: those with the least and the greatest of each figure that a rule
reads, those that lack it, and one for each word that a table has a row for. The lot falls the same each time. All
profiles are asked the same, and what they share is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.columns import ABSENT, Codes, Column, Numbers, Scalar, WordColumn
from engine.evaluate.evaluation import Evaluation, evaluate
from engine.evaluate.parts import Parts
from engine.evaluate.question_list import QuestionList
from engine.rulebook.definitions import Table
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.subject import QUESTION, Axis, Input
from engine.rulebook.tables import Lookup

INPUT_STEPS = 4  # an input is tried at so many places from its least to its greatest, beside not being given at all
WITHOUT_INPUTS = 2  # one question in so many gives none
SEED = 1


@dataclass
class Trial:
    """One rule set, asked these questions with these inputs. What was evaluated is kept for whoever asks next.

    `like` is the trial of another profile that was asked the same.
    """

    rule_set: RuleSet
    questions: QuestionList
    inputs: Mapping[str, Numbers]
    like: Trial | None = None
    _compared: dict[str, Scalar] = field(default_factory=dict, repr=False)

    @cached_property
    def shared(self) -> frozenset[str]:
        """The definitions that are those of `like`, down to all that they are made of."""
        if self.like is None:
            return frozenset()
        found: set[str] = set()
        for name, definition in self.rule_set.definitions.items():  # each comes after all that it reads
            if definition is self.like.rule_set.definitions.get(name) and self.rule_set.made_of(name) <= found:
                found.add(name)
        return frozenset(found)

    @cached_property
    def whole(self) -> Evaluation:
        """Every definition; what is compared is compared with the first question.

        Raises ProblemsFound where a number is not finite.
        """
        given = dict(self._from_like()) if self.like else {}
        found = self._evaluate(self.rule_set.definitions, given)
        return replace(found, columns={**given, **found.columns})

    def _from_like(self) -> Iterator[tuple[str, Column]]:
        """The columns of `like` that are the same here: of definitions, inputs, and figures of the same entries."""
        assert self.like is not None
        subject, shared = self.rule_set.subject, self.shared
        for name, column in self.like.whole.columns.items():
            space, dot, _ = name.partition(".")
            chooser = subject.chooser_of(name)
            figure = space == QUESTION or (space in subject.axes and (chooser is None or chooser in shared))
            if figure if dot else name in shared:
                yield name, column

    def stepped(self, cause: str, column: Column, effects: Iterable[str]) -> Mapping[str, Column]:
        """The effects once more, with another column in place of the cause and all else as in `whole`.

        Raises ProblemsFound where a number is not finite.
        """
        given = {**self._read_by(effects, self.rule_set.readers(cause).__contains__), cause: column}
        found = self._evaluate(effects, given).columns
        return {name: found[name] for name in effects}

    def with_entry(self, axis: str, entry: str, effects: Iterable[str]) -> Mapping[str, Column]:
        """The effects once more, where all questions name another entry of one axis. Raises as `whole` does."""
        others = replace(self, questions=self.questions.with_entry(axis, entry))
        given = self._read_by(effects, lambda name: axis in self.rule_set.roots(name))
        found = others._evaluate(effects, given).columns
        return {name: found[name] for name in effects}

    def _read_by(self, effects: Iterable[str], moved: Callable[[str], bool]) -> dict[str, Column]:
        """The columns of `whole` that the effects are made of where what has moved is made anew, and all inputs."""
        inputs = (f"{QUESTION}.{name}" for name in self.rule_set.subject.inputs)
        found = {name: self.whole.columns[name] for name in inputs}
        seen: set[str] = set()
        stack = list(effects)
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            chooser = self.rule_set.subject.chooser_of(name)
            if name in self.whole.columns and not moved(name) and not (chooser and moved(chooser)):
                found[name] = self.whole.columns[name]
                continue
            stack += self.rule_set.definitions[name].reads if name in self.rule_set.definitions else ()
            stack += [chooser] if chooser else []
        return found

    def evaluate(self, names: Iterable[str]) -> Evaluation:
        """Some names alone, catalog figures among them. Raises ProblemsFound as `whole` does."""
        return self._evaluate(names, {})

    def values(self, names: Iterable[str]) -> Mapping[str, Column]:
        """The columns of names, catalog figures among them. Raises ProblemsFound as `whole` does."""
        wanted = set(names)
        known = {name: self.whole.columns[name] for name in wanted if name in self.whole.columns}
        return known if len(known) == len(wanted) else self._evaluate(wanted, known).columns

    def row(self, number: int) -> tuple[str, ...]:
        """The ids of one question, and the inputs that it gives."""
        given = {
            name: float(np.broadcast_to(value, self.questions.shape)[number]) for name, value in self.inputs.items()
        }
        told = (f"{name}={value:g}" for name, value in given.items() if not math.isnan(value))
        return (*self.questions.row((number,)).values(), *told)

    def _evaluate(self, outputs: Iterable[str], given: Mapping[str, Any]) -> Evaluation:
        return evaluate(self.rule_set, self.questions, outputs, self.inputs, given, self._first)

    @property
    def _first(self) -> Mapping[str, Scalar]:
        """What `current` stands for: the values of the first question."""
        compared = self.rule_set.plan(self.rule_set.definitions).current
        if compared and not self._compared:
            first = {name: _first(value) for name, value in self.inputs.items()}
            row = evaluate(self.rule_set, self.questions.at([0]), compared, first)
            self._compared.update({name: row.value(name, (0,)) for name in compared})
        return self._compared


def trials_of(rule_sets: Iterable[RuleSet], most: int | None = None) -> list[Trial]:
    """One trial for each rule set, of all questions over the catalogs or of so many that tell most.

    All rule sets have the same subject and the same catalogs.
    """
    profiles = list(rule_sets)
    questions, inputs = _questions(profiles, most)
    first = Trial(profiles[0], questions, inputs)
    return [first, *(Trial(rules, questions, inputs, first) for rules in profiles[1:])]


def trials_of_all(rule_set: RuleSet, most: int) -> Iterator[Trial]:
    """Trials that together ask every question over the axes that are swept, each of at most so many."""
    rows = {name: _swept(rule_set, axis) for name, axis in rule_set.subject.axes.items()}
    for part in Parts(rows, most):
        yield Trial(rule_set, _product(rule_set, part.entries), {})


def _questions(rule_sets: list[RuleSet], most: int | None) -> tuple[QuestionList, Mapping[str, Numbers]]:
    """All questions, without and with inputs, or so many of them drawn by lot."""
    rules, lot = rule_sets[0], np.random.default_rng(SEED)
    axes, inputs = rules.subject.axes, rules.subject.inputs
    every = {name: _every(rules, axis) for name, axis in axes.items()}
    count = math.prod(map(len, every.values()))
    if most is None or count * 2 <= most:
        questions = _product(rules, every)
        given = np.arange(count * 2) >= count
        questions = questions.at(np.tile(np.arange(count), 2))
    else:
        words = _words(rule_sets)
        drawn = {name: _drawn(_every(rules, axis), _telling(rules, axis, words), most, lot) for name, axis in axes.items()}
        questions = QuestionList(rules.subject, rules.catalogs, most, drawn)
        given = np.arange(most) % WITHOUT_INPUTS > 0
    size = questions.shape[0]
    steps = {name: lot.choice(_steps(one), size) for name, one in inputs.items()}
    return questions, {name: np.where(given, values, np.nan) for name, values in steps.items()}


def _every(rule_set: RuleSet, axis: Axis) -> Sequence[int]:
    """All entries of an axis, and before them that none is named, where the rules then choose."""
    every = range(len(rule_set.catalogs[axis.catalog].ids))
    return [ABSENT, *every] if axis.default_by else every


def _swept(rule_set: RuleSet, axis: Axis) -> Sequence[int]:
    """All entries of an axis that is swept, and of the others what answers by default."""
    catalog = rule_set.catalogs[axis.catalog]
    if axis.swept:
        return range(len(catalog.ids))
    return [catalog.index[axis.default] if axis.default else ABSENT]


def _product(rule_set: RuleSet, rows: Mapping[str, Sequence[int]]) -> QuestionList:
    """Every question over these entries, in the order of the axes."""
    grids = np.meshgrid(*(np.array(codes, dtype=np.int64) for codes in rows.values()), indexing="ij")
    found = {name: grid.ravel() for name, grid in zip(rows, grids, strict=True)}
    return QuestionList(rule_set.subject, rule_set.catalogs, grids[0].size, found)


def _drawn(every: Sequence[int], telling: list[int], size: int, lot: np.random.Generator) -> Codes:
    """So many entries of an axis in an order of their own: those that tell most in turn with any others."""
    turns = np.tile(telling, (math.ceil(size / (2 * len(telling))), 1))
    turns = lot.permuted(turns, axis=1).ravel()  # each turn by itself
    drawn = np.concatenate([turns[: (size + 1) // 2], lot.choice(every, size // 2)])
    first = drawn[:1].copy()
    drawn = lot.permutation(drawn)
    drawn[:1] = first
    found: Codes = drawn.astype(np.int64)
    return found


def _steps(asked: Input) -> Any:
    """Whole numbers from the least to the greatest, each as many times the last where the least is above 0."""
    spread = np.geomspace if asked.minimum > 0 else np.linspace
    return np.round(spread(asked.minimum, asked.maximum, INPUT_STEPS)).clip(asked.minimum, asked.maximum)


def _telling(rule_set: RuleSet, axis: Axis, words: Mapping[str, set[frozenset[str]]]) -> list[int]:
    """The entries, by number, that no trial leaves out, in order; -1 for naming none.

    `words` are those that the rules of each profile tell apart, by the figure or word of a catalog that they read.
    """
    catalog = rule_set.catalogs[axis.catalog]
    found = {ABSENT if axis.default_by else 0}
    for name, told_apart in words.items():
        space, _, field_name = name.partition(".")
        if space == axis.name:
            found.update(_extremes(catalog.column(field_name), told_apart))
    return sorted(found)


def _extremes(column: Column, told_apart: Iterable[frozenset[str]]) -> Iterator[int]:
    """Where a figure is least, greatest and absent; where a word is each of those told apart, another, and absent."""
    if isinstance(column, WordColumn):
        places = dict(zip(column.codes[::-1].tolist(), range(len(column.codes))[::-1], strict=True))  # the first of each
        yield from (at for code, at in places.items() if code == ABSENT)
        for keys in told_apart:
            others = [at for code, at in places.items() if code != ABSENT and column.words[code] not in keys]
            yield from (at for code, at in places.items() if code != ABSENT and column.words[code] in keys)
            yield from sorted(others)[:1]
        return
    figures = np.asarray(column, dtype=float)
    if np.isnan(figures).any():
        yield int(np.isnan(figures).argmax())
    if not np.isnan(figures).all():
        yield int(np.nanargmin(figures))
        yield int(np.nanargmax(figures))


def _words(rule_sets: Iterable[RuleSet]) -> Mapping[str, set[frozenset[str]]]:
    """The words that tables have a row for, by what tables go by, one set of them for each profile that differs.

    No words for any other figure or word of a catalog that rules read.
    """
    found: dict[str, set[frozenset[str]]] = {}
    for rules in rule_sets:
        rows: dict[str, set[str]] = {}
        for table in rules.definitions.values():
            if isinstance(table, Table) and isinstance(table.rows, Lookup):
                rows.setdefault(table.input, set()).update(table.rows.rows)
        for name in rules.plan(rules.definitions).fields:
            found.setdefault(name, set()).add(frozenset(rows.get(name, ())))
    return found


def _first(value: Numbers) -> Numbers:
    return value[:1] if isinstance(value, np.ndarray) else value
