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

from fitcard.problems import Problem, ProblemCode, Severity, errors
from fitcard.rulebook.layout import (
    NO_AXIS,
    AlongNode,
    Contradiction,
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
from fitcard.source.limits import TooMany
from fitcard.suggest import closest

MESSAGE, TEXT, EACH, ALONG, MATCHING, WHEN = "message", "text", "each", "along", "matching", "when"
WITH, CHANGED, USE, BLOCKS, ANSWER = "with", "changed", "use", "blocks", "answer"
CONTRADICTIONS, FIELD = "contradictions", "field"
NODE_KEYS = frozenset({MESSAGE, TEXT, EACH, CHANGED, ALONG, MATCHING})  # of maps that are no objects
RANKINGS, COLUMNS, COLUMN_DEPTH = "rankings", "columns", 4  # columns are at `rankings.<name>.columns.<number>`
RANKING_OBJECTS: tuple[Path, ...] = (("head",), ("item",), ("parts",))  # in each of the rankings


class BlockUnknown(ProblemCode):
    """A layout uses a block that is not defined in its file, or a block uses itself.

    Why: that part of every answer would be undefined.
    Avoid: `item: {use: wey}` where the file defines `way`
    Prefer: `item: {use: way}`
    """


class BlockKind(ProblemCode):
    """A block has another kind than its use: a list or sentence among the keys of an object, or an object as columns.

    Why: that part of every answer would be undefined.
    Avoid: `{use: effects, price: total_price}` where `effects` is a list
    Prefer: `{effects: {use: effects}, price: total_price}`
    """


class BlockKeyTwice(ProblemCode):
    """An object has a key twice: among its own keys and in a block that it uses, or in two of these blocks.

    Why: only one of the values would be shown.
    Avoid: `{use: way, grade: best_grade}` where `way` has `grade`
    Prefer: one of the two, or another key.
    """


class BlockUnused(ProblemCode):
    """No part of a layout uses a block.

    Why: changes to it would have no effect.
    Avoid: a block `way` whose last use was removed
    Prefer: using it, or removing it.
    """


MAX_NODES = 5_000  # of a layout or of a file of rankings; each is checked in every profile
MAX_LEVELS = 60  # of nodes in nodes, which are read and rendered by recursion
BLOCK_CODES = frozenset({BlockUnknown, BlockKind, BlockKeyTwice, TooMany})  # with which a file is not read


def read_layout(document: Document, axes: frozenset[str]) -> Layout:
    """The layout of a file that is valid against its schema and has no `block_problems`; names are not checked."""
    reader = LayoutReader(document.data.get(BLOCKS, {}), axes)
    picks = {}
    for name, data in document.data.get("picks", {}).items():
        path: Path = ("picks", name)
        picks[name] = Pick(name, data["axis"], ValueNode(data["by"], (*path, "by")), reader.override(data, path), path)
    contradictions = tuple(_contradictions(document))
    return Layout(picks, reader.object(document.data[ANSWER], (ANSWER,)), document, contradictions)


def _contradictions(document: Document) -> Iterator[Contradiction]:
    for condition, data in document.data.get(CONTRADICTIONS, {}).items():
        path: Path = (CONTRADICTIONS, condition)
        sentence = MessageNode(data[MESSAGE], (*path, MESSAGE))
        yield Contradiction(ValueNode(condition, path), data[FIELD], sentence, path)


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
        if _is_whole_use(data):
            return self.node(*self.block(data[USE]))
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
                for name in _used_names(data):
                    yield from self.parts(*self.block(name))
            else:
                yield key, (part, (*path, key))

    def items(self, data: list[Any], path: Path) -> Iterator[tuple[Any, Path]]:
        """Each item of a list with its path, including those of blocks that are lists."""
        for at, part in enumerate(data):
            if _is_whole_use(part) and isinstance(self.block(part[USE])[0], list):
                yield from self.items(*self.block(part[USE]))
            else:
                yield part, (*path, at)

    def override(self, data: Mapping[str, Any], path: Path, key: str = WITH) -> Override:
        """How a list or a pick changes the question."""
        changes = data.get(key, {})
        entries = {name: str(value) for name, value in changes.items() if name in self.axes}
        inputs = {name: str(value) for name, value in changes.items() if name not in self.axes}
        return Override(entries, {name: ValueNode(value, (*path, key, name)) for name, value in inputs.items()})

    def block(self, name: str) -> tuple[Any, Path]:
        """A block and its path; of a block that is a use of another one, those of the latter."""
        data = self.blocks[name]
        return self.block(data[USE]) if _is_whole_use(data) else (data, (BLOCKS, name))


def block_problems(document: Document) -> list[Problem]:
    """Blocks that are undefined, unused, or use themselves; else uses of the wrong kind, and duplicate keys."""
    reader = LayoutReader(document.data.get(BLOCKS, {}), frozenset())
    problems = list(_definition_problems(document))
    problems += () if errors(problems) else _size_problems(document)
    problems += () if errors(problems) else _kind_problems(document, reader)
    return problems if errors(problems) else [*problems, *_duplicate_problems(document, reader)]


def _definition_problems(document: Document) -> Iterator[Problem]:
    blocks: Mapping[str, Any] = document.data.get(BLOCKS, {})
    uses = dict(_uses(document.data, ()))
    used, within = set(uses.values()), _blocks_within(blocks)
    for path, name in uses.items():
        if name not in blocks:
            message, near = f"there is no block `{name}`", closest(name, blocks)
            yield document.problem(BlockUnknown, message, path, closest=near)
    for name in blocks:
        if name in within[name]:
            message, hint = f"the block `{name}` uses itself", "remove one of the uses"
            yield document.problem(BlockUnknown, message, (BLOCKS, name), key=True, hint=hint)
        elif name not in used:
            message, hint = f"the block `{name}` is never used", "use it, or remove it"
            yield document.problem(BlockUnused, message, (BLOCKS, name), key=True, severity=Severity.WARNING, hint=hint)


def _kind_problems(document: Document, reader: LayoutReader) -> Iterator[Problem]:
    """Blocks among the keys of an object that are no objects, and among columns that are no lists."""
    for path, data in _maps_with_use(document.data, ()):
        if _is_merged(path, data):
            for name in _used_names(data):
                block, _ = reader.block(name)
                if not isinstance(block, dict) or block.keys() & NODE_KEYS:
                    message, hint = f"the block `{name}` is not an object", "give it a key of its own"
                    yield document.problem(BlockKind, message, (*path, USE), hint=hint)
        elif _is_column(path) and not isinstance(reader.block(data[USE])[0], list):
            message, hint = f"the block `{data[USE]}` is not a list of columns", "use a block that is a list"
            yield document.problem(BlockKind, message, (*path, USE), hint=hint)


def _duplicate_problems(document: Document, reader: LayoutReader) -> Iterator[Problem]:
    """Keys of an object that a block has, too, and keys that several of its blocks have."""
    for path, data in _maps_with_use(document.data, ()):
        if not _is_merged(path, data):
            continue
        own = {key: (*path, key) for key in data if key != USE}
        of_blocks: dict[str, Path] = {}
        for name in _used_names(data):
            for key, (_, at) in dict(reader.parts(*reader.block(name))).items():
                if key in own or key in of_blocks:
                    message, hint = f"`{key}` is also a key of the block `{name}`", "keep one of the two"
                    first = document.position(of_blocks.get(key, at), key=True)
                    place = own.get(key, (*path, USE))
                    yield document.problem(BlockKeyTwice, message, place, key=key in own, hint=hint, first=first)
                of_blocks.setdefault(key, at)


def _is_merged(path: Path, data: Mapping[str, Any]) -> bool:
    """Whether the keys of the blocks that a map uses become keys of an object."""
    return not _is_whole_use(data) or path == (ANSWER,) or (path[:1] == (RANKINGS,) and path[2:] in RANKING_OBJECTS)


def _is_column(path: Path) -> bool:
    return path[:1] == (RANKINGS,) and path[2:3] == (COLUMNS,) and len(path) == COLUMN_DEPTH


def _used_names(data: Mapping[str, Any]) -> list[str]:
    return [data[USE]] if isinstance(data[USE], str) else data[USE]


def _is_whole_use(data: Any) -> bool:
    """Whether a part of a layout is a block as a whole."""
    return isinstance(data, dict) and data.keys() == {USE} and isinstance(data[USE], str)


def _maps_with_use(data: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(data, dict) and USE in data:
        yield path, data
    for key, part in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from _maps_with_use(part, (*path, key))


def _uses(data: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """The path of each use of a block, and the name of the block."""
    for at, found in _maps_with_use(data, path):
        if isinstance(found[USE], list):
            yield from (((*at, USE, number), name) for number, name in enumerate(found[USE]))
        else:
            yield (*at, USE), found[USE]


def _blocks_within(blocks: Mapping[str, Any]) -> dict[str, set[str]]:
    """All blocks that each block uses, directly or through others."""
    direct = {name: {used for _, used in _uses(data, ())} for name, data in blocks.items()}
    within: dict[str, set[str]] = {}
    for name in blocks:
        stack, within[name] = [*direct[name]], set[str]()
        while stack:
            used = stack.pop()
            if used not in within[name]:
                within[name].add(used)
                stack += direct.get(used, ())
    return within


def _size_problems(document: Document) -> Iterator[Problem]:
    """A problem at the first part with which there are too many nodes or levels after blocks are inserted.

    Blocks are defined and do not use themselves. Each is counted once, after those that it uses.
    """
    blocks: Mapping[str, Any] = document.data.get(BLOCKS, {})
    sizes: dict[str, tuple[int, int]] = {}  # nodes and levels of each block
    within = _blocks_within(blocks)

    def size(data: Any) -> tuple[int, int]:
        nodes, levels = 1, 0
        for key, part in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
            for of_nodes, of_levels in [sizes[name] for name in _used_names(data)] if key == USE else [size(part)]:
                nodes, levels = nodes + of_nodes, max(levels, of_levels)
        return nodes, levels + 1

    for name in sorted(blocks, key=lambda name: len(within[name])):
        sizes[name] = size(blocks[name])
    total = 0
    parts = {key: part for key, part in document.data.items() if key in (BLOCKS, ANSWER, RANKINGS)}
    for path, data in (((key, name), data) for key, part in parts.items() for name, data in part.items()):
        nodes, levels = sizes[path[1]] if path[0] == BLOCKS else size(data)
        total += nodes
        if total > MAX_NODES or levels > MAX_LEVELS:
            limit = f"{MAX_NODES:,} nodes" if total > MAX_NODES else f"{MAX_LEVELS} levels"
            message, hint = f"more than {limit} with the blocks in their places", "show less, or use fewer blocks"
            yield document.problem(TooMany, message, path, key=True, hint=hint)
            return


def _value(data: Mapping[str, Any], key: str, path: Path) -> ValueNode | None:
    return ValueNode(data[key], (*path, key)) if key in data else None
