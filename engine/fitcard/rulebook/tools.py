"""Tools: what a language model can call, what each takes, and what it gives of answers, rankings, catalogs and traces.

Names are checked by `fitcard/check/tools.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.language.question_fields import PROFILE, QuestionFields
from fitcard.problems import Problem, ProblemCode
from fitcard.rulebook.rankings import LIMIT, Filter, Ranking, read_filters
from fitcard.source.document import Document, Path
from fitcard.suggest import closest
from fitcard.values import Scalar


class ToolUnknown(ProblemCode):
    """A tool refers to an argument or a key that does not exist.

    Why: a language model would be offered what cannot be answered, or receive less than declared.
    Avoid: `takes: [model, devise]`
    Prefer: `takes: [model, device]`
    """


TEXT, FIGURE = "text", "figure"  # arguments that are no axis, input or filter


@dataclass(frozen=True)
class Kept:
    """The keys that are kept of some data, each with what is kept below it; all of it where there are none."""

    parts: Mapping[str, Kept]

    @staticmethod
    def of(paths: Iterable[str]) -> Kept:
        """What these paths of keys with dots between keep. One path that another goes on from keeps all below it."""
        heads: dict[str, list[str]] = {}
        for path in paths:
            head, _, rest = path.partition(".")
            heads.setdefault(head, []).append(rest)
        return Kept({head: Kept.of(()) if "" in rests else Kept.of(rests) for head, rests in heads.items()})


@dataclass(frozen=True)
class Asked:
    """How a part is asked: `fixed` parameters, those of a caller who does not say `otherwise`, and one of which each
    value is asked one after another (empty: each entry of the axis). It stands `under` a key, or among the other parts.
    """

    under: str
    if_given: str
    fixed: Mapping[str, Scalar]
    otherwise: Mapping[str, Scalar]
    each: str
    values: tuple[Scalar, ...]
    path: Path


@dataclass(frozen=True)
class AnswerPart:
    """What is kept of the answer to a question; of the lists `first` only so many items."""

    asked: Asked
    kept: Kept
    first: Mapping[str, int]


@dataclass(frozen=True)
class RankingPart:
    """What is kept of a ranking."""

    asked: Asked
    ranking: str
    kept: Kept


@dataclass(frozen=True)
class SearchPart:
    """Entries of an axis, `most` of them where the caller does not say, each with the fields `item` by key."""

    asked: Asked
    axis: str
    filters: Mapping[str, Filter]
    item: Mapping[str, str]
    most: int


@dataclass(frozen=True)
class ExplanationPart:
    """What is kept of each step behind a figure, how many `levels` from it a step may be, and how many at `most`."""

    asked: Asked
    kept: Kept
    levels: int
    most: int


Part = AnswerPart | RankingPart | SearchPart | ExplanationPart


@dataclass(frozen=True)
class Assumed:
    """The value of an argument that is not given, and what is said of that."""

    value: Scalar
    note: str


@dataclass(frozen=True)
class Tool:
    """What a language model is told of a tool (`about`), the arguments it takes, and the parts of what it gives."""

    name: str
    title: str
    about: str
    takes: tuple[str, ...]
    assumes: Mapping[str, Assumed]
    gives: tuple[Part, ...]
    path: Path


@dataclass(frozen=True)
class Tools:
    """All tools by name. `arguments` say more of an argument than the rulebook does; numbers have so many `digits`.

    `problems` are of what could not be read: filters that the file lacks.
    """

    instructions: str
    digits: int
    arguments: Mapping[str, str]
    tools: Mapping[str, Tool]
    document: Document
    problems: tuple[Problem, ...]


def read_tools(document: Document) -> Tools:
    """The tools of a file that has passed its schema."""
    data, problems = document.data, list[Problem]()
    filters = read_filters(document)
    tools = {}
    for name, declared in data["tools"].items():
        path: Path = ("tools", name)
        parts = []
        for at, part in enumerate(declared["gives"]):
            for nth, wanted in enumerate(part.get("filters", ())):
                if wanted not in filters:
                    place = (*path, "gives", at, "filters", nth)
                    problems.append(unknown(document, "filter", wanted, place, filters))
            parts.append(_part(part, filters, (*path, "gives", at)))
        assumes = {key: Assumed(one["value"], one["note"]) for key, one in declared.get("assumes", {}).items()}
        takes = tuple(declared["takes"])
        tools[name] = Tool(name, declared["title"], declared["about"], takes, assumes, tuple(parts), path)
    return Tools(data["instructions"], data["digits"], data.get("arguments", {}), tools, document, tuple(problems))


def parameters_of(part: Part, question_fields: QuestionFields, rankings: Mapping[str, Ranking]) -> tuple[str, ...]:
    """What a part can be asked with, in the order of the rulebook; figures of an axis go with it."""
    every = (*question_fields.axes, *question_fields.inputs, PROFILE)
    match part:
        case AnswerPart():
            return every
        case RankingPart():
            ranking = rankings[part.ranking]
            return (*(name for name in every if name != ranking.over), *ranking.filters, LIMIT)
        case SearchPart():
            return (TEXT, *part.filters, LIMIT)
        case ExplanationPart():
            return (FIGURE, *every)


def takes_part(name: str, known: Iterable[str]) -> bool:
    """Whether a parameter is one of those known; a figure of an axis is, where the axis is."""
    return name.partition(".")[0] in known


def unknown(
    document: Document, what: str, word: str, path: Path, known: Iterable[str], *, key: bool = False
) -> Problem:
    """That there is no `what` of that name."""
    near = closest(word, known)
    return document.problem(ToolUnknown, f"there is no {what} `{word}`", path, key=key, closest=near)


def _part(data: Mapping[str, Any], filters: Mapping[str, Filter], path: Path) -> Part:
    asked = _asked(data, path)
    if "answer" in data:
        return AnswerPart(asked, Kept.of(data["answer"]), data.get("first", {}))
    if "ranking" in data:
        return RankingPart(asked, data["ranking"], Kept.of(data["keep"]))
    if "search" in data:
        own = {name: filters[name] for name in data.get("filters", ()) if name in filters}
        return SearchPart(asked, data["search"], own, data["item"], data["most"])
    return ExplanationPart(asked, Kept.of(data["explanation"]), data["levels"], data["most"])


def _asked(data: Mapping[str, Any], path: Path) -> Asked:
    each = data.get("each", {})
    return Asked(
        under=data.get("under", ""),
        if_given=data.get("if_given", ""),
        fixed=data.get("with", {}),
        otherwise=data.get("otherwise", {}),
        each=each.get("parameter", ""),
        values=tuple(each.get("values", ())),
        path=path,
    )
