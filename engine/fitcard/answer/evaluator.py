"""Evaluation of questions.

First the own rows of all questions are evaluated, then all rows of lists and picks: two evaluations in all.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from fitcard.answer.problems import BeyondNumbers, question_problem
from fitcard.answer.question import Question
from fitcard.compiler.batch import QuestionList, Variation, repeat_rows, vary
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate, varying_roots
from fitcard.compiler.finite import NotFinite
from fitcard.compiler.layout_plan import LayoutPlan, PickPlan, plan_picks
from fitcard.compiler.trace import trace
from fitcard.problems import ProblemsError
from fitcard.rulebook.layout import AlongNode, Layout, VariantKey
from fitcard.source.document import Path
from fitcard.values import Numbers, Scalar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Row:
    """A cell of an evaluation."""

    evaluation: Evaluation
    index: Index

    def value(self, name: str) -> Scalar:
        """The value of `name`; None if it is absent."""
        return self.evaluation.value(name, self.index)

    def trace(self, names: Iterable[str], known: Container[str] = ()) -> list[dict[str, Any]]:
        """The steps that compute `names`, without those of the names in `known`."""
        return trace(self.evaluation, self.index, names, known)


@dataclass(frozen=True)
class VariantRows:
    """The rows of a variant of a question: a slice of an evaluation.

    The values of `independent` names are those of the question's own row.
    """

    evaluation: Evaluation
    rows: slice
    independent: frozenset[str]

    def __len__(self) -> int:
        return int(self.rows.stop - self.rows.start)

    def column(self, name: str) -> Any:
        """The numbers or conditions of `name`, by row."""
        column: Any = self.evaluation.columns[name]
        return column[self.rows] if isinstance(column, np.ndarray) else np.full(len(self), column)

    def cells(self, rows: Iterable[int]) -> list[Index]:
        """The cells of rows, which are numbered from 0, in the evaluation."""
        return [(self.rows.start + row,) for row in rows]


@dataclass(frozen=True)
class AnswerRows:
    """The values of an answer: the `own` row of the question, the rows of picks and of lists.

    `facts` are properties of the rulebook, such as `rules.version`. `lists` are the paths of the lists whose condition
    holds; others are empty and have no rows.
    """

    own: Row
    facts: Mapping[str, Scalar]
    picks: Mapping[str, Row] = field(default_factory=dict)
    variants: Mapping[Hashable, VariantRows] = field(default_factory=dict)
    lists: frozenset[Path] = frozenset()

    def value(self, name: str, layout: Layout) -> Scalar:
        """The value of a name in the own row, in the row of a pick or in the facts. Raises KeyError for other names."""
        if name in self.own.evaluation.columns:
            return self.own.value(name)
        pick = self.picks.get(name.partition(".")[0])
        if pick is not None:
            return pick.value(layout.name_in_rules(name, self.own.evaluation.rules.rule_set))
        return self.facts[name]


@dataclass(frozen=True)
class QuestionEvaluator:
    """Evaluates questions that have the same profile, overrides and custom entries, all at once.

    `fixed` are values of names that are not computed.
    """

    engine: Engine
    questions: tuple[Question, ...]
    fixed: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def rules(self) -> CompiledRules:
        """The rules of the profile of the questions."""
        return self.engine.rules[self.questions[0].profile]

    def answer_rows(self, plan: LayoutPlan, own_rows: Sequence[Row]) -> list[AnswerRows]:
        """For each question, all rows that the layout of the answer needs; the own ones have `plan.picks.own`."""
        shown = [tuple(not each.when or bool(own.value(each.when.name)) for each in plan.lists) for own in own_rows]
        needs = [plan.variants(lists) for lists in shown]
        variations: list[dict[Hashable, Variation]] = [
            {key: self.variation(key, own) for key in need.rows} for need, own in zip(needs, own_rows, strict=True)
        ]
        for along in plan.alongs:
            for of_question, own in zip(variations, own_rows, strict=True):
                of_question[along.path] = _variation_along(along, own)
        names = needs[0].names if len(needs) == 1 else frozenset().union(*(need.names for need in needs))
        variants = self.variant_rows(own_rows, variations, names)
        lists = [
            frozenset(each.path for each, is_shown in zip(plan.lists, of_question, strict=True) if is_shown)
            for of_question in shown
        ]
        return [
            AnswerRows(own, self.facts, self.picked_rows(plan.picks, rows), rows, paths)
            for own, rows, paths in zip(own_rows, variants, lists, strict=True)
        ]

    def values(self, names: Iterable[str]) -> dict[str, Scalar]:
        """The values of names for the first question; None for absent ones."""
        names = tuple(names)
        rows = self.rows_of(names)
        return {name: rows.value(name, self.engine.rulebook.layout) for name in names}

    def rows_of(self, names: Iterable[str]) -> AnswerRows:
        """The rows of the first question and of the picks that these names need."""
        plan = plan_picks(self.engine.rulebook.layout, names, self.rules)
        own_rows = self.own_rows(plan.own)
        variations = [{key: self.variation(key, own) for key in plan.variants} for own in own_rows]
        variants = self.variant_rows(own_rows, variations, plan.all_names)
        return AnswerRows(own_rows[0], self.facts, self.picked_rows(plan, variants[0]))

    def own_rows(self, outputs: Iterable[str], current: Mapping[str, Scalar] | None = None) -> list[Row]:
        """The own row of each question with the values of `outputs`; `current` are values of `current.` names."""
        evaluation = evaluate(self._ready_rules, self._batch, outputs, self._inputs, self.fixed_values, current)
        return [Row(evaluation, (at,)) for at in range(len(self.questions))]

    def variant_rows(
        self, own_rows: Sequence[Row], variations: Sequence[Mapping[Key, Variation]], outputs: Iterable[str]
    ) -> list[dict[Key, VariantRows]]:
        """The rows of all variations of each question with the values of `outputs`, in one evaluation.

        Values that do not vary are those of the own rows.
        """
        flat = [(at, key, each) for at, of_question in enumerate(variations) for key, each in of_question.items()]
        variants: list[dict[Key, VariantRows]] = [{} for _ in own_rows]
        if not flat:
            return variants
        varied = vary(self._batch, self._inputs, [(at, each) for at, _, each in flat])
        reuse, names = own_rows[0].evaluation, frozenset(outputs)
        compared = self.rules.plan(names).current
        current = {name: repeat_rows(reuse.columns[name], varied.origins) for name in compared}
        rules, fixed = self._ready_rules, self.fixed_values
        evaluation = evaluate(rules, varied.questions, names, varied.inputs, fixed, current, reuse, varied)
        independent = reuse.independent_names(varying_roots(rules, varied))
        for (at, key, _), rows in zip(flat, varied.slices, strict=True):
            variants[at][key] = VariantRows(evaluation, rows, independent)
        return variants

    def variation(self, key: VariantKey, own: Row) -> Variation:
        """The variation of a question for a list or pick."""
        entries: dict[str, Any] = {axis: self._columns(axis).index[entry] for axis, entry in key.entries}
        if key.axis:
            entries[key.axis] = self._columns(key.axis).rows
        inputs = {name: float(own.value(of) or 0) for name, of in key.inputs}
        return Variation(len(entries[key.axis]) if key.axis else 1, entries, inputs)

    def picked_rows(self, plan: PickPlan, variants: Mapping[Any, VariantRows]) -> dict[str, Row]:
        """The row of each pick: that with the largest value of `by`."""
        picked = {}
        for name in plan.picks:
            pick = self.engine.rulebook.layout.picks[name]
            rows = variants[pick.variant]
            (cell,) = rows.cells([int(rows.column(pick.by.name).argmax())])
            picked[name] = Row(rows.evaluation, cell)
        return picked

    @property
    def facts(self) -> dict[str, Scalar]:
        """Properties of the rulebook, by name."""
        rulebook = self.engine.rulebook
        return {
            "rules.version": rulebook.version,
            "rules.sha256": rulebook.sha256,
            "rules.profile": self.rules.profile,
            "site": rulebook.site,
        }

    @cached_property
    def fixed_values(self) -> Mapping[str, Scalar]:
        """The values of all names that are not computed."""
        return {**self.questions[0].overrides, **self.fixed}

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
        names = dict.fromkeys(name for inputs in (first, *others) for name in inputs)
        return {name: np.array([inputs.get(name, np.nan) for inputs in (first, *others)]) for name in names}

    @cached_property
    def _ready_rules(self) -> CompiledRules:
        """The rules with precomputed columns, unless the questions change their values."""
        question = self.questions[0]
        if self.fixed_values or question.custom_entries:
            return self.rules
        return self.engine.precomputed(question.profile)


def _variation_along(along: AlongNode, own: Row) -> Variation:
    """The question with each value of an input."""
    last = float(own.value(along.up_to.name) or 0)
    values = [*(value for value in along.values if value < last), last]
    return Variation(len(values), {}, {along.input: np.array(values, dtype=float)})


@contextmanager
def blame_question(question: Question) -> Iterator[None]:
    """Reports infinite results of rules as a problem of the question, if it has overrides or custom entries.

    Raises ProblemsError. Infinite results of other questions are errors of the rules.
    """
    try:
        yield
    except ProblemsError as error:
        changes = [*question.custom_entries, *question.overrides]
        if not changes or any(problem.kind is not NotFinite for problem in error.problems):
            raise
        raise ProblemsError([question_problem(BeyondNumbers, ", ".join(changes))]) from None
