"""Rendering of answers: the nodes of the layout with the values of evaluated rows."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from fitcard.answer.custom_entry import changed_fields
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

ALWAYS_IN_STEP = ("name", "kind", "value")  # of the trace of an item
Values = Mapping[str, Any]  # of a row by name; whole numbers as integers, None for absent values


class ListSource(Protocol):
    """Source of the items of lists, each rendered by `item`."""

    def each(self, each: EachNode, item: Renderer) -> list[Any]:
        """The items of a list over an axis."""

    def along(self, along: AlongNode, item: Renderer) -> list[Any]:
        """The items of a list along an input."""

    def matching(self, matching: MatchingNode, values: Values) -> list[dict[str, Any]]:
        """The entries that agree with a row."""


Renderer = Callable[[ListSource, Values], Any]
ValueRenderer = Callable[[Values], Any]


@dataclass(frozen=True)
class RendererFactory:
    """Builds functions that render nodes of a checked layout, for a profile and a language."""

    layout: Layout
    rule_set: RuleSet
    messages: Messages

    def renderer(self, node: Node) -> Renderer:
        """The function that renders a node for a row."""
        match node:
            case ValueNode():
                return _without_lists(self._value(node.name))
            case MessageNode():
                return _without_lists(self.sentence(node.key))
            case TextNode():
                return lambda _, values: node.text
            case ObjectNode():
                render = self._object(node)
                return _conditional(node.when.name, render) if node.when else render
            case ListNode():
                return _list([(self.renderer(part), isinstance(part, EachNode)) for part in node.parts])
            case EachNode():
                item = self.renderer(node.item)
                return lambda lists, _: lists.each(node, item)
            case AlongNode():
                item = self.renderer(node.item)
                return lambda lists, _: lists.along(node, item)
            case MatchingNode():
                return lambda lists, values: lists.matching(node, values)
        raise AssertionError(node)

    def _object(self, node: ObjectNode) -> Renderer:
        """Copies untranslated values, which are the most frequent parts, from the row all at once."""
        template = {key: part.text if isinstance(part, TextNode) else None for key, part in node.parts.items()}
        untranslated = {
            key: part.name
            for key, part in node.parts.items()
            if isinstance(part, ValueNode) and not self._translations(part.name)
        }
        take = getter(tuple(untranslated.values()))
        others = [
            (key, self.renderer(part))
            for key, part in node.parts.items()
            if key not in untranslated and not isinstance(part, TextNode)
        ]

        def render_object(lists: ListSource, values: Values) -> dict[str, Any]:
            data: dict[str, Any] = template.copy()
            data.update(zip(untranslated, take(values), strict=True))
            for key, render in others:
                data[key] = render(lists, values)
            return data

        return render_object

    def _value(self, name: str) -> ValueRenderer:
        """The value of a name, translated if it is a text of a catalog."""
        texts = self._translations(name)
        return (lambda values: texts.get(values[name], values[name])) if texts else itemgetter(name)

    def _translations(self, name: str) -> Mapping[str, str]:
        """The translations of the texts of a catalog field."""
        axis, _, field = self.layout.name_in_rules(name, self.rule_set).partition(".")
        known = self.rule_set.question_fields.axes.get(axis)
        of_catalog = self.messages.names.get(known.catalog, {}) if known else {}
        return of_catalog.get(field, {})

    def sentence(self, key: str) -> ValueRenderer:
        """The function that renders a sentence for the values of a row."""
        sentence = self.messages.sentences[key]
        texts = {word: self._text(template) for word, template in sentence.templates.items()}
        return (lambda values: texts[str(values[sentence.by])](values)) if sentence.by else texts[""]

    def _text(self, template: Template) -> ValueRenderer:
        literals: list[Any] = [part if isinstance(part, str) else None for part in template]
        slots = [
            (at, self._value(slot.name), self.messages.formatter(slot.format))
            for at, slot in enumerate(template)
            if isinstance(slot, Slot)
        ]

        def render_text(values: Values) -> str:
            parts = literals.copy()
            for at, value, write in slots:
                parts[at] = write(value(values))
            return "".join(parts)

        return render_text


def _without_lists(render: ValueRenderer) -> Renderer:
    return lambda _, values: render(values)


def _conditional(condition: str, render: Renderer) -> Renderer:
    """An empty object if the condition does not hold."""
    return lambda lists, values: render(lists, values) if values[condition] else {}


def _list(parts: Sequence[tuple[Renderer, bool]]) -> Renderer:
    """A list of the parts that are not empty; parts that are lists themselves are merged into it."""

    def render_list(lists: ListSource, values: Values) -> list[Any]:
        rendered = ((render(lists, values), is_list) for render, is_list in parts)
        return [item for data, is_list in rendered for item in (data if is_list else (data,)) if item not in (None, {})]

    return render_list


class AnswerRenderer:
    """Renders nodes of the layout; the result depends on the layout, the rows and the messages only.

    With `explain`, the answer has a trace, and each item of a list the steps in which its own differs.
    """

    def __init__(
        self, engine: Engine, plan: LayoutPlan, rows: AnswerRows, *, explain: bool = False, site: str = ""
    ) -> None:
        self._rulebook, self._columns, self._plan, self._rows = engine.rulebook, engine.columns, plan, rows
        self._facts = {**rows.facts, "site": site} if site else rows.facts
        self._explain, self._trace = explain, dict[str, Any]()

    def answer(self) -> dict[str, Any]:
        """The answer as data."""
        own = self._rows.own
        if self._explain:  # before the lists, whose items omit the same steps
            self._trace = {step["name"]: step for step in own.trace(self._plan.shown.computed)}
        (values,) = self.values(own.evaluation, [own.index], self._plan.shown)
        data: dict[str, Any] = self.render(self._plan.layout.root, values)
        figures = {figure.name: self._figure(figure, values) for figure in self._plan.figures}
        data["figures"] = {name: figure for name, figure in figures.items() if figure}
        if self._explain:
            data["trace"] = list(self._trace.values())
        return data

    def values(self, evaluation: Evaluation, cells: Sequence[Index], names: ShownNames) -> list[dict[str, Any]]:
        """The values of names at cells of an evaluation."""
        rows = evaluation.rows(cells, names.computed)
        others = {name: self._value(name) for name in names.others}
        return [row | others for row in rows] if others else rows

    def render(self, node: Node, values: Values) -> Any:
        """A node for the values of a row."""
        messages = self._rulebook.messages
        render: Renderer = self._plan.renderers.get_or_compute((node, messages), lambda: self._renderer(node))
        return render(self, values)

    def _figure(self, figure: Definition, values: Values) -> dict[str, Any]:
        """A figure with `shown`; empty if its condition does not hold."""
        if isinstance(figure.shown, str) and not values[figure.shown]:
            return {}
        messages, value = self._rulebook.messages, values[figure.name]
        label, unit = messages.translate_title(figure.label), "" if figure.unit in DIMENSIONLESS else figure.unit
        return {"label": label, "value": value, "unit": unit, "text": messages.format_quantity(value, unit)}

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
            for cell, rendered in zip(cells, items, strict=True):
                self._add_trace(rendered, Row(rows.evaluation, cell), names.computed, rows.independent)
        return items

    def along(self, along: AlongNode, item: Renderer) -> list[Any]:
        """The items of a list along an input, each rendered by `item`."""
        names, rows = self._plan.items[along.path], self._rows.variants[along.path]
        cells = rows.cells(range(len(rows)))
        return [item(self, values) for values in self.values(rows.evaluation, cells, names)]

    def matching(self, matching: MatchingNode, values: Values) -> list[dict[str, Any]]:
        """The first entries that agree with a row, with the requested fields that they have."""
        same = {entry_field(word): values[question_name(word)] for word in matching.same}
        columns, defaults = self._columns[matching.catalog], self._rulebook.question_fields.input_defaults
        rows = columns.rows_matching(same, defaults, matching.having)[: matching.limit]
        return [dict(_fields(columns.catalog.entries[columns.ids[row]], matching)) for row in rows]

    def _add_trace(self, item: Any, row: Row, names: Iterable[str], independent: Container[str]) -> None:
        """Adds the steps that differ from those of the question, without what is the same in them."""
        if isinstance(item, dict):
            steps = ((step, self._trace.get(step["name"], {})) for step in row.trace(names, independent))
            item["trace"] = [_differences(step, own) for step, own in steps if step != own]


def overridden_values(engine: Engine, question: Question) -> list[dict[str, Any]]:
    """The constants and fields that a question overrides, with both values and the unit."""
    definitions = engine.rules[question.profile].definitions
    overridden = []
    for name, value in question.overrides.items():
        constant = definitions[name]
        assert isinstance(constant, Constant)
        overridden.append(_overridden(name, value, constant.value, constant.unit))
    for name, field, value, instead_of in changed_fields(engine.rulebook, question.custom_entries):
        overridden.append(_overridden(name, value, instead_of, field.unit))
    return overridden


def _shown_rows(each: EachNode, rows: VariantRows) -> list[int]:
    """The rows that a list shows, in its order."""
    shown = np.flatnonzero(rows.column(each.where.name)) if each.where else np.arange(len(rows))
    if each.order:
        shown = shown[np.argsort(rows.column(each.order.name)[shown], kind="stable")]
    numbers: list[int] = shown[: each.limit].tolist()
    return numbers


def _differences(step: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A step without what it has in common with that of the question; sources and descriptions are most of a trace."""
    return {key: value for key, value in step.items() if key in ALWAYS_IN_STEP or key not in own or own[key] != value}


def _fields(entry: Entry, matching: MatchingNode) -> Iterator[tuple[str, Any]]:
    for key, field in matching.item.items():
        if (value := entry.value(field)) is not None:
            yield key, value


def _overridden(name: str, value: Scalar, instead_of: Scalar, unit: str) -> dict[str, Any]:
    return {"name": name, "value": whole_as_int(value), "instead_of": whole_as_int(instead_of), "unit": unit}
