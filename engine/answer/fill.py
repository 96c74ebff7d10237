"""Filling a layout: each of its parts is made once into what gives that part of the answer, for many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.answer.asking import Row
from engine.columns import Scalar
from engine.evaluate.evaluation import Evaluation, Index
from engine.rounding import plain_number
from engine.rulebook.layout import Along, Branch, Each, Items, Layout, Literal, Matching, Node, Said, Value
from engine.rulebook.messages import Messages, Slot, Template
from engine.rulebook.rule_set import RuleSet

EMPTY: Mapping[str, str] = {}


@dataclass(frozen=True)
class Rows:
    """Cells of one evaluation, for each of which something is shown."""

    evaluation: Evaluation
    cells: Sequence[Index]


class Source(Protocol):
    """What an answer takes from elsewhere than the rows: entries that are picked, and lists."""

    picked: dict[str, Row]

    def own_value(self, name: str) -> Scalar:
        """A name that no rule computes."""

    def each(self, each: Each, item: Filler) -> list[Any]:
        """The items of a list, each filled by `item`."""

    def along(self, along: Along, item: Filler) -> list[Any]:
        """The items of a list along an input, each filled by `item`."""

    def matching(self, matching: Matching, row: Row) -> list[dict[str, Any]]:
        """The entries that say what a row says."""


Filler = Callable[[Source, Rows], list[Any]]  # what is shown, for each row
ValueAt = Callable[[Index], Any]
Reader = Callable[[Source, Evaluation], ValueAt]


@dataclass(frozen=True)
class Fillers:
    """Makes the fillers of a layout that has been checked, for one profile and one language."""

    layout: Layout
    rule_set: RuleSet
    messages: Messages

    def filler(self, node: Node) -> Filler:
        """What gives a part of the answer for each of some rows."""
        match node:
            case Value():
                return _numbers_plain(self._shown(node.name))
            case Said():
                return self._said(node.key)
            case Literal():
                return lambda _, rows: [node.text] * len(rows.cells)
            case Branch():
                filled = _object({key: self.filler(part) for key, part in node.parts.items()})
                return _where(self._reader(node.when.name), filled) if node.when else filled
            case Items():
                return _items([(self.filler(part), isinstance(part, Each)) for part in node.parts])
            case Each():
                each = self.filler(node.item)
                return lambda source, rows: [source.each(node, each) for _ in rows.cells]
            case Along():
                along = self.filler(node.item)
                return lambda source, rows: [source.along(node, along) for _ in rows.cells]
            case Matching():
                return lambda source, rows: [source.matching(node, Row(rows.evaluation, cell)) for cell in rows.cells]
        raise AssertionError(node)

    def _reader(self, name: str) -> Reader:
        """What reads a name: from the row, from that of a pick, or from what the rulebook says of itself."""
        if self.rule_set.describe(name):
            return lambda _, evaluation: evaluation.values(name)
        pick = name.partition(".")[0]
        if pick in self.layout.picks:
            in_rules = self.layout.name_in_rules(name, self.rule_set)
            return lambda source, _: _always(source.picked[pick].value(in_rules))
        return lambda source, _: _always(source.own_value(name))

    def _shown(self, name: str) -> Reader:
        """What reads a name, a text of a catalog in the language of the answer."""
        read, texts = self._reader(name), self._texts(name)
        if not texts:
            return read

        def translated(source: Source, evaluation: Evaluation) -> ValueAt:
            value_at = read(source, evaluation)
            return lambda index: texts.get(value := value_at(index), value)

        return translated

    def _texts(self, name: str) -> Mapping[str, str]:
        """The texts that a name can stand for, each in the language of the answer where it is another there."""
        axis, _, field = self.layout.name_in_rules(name, self.rule_set).partition(".")
        known = self.rule_set.subject.axes.get(axis)
        return self.messages.names.get(known.catalog, {}).get(field, EMPTY) if known else EMPTY

    def _said(self, key: str) -> Filler:
        sentence = self.messages.sentences[key]
        texts = {word: self._text(template) for word, template in sentence.templates.items()}
        if not sentence.by:
            (text,) = texts.values()
            return lambda source, rows: [*map(text(source, rows.evaluation), rows.cells)]
        by = self._reader(sentence.by)

        def said(source: Source, rows: Rows) -> list[Any]:
            word_at = by(source, rows.evaluation)
            return [texts[str(word_at(cell))](source, rows.evaluation)(cell) for cell in rows.cells]

        return said

    def _text(self, template: Template) -> Reader:
        """What writes a text with its slots filled."""
        slots = [part for part in template if isinstance(part, Slot)]
        parts = [(self._shown(slot.name), self.messages.writer(slot.format)) for slot in slots]
        around = "".join(
            "{}" if isinstance(part, Slot) else part.replace("{", "{{").replace("}", "}}") for part in template
        )

        def text(source: Source, evaluation: Evaluation) -> ValueAt:
            filled = [(read(source, evaluation), write) for read, write in parts]
            return lambda index: around.format(*[write(value_at(index)) for value_at, write in filled])

        return text


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _always(value: Scalar) -> ValueAt:
    return lambda _: value


def _numbers_plain(read: Reader) -> Filler:
    def filled(source: Source, rows: Rows) -> list[Any]:
        return [*map(plain_number, map(read(source, rows.evaluation), rows.cells))]

    return filled


def _object(parts: Mapping[str, Filler]) -> Filler:
    keys, fillers = tuple(parts), tuple(parts.values())

    def filled(source: Source, rows: Rows) -> list[Any]:
        if len(rows.cells) == 1:
            return [{key: fill(source, rows)[0] for key, fill in parts.items()}]
        columns = [fill(source, rows) for fill in fillers]
        return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]

    return filled


def _where(read: Reader, fill: Filler) -> Filler:
    """What is filled for the rows where a condition holds, and None for the others."""

    def filled(source: Source, rows: Rows) -> list[Any]:
        holds = [*map(read(source, rows.evaluation), rows.cells)]
        if all(holds):
            return fill(source, rows)
        kept = [cell for cell, there in zip(rows.cells, holds, strict=True) if there]
        found = iter(fill(source, Rows(rows.evaluation, kept)) if kept else ())
        return [next(found) if there else None for there in holds]

    return filled


def _items(parts: Sequence[tuple[Filler, bool]]) -> Filler:
    """Lists of what is there of the parts; those that are lists themselves are laid out among them."""

    def filled(source: Source, rows: Rows) -> list[Any]:
        columns = [(fill(source, rows), is_list) for fill, is_list in parts]
        of_rows = ([(column[at], is_list) for column, is_list in columns] for at in range(len(rows.cells)))
        return [
            [item for found, is_list in row for item in (found if is_list else (found,)) if item is not None]
            for row in of_rows
        ]

    return filled
