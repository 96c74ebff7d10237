"""What differs between two states of the rules, by name: what can move an answer, what only checks, what is wording."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fitcard.diff.items import ALL, RULE_KINDS, Item, ItemKind, items_in, rule_item
from fitcard.diff.snapshot import Snapshot
from fitcard.language.expression import ExpressionError, parse
from fitcard.problems import Position
from fitcard.rulebook.layout import EachNode, ValueNode, referenced_values, walk
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import Kind

PARTS = re.compile(r"\w+(?:\.\w+)?|\s+|[^\w\s]")


def changed_spans(old: str, new: str) -> dict[str, list[list[int]]]:
    """The stretches of each text that the other lacks, as offsets from and to."""
    one, other = list(PARTS.finditer(old)), list(PARTS.finditer(new))
    matcher = difflib.SequenceMatcher(None, [part[0] for part in one], [part[0] for part in other], autojunk=False)
    found: dict[str, list[list[int]]] = {"old": [], "new": []}
    for kind, start, end, begin, stop in matcher.get_opcodes():
        if kind != "equal":
            if end > start:
                found["old"].append([one[start].start(), one[end - 1].end()])
            if stop > begin:
                found["new"].append([other[begin].start(), other[stop - 1].end()])
    return found


class Action(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Effect(StrEnum):
    """What a change can do: move an answer, change what is checked, or change only how it reads."""

    ANSWERS = "answers"
    CHECKS = "checks"
    WORDING = "wording"


@dataclass(frozen=True)
class Detail:
    """One field that differs; None on the side where it is not there."""

    field: str
    old: Any
    new: Any
    effect: Effect


@dataclass(frozen=True)
class Difference:
    """One thing that differs. `thing` is as it is in the new state; as it was in the old one, where it is removed.

    `read_by` are the rules that are made of it directly, `reaches` what of an answer is made of it; `still_read_by`
    those that read what is gone.
    """

    thing: Item
    action: Action
    details: tuple[Detail, ...]
    position: Position
    read_by: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    still_read_by: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        """The most that it can do."""
        return min((detail.effect for detail in self.details), key=list(Effect).index)


WORDS = ("title", "about", "reference", "name", "version", "language", "site")  # that no number is made of
CHECKED = ("test_coverage", "pinned")


def differences(base: Snapshot, head: Snapshot) -> list[Difference]:
    """All that differs, in the order in which a reviewer reads it: kind of thing, file, line."""
    return sorted(_Comparison(base, head).differences(), key=_reading_order)


def _reading_order(one: Difference) -> tuple[int, str, int]:
    return list(ItemKind).index(one.thing.what), one.position.file, one.position.line


class _Comparison:
    def __init__(self, base: Snapshot, head: Snapshot) -> None:
        self.base, self.head = base, head
        by_profile = bool(base.revision.profile or head.revision.profile)
        self.old, self.new = _things(base, by_profile), _things(head, by_profile)
        self.figures = _figures(base) | _figures(head)
        book = head.rulebook or base.rulebook
        self.asked = {axis.catalog for axis in book.question_fields.axes.values()} if book else set()
        self.shown = shown_rules(book) if book else ()

    def differences(self) -> Iterator[Difference]:
        for key, thing in self.new.items():
            if key not in self.old:
                yield self._difference(thing, Action.ADDED, self._whole(thing, None, thing.fields))
            elif details := self._details(self.old[key], thing):
                yield self._difference(thing, Action.CHANGED, details)
        for key, thing in self.old.items():
            if key not in self.new and not self._unread(thing):
                yield self._difference(thing, Action.REMOVED, self._whole(thing, thing.fields, None))
        yield from self._same_but_for_the_text()

    def _unread(self, thing: Item) -> bool:
        """Whether what seems to be gone may stand in a file of the new state that could not be read."""
        return bool(self.head.files.unread) or thing.document.data["kind"] in self.head.files.broken_kinds

    def _difference(self, thing: Item, action: Action, details: tuple[Detail, ...]) -> Difference:
        gone = action is Action.REMOVED
        state = self.base if gone else self.head
        names = self._names(thing, details)
        direct = tuple(dict.fromkeys(reader for name in names for reader in state.readers.get(name, ())))
        reached = {name for start in names for name in state.reached_from(start)} | {*names}
        if thing.what not in RULE_KINDS.values() and thing.what is not ItemKind.ENTRY:
            reached = set()
        still = self._still_reading(thing) if gone else ()
        place = self._where_it_was(thing) if gone else thing.document.position(thing.path, key=True)
        return Difference(thing, action, details, place, direct, _in_order(self.shown, reached), still)

    def _names(self, thing: Item, details: tuple[Detail, ...]) -> tuple[str, ...]:
        """What rules call a thing: its name, or those of its figures that differ."""
        if thing.what in RULE_KINDS.values():
            return (thing.name,)
        if thing.what is not ItemKind.ENTRY:
            return ()
        book = self.head.rulebook or self.base.rulebook
        axes = (
            [axis.name for axis in book.question_fields.axes.values() if axis.catalog == thing.within] if book else []
        )
        fields = dict.fromkeys(detail.field for detail in details if detail.effect is Effect.ANSWERS)
        return tuple(f"{axis}.{field}" for axis in axes for field in fields)

    def _still_reading(self, thing: Item) -> tuple[str, ...]:
        """The rules of the new state that read a rule that it no longer has."""
        if thing.what not in RULE_KINDS.values() or thing.within:
            return ()
        readers = (
            reader.name
            for layer in self.head.layers.values()
            if thing.name not in layer  # a profile may have added what the rules no longer have
            for reader in layer.values()
            if thing.name in self.head.reads(reader)
        )
        return tuple(dict.fromkeys(readers))

    def _where_it_was(self, thing: Item) -> Position:
        """In the file of the new state, below what stood above it; where that file is gone too, in the old one."""
        path = next(path for path, (_, document) in self.base.documents.items() if document is thing.document)
        if path not in self.head.documents:
            return thing.document.position(thing.path, key=True)
        now = self.head.documents[path][1]
        before = [path for path in thing.document.places if path[:-1] == thing.path[:-1]]
        for above in reversed(before[: before.index(thing.path)] if thing.path in before else []):
            if above in now.places:
                return now.position(above, key=True)
        return now.position(thing.path[:-1], key=True)

    def _whole(self, thing: Item, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[Detail, ...]:
        """All fields of what is new or gone; that it is there at all counts most."""
        fields = old or new or {}
        effects = {field: self._effect(thing, field) for field in fields} or {ALL: self._effect(thing, ALL)}
        if thing.what is ItemKind.ENTRY and thing.within in self.asked:
            effects[ALL] = Effect.ANSWERS  # there are other questions
        return tuple(
            Detail(field, (old or {}).get(field), (new or {}).get(field), effect) for field, effect in effects.items()
        )

    def _details(self, old: Item, new: Item) -> tuple[Detail, ...]:
        fields = [*new.fields, *(field for field in old.fields if field not in new.fields)]
        details = [
            Detail(field, old.fields.get(field), new.fields.get(field), self._effect(new, field, old))
            for field in fields
            if old.fields.get(field) != new.fields.get(field)
        ]
        if old.what is not new.what:
            details.insert(0, Detail("kind", str(old.what), str(new.what), Effect.ANSWERS))
        return tuple(details)

    def _effect(self, thing: Item, field: str, old: Item | None = None) -> Effect:
        head = field.partition(".")[0]
        match thing.what:
            case ItemKind.TEST | ItemKind.INVARIANT:
                return Effect.CHECKS
            case ItemKind.TEXT | ItemKind.FILE | ItemKind.PROFILE:
                return Effect.WORDING
            case ItemKind.ENTRY if thing.within not in self.asked:  # what answers are compared with
                return Effect.CHECKS
            case ItemKind.ENTRY:
                return Effect.ANSWERS if (thing.within, field) in self.figures else Effect.WORDING
            case ItemKind.SETTING:
                word = field.rpartition(".")[2] if field else ALL
                checked = Effect.CHECKS if thing.name in CHECKED else Effect.ANSWERS
                return Effect.WORDING if thing.name in WORDS or word == "about" else checked
        if head in WORDS and thing.what is not ItemKind.LAYOUT:
            return Effect.WORDING
        if field == "expr" and old is not None and _tree(old.fields.get(field)) == _tree(thing.fields.get(field)):
            return Effect.WORDING
        return Effect.ANSWERS

    def _same_but_for_the_text(self) -> Iterator[Difference]:
        """Files that say the same in another order, or with other comments, spaces and quotes."""
        for path, (_, document) in self.head.documents.items():
            old = self.base.documents.get(path, (None, None))[1]
            if old is None or old.text == document.text or old.data != document.data:
                continue
            what = "order" if _order(old.data) != _order(document.data) else "comments, spaces or quotes"
            thing = Item(ItemKind.FILE, path, "", {}, document, ())
            yield Difference(thing, Action.CHANGED, (Detail(what, None, None, Effect.WORDING),), document.position())


def _things(state: Snapshot, by_profile: bool) -> dict[tuple[str, str, str], Item]:
    """All things by what they are known by; `by_profile`, the rules as the profile of the side has them."""
    things = [thing for path, of in state.documents.items() for thing in items_in(*of, path)]
    if by_profile:
        rules = {**state.layers[""], **state.layers.get(state.profile, {})}.values()
        things = [thing for thing in things if thing.what not in (*RULE_KINDS.values(), ItemKind.PROFILE)]
        things += [rule_item(definition.document, definition.path) for definition in rules]
    return {thing.key: thing for thing in things}


def _figures(state: Snapshot) -> frozenset[tuple[str, str]]:
    """The fields of catalogs that rules read, and the numbers that answers show; all where that is not known."""
    if state.engine is None:
        return frozenset()
    book = state.engine.rulebook
    read = {name for rules in state.engine.rules.values() for name in rules.plan(rules.definitions).fields}
    read |= {name for name in _values(book) if _is_figure(book, name)}
    names = [name.partition(".") for name in read]
    catalogs = {axis.name: axis.catalog for axis in book.question_fields.axes.values()}
    return frozenset(
        (catalogs[axis], book.catalogs[catalogs[axis]].fields[field].of_day or field)
        for axis, _, field in names
        if axis in catalogs
    )


def _is_figure(book: Rulebook, name: str) -> bool:
    info = book.rule_set.describe(book.layout.name_in_rules(name, book.rule_set))
    return info is not None and info.kind is not Kind.WORD


def _values(book: Rulebook) -> Iterator[str]:
    """The names that the answer shows, in lists too."""
    for node in walk(book.layout.root):
        if isinstance(node, ValueNode):
            yield node.name
        elif isinstance(node, EachNode):
            yield from (value.name for value in referenced_values(node.item))
    yield from (figure.name for rules in book.rule_sets.values() for figure in rules.figures)


def shown_rules(book: Rulebook) -> tuple[str, ...]:
    """The rules whose values an answer shows, in the order of the answer."""
    return tuple(name for name in dict.fromkeys(_values(book)) if name in book.rule_set.definitions)


def _in_order(names: tuple[str, ...], chosen: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in chosen)


def _tree(text: Any) -> str:
    """What an expression says, whatever its spaces; the text itself where it cannot be read."""
    try:
        return ast.dump(parse(str(text)).tree)
    except ExpressionError:
        return str(text)


def _order(data: Any) -> Any:
    """Keys in their order, all the way down."""
    if isinstance(data, dict):
        return [(key, _order(value)) for key, value in data.items()]
    return [_order(part) for part in data] if isinstance(data, list) else data
