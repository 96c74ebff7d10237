"""The layout of the answer: a tree that says which name, sentence or list of rows stands where.

A leaf is a name (`score`, `model.name`). A map is an object, unless it holds one of these keys: `message` (a sentence),
`text` (a fixed word), `each` (a list with one item for each entry of an axis), `changed` (a list of one item, the
question with a change, or none), `along` (one item for each of some values of a numeric input), `matching` (a list of
entries of another catalog that are about the same question). `use` stands for a named block of the file, whole, or as
one or several among the keys of an object. `when` keeps an object only where a condition holds; a list that stands in a
list of parts is merged into it. Picks are single entries chosen by the rules, such as the recommended quant; their
names start with the name of the pick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from fitcard.language.question_fields import question_name
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.source.document import Document, Path
from fitcard.suggest import closest

MESSAGE, TEXT, EACH, ALONG, MATCHING, WHEN = "message", "text", "each", "along", "matching", "when"
WITH, CHANGED, USE, BLOCKS = "with", "changed", "use", "blocks"


class BlockUnknown(ProblemCode):
    """A layout uses a block that is not defined in its file, or a block uses itself.

    Why: what stands in its place would be open.
    Avoid: `item: {use: wey}` where the file defines `way`
    Prefer: `item: {use: way}`
    """


class BlockUnused(ProblemCode):
    """No part of a layout uses a block.

    Why: a change of it would have no effect.
    Avoid: a block `way` after its last use is gone
    Prefer: using it, or removing it.
    """


MessageNames = Mapping[str, frozenset[str]]  # the names that each message needs, in any language
NO_AXIS = ""  # of a list whose only item is the question itself, asked otherwise


@dataclass(frozen=True)
class ValueNode:
    """The value of a name."""

    name: str
    path: Path


@dataclass(frozen=True)
class MessageNode:
    """A sentence by its key."""

    key: str
    path: Path


@dataclass(frozen=True)
class TextNode:
    """A word that is always the same."""

    text: str


@dataclass(frozen=True)
class ObjectNode:
    """An object; left out, or null, where the condition `when` does not hold."""

    parts: Mapping[str, Node]
    when: ValueNode | None


@dataclass(frozen=True)
class ListNode:
    """A list of given parts; those that are left out leave no gap."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Override:
    """How a list or a pick asks otherwise than the question did: entries by axis, and names whose value is an input."""

    entries: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, ValueNode] = field(default_factory=dict)

    def variant(self, axis: str) -> VariantKey:
        """What rows are asked for with it and with each entry of an axis in turn."""
        inputs = ((name, value.name) for name, value in self.inputs.items())
        return VariantKey(axis, tuple(sorted(self.entries.items())), tuple(sorted(inputs)))


class VariantKey(NamedTuple):
    """What rows a list or a pick asks for, whatever it needs of them: those that ask for the same share them.

    Each entry of `axis` in turn, or the question itself where it is empty, with other entries on some axes, and inputs
    that have the value of a name.
    """

    axis: str
    entries: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EachNode:
    """One item for each entry of `axis` where `where` holds, in rising order of `order`, at most `limit`.

    Nothing is asked, and there is no item, where `when` does not hold for the question itself.

    Without an axis there is one item at most: the question with its `override`.
    """

    axis: str
    item: Node
    where: ValueNode | None
    order: ValueNode | None
    limit: int | None
    override: Override
    path: Path
    when: ValueNode | None = None

    @cached_property
    def variant(self) -> VariantKey:
        """What rows it asks for."""
        return self.override.variant(self.axis)


@dataclass(frozen=True)
class AlongNode:
    """One item for each of the `values` of an input up to `up_to`, and one for that itself."""

    input: str
    values: tuple[float, ...]
    up_to: ValueNode
    item: Node
    path: Path


@dataclass(frozen=True)
class MatchingNode:
    """One item for each entry of `catalog` that says what the question says by `same`, axes and inputs, at most
    `limit`.

    Only entries that have the figure `having` take part; an item shows their own fields.
    """

    catalog: str
    same: tuple[str, ...]
    having: str | None
    limit: int | None
    item: Mapping[str, str]
    path: Path


@dataclass(frozen=True)
class Pick:
    """The entry of `axis` for which the number `by` is greatest."""

    name: str
    axis: str
    by: ValueNode
    override: Override
    path: Path

    @cached_property
    def variant(self) -> VariantKey:
        """What rows it asks for."""
        return self.override.variant(self.axis)


Node = ValueNode | MessageNode | TextNode | ObjectNode | ListNode | EachNode | AlongNode | MatchingNode


@dataclass(frozen=True)
class Layout:
    """What stands where in an answer, and which entries are picked for it."""

    picks: Mapping[str, Pick]
    root: ObjectNode
    document: Document

    def name_at(self, *keys: str) -> str:
        """The name whose value stands at these keys of an answer. Raises KeyError where no value stands there."""
        node: Node = self.root
        for key in keys:
            if not isinstance(node, ObjectNode):
                raise KeyError(key)
            node = node.parts[key]
        if not isinstance(node, ValueNode):
            raise KeyError(keys[-1])
        return node.name

    def name_in_rules(self, name: str, rule_set: RuleSet) -> str:
        """`recommended_quant.name` is `quant.name`, and `recommended_quant.score` is `score`, in the row picked."""
        space, _, rest = name.partition(".")
        if space not in self.picks or not rest:
            return name
        of_entry = f"{self.picks[space].axis}.{rest}"
        return of_entry if rule_set.describe(of_entry) else rest


def read_layout(document: Document, axes: frozenset[str]) -> Layout:
    """The layout in a file that has passed its schema and `block_problems`; names are checked by `check_layout`."""
    reader = LayoutReader(document.data.get(BLOCKS, {}), axes)
    picks = {}
    for name, data in document.data.get("picks", {}).items():
        path: Path = ("picks", name)
        picks[name] = Pick(name, data["axis"], ValueNode(data["by"], (*path, "by")), reader.override(data, path), path)
    return Layout(picks, reader.object(document.data["answer"], ("answer",)), document)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, but for the inside of lists, which look at other rows."""
    yield node
    inner = node.parts.values() if isinstance(node, ObjectNode) else node.parts if isinstance(node, ListNode) else ()
    for part in inner:
        yield from walk(part)


def referenced_values(node: Node) -> Iterator[ValueNode]:
    """All names that the node and the parts below it show or go by, but for the inside of lists."""
    for part in walk(node):
        if isinstance(part, ValueNode):
            yield part
        elif isinstance(part, ObjectNode) and part.when:
            yield part.when
        elif isinstance(part, AlongNode):
            yield part.up_to
        elif isinstance(part, EachNode) and part.when:
            yield part.when
        elif isinstance(part, MatchingNode):
            yield from (ValueNode(question_name(word), (*part.path, "same", at)) for at, word in enumerate(part.same))


class ShownNames(NamedTuple):
    """Names that are shown: those that rules and catalogs give, and others, of picks or of the rulebook itself."""

    computed: frozenset[str]
    others: frozenset[str]


def referenced_names(node: Node, message_names: MessageNames) -> set[str]:
    """All names that a part of the layout shows, messages included."""
    in_messages = {name for part in walk(node) if isinstance(part, MessageNode) for name in message_names[part.key]}
    return {value.name for value in referenced_values(node)} | in_messages


def shown_names(names: Iterable[str], rule_set: RuleSet) -> ShownNames:
    """These names, apart by whether the rules compute them."""
    names = frozenset(names)
    computed = frozenset(name for name in names if rule_set.describe(name))
    return ShownNames(computed, names - computed)


@dataclass(frozen=True)
class LayoutReader:
    """Reads parts of a layout; `blocks` are parts by name, which others `use`, at their own place in the file."""

    blocks: Mapping[str, Any]
    axes: frozenset[str]

    def node(self, data: Any, path: Path) -> Node:
        """The part of a layout that stands at `path`."""
        if isinstance(data, list):
            return ListNode(tuple(self.node(part, at) for part, at in self.items(data, path)))
        if not isinstance(data, dict):
            return ValueNode(str(data), path)
        if data.keys() == {USE} and isinstance(data[USE], str):
            return self.node(*self._block(data[USE]))
        if MESSAGE in data:
            return MessageNode(data[MESSAGE], (*path, MESSAGE))
        if TEXT in data:
            return TextNode(data[TEXT])
        if EACH in data:
            where, order = _value(data, "where", path), _value(data, "order", path)
            item = self.node(data["item"], (*path, "item"))
            change, when = self.override(data, path), _value(data, WHEN, path)
            return EachNode(data[EACH], item, where, order, data.get("most"), change, path, when)
        if CHANGED in data:
            item, change = self.node(data["item"], (*path, "item")), self.override(data, path, CHANGED)
            when = _value(data, WHEN, path)
            return EachNode(NO_AXIS, item, _value(data, "where", path), None, None, change, path, when)
        if ALONG in data:
            up_to, item = ValueNode(data["up_to"], (*path, "up_to")), self.node(data["item"], (*path, "item"))
            return AlongNode(data[ALONG], tuple(map(float, data["values"])), up_to, item, path)
        if MATCHING in data:
            same, having, most = tuple(data["same"]), data.get("having"), data.get("most")
            return MatchingNode(data[MATCHING], same, having, most, data["item"], path)
        return self.object(data, path)

    def object(self, data: Mapping[str, Any], path: Path) -> ObjectNode:
        """An object of parts."""
        parts = dict(self.parts(data, path))
        when = parts.pop(WHEN, None)
        nodes = {key: self.node(*part) for key, part in parts.items()}
        return ObjectNode(nodes, ValueNode(*when) if when else None)

    def parts(self, data: Mapping[str, Any], path: Path) -> Iterator[tuple[str, tuple[Any, Path]]]:
        """Each key with its part and the place of that; those of a block that is used stand where it is used."""
        for key, part in data.items():
            if key == USE:
                for name in [part] if isinstance(part, str) else part:
                    yield from self.parts(*self._block(name))
            else:
                yield key, (part, (*path, key))

    def items(self, data: list[Any], path: Path) -> Iterator[tuple[Any, Path]]:
        """Each part of a list with its place; those of a block that is a list stand where it is used."""
        for at, part in enumerate(data):
            name = part.get(USE) if isinstance(part, dict) and len(part) == 1 else None
            if isinstance(name, str) and isinstance(self.blocks[name], list):
                yield from self.items(*self._block(name))
            else:
                yield part, (*path, at)

    def override(self, data: Mapping[str, Any], path: Path, key: str = WITH) -> Override:
        """How a list or a pick varies the question."""
        given = data.get(key, {})
        entries = {name: str(value) for name, value in given.items() if name in self.axes}
        values = {name: value for name, value in given.items() if name not in self.axes}
        return Override(entries, {name: ValueNode(str(value), (*path, key, name)) for name, value in values.items()})

    def _block(self, name: str) -> tuple[Any, Path]:
        return self.blocks[name], (BLOCKS, name)


def block_problems(document: Document) -> Iterator[Problem]:
    """Blocks of a layout that are used and not there, or use themselves, and those that are never used."""
    blocks: Mapping[str, Any] = document.data.get(BLOCKS, {})
    used = dict(_uses(document.data, ()))
    for path, name in used.items():
        if name not in blocks:
            message, near = f"there is no block `{name}`", closest(name, blocks)
            yield document.problem(BlockUnknown, message, path, closest=near)
    for name in blocks:
        if name in _blocks_within(blocks, name, frozenset()):
            message, hint = f"the block `{name}` uses itself", "remove one of the uses"
            yield document.problem(BlockUnknown, message, (BLOCKS, name), key=True, hint=hint)
        elif name not in used.values():
            message, hint = f"the block `{name}` is never used", "use it, or remove it"
            yield document.problem(BlockUnused, message, (BLOCKS, name), key=True, severity=Severity.WARNING, hint=hint)


def _uses(data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Where a block is used, and its name."""
    parts = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, part in parts:
        if key == USE and isinstance(part, list):
            yield from (((*path, key, at), name) for at, name in enumerate(part))
        elif key == USE:
            yield (*path, key), part
        else:
            yield from _uses(part, (*path, key))


def _blocks_within(blocks: Mapping[str, Any], name: str, seen: frozenset[str]) -> frozenset[str]:
    """All blocks that a block uses, directly or through others."""
    direct = {used for _, used in _uses(blocks.get(name), ())} - seen
    return frozenset(direct).union(*(_blocks_within(blocks, used, seen | direct) for used in direct))


def _value(data: Mapping[str, Any], key: str, path: Path) -> ValueNode | None:
    return ValueNode(data[key], (*path, key)) if key in data else None
