"""Reading of layouts from YAML.

A leaf is a name (`score`, `model.name`). A map is an object, unless it has one of these keys:

- `message`: a sentence
- `text`: a constant word
- `each`: a list with one item for each entry of an axis
- `changed`: a list of one item, the question with a change, or of none
- `along`: a list with one item for each of several values of a numeric input
- `matching`: a list of entries of another catalog that concern the same question

`use` inserts a named block of the file: whole, or several among the keys of an object. `when` shows an object only if a
condition holds. A list in a list is merged into it. Picks are single entries chosen by the rules, such as the
recommended quant; their names start with the name of the pick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.rulebook.layout import (
    NO_AXIS,
    AlongNode,
    EachNode,
    Layout,
    ListNode,
    MatchingNode,
    MessageNode,
    Node,
    ObjectNode,
    Override,
    Pick,
    TextNode,
    ValueNode,
)
from fitcard.source.document import Document, Path
from fitcard.suggest import closest

MESSAGE, TEXT, EACH, ALONG, MATCHING, WHEN = "message", "text", "each", "along", "matching", "when"
WITH, CHANGED, USE, BLOCKS = "with", "changed", "use", "blocks"


class BlockUnknown(ProblemCode):
    """A layout uses a block that is not defined in its file, or a block uses itself.

    Why: that part of every answer would be undefined.
    Avoid: `item: {use: wey}` where the file defines `way`
    Prefer: `item: {use: way}`
    """


class BlockUnused(ProblemCode):
    """No part of a layout uses a block.

    Why: changes to it would have no effect.
    Avoid: a block `way` whose last use was removed
    Prefer: using it, or removing it.
    """


def read_layout(document: Document, axes: frozenset[str]) -> Layout:
    """The layout of a file that is valid against its schema and has no `block_problems`; names are not checked."""
    reader = LayoutReader(document.data.get(BLOCKS, {}), axes)
    picks = {}
    for name, data in document.data.get("picks", {}).items():
        path: Path = ("picks", name)
        picks[name] = Pick(name, data["axis"], ValueNode(data["by"], (*path, "by")), reader.override(data, path), path)
    return Layout(picks, reader.object(document.data["answer"], ("answer",)), document)


@dataclass(frozen=True)
class LayoutReader:
    """Reads nodes of a layout. `blocks` are the named blocks of the file; nodes of a block have their paths in it."""

    blocks: Mapping[str, Any]
    axes: frozenset[str]

    def node(self, data: Any, path: Path) -> Node:
        """The node at `path`."""
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
        if EACH in data or CHANGED in data:
            return self._each(data, path)
        if ALONG in data:
            up_to, item = ValueNode(data["up_to"], (*path, "up_to")), self.node(data["item"], (*path, "item"))
            return AlongNode(data[ALONG], tuple(map(float, data["values"])), up_to, item, path)
        if MATCHING in data:
            same, having, limit = tuple(data["same"]), data.get("having"), data.get("most")
            return MatchingNode(data[MATCHING], same, having, limit, data["item"], path)
        return self.object(data, path)

    def _each(self, data: Mapping[str, Any], path: Path) -> EachNode:
        return EachNode(
            axis=data.get(EACH, NO_AXIS),
            item=self.node(data["item"], (*path, "item")),
            where=_value(data, "where", path),
            order=_value(data, "order", path),
            limit=data.get("most"),
            override=self.override(data, path, WITH if EACH in data else CHANGED),
            path=path,
            when=_value(data, WHEN, path),
        )

    def object(self, data: Mapping[str, Any], path: Path) -> ObjectNode:
        """The object of a map."""
        parts = dict(self.parts(data, path))
        when = parts.pop(WHEN, None)
        nodes = {key: self.node(*part) for key, part in parts.items()}
        return ObjectNode(nodes, ValueNode(*when) if when else None)

    def parts(self, data: Mapping[str, Any], path: Path) -> Iterator[tuple[str, tuple[Any, Path]]]:
        """Each key of a map with its value and path, including those of the blocks that the map uses."""
        for key, part in data.items():
            if key == USE:
                for name in [part] if isinstance(part, str) else part:
                    yield from self.parts(*self._block(name))
            else:
                yield key, (part, (*path, key))

    def items(self, data: list[Any], path: Path) -> Iterator[tuple[Any, Path]]:
        """Each item of a list with its path, including those of blocks that are lists."""
        for at, part in enumerate(data):
            name = part.get(USE) if isinstance(part, dict) and len(part) == 1 else None
            if isinstance(name, str) and isinstance(self.blocks[name], list):
                yield from self.items(*self._block(name))
            else:
                yield part, (*path, at)

    def override(self, data: Mapping[str, Any], path: Path, key: str = WITH) -> Override:
        """How a list or a pick changes the question."""
        changes = data.get(key, {})
        entries = {name: str(value) for name, value in changes.items() if name in self.axes}
        inputs = {name: str(value) for name, value in changes.items() if name not in self.axes}
        return Override(entries, {name: ValueNode(value, (*path, key, name)) for name, value in inputs.items()})

    def _block(self, name: str) -> tuple[Any, Path]:
        return self.blocks[name], (BLOCKS, name)


def block_problems(document: Document) -> Iterator[Problem]:
    """Blocks that are undefined, unused, or use themselves."""
    blocks: Mapping[str, Any] = document.data.get(BLOCKS, {})
    uses = dict(_uses(document.data, ()))
    for path, name in uses.items():
        if name not in blocks:
            message, near = f"there is no block `{name}`", closest(name, blocks)
            yield document.problem(BlockUnknown, message, path, closest=near)
    for name in blocks:
        if name in _blocks_within(blocks, name, frozenset()):
            message, hint = f"the block `{name}` uses itself", "remove one of the uses"
            yield document.problem(BlockUnknown, message, (BLOCKS, name), key=True, hint=hint)
        elif name not in uses.values():
            message, hint = f"the block `{name}` is never used", "use it, or remove it"
            yield document.problem(BlockUnused, message, (BLOCKS, name), key=True, severity=Severity.WARNING, hint=hint)


def _uses(data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The path of each use of a block, and the name of the block."""
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
