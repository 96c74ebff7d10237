"""Checks of tools: every parameter, entry, ranking, figure and key that they name is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from fitcard.language.question_fields import PROFILE
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.layout import AlongNode, EachNode, ListNode, MatchingNode, Node, ObjectNode
from fitcard.rulebook.rankings import WANTED, Ranking
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.tools import (
    FIGURE,
    AnswerPart,
    ExplanationPart,
    Kept,
    Part,
    RankingPart,
    SearchPart,
    Tool,
    Tools,
    ToolUnknown,
    parameters_of,
    unknown,
)
from fitcard.source.document import Path
from fitcard.values import Scalar


class ToolIncomplete(ProblemCode):
    """A tool does not take an argument that the question requires.

    Why: no call of the tool could be answered.
    Avoid: `takes: [device, quant]`, where a question must name a `model`
    Prefer: `takes: [model, device, quant]`, or `model` under `assumes` or `with`.
    """


SET = "set"  # what an answer and a ranking say beside their layout
OF_RANKING = ("ranking", "title", "filters", "entries", "ranked", "columns", SET)
OF_ROW = {"rank": (), "parts": ("part", "label", "points", "weight", "gained", "ahead"), "cells": ()}
OF_REMARK = ("part", "sentence")
OF_STEP = (
    "name", "kind", "value", "unit", "about", "expr", "by", "of", "inputs", "entry", "source", "checked_on",
    "reference", "file", "line",
)  # fmt: skip


def tool_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """What tools take, ask for and keep that is not there; nothing where there are no tools."""
    if rulebook.tools is not None:
        yield from rulebook.tools.problems
        yield from _ToolChecker(rulebook, rulebook.tools).problems()


class _ToolChecker:
    def __init__(self, rulebook: Rulebook, tools: Tools) -> None:
        self.tools, self.question_fields, self.catalogs = tools, rulebook.question_fields, rulebook.catalogs
        self.rankings, self.layout = rulebook.rankings, rulebook.layout

    def problems(self) -> Iterator[Problem]:
        """All that is wrong with the tools, in the order of their file."""
        taken = [name for tool in self.tools.tools.values() for name in tool.takes]
        for name in self.tools.arguments:
            if name not in taken:
                yield self._unknown("tool that takes", name, ("arguments", name), taken, key=True)
        for tool in self.tools.tools.values():
            yield from self._tool(tool)

    def _tool(self, tool: Tool) -> Iterator[Problem]:
        readable, known = [], list[str]()
        for part in tool.gives:
            wrong = list(self._sources(part))
            yield from wrong
            if not wrong:
                readable.append(part)
                known += parameters_of(part, self.question_fields, self.rankings)
        if len(readable) < len(tool.gives):
            return
        for at, name in enumerate(tool.takes):
            yield from self._parameter(name, known, (*tool.path, "takes", at), key=False)
        for name, assumed in tool.assumes.items():
            yield from self._given(name, assumed.value, known, (*tool.path, "assumes", name), ("value",))
        for part in tool.gives:
            yield from self._asked(tool, part)
            yield from self._kept(part)

    def _sources(self, part: Part) -> Iterator[Problem]:
        """A ranking or an axis that is not there, and figures that filters and items lack."""
        path = part.asked.path
        if isinstance(part, RankingPart) and part.ranking not in self.rankings:
            yield self._unknown("ranking", part.ranking, (*path, "ranking"), self.rankings)
        if not isinstance(part, SearchPart):
            return
        if part.axis not in self.question_fields.axes:
            yield self._unknown("axis", part.axis, (*path, "search"), self.question_fields.axes)
            return
        fields = self.catalogs[self.question_fields.axes[part.axis].catalog].fields
        for key, name in part.item.items():
            if name not in fields:
                yield self._unknown("field", name, (*path, "item", key), fields)
        for asked in part.filters.values():
            space, _, name = asked.value.name.partition(".")
            if space != part.axis or name not in fields:
                near = [f"{part.axis}.{field}" for field in fields]
                yield self._unknown("figure", asked.value.name, asked.value.path, near)
            elif fields[name].kind is not WANTED[asked.how]:
                message = (
                    f"`{asked.value.name}` is a {fields[name].kind}, and `{asked.how}` needs a {WANTED[asked.how]}"
                )
                yield self.tools.document.problem(ToolUnknown, message, asked.value.path)

    def _asked(self, tool: Tool, part: Part) -> Iterator[Problem]:
        """Parameters that a part cannot be asked with, and what must be named and is not."""
        asked, known = part.asked, parameters_of(part, self.question_fields, self.rankings)
        for key, given in (("with", asked.fixed), ("otherwise", asked.otherwise)):
            for name, value in given.items():
                yield from self._given(name, value, known, (*asked.path, key, name))
        if asked.if_given and asked.if_given not in tool.takes:
            yield self._unknown("argument", asked.if_given, (*asked.path, "if_given"), tool.takes)
        if asked.each:
            yield from self._parameter(asked.each, known, (*asked.path, "each", "parameter"), key=False)
            if asked.each in self.question_fields.axes:
                for at, value in enumerate(asked.values):
                    yield from self._entry(asked.each, value, (*asked.path, "each", "values", at))
        named = {*tool.takes, *tool.assumes, *asked.fixed, *asked.otherwise, asked.each}
        must = [
            name for name in known if name in self.question_fields.axes and self.question_fields.axes[name].required
        ]
        for name in [*must, *([FIGURE] if isinstance(part, ExplanationPart) else [])]:
            if name not in named:
                message, hint = (
                    f"`{tool.name}` does not take the required argument `{name}`",
                    f"add `{name}` to `takes`",
                )
                yield self.tools.document.problem(ToolIncomplete, message, asked.path, hint=hint)

    def _given(
        self, name: str, value: Scalar, known: Iterable[str], path: Path, inside: Path = ()
    ) -> Iterator[Problem]:
        wrong = list(self._parameter(name, known, path, key=True))
        yield from wrong
        if not wrong and name in self.question_fields.axes:
            yield from self._entry(name, value, (*path, *inside))

    def _parameter(self, name: str, known: Iterable[str], path: Path, *, key: bool) -> Iterator[Problem]:
        head, _, field = name.partition(".")
        if head not in known:
            yield self._unknown("parameter", name, path, dict.fromkeys(known), key=key)
        elif field:
            fields = (
                self.catalogs[self.question_fields.axes[head].catalog].fields
                if head in self.question_fields.axes
                else {}
            )
            if field not in fields or not self.question_fields.axes[head].custom_fields:
                near = [f"{head}.{other}" for other in fields if self.question_fields.axes[head].custom_fields]
                yield self._unknown("parameter", name, path, near, key=key)

    def _entry(self, axis: str, value: Scalar, path: Path) -> Iterator[Problem]:
        catalog = self.catalogs[self.question_fields.axes[axis].catalog]
        if str(value) not in catalog.entries:
            yield self._unknown("entry", str(value), path, catalog.ids)

    def _kept(self, part: Part) -> Iterator[Problem]:
        """Keys that what is kept from does not have."""
        known: Shape
        match part:
            case AnswerPart():
                known = {**_keys(self.layout.root), SET: None}
                yield from self._keys_known(part.kept, known, (*part.asked.path, "answer"))
                for path in part.first:
                    yield from self._path_known(path, known, (*part.asked.path, "first", path), key=True)
            case RankingPart():
                known = _ranking_keys(self.rankings[part.ranking])
                yield from self._keys_known(part.kept, known, (*part.asked.path, "keep"))
            case ExplanationPart():
                yield from self._keys_known(part.kept, dict.fromkeys(OF_STEP), (*part.asked.path, "explanation"))

    def _keys_known(self, kept: Kept, known: Shape, path: Path) -> Iterator[Problem]:
        for at, word in enumerate(self.tools.document.at(path)):
            yield from self._path_known(word, known, (*path, at), key=False)

    def _path_known(self, word: str, known: Shape, path: Path, *, key: bool) -> Iterator[Problem]:
        inside: Shape | None = known
        for step in word.split("."):
            if inside is None or step not in inside:
                yield self._unknown("key", word, path, list(_paths(known)), key=key)
                return
            inside = inside[step]

    def _unknown(self, what: str, word: str, path: Path, known: Iterable[str], *, key: bool = False) -> Problem:
        return unknown(self.tools.document, what, word, path, known, key=key)


Shape = Mapping[str, "Shape | None"]  # keys of data, each with those inside of it; None where there are none


def _keys(node: Node) -> Shape:
    """The keys that stand in a part of a layout, also in the items of its lists."""
    match node:
        case ObjectNode():
            return {key: _keys(part) or None for key, part in node.parts.items()}
        case ListNode():
            return {key: inside for part in node.parts for key, inside in _keys(part).items()}
        case EachNode() | AlongNode():
            return _keys(node.item)
        case MatchingNode():
            return dict.fromkeys(node.item)
    return {}


def _ranking_keys(ranking: Ranking) -> Shape:
    remark = dict.fromkeys(OF_REMARK)
    rows = {key: dict.fromkeys(inside) or None for key, inside in OF_ROW.items()}
    return {
        **dict.fromkeys(OF_RANKING),
        **_keys(ranking.head),
        "rows": {**_keys(ranking.item), **rows, "praise": remark, "blame": remark},
        "rules": dict.fromkeys(("version", "sha256", PROFILE)),
    }


def _paths(shape: Shape, before: str = "") -> Iterator[str]:
    for key, inside in shape.items():
        yield before + key
        yield from _paths(inside or {}, f"{before}{key}.")
