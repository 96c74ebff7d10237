"""The changes between two versions of the rules by item, with their possible effect: on answers, checks or wording."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.diff.items import ITSELF, Item, items_in, rule_item
from fitcard.diff.schema import Action, Effect, ItemKind, LeadData, MarksData
from fitcard.diff.shown import Places, shown_places
from fitcard.diff.snapshot import Snapshot
from fitcard.language.expression import ExpressionError, parse
from fitcard.problems import Position
from fitcard.rulebook.files import RULEBOOK
from fitcard.rulebook.rulebook import Rulebook
from fitcard.values import Kind

TOKEN = re.compile(r"\w+(?:\.\w+)?|\s+|[^\w\s]")
WORDING_FIELDS = (
    "title",
    "about",
    "label",
    "reference",
    "name",
    "version",
    "language",
    "site",
)  # no figure depends on them
CHECK_SETTINGS = ("test_coverage", "pinned")


@dataclass(frozen=True)
class FieldChange:
    """A field that differs; `old` or `new` is None where the field is absent."""

    field: str
    old: Any
    new: Any
    effect: Effect


@dataclass(frozen=True)
class Change:
    """An item that differs. `item` is the new version, or the old one of a removed item.

    `read_by` are the rules that depend on it directly, `reaches` the outputs of an answer that depend on it, and
    `still_read_by` the rules that use a removed item. It `renames` an entry if other names lead to it.
    """

    item: Item
    action: Action
    details: tuple[FieldChange, ...]
    position: Position
    read_by: tuple[str, ...] = ()
    reaches: tuple[str, ...] = ()
    still_read_by: tuple[str, ...] = ()
    renames: bool = False

    @property
    def effect(self) -> Effect:
        """The strongest effect of its fields."""
        return min((detail.effect for detail in self.details), key=list(Effect).index)


def find_changes(base: Snapshot, head: Snapshot, leads: Iterable[LeadData]) -> list[Change]:
    """All changes by kind of item, file and line. `leads` are the names that lead to another entry."""
    return sorted(_ItemComparison(base, head, leads).changes(), key=_sort_key)


def _sort_key(change: Change) -> tuple[int, str, int]:
    return list(ItemKind).index(change.item.kind), change.position.file, change.position.line


class _ItemComparison:
    def __init__(self, base: Snapshot, head: Snapshot, leads: Iterable[LeadData]) -> None:
        self.base, self.head = base, head
        self.led = {(lead["catalog"], entry) for lead in leads for entry in (lead["old"], lead["new"])}
        by_profile = bool(base.revision.profile or head.revision.profile)
        self.old, self.new = _items(base, by_profile), _items(head, by_profile)
        self.figures = _figures(base) | _figures(head)
        books = [side.rulebook for side in (head, base) if side.rulebook]
        rulebook = books[0] if books else None
        self.axes = tuple(rulebook.question_fields.axes.values()) if rulebook else ()
        self.catalogs = {axis.catalog for axis in self.axes}  # whose entries questions name
        self.names = {kind: _name_fields(books, kind) for kind in self.catalogs}
        self.outputs = _conditions_of_shown_rules(books)

    def changes(self) -> Iterator[Change]:
        for key, item in self.new.items():
            if key not in self.old:
                yield self._change(item, Action.ADDED, self._all_fields(item, None, item.fields))
            elif details := self._changed_fields(self.old[key], item):
                yield self._change(item, Action.CHANGED, details)
        for key, item in self.old.items():
            if key not in self.new and not self._may_be_unread(item):
                yield self._change(item, Action.REMOVED, self._all_fields(item, item.fields, None))
        yield from self._text_changes()
        yield from self._order_changes()

    def _may_be_unread(self, item: Item) -> bool:
        """Whether an item may be absent only because a file of the new version could not be read."""
        return bool(self.head.files.unread) or item.document.data["kind"] in self.head.files.broken_kinds

    def _change(self, item: Item, action: Action, details: tuple[FieldChange, ...]) -> Change:
        removed = action is Action.REMOVED
        snapshot = self.base if removed else self.head
        names = self._names(item, details)
        read_by = tuple(dict.fromkeys(reader for name in names for reader in snapshot.readers.get(name, ())))
        reached = {dependent for name in names for dependent in snapshot.dependents(name)} | {*names}
        return Change(
            item,
            action,
            details,
            self._former_position(item) if removed else item.document.position(item.path, key=True),
            read_by,
            tuple(name for name, conditions in self.outputs.items() if not reached.isdisjoint({name, *conditions})),
            self._remaining_readers(item) if removed else (),
            any(self._is_name(item, detail.field) for detail in details),
        )

    def _is_name(self, item: Item, field: str) -> bool:
        """Whether a field is a name of an entry, and names lead to that entry or no longer do.

        If either version has errors, it may be so.
        """
        if item.kind is not ItemKind.ENTRY or item.within not in self.catalogs:
            return False
        known = self.base.rulebook is not None and self.head.rulebook is not None
        return field in self.names[item.within] and (not known or (item.within, item.name) in self.led)

    def _names(self, item: Item, details: tuple[FieldChange, ...]) -> tuple[str, ...]:
        """The names by which rules refer to an item: its own, or those of the catalog figures that differ."""
        if item.is_rule:
            return (item.name,)
        if item.kind is not ItemKind.ENTRY:
            return ()
        axes = [axis.name for axis in self.axes if axis.catalog == item.within]
        fields = dict.fromkeys(detail.field for detail in details if detail.effect is Effect.ANSWERS)
        return tuple(f"{axis}.{field}" for axis in axes for field in fields)

    def _remaining_readers(self, item: Item) -> tuple[str, ...]:
        """The rules of the new version that use a rule that it no longer has."""
        if not item.is_rule or item.within:
            return ()
        readers = (
            reader.name
            for layer in self.head.layers.values()
            if item.name not in layer  # a profile may define what the rules no longer define
            for reader in layer.values()
            if item.name in self.head.reads(reader)
        )
        return tuple(dict.fromkeys(readers))

    def _former_position(self, item: Item) -> Position:
        """The position in the new version of the file after which a removed item was, or in the old file if that was
        removed as well.
        """
        path = next(path for path, (_, document) in self.base.documents.items() if document is item.document)
        if path not in self.head.documents:
            return item.document.position(item.path, key=True)
        document = self.head.documents[path][1]
        siblings = [path for path in item.document.spans if path[:-1] == item.path[:-1]]
        for sibling in reversed(siblings[: siblings.index(item.path)] if item.path in siblings else []):
            if sibling in document.spans:
                return document.position(sibling, key=True)
        return document.position(item.path[:-1], key=True)

    def _all_fields(
        self, item: Item, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
    ) -> tuple[FieldChange, ...]:
        """All fields of an added or removed item; the item itself may have a stronger effect than its fields."""
        fields = old or new or {}
        effects = {field: self._effect(item, field) for field in fields} or {ITSELF: self._effect(item, ITSELF)}
        if item.kind is ItemKind.ENTRY and item.within in self.catalogs:
            effects[ITSELF] = Effect.ANSWERS  # there are other questions
        return tuple(
            FieldChange(field, (old or {}).get(field), (new or {}).get(field), effect)
            for field, effect in effects.items()
        )

    def _changed_fields(self, old: Item, new: Item) -> tuple[FieldChange, ...]:
        fields = [*new.fields, *(field for field in old.fields if field not in new.fields)]
        details = [
            FieldChange(field, old.fields.get(field), new.fields.get(field), self._effect(new, field, old))
            for field in fields
            if old.fields.get(field) != new.fields.get(field)
        ]
        if old.kind is not new.kind:
            details.insert(0, FieldChange("kind", str(old.kind), str(new.kind), Effect.ANSWERS))
        return tuple(details)

    def _effect(self, item: Item, field: str, old: Item | None = None) -> Effect:
        """The effect of a field, which differs from that of the `old` version of the item if there is one."""
        match item.kind:
            case ItemKind.TEST | ItemKind.INVARIANT:
                return Effect.CHECKS
            case ItemKind.TEXT | ItemKind.FILE | ItemKind.PROFILE:
                return Effect.WORDING
            case ItemKind.ENTRY if item.within not in self.catalogs:  # such as measurements
                return Effect.CHECKS
            case ItemKind.ENTRY:
                leads = self._is_name(item, field)
                return Effect.ANSWERS if leads or (item.within, field) in self.figures else Effect.WORDING
            case ItemKind.SETTING:
                if item.name in WORDING_FIELDS or field.rpartition(".")[2] == "about":
                    return Effect.WORDING
                return Effect.CHECKS if item.name in CHECK_SETTINGS else Effect.ANSWERS
        if field.partition(".")[0] in WORDING_FIELDS and item.kind is not ItemKind.LAYOUT:
            return Effect.WORDING
        if field == "expr" and old is not None and _syntax(old.fields.get(field)) == _syntax(item.fields.get(field)):
            return Effect.WORDING
        return Effect.ANSWERS

    def _text_changes(self) -> Iterator[Change]:
        """Files with the same data in another order, or with other comments, spaces or quotes."""
        for path, (kind, document) in self.head.documents.items():
            old = self.base.documents.get(path, (None, None))[1]
            if old is None or old.text == document.text or old.data != document.data:
                continue
            if kind in self.catalogs and list(old.data["entries"]) != list(document.data["entries"]):
                continue  # has its own change
            what = "order" if _ordered(old.data) != _ordered(document.data) else "comments, spaces or quotes"
            item = Item(ItemKind.FILE, path, "", {}, document, ())
            effect = Effect.ANSWERS if kind == RULEBOOK and what == "order" else Effect.WORDING
            detail = FieldChange(what, None, None, effect)  # the order of axes is that of arguments
            yield Change(item, Action.CHANGED, (detail,), document.position())

    def _order_changes(self) -> Iterator[Change]:
        """Catalogs with the same entries in another order, which decides between equals: at the first that moved."""
        base, head = self.base.rulebook, self.head.rulebook
        if base is None or head is None:
            return
        for kind in sorted(self.catalogs & base.catalogs.keys()):
            old, new = (rulebook.catalogs[kind].entries for rulebook in (base, head))
            before, after = [entry for entry in old if entry in new], [entry for entry in new if entry in old]
            for was, now in zip(before, after, strict=True):
                if was != now:
                    document = new[now].document
                    path = next(path for path, (_, other) in self.head.documents.items() if other.path == document.path)
                    item = Item(ItemKind.FILE, path, "", {}, document, ())
                    detail = FieldChange(f"order of {kind}", None, None, Effect.ANSWERS)
                    yield Change(item, Action.CHANGED, (detail,), new[now].position)
                    break


def _name_fields(rulebooks: Iterable[Rulebook], kind: str) -> frozenset[str]:
    """The fields of a catalog that have names of an entry."""
    fields = (field for book in rulebooks if kind in book.catalogs for field in book.catalogs[kind].fields.values())
    return frozenset({"name", "aliases"}).union(field.name for field in fields if field.spelling)


def _items(snapshot: Snapshot, by_profile: bool) -> dict[tuple[str, str, str], Item]:
    """All items by key; with `by_profile`, the rules of the profile of this side instead of those of all files."""
    items = [item for path, (kind, document) in snapshot.documents.items() for item in items_in(kind, document, path)]
    if by_profile:
        rules = {**snapshot.layers[""], **snapshot.layers.get(snapshot.profile, {})}.values()
        items = [item for item in items if not item.is_rule and item.kind is not ItemKind.PROFILE]
        items += [rule_item(definition.document, definition.path) for definition in rules]
    return {item.key: item for item in items}


def _figures(snapshot: Snapshot) -> frozenset[tuple[str, str]]:
    """The catalog and field of each figure that rules read or answers show; empty if the files have errors."""
    if snapshot.engine is None:
        return frozenset()
    rulebook = snapshot.engine.rulebook
    names = {name for rules in snapshot.engine.rules.values() for name in rules.plan(rules.definitions).fields}
    names |= {name for name, _ in _shown_places(rulebook) if _is_figure(rulebook, name)}
    catalogs = {axis.name: axis.catalog for axis in rulebook.question_fields.axes.values()}
    return frozenset(
        (catalogs[axis], rulebook.catalogs[catalogs[axis]].fields[field].of_day or field)
        for axis, _, field in (name.partition(".") for name in names)
        if axis in catalogs
    )


def _is_figure(rulebook: Rulebook, name: str) -> bool:
    info = rulebook.rule_set.describe(rulebook.layout.name_in_rules(name, rulebook.rule_set))
    return info is not None and info.kind is not Kind.WORD


def _shown_places(rulebook: Rulebook) -> Iterator[tuple[str, Places]]:
    """The names whose values an answer of any profile shows, with their places."""
    for rule_set in rulebook.rule_sets.values():
        yield from shown_places(rulebook.layout, rule_set).items()


def _conditions_of_shown_rules(rulebooks: Iterable[Rulebook]) -> Mapping[str, frozenset[str]]:
    """The rules whose values an answer shows, in the order of the answer, and all conditions of their places."""
    shown: dict[str, frozenset[str]] = {}
    for rulebook in rulebooks:
        for name, places in _shown_places(rulebook):
            if any(name in rule_set.definitions for rule_set in rulebook.rule_sets.values()):
                shown[name] = shown.get(name, frozenset()).union(*places)
    return shown


def _syntax(text: Any) -> str:
    """The syntax tree of an expression, which does not depend on spaces; the text itself if it is invalid."""
    try:
        return ast.dump(parse(str(text)).tree)
    except ExpressionError:
        return str(text)


def _ordered(data: Any) -> Any:
    """The data with maps as lists of pairs, so that their order is compared."""
    if isinstance(data, dict):
        return [(key, _ordered(value)) for key, value in data.items()]
    return [_ordered(part) for part in data] if isinstance(data, list) else data


def changed_spans(old: str, new: str) -> MarksData:
    """The parts of each text that the other lacks, as offsets of start and end."""
    old_tokens, new_tokens = list(TOKEN.finditer(old)), list(TOKEN.finditer(new))
    old_texts, new_texts = ([token[0] for token in tokens] for tokens in (old_tokens, new_tokens))
    matcher = difflib.SequenceMatcher(None, old_texts, new_texts, autojunk=False)
    marks: MarksData = {"old": [], "new": []}
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag != "equal":
            if old_end > old_start:
                marks["old"].append((old_tokens[old_start].start(), old_tokens[old_end - 1].end()))
            if new_end > new_start:
                marks["new"].append((new_tokens[new_start].start(), new_tokens[new_end - 1].end()))
    return marks
