"""Evaluating a question: its own row, then all rows that an answer compares it with, in one evaluation each."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from fitcard.answer.question import Question
from fitcard.compiler.batch import QuestionList, Variation, vary
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate
from fitcard.compiler.layout_plan import LayoutPlan, PickPlan, plan_picks
from fitcard.compiler.trace import trace
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.rulebook.layout import AlongNode, Layout, VariantKey
from fitcard.source.document import Path
from fitcard.values import Scalar

FIRST_ROW: Index = (0,)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Row:
    """One cell of an evaluation."""

    evaluation: Evaluation
    index: Index

    def value(self, name: str) -> Scalar:
        """The value of `name` in this row; None where it is absent."""
        return self.evaluation.value(name, self.index)

    def trace(self, names: Iterable[str], known: Container[str] = ()) -> list[dict[str, Any]]:
        """How `names` were computed in this row, without the steps of what is `known` already."""
        return trace(self.evaluation, self.index, names, known)


@dataclass(frozen=True)
class VariantRows:
    """The rows of one variant of a question: a slice of an evaluation.

    The names that are `independent` have the values of the question's own row.
    """

    evaluation: Evaluation
    rows: slice
    independent: frozenset[str]

    def __len__(self) -> int:
        return int(self.rows.stop - self.rows.start)

    def column(self, name: str) -> Any:
        """The numbers or conditions of `name`, one for each row."""
        column: Any = self.evaluation.columns[name]
        return column[self.rows] if isinstance(column, np.ndarray) else np.full(len(self), column)

    def cells(self, rows: Iterable[int]) -> list[Index]:
        """The cells of these rows, by number, in the evaluation."""
        return [(self.rows.start + row,) for row in rows]


@dataclass(frozen=True)
class AnswerRows:
    """All that an answer is rendered from: the question's `own` row, the row of each pick, and those of lists.

    `facts` are what the rulebook says of itself, such as `rules.version`.
    `lists` are the paths of the lists whose condition holds; the others show nothing, and have no rows.
    """

    own: Row
    facts: Mapping[str, Scalar]
    picks: Mapping[str, Row] = field(default_factory=dict)
    variants: Mapping[Hashable, VariantRows] = field(default_factory=dict)
    lists: frozenset[Path] = frozenset()

    def value(self, name: str, layout: Layout) -> Scalar:
        """The value of a name in the own row, in that of a pick, or among the facts. Raises KeyError for another."""
        if name in self.own.evaluation.columns:
            return self.own.value(name)
        pick = self.picks.get(name.partition(".")[0])
        if pick is not None:
            return pick.value(layout.name_in_rules(name, self.own.evaluation.rules.rule_set))
        return self.facts[name]


@dataclass(frozen=True)
class QuestionEvaluator:
    """Evaluates one question, in its own row and otherwise.

    `given` sets names to a value instead of computing them.
    """

    engine: Engine
    question: Question
    given: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def rules(self) -> CompiledRules:
        """The rules of the profile that was asked for."""
        return self.engine.rules[self.question.profile]

    def answer_rows(self, plan: LayoutPlan) -> AnswerRows:
        """All rows that the layout of the answer needs."""
        own = self.own_row(plan.picks.own)
        shown = tuple(not each.when or bool(own.value(each.when.name)) for each in plan.lists)
        rows, names = plan.variants(shown)
        variations: dict[Hashable, Variation] = {key: self.variation(key, own) for key in rows}
        for along in plan.alongs:
            variations[along.path] = _variation_along(along, own)
        variants = self.variant_rows(own, variations, names)
        lists = frozenset(each.path for each, is_shown in zip(plan.lists, shown, strict=True) if is_shown)
        return AnswerRows(own, self.facts, self.picked_rows(plan.picks, variants), variants, lists)

    def values(self, names: Iterable[str]) -> dict[str, Scalar]:
        """The values of these names, of rules, picks and catalogs; None where one is absent."""
        names = tuple(names)
        rows = self.rows_of(names)
        return {name: rows.value(name, self.engine.rulebook.layout) for name in names}

    def rows_of(self, names: Iterable[str]) -> AnswerRows:
        """The question's own row and those of picks, as far as these names need them."""
        plan = plan_picks(self.engine.rulebook.layout, names, self.rules)
        own = self.own_row(plan.own)
        variants = self.variant_rows(own, {key: self.variation(key, own) for key in plan.variants}, plan.all_names)
        return AnswerRows(own, self.facts, self.picked_rows(plan, variants))

    def own_row(self, outputs: Iterable[str], current: Mapping[str, Scalar] | None = None) -> Row:
        """The question's own row, which gives `outputs`."""
        rules, given = self._ready_rules, self.given_values
        return Row(evaluate(rules, self._batch, outputs, self.question.inputs, given, current), FIRST_ROW)

    def variant_rows(
        self, own: Row, variations: Mapping[Key, Variation], outputs: Iterable[str]
    ) -> dict[Key, VariantRows]:
        """The rows of all variations, which give `outputs`, in one evaluation; what does not vary is that of `own`."""
        if not variations:
            return {}
        varied = vary(self._batch, self.question.inputs, list(variations.values()))
        inputs = self.rules.question_fields.inputs
        varying = frozenset({CURRENT, *(f"{QUESTION}.{name}" if name in inputs else name for name in varied.differs)})
        names = frozenset(outputs)
        current = {name: own.value(name) for name in self.rules.plan(names).current}
        given, reuse = self.given_values, own.evaluation
        found = evaluate(self._ready_rules, varied.questions, names, varied.inputs, given, current, reuse, varying)
        independent = reuse.independent_names(varying)
        return {
            key: VariantRows(found, place, independent) for key, place in zip(variations, varied.places, strict=True)
        }

    def variation(self, key: VariantKey, own: Row) -> Variation:
        """The question as a list or a pick varies it."""
        entries: dict[str, Any] = {axis: self._columns(axis).index[entry] for axis, entry in key.entries}
        if key.axis:
            entries[key.axis] = self._columns(key.axis).rows
        inputs = {name: float(own.value(of) or 0) for name, of in key.inputs}
        return Variation(len(entries[key.axis]) if key.axis else 1, entries, inputs)

    def picked_rows(self, plan: PickPlan, variants: Mapping[Any, VariantRows]) -> dict[str, Row]:
        """Of each pick the row for which its number is greatest."""
        picked = {}
        for name in plan.picks:
            pick = self.engine.rulebook.layout.picks[name]
            found = variants[pick.variant]
            (cell,) = found.cells([int(found.column(pick.by.name).argmax())])
            picked[name] = Row(found.evaluation, cell)
        return picked

    @property
    def facts(self) -> dict[str, Scalar]:
        """What the rulebook says of itself, for this question, by name."""
        rulebook = self.engine.rulebook
        return {
            "rules.version": rulebook.version,
            "rules.sha256": rulebook.sha256,
            "rules.profile": self.question.profile,
            "site": rulebook.site,
        }

    @cached_property
    def given_values(self) -> Mapping[str, Scalar]:
        """All names that have a value instead of being computed."""
        return {**self.question.overrides, **self.given}

    def _columns(self, axis: str) -> Any:
        return self._batch.columns_of(axis)

    @cached_property
    def _batch(self) -> QuestionList:
        rules = self._ready_rules
        return QuestionList.repeated(rules.question_fields, rules.columns, self.question.entries, 1)

    @cached_property
    def _ready_rules(self) -> CompiledRules:
        """The rules with all precomputed that can be, where the question changes nothing of that."""
        if self.given_values or self.question.custom_entries:
            return self.rules
        return self.engine.precomputed(self.question.profile)


def _variation_along(along: AlongNode, own: Row) -> Variation:
    """The question once for each value of one of its inputs."""
    last = float(own.value(along.up_to.name) or 0)
    values = [*(value for value in along.values if value < last), last]
    return Variation(len(values), {}, {along.input: np.array(values, dtype=float)})
