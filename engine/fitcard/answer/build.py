"""From a question to its answer: the layout of the rulebook, filled with values, sentences and lists."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fitcard.answer.asking import Asker, Others, Row
from fitcard.answer.fill import Filler, Fillers, Values
from fitcard.answer.own_entry import changed_numbers, with_own_entries
from fitcard.answer.question import Question
from fitcard.answer.set_by_caller import told_to_the_caller
from fitcard.columns import Scalar
from fitcard.evaluate.evaluation import Evaluation, Index
from fitcard.evaluate.plain_rows import plain_rows
from fitcard.evaluate.variations import Variation
from fitcard.rounding import plain_number
from fitcard.rulebook.catalogs import Entry
from fitcard.rulebook.definitions import Constant
from fitcard.rulebook.layout import Along, Each, Matching, Node
from fitcard.rulebook.needs import Names
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.subject import field_asked, name_asked


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
        super().__init__(rulebook, question)
        self.explain = explain
        self.site = site or rulebook.site
        self.needs = rulebook.needs[question.profile]
        self.steps: dict[str, Any] = {}
        self.others: Mapping[Hashable, Others] = {}

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

    def _is_asked(self, each: Each) -> bool:
        return not each.when or bool(self.value(each.when.name))

    def _values(self, along: Along) -> list[float]:
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
        for name, field, value, instead_of in changed_numbers(self.rulebook, self.question.own):
            yield _set_here(name, value, instead_of, field.unit)

    def own_value(self, name: str) -> Scalar:
        """Also the site that addresses start with."""
        return self.site if name == "site" else super().own_value(name)

    def rows(self, evaluation: Evaluation, cells: Sequence[Index], names: Names) -> list[dict[str, Any]]:
        """The values of these names at some cells of what was evaluated, as they are shown."""
        found = plain_rows(evaluation, cells, names.computed)
        others = {name: self.value(name) for name in names.others}
        return [row | others for row in found] if others else found

    def fill(self, node: Node, values: Values) -> Any:
        """What stands in place of a part of the layout, for the values of one row."""
        fill: Filler = self.needs.made.get((node, self.rulebook.messages), lambda: self._filler(node))
        return fill(self, values)

    def _filler(self, node: Node) -> Filler:
        return Fillers(self.rulebook.layout, self.needs.rule_set, self.rulebook.messages).filler(node)

    def each(self, each: Each, item: Filler) -> list[Any]:
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

    def along(self, along: Along, item: Filler) -> list[Any]:
        """The items of a list along an input, each filled by `item`."""
        names, rows = self.needs.items[along.path], self.others[along.path]
        cells = rows.cells(range(len(rows)))
        return [item(self, values) for values in self.rows(rows.evaluation, cells, names)]

    def matching(self, matching: Matching, values: Values) -> list[dict[str, Any]]:
        """The first entries that say what a row says, each with those of the wanted fields that it has."""
        said = {field_asked(word): values[name_asked(word)] for word in matching.same}
        catalog, defaults = self.rulebook.catalogs[matching.catalog], self.rulebook.subject.input_defaults
        rows = catalog.saying(said, defaults, matching.having)[: matching.most]
        return [dict(_fields(catalog.entries[catalog.ids[row]], matching)) for row in rows]

    def _explain(self, item: Any, row: Row, names: Iterable[str], unmoved: Container[str]) -> None:
        """What is the same as for the question was traced there."""
        if isinstance(item, dict):
            item["trace"] = [step for step in row.trace(names, unmoved) if step != self.steps.get(step["name"])]


def _chosen(each: Each, rows: Others) -> list[int]:
    """The numbers of the rows that a list shows, in its order."""
    chosen = np.flatnonzero(rows.column(each.where.name)) if each.where else np.arange(len(rows))
    if each.order:
        chosen = chosen[np.argsort(rows.column(each.order.name)[chosen], kind="stable")]
    numbers: list[int] = chosen[: each.most].tolist()
    return numbers


def _fields(entry: Entry, matching: Matching) -> Iterator[tuple[str, Any]]:
    for key, field in matching.item.items():
        if (value := entry.value(field)) is not None:
            yield key, value


def _set_here(name: str, value: Scalar, instead_of: Scalar, unit: str) -> dict[str, Any]:
    return {"name": name, "value": plain_number(value), "instead_of": plain_number(instead_of), "unit": unit}
