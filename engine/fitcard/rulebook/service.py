"""The service as its file tells it: each address with what it is for, what it takes and gives, and examples.

Names are checked by `fitcard/check/service.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.problems import ProblemCode
from fitcard.source.document import Document, Path


class ServiceUnknown(ProblemCode):
    """A route refers to a parameter, schema or path segment that does not exist.

    Why: clients generated from the API description would not work.
    Avoid: `gives: responses/ruls`
    Prefer: `gives: responses/rules`
    """


QUESTION, RANKING, NAMES = GROUPS = ("question", "ranking", "names")  # words for many parameters
GET = "get"
OK = 200
PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Parameter:
    """A parameter that asks no question; `several` where it may be given more than once."""

    name: str
    about: str
    type: str
    several: bool


@dataclass(frozen=True)
class Example:
    """A request, and the status of its response."""

    parts: Mapping[str, str]
    query: Mapping[str, str | float]
    body: Mapping[str, Any] | None
    status: int


@dataclass(frozen=True)
class Route:
    """`at` is its path with `parts` in braces; `takes` are names of parameters, and words for many.

    `body` and `gives` are schemas, empty for none; what it gives is of the kind `media`.
    """

    at: str
    method: str
    title: str
    about: str
    parts: Mapping[str, str]
    takes: tuple[str, ...]
    body: str
    gives: str
    media: str
    examples: tuple[Example, ...]
    path: Path

    @property
    def names(self) -> list[str]:
        """The parts of its path."""
        return PART.findall(self.at)

    def address(self, example: Example) -> str:
        """The path with the parts of an example."""
        return PART.sub(lambda part: example.parts[part[1]], self.at)


@dataclass(frozen=True)
class Service:
    """All routes in the order of their file, and parameters by name."""

    title: str
    about: str
    parameters: Mapping[str, Parameter]
    routes: tuple[Route, ...]
    document: Document


def read_service(document: Document) -> Service:
    """The service of a file that has passed its schema."""
    data = document.data
    parameters = {
        name: Parameter(name, one["about"], one["type"], one.get("several", False))
        for name, one in data.get("parameters", {}).items()
    }
    routes = tuple(_route(one, ("routes", at)) for at, one in enumerate(data["routes"]))
    return Service(data["title"], data["about"], parameters, routes, document)


def _route(data: Mapping[str, Any], path: Path) -> Route:
    return Route(
        at=data["at"],
        method=data.get("method", GET),
        title=data["title"],
        about=data["about"],
        parts=data.get("parts", {}),
        takes=tuple(data.get("takes", ())),
        body=data.get("body", ""),
        gives=data.get("gives", ""),
        media=data.get("media", "application/json"),
        examples=tuple(
            Example(one.get("parts", {}), one.get("query", {}), one.get("body"), one.get("status", OK))
            for one in data["examples"]
        ),
        path=path,
    )
