"""Definitions of rankings: the axis, the number that ranks its entries, filters, parts of the score, and layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode, errors
from fitcard.rulebook.layout import (
    EachNode,
    Layout,
    ListNode,
    MessageNames,
    MessageNode,
    Node,
    ObjectNode,
    ShownNames,
    ValueNode,
    referenced_names,
    shown_names,
    walk,
)
from fitcard.rulebook.layout_check import LayoutChecker, LayoutNested
from fitcard.rulebook.layout_reader import BLOCKS, BlockKind, LayoutReader, block_problems
from fitcard.rulebook.messages import Messages
from fitcard.source.document import Document, Path
from fitcard.values import Kind


class RankingUnknown(ProblemCode):
    """A ranking uses an undefined filter, or a filter has the name of an axis or input.

    Why: the parameter would be undefined or ambiguous.
    Avoid: `filters: [famly]`, where the file defines `family`
    Prefer: `filters: [family]`
    """


PART_KEYS = frozenset({"label", "points", "weight", "praise", "blame"})
COLUMN_KEYS = frozenset({"title", "cell"})
LIMIT = "limit"  # the parameter with the maximum number of rows
WORD, AT_LEAST, AT_MOST, HOLDS = "word", "at_least", "at_most", "holds"
VALUE_KINDS = {WORD: Kind.WORD, AT_LEAST: Kind.NUMBER, AT_MOST: Kind.NUMBER, HOLDS: Kind.CONDITION}


@dataclass(frozen=True)
class Filter:
    """A parameter that filters rows by a `value`, depending on its `operator`.

    `word`: the value is one of several words; `at_least`, `at_most`: it has a bound; `holds`: the condition is true,
    which is required by default if `default` is true.
    """

    name: str
    about: str
    operator: str
    value: ValueNode
    default: bool


@dataclass(frozen=True)
class ScorePart:
    """A component of the score, `points` times `weight`; sentences for rows in which it is far above average (`praise`)
    or far below (`blame`).
    """

    name: str
    label: MessageNode
    points: ValueNode
    weight: ValueNode
    praise: MessageNode
    blame: MessageNode


@dataclass(frozen=True)
class BestPick:
    """Another axis: each row is shown with its entry for which `by` is largest."""

    axis: str
    by: ValueNode
    path: Path


@dataclass(frozen=True)
class RankingDefinition:
    """All entries of the axis `over`, by descending `by`, then ascending `ties`.

    `default_limit` is the default number of rows. `head` is shown once, `item` for each row; `columns` are the titles
    and cells of a table.
    """

    name: str
    title: MessageNode
    about: str
    over: str
    by: ValueNode
    ties: ValueNode | None
    best: BestPick | None
    default_limit: int
    filters: Mapping[str, Filter]
    parts: tuple[ScorePart, ...]
    head: ObjectNode
    item: ObjectNode
    columns: tuple[tuple[Node, Node], ...]
    document: Document
    path: Path

    @cached_property
    def nodes(self) -> ListNode:
        """All of its nodes, as a list."""
        parts: list[Node] = [self.title, self.head, self.item, *self.numbers]
        parts += [node for column in self.columns for node in column]
        for part in self.parts:
            parts += [part.label, part.points, part.weight, part.praise, part.blame]
        return ListNode((*parts, *(condition.value for condition in self.filters.values())))

    @property
    def numbers(self) -> tuple[ValueNode, ...]:
        """The numbers that rows are ordered and chosen by."""
        numbers = (self.by, self.ties, self.best.by if self.best else None)
        return tuple(number for number in numbers if number)

    @property
    def message_keys(self) -> Iterator[str]:
        """The keys of its sentences."""
        return (node.key for node in walk(self.nodes) if isinstance(node, MessageNode))

    def names(self, message_names: MessageNames, rule_set: RuleSet) -> ShownNames:
        """All names that it reads."""
        return shown_names(referenced_names(self.nodes, message_names), rule_set)


def read_rankings(
    documents: list[Document], axes: frozenset[str]
) -> tuple[dict[str, RankingDefinition], list[Problem]]:
    """The rankings by name, from files that are valid against their schema, and problems of blocks and filters."""
    rankings: dict[str, RankingDefinition] = {}
    problems: list[Problem] = []
    for document in documents:
        blocks = list(block_problems(document))
        problems += blocks
        if errors(blocks):
            continue
        reader, filters = LayoutReader(document.data.get(BLOCKS, {}), axes), read_filters(document)
        for name, data in document.data["rankings"].items():
            names = data.get("filters", ())
            for at, unknown in enumerate(names):
                if unknown not in filters:
                    path = ("rankings", name, "filters", at)
                    message, hint = f"there is no filter `{unknown}`", f"there are: {', '.join(filters) or 'none'}"
                    problems.append(document.problem(RankingUnknown, message, path, hint=hint))
            shapes = list(_shape_problems(document, reader, data, ("rankings", name)))
            problems += shapes
            if shapes:
                continue
            of_ranking = {key: filters[key] for key in names if key in filters}
            rankings[name] = _ranking(name, data, of_ranking, reader, document)
    return rankings, problems


def read_filters(document: Document) -> dict[str, Filter]:
    """The filters of a file, by name."""
    return {name: _filter(name, data, ("filters", name)) for name, data in document.data.get("filters", {}).items()}


def check_ranking(ranking: RankingDefinition, messages: Messages, rule_set: RuleSet) -> Iterator[Problem]:
    """Names, axes and sentences that do not exist or are of another kind, and filters with the name of a parameter."""
    checker = LayoutChecker(Layout({}, ranking.head, ranking.document), messages, rule_set)
    question_fields = rule_set.question_fields
    axes: list[tuple[str, Path]] = [(ranking.over, (*ranking.path, "over"))]
    axes += [(ranking.best.axis, (*ranking.best.path, "axis"))] if ranking.best else []
    for axis, path in axes:
        if axis not in question_fields.axes:
            yield checker.unknown("axis", axis, path, list(question_fields.axes))
            return
    for condition in ranking.filters.values():
        if condition.name in (*question_fields.axes, *question_fields.inputs):
            message, path = f"`{condition.name}` is already an axis or input", ("filters", condition.name)
            yield ranking.document.problem(RankingUnknown, message, path, key=True, hint="rename the filter")
        yield from checker.value(condition.value, VALUE_KINDS[condition.operator])
    for value in (*ranking.numbers, *(value for part in ranking.parts for value in (part.points, part.weight))):
        yield from checker.value(value, Kind.NUMBER)
    for part in walk(ranking.nodes):
        if isinstance(part, EachNode):
            hint = "show single values"
            yield ranking.document.problem(LayoutNested, "a row cannot contain a list", part.path, hint=hint)
    yield from checker.node(ranking.nodes)


def _filter(name: str, data: Mapping[str, Any], path: Path) -> Filter:
    operator = next(key for key in VALUE_KINDS if key in data)
    value = ValueNode(data[operator], (*path, operator))
    return Filter(name, data["about"], operator, value, data.get("usual", False))


def _shape_problems(document: Document, reader: LayoutReader, data: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """Items of blocks that are used as parts of a score or as columns, but have other keys."""
    parts = [part for _, part in reader.parts(data.get("parts", {}), (*path, "parts"))]
    columns = reader.items(data.get("columns", []), (*path, "columns"))
    shapes = (("part of the score", PART_KEYS, PART_KEYS, parts), ("column", COLUMN_KEYS, {"title"}, columns))
    for what, keys, texts, items in shapes:
        for item, at in items:
            is_map = isinstance(item, dict) and item.keys() == keys
            if not is_map or not all(isinstance(item[key], str) for key in texts):
                hint = f"its keys are {', '.join(f'`{key}`' for key in sorted(keys))}"
                yield document.problem(BlockKind, f"this is not a {what} of a ranking", at, hint=hint)


def _ranking(
    name: str, data: Mapping[str, Any], filters: Mapping[str, Filter], reader: LayoutReader, document: Document
) -> RankingDefinition:
    path: Path = ("rankings", name)
    best = data.get("best")
    return RankingDefinition(
        name=name,
        title=MessageNode(data["title"], (*path, "title")),
        about=data["about"],
        over=data["over"],
        by=ValueNode(data["by"], (*path, "by")),
        ties=ValueNode(data["ties"], (*path, "ties")) if "ties" in data else None,
        best=BestPick(best["axis"], ValueNode(best["by"], (*path, "best", "by")), (*path, "best")) if best else None,
        default_limit=data["most"],
        filters=filters,
        parts=tuple(_part(key, *part) for key, part in reader.parts(data.get("parts", {}), (*path, "parts"))),
        head=reader.object(data.get("head", {}), (*path, "head")),
        item=reader.object(data["item"], (*path, "item")),
        columns=tuple(
            (MessageNode(column["title"], (*at, "title")), reader.node(column["cell"], (*at, "cell")))
            for column, at in reader.items(data.get("columns", []), (*path, "columns"))
        ),
        document=document,
        path=path,
    )


def _part(name: str, data: Mapping[str, str], path: Path) -> ScorePart:
    label, praise, blame = (MessageNode(data[key], (*path, key)) for key in ("label", "praise", "blame"))
    points, weight = (ValueNode(data[key], (*path, key)) for key in ("points", "weight"))
    return ScorePart(name, label, points, weight, praise, blame)
