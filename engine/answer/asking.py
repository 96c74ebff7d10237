"""Asking the rules: the rows that a question, its picks and its lists take their values from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.answer.question import Question
from engine.columns import Numbers, Scalar
from engine.evaluate.evaluation import Evaluation, evaluate
from engine.evaluate.grid import Grid
from engine.evaluate.question_list import QuestionList
from engine.evaluate.trace import trace
from engine.rulebook.layout import Change, Pick
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import CURRENT, QUESTION


@dataclass(frozen=True)
class Row:
    """One cell of an evaluated grid: where a part of the layout takes its values from."""

    evaluation: Evaluation
    index: tuple[int, ...]

    def value(self, name: str) -> Scalar:
        """The value of `name` in this row."""
        return self.evaluation.value(name, self.index)

    def at(self, axis: str, number: int) -> Row:
        """The row with the `number`-th entry of `axis`, and all else the same."""
        index = tuple(number if other == axis else at for other, at in zip(self.ids, self.index, strict=True))
        return replace(self, index=index)

    def along(self, axis: str, name: str) -> Any:
        """The numbers or conditions of `name` for each entry of `axis`, all else the same."""
        assert isinstance(self.evaluation.asked, Grid)
        column = np.broadcast_to(np.asarray(self.evaluation.columns[name]), self.evaluation.asked.shape)
        return column[
            tuple(slice(None) if other == axis else at for other, at in zip(self.ids, self.index, strict=True))
        ]

    @property
    def ids(self) -> Mapping[str, tuple[str, ...]]:
        """The ids on each axis of its grid, in the order of its index."""
        assert isinstance(self.evaluation.asked, Grid)
        return self.evaluation.asked.ids

    def trace(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """How `names` came about in this row."""
        return trace(self.evaluation, self.index, names)


@dataclass
class Asker:
    """Asks the rules what one question needs to know: its own row, and the entries that the layout picks.

    `given` sets names to a value instead of computing them. To `explain` an answer each number is computed where it is
    shown; else what is the same for the picks and lists as for the question is taken from its row.
    """

    rulebook: Rulebook
    question: Question
    given: Mapping[str, Scalar] = field(default_factory=dict)
    explain: bool = False
    asked: Row = field(init=False)
    picked: dict[str, Row] = field(default_factory=dict, init=False)
    _opened: frozenset[str] = field(default=frozenset(), init=False)

    @property
    def rules(self) -> RuleSet:
        """The rules of the profile that was asked for."""
        return self.rulebook.rule_sets[self.question.profile]

    def ask(self, names: set[str], open_axes: tuple[str, ...] = ()) -> None:
        """Evaluates what `names` need; afterwards `asked` is the question's row, and `picked` those of the picks."""
        picks = [pick for pick in self.rulebook.layout.picks.values() if any(_is_of(pick, name) for name in names)]
        for_picks = {value.name for pick in picks for value in pick.change.inputs.values()}
        self.asked = self.row(self.plain(names | for_picks), Change(), open_axes)
        self._opened = frozenset(open_axes)
        for pick in picks:
            self.picked[pick.name] = self._pick(pick, names)

    def value(self, name: str, row: Row | None = None) -> Scalar:
        """The value of a name, in the question's row where no other is given. Raises KeyError for an unknown one."""
        row = row or self.asked
        if name in row.evaluation.columns:
            return row.value(name)
        space = name.partition(".")[0]
        if space in self.picked:
            return self.picked[space].value(self._in_rules(name))
        return self.own_value(name)

    def own_value(self, name: str) -> Scalar:
        """A name that no rule computes: what the rulebook says of itself."""
        own: dict[str, Scalar] = {
            "rules.version": self.rulebook.version,
            "rules.sha256": self.rulebook.sha256,
            "rules.profile": self.question.profile,
        }
        return own[name]

    def plain(self, names: Iterable[str]) -> set[str]:
        """Those of the names that the evaluator knows."""
        return {name for name in names if self.rules.describe(name)}

    def row(
        self,
        outputs: Iterable[str],
        change: Change,
        open_axes: tuple[str, ...],
        current: Mapping[str, Scalar] | None = None,
    ) -> Row:
        """The row of the question, as changed, in a grid where `open_axes` run over their whole catalogs."""
        entries = {**self.question.entries, **change.entries}
        changed = {name: float(self.asked.value(value.name) or 0) for name, value in change.inputs.items()}
        ids: dict[str, tuple[str, ...]] = {axis: (entry,) for axis, entry in entries.items()}
        ids |= {axis: self.rulebook.catalog_of(axis).ids for axis in open_axes}
        grid = Grid.of(self.rules.subject, self.rules.catalogs, ids)
        inputs = {**self.question.inputs, **changed}
        given = {**self.question.overrides, **self.given}
        before, others = self._before(*change.entries, *open_axes, *(f"{QUESTION}.{name}" for name in change.inputs))
        evaluation = evaluate(self.rules, grid, outputs, inputs, given, current, before, others)
        return Row(evaluation, tuple(ids.index(entries.get(axis, ids[0])) for axis, ids in grid.ids.items()))

    def _before(self, *others: str) -> tuple[Evaluation | None, frozenset[str]]:
        """What was evaluated for the question itself, and by what others differ: these axes and inputs, and its own."""
        before = self.asked.evaluation if hasattr(self, "asked") and not self.explain else None
        return before, frozenset({*others, *self._opened, CURRENT})

    def rows_along(self, name: str, values: Sequence[float], outputs: Iterable[str]) -> list[Row]:
        """The question once for each value of one of its inputs, in one evaluation."""
        rules, entries = self.rules, self.question.entries
        questions = QuestionList.repeated(rules.subject, rules.catalogs, entries, len(values))
        inputs: dict[str, Numbers] = {**self.question.inputs, name: np.array(values, dtype=float)}
        given, before = {**self.question.overrides, **self.given}, self._before(f"{QUESTION}.{name}")
        evaluation = evaluate(rules, questions, outputs, inputs, given, None, *before)
        return [Row(evaluation, (at,)) for at in range(len(values))]

    def _pick(self, pick: Pick, names: set[str]) -> Row:
        wanted = {self._in_rules(name) for name in names if _is_of(pick, name)}
        row = self.row(wanted | {pick.by.name}, pick.change, (pick.axis,))
        return row.at(pick.axis, int(np.argmax(row.along(pick.axis, pick.by.name))))

    def _in_rules(self, name: str) -> str:
        return self.rulebook.layout.name_in_rules(name, self.rules)


def _is_of(pick: Pick, name: str) -> bool:
    return name.startswith(f"{pick.name}.")
