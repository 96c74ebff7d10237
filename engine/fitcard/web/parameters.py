"""The parameters of routes: types and descriptions, and how they are read.

Each path segment is an annotated string, and the query parameters of a route are a dataclass. Those that the rulebook
defines, such as the fields of a question, arrive together in a mapping that is marked with a `RulebookParameters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import Enum, auto
from typing import Annotated, Self

from werkzeug.datastructures import MultiDict

from fitcard.answer.problems import RepeatedParameter, UnknownParameter, question_problem
from fitcard.answer.question import LANGUAGE, read_query
from fitcard.problems import ProblemsError
from fitcard.suggest import closest

Arguments = MultiDict[str, str]

LANGUAGE_ABOUT = "Language of the response, such as de; takes precedence over Accept-Language"
PROFILE_ABOUT = "Profile that answers or is shown, instead of the default"
LIMIT_ABOUT = "Maximum number of rows"

Pair = Annotated[str, "Model and device, joined by -on-, each by id, name or alias"]
AxisName = Annotated[str, "Axis of a question, such as model or device"]
CatalogKind = Annotated[str, "Catalog, such as models or devices"]
EntryWord = Annotated[str, "Entry, by id, name or alias"]
ModelWord = Annotated[str, "Model, by id, name or alias"]
DeviceWord = Annotated[str, "Device, by id, name or alias"]
RuleName = Annotated[str, "Rule, such as decode_tok_s"]
RankingName = Annotated[str, "Ranking, such as models or devices"]
CodeOfProblem = Annotated[str, "Code of a problem, such as unknown-entry"]


class RulebookParameters(Enum):
    """Query parameters that the rulebook defines."""

    REQUIRED_AXES = auto()  # a model and a device
    QUESTION = auto()  # all other fields of a question, and those of custom entries
    RANKING = auto()  # all fields of a question, the filters of all rankings, and the number of rows


@dataclass(frozen=True)
class Query:
    """Query parameters of a route, which its fields declare."""

    @classmethod
    def read(cls, arguments: Arguments, *, strict: bool) -> Self:
        """The parameters of a request; one that is left out has its default.

        Raises ProblemsError like `reject_undeclared` where the route is strict; others use the first value.
        """
        declared = fields(cls)
        if strict:
            reject_undeclared(arguments, [field.name for field in declared])
        values = {
            field.name: tuple(filter(None, arguments.getlist(field.name)))
            if field.default == ()
            else arguments.get(field.name, field.default)
            for field in declared
        }
        return cls(**values)


@dataclass(frozen=True)
class SearchQuery(Query):
    """Parameters of a search."""

    q: Annotated[str, "Letters of an id, name or alias"] = ""


@dataclass(frozen=True)
class ProfileQuery(Query):
    """Parameters of rules."""

    profile: Annotated[str, PROFILE_ABOUT] = ""


@dataclass(frozen=True)
class ComparisonQuery(Query):
    """Parameters of a comparison."""

    pair: Annotated[tuple[str, ...], "Model and device, such as qwen 3 14b on rtx 4090; at most four"] = ()


@dataclass(frozen=True)
class RulebookQuery(Query):
    """Parameters whose names and values the rulebook checks, as texts by name."""

    values: Mapping[str, str]

    @classmethod
    def read(cls, arguments: Arguments, *, strict: bool) -> Self:
        """The parameters of a request. Raises ProblemsError where one is repeated."""
        return cls(read_query(arguments.lists())[0])


@dataclass(frozen=True)
class QuestionQuery(RulebookQuery):
    """Parameters of a question about a pair."""

    values: Annotated[Mapping[str, str], RulebookParameters.QUESTION]
    explain: Annotated[bool, "Whether the answer explains how each figure is computed"]

    @classmethod
    def read(cls, arguments: Arguments, *, strict: bool) -> Self:
        """The parameters of a request. Raises ProblemsError where one is repeated, or `explain` is no choice."""
        return cls(*read_query(arguments.lists()))


@dataclass(frozen=True)
class RankingQuery(RulebookQuery):
    """Parameters of a ranking."""

    values: Annotated[Mapping[str, str], RulebookParameters.RANKING]


@dataclass(frozen=True)
class NamesQuery(RulebookQuery):
    """Parameters that name a model and a device."""

    values: Annotated[Mapping[str, str], RulebookParameters.REQUIRED_AXES]


def reject_undeclared(arguments: Arguments, declared: Iterable[str]) -> None:
    """Raises ProblemsError with a problem for each parameter that is not declared, and for each that is repeated."""
    if not arguments:
        return
    allowed = (*declared, LANGUAGE)
    problems = [question_problem(RepeatedParameter, name) for name, all_ in arguments.lists() if len(all_) > 1]
    problems += [
        question_problem(UnknownParameter, name, name, closest(name, allowed) or allowed)
        for name in arguments
        if name not in allowed
    ]
    if problems:
        raise ProblemsError(problems)
