"""Rendering: the layout of the rulebook with the values of evaluated rows, its messages and its lists."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from fitcard.answer.custom_entry import changed_figures
from fitcard.answer.evaluator import AnswerRows, Row, VariantRows
from fitcard.answer.question import Question
from fitcard.catalog.catalog import Entry
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index
from fitcard.compiler.layout_plan import LayoutPlan
from fitcard.compiler.program import getter
from fitcard.language.definitions import DIMENSIONLESS, Constant, Definition
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
    ShownNames,
    TextNode,
    ValueNode,
)
from fitcard.rulebook.messages import Messages, Slot, Template
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

    def renderer(self, node: Node) -> Renderer:
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
                return _items([(self.renderer(part), isinstance(part, EachNode)) for part in node.parts])
            case EachNode():
                each = self.renderer(node.item)
                return lambda lists, _: lists.each(node, each)
            case AlongNode():
                along = self.renderer(node.item)
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
        take = getter(tuple(plain.values()))
        others = [
            (key, self.renderer(part))
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
        known = self.rule_set.question_fields.axes.get(axis)
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
            (at, self._shown(slot.name), self.messages.formatter(slot.format))
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
    """What is filled where a condition holds; an empty object elsewhere."""
    return lambda lists, values: fill(lists, values) if values[condition] else {}


def _items(parts: Sequence[tuple[Renderer, bool]]) -> Renderer:
    """A list of the parts that are not empty; those that are lists themselves are laid out in it."""

    def filled(lists: ListSource, values: Values) -> list[Any]:
        built = ((fill(lists, values), is_list) for fill, is_list in parts)
        return [item for found, is_list in built for item in (found if is_list else (found,)) if item not in (None, {})]

    return filled


class AnswerRenderer:
    """Renders parts of the layout from evaluated rows, as a pure function of these, the layout and the messages.

    With `explain`, each part has its trace.
    """

    def __init__(
        self, engine: Engine, plan: LayoutPlan, rows: AnswerRows, *, explain: bool = False, site: str = ""
    ) -> None:
        self._rulebook, self._columns, self._plan, self._rows = engine.rulebook, engine.columns, plan, rows
        self._facts = {**rows.facts, "site": site} if site else rows.facts
        self._explain, self._trace = explain, dict[str, Any]()

    def answer(self) -> dict[str, Any]:
        """The whole answer."""
        own = self._rows.own
        if self._explain:  # before the lists, whose items trace only what differs
            self._trace = {step["name"]: step for step in own.trace(self._plan.shown.computed)}
        (values,) = self.values(own.evaluation, [own.index], self._plan.shown)
        built: dict[str, Any] = self.render(self._plan.layout.root, values)
        built["figures"] = {
            figure.name: shown for figure in self._plan.figures if (shown := self._figure(figure, values))
        }
        if self._explain:
            built["trace"] = list(self._trace.values())
        return built

    def values(self, evaluation: Evaluation, cells: Sequence[Index], names: ShownNames) -> list[dict[str, Any]]:
        """The values of these names at some cells of an evaluation, as they are shown."""
        found = evaluation.rows(cells, names.computed)
        others = {name: self._value(name) for name in names.others}
        return [row | others for row in found] if others else found

    def render(self, node: Node, values: Values) -> Any:
        """A part of the layout for the values of one row."""
        messages = self._rulebook.messages
        render: Renderer = self._plan.renderers.get_or_compute((node, messages), lambda: self._renderer(node))
        return render(self, values)

    def _figure(self, figure: Definition, values: Values) -> dict[str, Any]:
        """A figure that is shown; empty where its condition does not hold."""
        if isinstance(figure.shown, str) and not values[figure.shown]:
            return {}
        messages, value = self._rulebook.messages, values[figure.name]
        label, unit = messages.translate_title(figure.label), "" if figure.unit in DIMENSIONLESS else figure.unit
        return {"label": label, "value": value, "unit": unit, "text": messages.quantity(value, unit)}

    def _renderer(self, node: Node) -> Renderer:
        return RendererFactory(self._plan.layout, self._plan.rules.rule_set, self._rulebook.messages).renderer(node)

    def _value(self, name: str) -> Scalar:
        return self._facts[name] if name in self._facts else self._rows.value(name, self._plan.layout)

    def each(self, each: EachNode, item: Renderer) -> list[Any]:
        """The items of a list, each rendered by `item`."""
        if each.path not in self._rows.lists:
            return []
        names, rows = self._plan.items[each.path], self._rows.variants[each.variant]
        cells = rows.cells(_shown_rows(each, rows))
        items = [item(self, values) for values in self.values(rows.evaluation, cells, names)]
        if self._explain:
            for cell, built in zip(cells, items, strict=True):
                self._add_trace(built, Row(rows.evaluation, cell), names.computed, rows.independent)
        return items

    def along(self, along: AlongNode, item: Renderer) -> list[Any]:
        """The items of a list along an input, each rendered by `item`."""
        names, rows = self._plan.items[along.path], self._rows.variants[along.path]
        cells = rows.cells(range(len(rows)))
        return [item(self, values) for values in self.values(rows.evaluation, cells, names)]

    def matching(self, matching: MatchingNode, values: Values) -> list[dict[str, Any]]:
        """The first entries that are about what a row is about, each with those of the wanted fields that it has."""
        wanted = {entry_field(word): values[question_name(word)] for word in matching.same}
        columns, defaults = self._columns[matching.catalog], self._rulebook.question_fields.input_defaults
        rows = columns.rows_matching(wanted, defaults, matching.having)[: matching.limit]
        return [dict(_fields(columns.catalog.entries[columns.ids[row]], matching)) for row in rows]

    def _add_trace(self, item: Any, row: Row, names: Iterable[str], independent: Container[str]) -> None:
        """What is the same as for the question was traced there."""
        if isinstance(item, dict):
            item["trace"] = [step for step in row.trace(names, independent) if step != self._trace.get(step["name"])]


def overridden_values(engine: Engine, question: Question) -> list[dict[str, Any]]:
    """What a question sets to another value than the rules and catalogs have: each with both, and the unit."""
    definitions = engine.rules[question.profile].definitions
    overridden = []
    for name, value in question.overrides.items():
        constant = definitions[name]
        assert isinstance(constant, Constant)
        overridden.append(_overridden(name, value, constant.value, constant.unit))
    for name, field, value, instead_of in changed_figures(engine.rulebook, question.custom_entries):
        overridden.append(_overridden(name, value, instead_of, field.unit))
    return overridden


def _shown_rows(each: EachNode, rows: VariantRows) -> list[int]:
    """The numbers of the rows that a list shows, in its order."""
    chosen = np.flatnonzero(rows.column(each.where.name)) if each.where else np.arange(len(rows))
    if each.order:
        chosen = chosen[np.argsort(rows.column(each.order.name)[chosen], kind="stable")]
    numbers: list[int] = chosen[: each.limit].tolist()
    return numbers


def _fields(entry: Entry, matching: MatchingNode) -> Iterator[tuple[str, Any]]:
    for key, field in matching.item.items():
        if (value := entry.value(field)) is not None:
            yield key, value


def _overridden(name: str, value: Scalar, instead_of: Scalar, unit: str) -> dict[str, Any]:
    return {"name": name, "value": whole_as_int(value), "instead_of": whole_as_int(instead_of), "unit": unit}
