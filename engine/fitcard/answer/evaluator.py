"""Asking the rules: the question's own row, and all rows that ask it otherwise, in one evaluation each."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from fitcard.answer.question import Question
from fitcard.compiler.batch import QuestionList, Variation, vary
from fitcard.compiler.evaluation import Evaluation, Index, evaluate
from fitcard.compiler.precompute import precompute
from fitcard.compiler.trace import trace
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.rule_set import RuleSet
from fitcard.rulebook.layout import VariantKey
from fitcard.rulebook.layout_plan import PickPlan, plan_picks
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import Numbers, Scalar

FIRST_ROW: Index = (0,)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Row:
    """One cell of what was evaluated: where a part of the layout takes its values from."""

    evaluation: Evaluation
    index: Index

    def value(self, name: str) -> Scalar:
        """The value of `name` in this row."""
        return self.evaluation.value(name, self.index)

    def trace(self, names: Iterable[str], told: Container[str] = ()) -> list[dict[str, Any]]:
        """How `names` came about in this row, as far as it was not told before."""
        return trace(self.evaluation, self.index, names, told)


@dataclass(frozen=True)
class VariantRows:
    """The rows of a question that is asked otherwise in one way: some of all that were evaluated together.

    The names that are `unmoved` are what they are for the question itself.
    """

    evaluation: Evaluation
    place: slice
    unmoved: frozenset[str]

    def __len__(self) -> int:
        return int(self.place.stop - self.place.start)

    def column(self, name: str) -> Any:
        """The numbers or conditions of `name`, one for each row."""
        column: Any = self.evaluation.columns[name]
        return column[self.place] if isinstance(column, np.ndarray) else np.full(len(self), column)

    def cells(self, rows: Iterable[int]) -> list[Index]:
        """Where these rows, by number, stand in the evaluation."""
        return [(self.place.start + row,) for row in rows]


@dataclass
class QuestionEvaluator:
    """Asks the rules what one question needs to know: its own row, and the entries that the layout picks.

    `given` sets names to a value instead of computing them. What is the same however the question is asked is taken
    from its own row.
    """

    rulebook: Rulebook
    question: Question
    given: Mapping[str, Scalar] = field(default_factory=dict)
    asked: Row = field(init=False)
    picked: dict[str, Row] = field(default_factory=dict, init=False)

    @property
    def rules(self) -> RuleSet:
        """The rules of the profile that was asked for."""
        return self.rulebook.rule_sets[self.question.profile]

    def ask(self, names: Iterable[str]) -> None:
        """Evaluates what `names` need; afterwards `asked` is the question's row, and `picked` those of the picks."""
        asked = plan_picks(self.rulebook.layout, names, self.rules)
        self.asked = self.row(asked.own)
        if asked.picks:
            self.pick(asked, self.otherwise({asks: self.over(asks) for asks in asked.rows}, asked.together))

    def pick(self, asked: PickPlan, rows: Mapping[Any, VariantRows]) -> None:
        """Sets `picked`, where `rows` hold those of each pick by what it asks."""
        for name in asked.picks:
            pick = self.rulebook.layout.picks[name]
            found = rows[pick.asks]
            (cell,) = found.cells([int(found.column(pick.by.name).argmax())])
            self.picked[name] = Row(found.evaluation, cell)

    def value(self, name: str, row: Row | None = None) -> Scalar:
        """The value of a name, in the question's row where no other is given. Raises KeyError for an unknown one."""
        row = row or self.asked
        if name in row.evaluation.columns:
            return row.value(name)
        space = name.partition(".")[0]
        if space in self.picked:
            return self.picked[space].value(self.rulebook.layout.name_in_rules(name, self.rules))
        return self.own_value(name)

    def own_value(self, name: str) -> Scalar:
        """A name that no rule computes: what the rulebook says of itself."""
        own: dict[str, Scalar] = {
            "rules.version": self.rulebook.version,
            "rules.sha256": self.rulebook.sha256,
            "rules.profile": self.question.profile,
        }
        return own[name]

    def row(self, outputs: Iterable[str], current: Mapping[str, Scalar] | None = None) -> Row:
        """The question's own row."""
        evaluation = evaluate(self._ready, self._question, outputs, self.question.inputs, self.fixed, current)
        return Row(evaluation, FIRST_ROW)

    @property
    def fixed(self) -> Mapping[str, Scalar]:
        """All names that have a value instead of being computed."""
        return {**self.question.overrides, **self.given}

    def over(self, asks: VariantKey) -> Variation:
        """The question asked as a list or a pick does."""
        catalog = self.rulebook.catalog_of
        entries: dict[str, Any] = {axis: catalog(axis).index[entry] for axis, entry in asks.entries}
        if asks.axis:
            entries[asks.axis] = catalog(asks.axis).rows
        inputs = {name: float(self.asked.value(of) or 0) for name, of in asks.inputs}
        return Variation(len(entries[asks.axis]) if asks.axis else 1, entries, inputs)

    def running(self, name: str, values: Sequence[float]) -> Variation:
        """The question once for each value of one of its inputs."""
        numbers: Numbers = np.array(values, dtype=float)
        return Variation(len(values), {}, {name: numbers})

    def otherwise(self, wanted: Mapping[Key, Variation], outputs: Iterable[str]) -> dict[Key, VariantRows]:
        """What `outputs` come to where the question is asked otherwise in these ways, all in one evaluation."""
        if not wanted:
            return {}
        asked = vary(self._question, self.question.inputs, list(wanted.values()))
        inputs = self.rules.subject.inputs
        others = frozenset({CURRENT, *(f"{QUESTION}.{name}" if name in inputs else name for name in asked.differs)})
        before = self.asked.evaluation
        names = frozenset(outputs)
        current = {name: self.asked.value(name) for name in self.rules.plan(names).current}
        found = evaluate(self._ready, asked.questions, names, asked.inputs, self.fixed, current, before, others)
        unmoved = before.unmoved(others)
        return {key: VariantRows(found, place, unmoved) for key, place in zip(wanted, asked.places, strict=True)}

    @cached_property
    def _question(self) -> QuestionList:
        return QuestionList.repeated(self._ready.subject, self._ready.catalogs, self.question.entries, 1)

    @cached_property
    def _ready(self) -> RuleSet:
        """The rules with all worked out that can be, where the question changes nothing of that."""
        if self.fixed or self.question.own:
            return self.rules
        ready: RuleSet = self.rulebook.needs[self.question.profile].made.get(
            (self.rules,), lambda: precompute(self.rules)
        )
        return ready
