"""From a question to its answer: the layout of the rulebook, filled with values, sentences and lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from engine.answer.asking import Asker, Row
from engine.answer.own_entry import changed_numbers, with_own_entries
from engine.answer.question import Question
from engine.answer.set_by_caller import told_to_the_caller
from engine.columns import Scalar
from engine.rulebook.definitions import Constant
from engine.rulebook.layout import Along, Branch, Each, Items, Literal, Matching, Node, Said, Value
from engine.rulebook.needs import ListNeeds
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import field_asked, name_asked


def answer(rulebook: Rulebook, question: Question, *, explain: bool = False, site: str = "") -> dict[str, Any]:
    """The answer as plain data, in the shape of `answer.schema.json`; with `explain`, the trace of each number.

    `site` stands before the paths of addresses, where it is not that of the rulebook.
    Raises ProblemsFound where a number comes out that is not finite.
    """
    with told_to_the_caller(rulebook, question):
        return AnswerBuilder(with_own_entries(rulebook, question.own), question, explain, site).build()


class AnswerBuilder(Asker):
    """Fills a layout from the rows that it needs."""

    def __init__(self, rulebook: Rulebook, question: Question, explain: bool = False, site: str = "") -> None:
        super().__init__(rulebook, question, explain=explain)
        self.site = site or rulebook.site
        self.needs = rulebook.needs[question.profile]
        self.steps: dict[str, Any] = {}
        self._grids: dict[tuple[Any, ...], Row] = {}

    def build(self) -> dict[str, Any]:
        """The answer to the question."""
        root = self.rulebook.layout.root
        self.ask(set(self.needs.asked), self.needs.open_axes)
        if self.explain:  # before the lists, whose items show only what differs
            self.steps = {step["name"]: step for step in self.asked.trace(self.plain(self.needs.shown))}
        built: dict[str, Any] = self.fill(root, self.asked)
        if set_here := self.set_here():
            built["set"] = set_here
        if self.explain:
            built["trace"] = list(self.steps.values())
        return built

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
        for name, field, value, instead_of in changed_numbers(self.rulebook, self.question.own):
            yield _set_here(name, value, instead_of, field.unit)

    def own_value(self, name: str) -> Scalar:
        """Also the site that addresses start with."""
        return self.site if name == "site" else super().own_value(name)

    def fill(self, node: Node, row: Row) -> Any:
        """What stands in place of a part of the layout, for one row."""
        match node:
            case Value():
                return plain_number(self._shown(node.name, row))
            case Said():
                value, shown = partial(self.value, row=row), partial(self._shown, row=row)
                return self.rulebook.messages.sentence(node.key, value, shown)
            case Literal():
                return node.text
            case Branch():
                if node.when and not self.value(node.when.name, row):
                    return None
                return {key: self.fill(part, row) for key, part in node.parts.items()}
            case Items():
                built = [(part, self.fill(part, row)) for part in node.parts]
                nested = [found if isinstance(part, Each) else [found] for part, found in built]
                return [found for part in nested for found in part if found is not None]
            case Each():
                return self._list(node) if not node.when or self.value(node.when.name) else []
            case Along():
                return self._along(node)
            case Matching():
                return [*islice(self._matching(node, row), node.most)]
        raise AssertionError(node)

    def _shown(self, name: str, row: Row) -> Scalar:
        """The value of a name, where it is a text of a catalog in the language of the answer."""
        value = self.value(name, row)
        if not isinstance(value, str):
            return value
        texts = self.needs.texts
        if name not in texts:
            texts[name] = self._text_of(name)
        of = texts[name]
        return value if of is None else self.rulebook.messages.named(*of, value)

    def _text_of(self, name: str) -> tuple[str, str] | None:
        """The catalog and the field of which a name is a text; None where it is none."""
        axis, _, field = self._in_rules(name).partition(".")
        known = self.rulebook.subject.axes.get(axis)
        return (known.catalog, field) if known else None

    def _along(self, along: Along) -> list[Any]:
        """An item for each value up to the last, and one for the last itself."""
        last = float(self.value(along.up_to.name, self.asked) or 0)
        values = [*(value for value in along.values if value < last), last]
        rows = self.rows_along(along.input, values, self.needs.along[along.path])
        return [self.fill(along.item, row) for row in rows]

    def _matching(self, matching: Matching, row: Row) -> Iterator[dict[str, Any]]:
        """The entries that say what the row says, each with those of the wanted fields that it has."""
        said = {field_asked(word): self.value(name_asked(word), row) for word in matching.same}
        defaults = {name: one.default for name, one in self.rulebook.subject.inputs.items() if name in said}
        for entry in self.rulebook.catalogs[matching.catalog].saying(said, defaults, matching.having):
            fields = {key: entry.value(field) for key, field in matching.item.items()}
            yield {key: value for key, value in fields.items() if value is not None}

    def _list(self, each: Each) -> list[Any]:
        needs = self.needs.lists[each.path]
        row = self.asked
        if not needs.shared:
            row = self._rows_asked(each, needs)
        if not each.axis:
            return [self._item(each, row, needs)] if not each.where or row.value(each.where.name) else []
        chosen = np.arange(len(self.rulebook.catalog_of(each.axis).ids))
        if each.where:
            chosen = chosen[row.along(each.axis, each.where.name).astype(bool)]
        if each.order:
            chosen = chosen[np.argsort(row.along(each.axis, each.order.name)[chosen], kind="stable")]
        return [self._item(each, row.at(each.axis, int(at)), needs) for at in chosen[: each.most]]

    def _rows_asked(self, each: Each, needs: ListNeeds) -> Row:
        """The grid that a list asks for, evaluated once for all lists that ask for the same."""
        if each.asks not in self._grids:
            open_axes = (each.axis,) if each.axis else ()
            current = {name: self.asked.value(name) for name in needs.compared}
            self._grids[each.asks] = self.row(needs.together, each.change, open_axes, current)
        return self._grids[each.asks]

    def _item(self, each: Each, row: Row, needs: ListNeeds) -> Any:
        item = self.fill(each.item, row)
        if self.explain and isinstance(item, dict):  # what is the same as for the question was traced there
            steps = row.trace(needs.names)
            item["trace"] = [step for step in steps if step != self.steps.get(step["name"])]
        return item


def _set_here(name: str, value: Scalar, instead_of: Scalar, unit: str) -> dict[str, Any]:
    return {"name": name, "value": plain_number(value), "instead_of": plain_number(instead_of), "unit": unit}


def plain_number(value: Scalar) -> Scalar | int:
    """Whole numbers without a decimal point, as they are read."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
