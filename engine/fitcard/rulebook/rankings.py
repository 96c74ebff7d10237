"""Rankings: which axis is ranked by which number, what keeps an entry, and what each row shows and says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode, errors
from fitcard.rulebook.layout import (
    BLOCKS,
    EachNode,
    Layout,
    LayoutReader,
    ListNode,
    MessageNames,
    MessageNode,
    Node,
    ObjectNode,
    ShownNames,
    ValueNode,
    block_problems,
    referenced_names,
    shown_names,
    walk,
)
from fitcard.rulebook.layout_check import LayoutChecker, LayoutNested
from fitcard.rulebook.messages import Messages
from fitcard.source.document import Document, Path
from fitcard.values import Kind


class RankingUnknown(ProblemCode):
    """A ranking uses an undefined filter, or a filter has the name of an axis or input.

    Why: the parameter would be undefined or ambiguous.
    Avoid: `filters: [famly]`, where the file defines `family`
    Prefer: `filters: [family]`
    """


LIMIT = "limit"  # the parameter that says how many rows to show
WORD, AT_LEAST, AT_MOST, HOLDS = "word", "at_least", "at_most", "holds"
WANTED = {WORD: Kind.WORD, AT_LEAST: Kind.NUMBER, AT_MOST: Kind.NUMBER, HOLDS: Kind.CONDITION}


@dataclass(frozen=True)
class Filter:
    """What a caller can ask of the rows, under its `name`: that a word is one of some, that a number is `at_least` or
    `at_most` what is given, or that a condition holds, which it is asked to where it is `usual`.
    """

    name: str
    about: str
    how: str
    value: ValueNode
    usual: bool


@dataclass(frozen=True)
class ScorePart:
    """One part of what rows are ranked by: its points, how much they weigh, and what is said where it lifts a row above
    the others (`praise`), or keeps it below them (`blame`).
    """

    name: str
    label: MessageNode
    points: ValueNode
    weight: ValueNode
    praise: MessageNode
    blame: MessageNode


@dataclass(frozen=True)
class BestPick:
    """The entry of another axis that each row is shown with: the one for which `by` is greatest."""

    axis: str
    by: ValueNode
    path: Path


@dataclass(frozen=True)
class Ranking:
    """Every entry of the axis `over` by falling `by`, among equals by rising `ties`; `default_limit` rows where the
    caller does not say how many.

    `head` is filled once, `item` for each row; a table has `columns`, each with what stands above and in its cells.
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
        """All that it shows and says, as one part of a layout."""
        parts: list[Node] = [self.title, self.head, self.item, *self.numbers]
        parts += [node for column in self.columns for node in column]
        for part in self.parts:
            parts += [part.label, part.points, part.weight, part.praise, part.blame]
        return ListNode((*parts, *(asked.value for asked in self.filters.values())))

    @property
    def numbers(self) -> tuple[ValueNode, ...]:
        """The numbers that it goes by."""
        found = (self.by, self.ties, self.best.by if self.best else None)
        return tuple(value for value in found if value)

    @property
    def message_keys(self) -> Iterator[str]:
        """The keys of all of its sentences."""
        return (node.key for node in walk(self.nodes) if isinstance(node, MessageNode))

    def names(self, said: MessageNames, rule_set: RuleSet) -> ShownNames:
        """What it shows and goes by."""
        return shown_names(referenced_names(self.nodes, said), rule_set)


def read_rankings(documents: list[Document], axes: frozenset[str]) -> tuple[dict[str, Ranking], list[Problem]]:
    """The rankings by name, of files that have passed their schema, and filters that they lack."""
    rankings: dict[str, Ranking] = {}
    problems: list[Problem] = []
    for document in documents:
        blocks = list(block_problems(document))
        problems += blocks
        if errors(blocks):
            continue
        reader, filters = LayoutReader(document.data.get(BLOCKS, {}), axes), read_filters(document)
        for name, data in document.data["rankings"].items():
            for at, wanted in enumerate(data.get("filters", ())):
                if wanted not in filters:
                    path = ("rankings", name, "filters", at)
                    message, hint = f"there is no filter `{wanted}`", f"there are: {', '.join(filters) or 'none'}"
                    problems.append(document.problem(RankingUnknown, message, path, hint=hint))
            own = {wanted: filters[wanted] for wanted in data.get("filters", ()) if wanted in filters}
            rankings[name] = _ranking(name, data, own, reader, document)
    return rankings, problems


def read_filters(document: Document) -> dict[str, Filter]:
    """The filters of a file by name."""
    return {name: _filter(name, data, ("filters", name)) for name, data in document.data.get("filters", {}).items()}


def check_ranking(ranking: Ranking, messages: Messages, rule_set: RuleSet) -> Iterator[Problem]:
    """Names, axes and sentences that are not there, or of another kind, and filters named as what can be asked."""
    checker = LayoutChecker(Layout({}, ranking.head, ranking.document), messages, rule_set)
    question_fields = rule_set.question_fields
    for axis, path in ((ranking.over, (*ranking.path, "over")), *_axis_of(ranking.best)):
        if axis not in question_fields.axes:
            yield checker.unknown("axis", axis, ValueNode(axis, path), list(question_fields.axes))
            return
    for asked in ranking.filters.values():
        if asked.name in (*question_fields.axes, *question_fields.inputs):
            message, path = f"`{asked.name}` is already an axis or input", ("filters", asked.name)
            yield ranking.document.problem(RankingUnknown, message, path, key=True, hint="rename the filter")
        yield from checker.value(asked.value, WANTED[asked.how])
    for value in (*ranking.numbers, *(value for part in ranking.parts for value in (part.points, part.weight))):
        yield from checker.value(value, Kind.NUMBER)
    for part in walk(ranking.nodes):
        if isinstance(part, EachNode):
            hint = "show single values"
            yield ranking.document.problem(LayoutNested, "a row cannot contain a list", part.path, hint=hint)
    yield from checker.node(ranking.nodes)


def _axis_of(best: BestPick | None) -> Iterator[tuple[str, Path]]:
    if best:
        yield best.axis, (*best.path, "axis")


def _filter(name: str, data: Mapping[str, Any], path: Path) -> Filter:
    how = next(key for key in WANTED if key in data)
    return Filter(name, data["about"], how, ValueNode(data[how], (*path, how)), data.get("usual", False))


def _ranking(
    name: str, data: Mapping[str, Any], filters: Mapping[str, Filter], reader: LayoutReader, document: Document
) -> Ranking:
    path: Path = ("rankings", name)
    best = data.get("best")
    return Ranking(
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
    said = {key: MessageNode(data[key], (*path, key)) for key in ("label", "praise", "blame")}
    values = {key: ValueNode(data[key], (*path, key)) for key in ("points", "weight")}
    return ScorePart(name, said["label"], values["points"], values["weight"], said["praise"], said["blame"])
