"""From a question to its answer: the layout of the rulebook, filled with values, sentences and lists."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from fitcard.answer.custom_entry import changed_figures, with_custom_entries
from fitcard.answer.evaluator import QuestionEvaluator, Row, VariantRows
from fitcard.answer.explain import blame_question
from fitcard.answer.question import Question
from fitcard.catalog.catalog import Entry
from fitcard.compiler.batch import Variation
from fitcard.compiler.evaluation import Evaluation, Index
from fitcard.compiler.rows import rows_as_dicts
from fitcard.getter import taker
from fitcard.language.definitions import Constant
from fitcard.language.question_fields import entry_field, question_name
from fitcard.language.rule_set import RuleSet
from fitcard.rulebook.layout import (
    AlongNode,
    EachNode,
    Layout,
    ListNode,
    MatchingNode,
    MessageNode,
    Node,
    ObjectNode,
    TextNode,
    ValueNode,
)
from fitcard.rulebook.layout_plan import ShownNames
from fitcard.rulebook.messages import Messages, Slot, Template
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import Scalar, whole_as_int

Values = Mapping[str, Any]  # of a row by name, whole numbers without a decimal point; None where one is absent


class ListSource(Protocol):
    """Where the items of lists come from, each filled by `item`."""

    def each(self, each: EachNode, item: Renderer) -> list[Any]:
        """The items of a list over an axis."""

    def along(self, along: AlongNode, item: Renderer) -> list[Any]:
        """The items of a list along an input."""

    def matching(self, matching: MatchingNode, values: Values) -> list[dict[str, Any]]:
        """The entries that say what a row says."""


Renderer = Callable[[ListSource, Values], Any]
Writer = Callable[[Values], Any]


@dataclass(frozen=True)
class RendererFactory:
    """Makes the fillers of a layout that has been checked, for one profile and one language."""

    layout: Layout
    rule_set: RuleSet
    messages: Messages

    def filler(self, node: Node) -> Renderer:
        """What gives a part of the answer for a row."""
        match node:
            case ValueNode():
                return _alone(self._shown(node.name))
            case MessageNode():
                return _alone(self._said(node.key))
            case TextNode():
                return lambda _, values: node.text
            case ObjectNode():
                filled = self._object(node)
                return _where(node.when.name, filled) if node.when else filled
            case ListNode():
                return _items([(self.filler(part), isinstance(part, EachNode)) for part in node.parts])
            case EachNode():
                each = self.filler(node.item)
                return lambda lists, _: lists.each(node, each)
            case AlongNode():
                along = self.filler(node.item)
                return lambda lists, _: lists.along(node, along)
            case MatchingNode():
                return lambda lists, values: lists.matching(node, values)
        raise AssertionError(node)

    def _object(self, branch: ObjectNode) -> Renderer:
        """An object; values that are shown as they are, which most are, are taken from the row all at once."""
        texts = {key: part.text if isinstance(part, TextNode) else None for key, part in branch.parts.items()}
        plain = {
            key: part.name
            for key, part in branch.parts.items()
            if isinstance(part, ValueNode) and not self._texts(part.name)
        }
        take = taker(tuple(plain.values()))
        others = [
            (key, self.filler(part))
            for key, part in branch.parts.items()
            if key not in plain and not isinstance(part, TextNode)
        ]

        def filled(lists: ListSource, values: Values) -> dict[str, Any]:
            built: dict[str, Any] = texts.copy()
            built.update(zip(plain, take(values), strict=True))
            for key, fill in others:
                built[key] = fill(lists, values)
            return built

        return filled

    def _shown(self, name: str) -> Writer:
        """What shows a value: a text of a catalog in the language of the answer."""
        texts = self._texts(name)
        return (lambda values: texts.get(values[name], values[name])) if texts else itemgetter(name)

    def _texts(self, name: str) -> Mapping[str, str]:
        """The texts that a name can stand for, each in the language of the answer where it is another there."""
        axis, _, field = self.layout.name_in_rules(name, self.rule_set).partition(".")
        known = self.rule_set.subject.axes.get(axis)
        of_catalog = self.messages.names.get(known.catalog, {}) if known else {}
        return of_catalog.get(field, {})

    def _said(self, key: str) -> Writer:
        sentence = self.messages.sentences[key]
        texts = {word: self._text(template) for word, template in sentence.templates.items()}
        return (lambda values: texts[str(values[sentence.by])](values)) if sentence.by else texts[""]

    def _text(self, template: Template) -> Writer:
        """What writes a text with its slots filled."""
        parts: list[Any] = [part if isinstance(part, str) else None for part in template]
        slots = [
            (at, self._shown(slot.name), self.messages.writer(slot.format))
            for at, slot in enumerate(template)
            if isinstance(slot, Slot)
        ]

        def text(values: Values) -> str:
            filled = parts.copy()
            for at, shown, write in slots:
                filled[at] = write(shown(values))
            return "".join(filled)

        return text


def _alone(write: Writer) -> Renderer:
    return lambda _, values: write(values)


def _where(condition: str, fill: Renderer) -> Renderer:
    """What is filled where a condition holds, and None elsewhere."""
    return lambda lists, values: fill(lists, values) if values[condition] else None


def _items(parts: Sequence[tuple[Renderer, bool]]) -> Renderer:
    """A list of what is there of the parts; those that are lists themselves are laid out in it."""

    def filled(lists: ListSource, values: Values) -> list[Any]:
        built = ((fill(lists, values), is_list) for fill, is_list in parts)
        return [item for found, is_list in built for item in (found if is_list else (found,)) if item is not None]

    return filled


def answer_question(rulebook: Rulebook, question: Question, *, explain: bool = False, site: str = "") -> dict[str, Any]:
    """The answer as plain data, in the shape of `answer.schema.json`; with `explain`, the trace of each number.

    `site` stands before the paths of addresses, where it is not that of the rulebook.
    Raises ProblemsFound where a number comes out that is not finite.
    """
    with blame_question(rulebook, question):
        return AnswerRenderer(with_custom_entries(rulebook, question.own), question, explain, site).build()


class AnswerRenderer(QuestionEvaluator):
    """Fills a layout from the rows that it needs."""

    def __init__(self, rulebook: Rulebook, question: Question, explain: bool = False, site: str = "") -> None:
        super().__init__(rulebook, question)
        self.explain = explain
        self.site = site or rulebook.site
        self.needs = rulebook.needs[question.profile]
        self.steps: dict[str, Any] = {}
        self.others: Mapping[Hashable, VariantRows] = {}

    def build(self) -> dict[str, Any]:
        """The answer to the question."""
        self.asked = self.row(self.needs.asked.own)
        variations, names = self._variations()
        self.others = self.otherwise(variations, names)
        self.pick(self.needs.asked, self.others)
        if self.explain:  # before the lists, whose items show only what differs
            self.steps = {step["name"]: step for step in self.asked.trace(self.needs.shown.computed)}
        (values,) = self.rows(self.asked.evaluation, [self.asked.index], self.needs.shown)
        built: dict[str, Any] = self.fill(self.rulebook.layout.root, values)
        if set_here := self.set_here():
            built["set"] = set_here
        if self.explain:
            built["trace"] = list(self.steps.values())
        return built

    def _variations(self) -> tuple[dict[Hashable, Variation], frozenset[str]]:
        """How the question is asked otherwise for its picks and lists, and what they need of that."""
        rows, names = self.needs.otherwise(tuple(map(self._is_asked, self.needs.lists)))
        wanted: dict[Hashable, Variation] = {asks: self.over(asks) for asks in rows}
        wanted |= {along.path: self.running(along.input, self._values(along)) for along in self.needs.alongs}
        return wanted, names

    def _is_asked(self, each: EachNode) -> bool:
        return not each.when or bool(self.value(each.when.name))

    def _values(self, along: AlongNode) -> list[float]:
        last = float(self.value(along.up_to.name) or 0)
        return [*(value for value in along.values if value < last), last]

    def set_here(self) -> list[dict[str, Any]]:
        """What was set to another value for this question alone."""
        return [*self._overrides(), *self._changes()]

    def _overrides(self) -> Iterator[dict[str, Any]]:
        """How constants that were set for this question are marked in its answer."""
        for name, value in self.question.overrides.items():
            constant = self.rules.definitions[name]
            assert isinstance(constant, Constant)
            yield _set_here(name, value, constant.value, constant.unit)

    def _changes(self) -> Iterator[dict[str, Any]]:
        """How figures of the catalogs that are others in this question are marked in its answer."""
        for name, field, value, instead_of in changed_figures(self.rulebook, self.question.own):
            yield _set_here(name, value, instead_of, field.unit)

    def own_value(self, name: str) -> Scalar:
        """Also the site that addresses start with."""
        return self.site if name == "site" else super().own_value(name)

    def rows(self, evaluation: Evaluation, cells: Sequence[Index], names: ShownNames) -> list[dict[str, Any]]:
        """The values of these names at some cells of what was evaluated, as they are shown."""
        found = rows_as_dicts(evaluation, cells, names.computed)
        others = {name: self.value(name) for name in names.others}
        return [row | others for row in found] if others else found

    def fill(self, node: Node, values: Values) -> Any:
        """What stands in place of a part of the layout, for the values of one row."""
        fill: Renderer = self.needs.made.get((node, self.rulebook.messages), lambda: self._filler(node))
        return fill(self, values)

    def _filler(self, node: Node) -> Renderer:
        return RendererFactory(self.rulebook.layout, self.needs.rule_set, self.rulebook.messages).filler(node)

    def each(self, each: EachNode, item: Renderer) -> list[Any]:
        """The items of a list, each filled by `item`."""
        if not self._is_asked(each):
            return []
        names, rows = self.needs.items[each.path], self.others[each.asks]
        cells = rows.cells(_chosen(each, rows))
        items = [item(self, values) for values in self.rows(rows.evaluation, cells, names)]
        if self.explain:
            for cell, built in zip(cells, items, strict=True):
                self._explain(built, Row(rows.evaluation, cell), names.computed, rows.unmoved)
        return items

    def along(self, along: AlongNode, item: Renderer) -> list[Any]:
        """The items of a list along an input, each filled by `item`."""
        names, rows = self.needs.items[along.path], self.others[along.path]
        cells = rows.cells(range(len(rows)))
        return [item(self, values) for values in self.rows(rows.evaluation, cells, names)]

    def matching(self, matching: MatchingNode, values: Values) -> list[dict[str, Any]]:
        """The first entries that say what a row says, each with those of the wanted fields that it has."""
        said = {entry_field(word): values[question_name(word)] for word in matching.same}
        catalog, defaults = self.rulebook.catalogs[matching.catalog], self.rulebook.subject.input_defaults
        rows = catalog.saying(said, defaults, matching.having)[: matching.most]
        return [dict(_fields(catalog.entries[catalog.ids[row]], matching)) for row in rows]

    def _explain(self, item: Any, row: Row, names: Iterable[str], unmoved: Container[str]) -> None:
        """What is the same as for the question was traced there."""
        if isinstance(item, dict):
            item["trace"] = [step for step in row.trace(names, unmoved) if step != self.steps.get(step["name"])]


def _chosen(each: EachNode, rows: VariantRows) -> list[int]:
    """The numbers of the rows that a list shows, in its order."""
    chosen = np.flatnonzero(rows.column(each.where.name)) if each.where else np.arange(len(rows))
    if each.order:
        chosen = chosen[np.argsort(rows.column(each.order.name)[chosen], kind="stable")]
    numbers: list[int] = chosen[: each.most].tolist()
    return numbers


def _fields(entry: Entry, matching: MatchingNode) -> Iterator[tuple[str, Any]]:
    for key, field in matching.item.items():
        if (value := entry.value(field)) is not None:
            yield key, value


def _set_here(name: str, value: Scalar, instead_of: Scalar, unit: str) -> dict[str, Any]:
    return {"name": name, "value": whole_as_int(value), "instead_of": whole_as_int(instead_of), "unit": unit}
