"""Filling a layout: each of its parts is made once into what gives that part of an answer for the values of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Protocol

from fitcard.rulebook.layout import Along, Branch, Each, Items, Layout, Literal, Matching, Node, Said, Value
from fitcard.rulebook.messages import Messages, Slot, Template
from fitcard.rulebook.rule_set import RuleSet
from fitcard.taking import taker

Values = Mapping[str, Any]  # of a row by name, whole numbers without a decimal point; None where one is absent


class Lists(Protocol):
    """Where the items of lists come from, each filled by `item`."""

    def each(self, each: Each, item: Filler) -> list[Any]:
        """The items of a list over an axis."""

    def along(self, along: Along, item: Filler) -> list[Any]:
        """The items of a list along an input."""

    def matching(self, matching: Matching, values: Values) -> list[dict[str, Any]]:
        """The entries that say what a row says."""


Filler = Callable[[Lists, Values], Any]
Writer = Callable[[Values], Any]


@dataclass(frozen=True)
class Fillers:
    """Makes the fillers of a layout that has been checked, for one profile and one language."""

    layout: Layout
    rule_set: RuleSet
    messages: Messages

    def filler(self, node: Node) -> Filler:
        """What gives a part of the answer for a row."""
        match node:
            case Value():
                return _alone(self._shown(node.name))
            case Said():
                return _alone(self._said(node.key))
            case Literal():
                return lambda _, values: node.text
            case Branch():
                filled = self._object(node)
                return _where(node.when.name, filled) if node.when else filled
            case Items():
                return _items([(self.filler(part), isinstance(part, Each)) for part in node.parts])
            case Each():
                each = self.filler(node.item)
                return lambda lists, _: lists.each(node, each)
            case Along():
                along = self.filler(node.item)
                return lambda lists, _: lists.along(node, along)
            case Matching():
                return lambda lists, values: lists.matching(node, values)
        raise AssertionError(node)

    def _object(self, branch: Branch) -> Filler:
        """An object; values that are shown as they are, which most are, are taken from the row all at once."""
        texts = {key: part.text if isinstance(part, Literal) else None for key, part in branch.parts.items()}
        plain = {
            key: part.name
            for key, part in branch.parts.items()
            if isinstance(part, Value) and not self._texts(part.name)
        }
        take = taker(tuple(plain.values()))
        others = [
            (key, self.filler(part))
            for key, part in branch.parts.items()
            if key not in plain and not isinstance(part, Literal)
        ]

        def filled(lists: Lists, values: Values) -> dict[str, Any]:
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


def _alone(write: Writer) -> Filler:
    return lambda _, values: write(values)


def _where(condition: str, fill: Filler) -> Filler:
    """What is filled where a condition holds, and None elsewhere."""
    return lambda lists, values: fill(lists, values) if values[condition] else None


def _items(parts: Sequence[tuple[Filler, bool]]) -> Filler:
    """A list of what is there of the parts; those that are lists themselves are laid out in it."""

    def filled(lists: Lists, values: Values) -> list[Any]:
        built = ((fill(lists, values), is_list) for fill, is_list in parts)
        return [item for found, is_list in built for item in (found if is_list else (found,)) if item is not None]

    return filled
