"""The layout of answers: a tree of nodes, each of which shows a value, a sentence, an object or a list of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from fitcard.language.question_fields import question_name
from fitcard.language.rule_set import RuleSet
from fitcard.source.document import Document, Path

MessageNames = Mapping[str, frozenset[str]]  # the names that each sentence reads, in any language
NO_AXIS = ""  # of a list whose only item is the question itself with changes


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
    """A constant word."""

    text: str


@dataclass(frozen=True)
class ObjectNode:
    """An object; empty if the condition `when` does not hold."""

    parts: Mapping[str, Node]
    when: ValueNode | None


@dataclass(frozen=True)
class ListNode:
    """A list of parts, without those that are empty."""

    parts: tuple[Node, ...]


class VariantKey(NamedTuple):
    """The rows of a list or pick: the question for each entry of `axis`, or once if it is empty, with changes.

    `entries` are other entries by axis, `inputs` the names whose values replace inputs. Nodes with the same key share
    their rows.
    """

    axis: str
    entries: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Override:
    """How a list or pick changes the question: entries by axis, and names whose values replace inputs."""

    entries: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, ValueNode] = field(default_factory=dict)

    def variant(self, axis: str) -> VariantKey:
        """The rows with this change, for each entry of `axis`."""
        inputs = ((name, value.name) for name, value in self.inputs.items())
        return VariantKey(axis, tuple(sorted(self.entries.items())), tuple(sorted(inputs)))


@dataclass(frozen=True)
class EachNode:
    """A list with one item for each entry of `axis` for which `where` holds, by ascending `order`, at most `limit`.

    With `NO_AXIS`, one item at most: the question with `override`. The list is empty, and its rows are not evaluated,
    if `when` does not hold for the question.
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
        """The rows of the list."""
        return self.override.variant(self.axis)


@dataclass(frozen=True)
class AlongNode:
    """A list with one item for each of the `values` of an input below `up_to`, and one for `up_to` itself."""

    input: str
    values: tuple[float, ...]
    up_to: ValueNode
    item: Node
    path: Path


@dataclass(frozen=True)
class MatchingNode:
    """A list with one item for each entry of `catalog` that agrees with the question on the axes and inputs in `same`.

    At most `limit` entries, all of which have the field `having`. `item` maps keys to fields of the entry.
    """

    catalog: str
    same: tuple[str, ...]
    having: str | None
    limit: int | None
    item: Mapping[str, str]
    path: Path


@dataclass(frozen=True)
class Pick:
    """The entry of `axis` with the largest value of `by`."""

    name: str
    axis: str
    by: ValueNode
    override: Override
    path: Path

    @cached_property
    def variant(self) -> VariantKey:
        """The rows that it is picked from."""
        return self.override.variant(self.axis)


@dataclass(frozen=True)
class Contradiction:
    """Questions that are refused: those for which `when` holds, with a problem of `field` worded by `sentence`."""

    when: ValueNode
    field: str
    sentence: MessageNode
    path: Path


Node = ValueNode | MessageNode | TextNode | ObjectNode | ListNode | EachNode | AlongNode | MatchingNode


@dataclass(frozen=True)
class Layout:
    """The nodes of an answer, the picks that they refer to, and the questions that have no answer."""

    picks: Mapping[str, Pick]
    root: ObjectNode
    document: Document
    contradictions: tuple[Contradiction, ...] = ()

    def contradiction_names(self, message_names: MessageNames) -> frozenset[str]:
        """The names that decide whether a question contradicts itself, and say how."""
        conditions = {each.when.name for each in self.contradictions}
        return frozenset(conditions.union(*(message_names[each.sentence.key] for each in self.contradictions)))

    def name_at(self, *keys: str) -> str:
        """The name whose value an answer has at these keys. Raises KeyError if there is no value."""
        node: Node = self.root
        for key in keys:
            if not isinstance(node, ObjectNode):
                raise KeyError(key)
            node = node.parts[key]
        if not isinstance(node, ValueNode):
            raise KeyError(keys[-1])
        return node.name

    def name_in_rules(self, name: str, rule_set: RuleSet) -> str:
        """The name in the row of a pick: `quant.name` for `recommended_quant.name`, `score` for its `.score`."""
        space, _, rest = name.partition(".")
        if space not in self.picks or not rest:
            return name
        of_entry = f"{self.picks[space].axis}.{rest}"
        return of_entry if rule_set.describe(of_entry) else rest


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, except items of lists, which are evaluated in other rows."""
    yield node
    parts = node.parts.values() if isinstance(node, ObjectNode) else node.parts if isinstance(node, ListNode) else ()
    for part in parts:
        yield from walk(part)


def referenced_values(node: Node) -> Iterator[ValueNode]:
    """All values that `walk` meets, including conditions and bounds."""
    for part in walk(node):
        if isinstance(part, ValueNode):
            yield part
        elif isinstance(part, ObjectNode | EachNode) and part.when:
            yield part.when
        elif isinstance(part, AlongNode):
            yield part.up_to
        elif isinstance(part, MatchingNode):
            yield from (ValueNode(question_name(word), (*part.path, "same", at)) for at, word in enumerate(part.same))


class ShownNames(NamedTuple):
    """Names that are shown: those of rules and catalogs, and others, of picks or of the rulebook itself."""

    computed: frozenset[str]
    others: frozenset[str]


def referenced_names(node: Node, message_names: MessageNames) -> set[str]:
    """All names that a node reads, including those of its sentences."""
    in_messages = {name for part in walk(node) if isinstance(part, MessageNode) for name in message_names[part.key]}
    return {value.name for value in referenced_values(node)} | in_messages


def shown_names(names: Iterable[str], rule_set: RuleSet) -> ShownNames:
    """The names, separated by whether the rules compute them."""
    names = frozenset(names)
    computed = frozenset(name for name in names if rule_set.describe(name))
    return ShownNames(computed, names - computed)
