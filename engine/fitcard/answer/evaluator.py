"""Evaluating questions: their own rows, then all rows that answers compare them with, in one evaluation each."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from fitcard.answer.question import Question
from fitcard.compiler.batch import QuestionList, Variation, repeat_rows, vary
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate, varying_roots
from fitcard.compiler.layout_plan import LayoutPlan, PickPlan, plan_picks
from fitcard.compiler.trace import trace
from fitcard.rulebook.layout import AlongNode, Layout, VariantKey
from fitcard.source.document import Path
from fitcard.values import Numbers, Scalar

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
    """Evaluates questions of one profile, all in the same evaluations: their own rows, then all that they are compared
    with.

    They override the same values and bring the same custom entries. `given` sets names to a value instead of computing
    them.
    """

    engine: Engine
    questions: tuple[Question, ...]
    given: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def rules(self) -> CompiledRules:
        """The rules of the profile that was asked for."""
        return self.engine.rules[self.questions[0].profile]

    def answer_rows(self, plan: LayoutPlan) -> list[AnswerRows]:
        """For each question all rows that the layout of the answer needs."""
        owns = self.own_rows(plan.picks.own)
        shown = [tuple(not each.when or bool(own.value(each.when.name)) for each in plan.lists) for own in owns]
        plans = [plan.variants(lists) for lists in shown]
        variations: list[dict[Hashable, Variation]] = [
            {key: self.variation(key, own) for key in one.rows} for one, own in zip(plans, owns, strict=True)
        ]
        for along in plan.alongs:
            for of_question, own in zip(variations, owns, strict=True):
                of_question[along.path] = _variation_along(along, own)
        names = plans[0].names if len(plans) == 1 else frozenset().union(*(one.names for one in plans))
        variants = self.variant_rows(owns, variations, names)
        lists = [
            frozenset(each.path for each, is_shown in zip(plan.lists, of_question, strict=True) if is_shown)
            for of_question in shown
        ]
        return [
            AnswerRows(own, self.facts, self.picked_rows(plan.picks, rows), rows, paths)
            for own, rows, paths in zip(owns, variants, lists, strict=True)
        ]

    def values(self, names: Iterable[str]) -> dict[str, Scalar]:
        """The values of these names for the first question, of rules, picks and catalogs; None where one is absent."""
        names = tuple(names)
        rows = self.rows_of(names)
        return {name: rows.value(name, self.engine.rulebook.layout) for name in names}

    def rows_of(self, names: Iterable[str]) -> AnswerRows:
        """The first question's own row and those of picks, as far as these names need them."""
        plan = plan_picks(self.engine.rulebook.layout, names, self.rules)
        owns = self.own_rows(plan.own)
        variations = [{key: self.variation(key, own) for key in plan.variants} for own in owns]
        variants = self.variant_rows(owns, variations, plan.all_names)
        return AnswerRows(owns[0], self.facts, self.picked_rows(plan, variants[0]))

    def own_rows(self, outputs: Iterable[str], current: Mapping[str, Scalar] | None = None) -> list[Row]:
        """The own row of each question, which gives `outputs`."""
        rules, given = self._ready_rules, self.given_values
        evaluation = evaluate(rules, self._batch, outputs, self._inputs, given, current)
        return [Row(evaluation, (at,)) for at in range(len(self.questions))]

    def variant_rows(
        self, owns: Sequence[Row], variations: Sequence[Mapping[Key, Variation]], outputs: Iterable[str]
    ) -> list[dict[Key, VariantRows]]:
        """The rows of all variations of each question, which give `outputs`, in one evaluation.

        What does not vary is taken from their own rows.
        """
        every = [(at, key, one) for at, of_question in enumerate(variations) for key, one in of_question.items()]
        found: list[dict[Key, VariantRows]] = [{} for _ in owns]
        if not every:
            return found
        varied = vary(self._batch, self._inputs, [(at, one) for at, _, one in every])
        reuse, names = owns[0].evaluation, frozenset(outputs)
        compared = self.rules.plan(names).current
        current = {name: repeat_rows(reuse.columns[name], varied.origins) for name in compared}
        rules, given = self._ready_rules, self.given_values
        evaluation = evaluate(rules, varied.questions, names, varied.inputs, given, current, reuse, varied)
        independent = reuse.independent_names(varying_roots(rules, varied))
        for (at, key, _), place in zip(every, varied.slices, strict=True):
            found[at][key] = VariantRows(evaluation, place, independent)
        return found

    def variation(self, key: VariantKey, own: Row) -> Variation:
        """A question as a list or a pick varies it."""
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
        """What the rulebook says of itself, by name."""
        rulebook = self.engine.rulebook
        return {
            "rules.version": rulebook.version,
            "rules.sha256": rulebook.sha256,
            "rules.profile": self.rules.profile,
            "site": rulebook.site,
        }

    @cached_property
    def given_values(self) -> Mapping[str, Scalar]:
        """All names that have a value instead of being computed."""
        return {**self.questions[0].overrides, **self.given}

    def _columns(self, axis: str) -> CatalogColumns:
        return self._batch.columns_of(axis)

    @cached_property
    def _batch(self) -> QuestionList:
        rules, entries = self._ready_rules, [question.entries for question in self.questions]
        if len(entries) == 1:
            return QuestionList.repeated(rules.question_fields, rules.columns, entries[0], 1)
        return QuestionList.of(rules.question_fields, rules.columns, entries)

    @cached_property
    def _inputs(self) -> Mapping[str, Numbers]:
        first, *others = (question.inputs for question in self.questions)
        if not others:
            return first
        names = dict.fromkeys(name for one in (first, *others) for name in one)
        return {name: np.array([one.get(name, np.nan) for one in (first, *others)]) for name in names}

    @cached_property
    def _ready_rules(self) -> CompiledRules:
        """The rules with all precomputed that can be, where the questions change nothing of that."""
        question = self.questions[0]
        if self.given_values or question.custom_entries:
            return self.rules
        return self.engine.precomputed(question.profile)


def _variation_along(along: AlongNode, own: Row) -> Variation:
    """The question once for each value of one of its inputs."""
    last = float(own.value(along.up_to.name) or 0)
    values = [*(value for value in along.values if value < last), last]
    return Variation(len(values), {}, {along.input: np.array(values, dtype=float)})
