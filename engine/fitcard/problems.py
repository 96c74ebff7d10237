"""The one type for anything that is wrong, and the kinds of problems, each with a page that explains it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import ClassVar

import fitcard

CODES: dict[str, type[ProblemCode]] = {}  # all whose modules are loaded, by their id


class ProblemCode:
    """One kind of problem. The docstring of each is its page: what is wrong, why that matters, what to avoid, and what
    to write instead. Its `id` is the name of the class, as it stands in messages: `NameUnknown` is `name-unknown`.
    """

    id: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.id = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
        CODES[cls.id] = cls

    @classmethod
    def link(cls) -> str:
        """Where the service shows the page."""
        return f"/problems/{cls.id}"

    @classmethod
    def page(cls) -> str:
        """The page as text."""
        return f"{cls.id}\n\n{inspect.getdoc(cls)}\n"


@cache
def all_codes() -> dict[str, type[ProblemCode]]:
    """Every kind of problem of the engine by its id, in the order of the alphabet."""
    for module in pkgutil.walk_packages(fitcard.__path__, f"{fitcard.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return dict(sorted(CODES.items()))


class Severity(StrEnum):
    """ERROR: no number may be produced. WARNING: the rules run, but a reader should look. NOTE: nothing is wrong."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file as people count: the first line is 1, the first column is 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Related:
    """A second place that belongs to a problem, such as the first of two equal keys."""

    position: Position
    message: str


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and what to do about it.

    `kind` leads to the page that explains it; `position` and `source_line` are set for files, `field` for a
    parameter of a question; `closest` lists what may have been meant, best first. A problem of a question has no
    `message` until it is shown: its `parameters` fill the text that the messages of a language have for its kind.
    """

    kind: type[ProblemCode]
    message: str = ""
    position: Position | None = None
    severity: Severity = Severity.ERROR
    hint: str = ""
    closest: tuple[str, ...] = ()
    field: str = ""
    source_line: str = ""
    related: tuple[Related, ...] = ()
    parameters: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value!r}" for name, value in self.parameters.items() if value)
        text = self.message or f"{self.code}: {said}"
        return f"{self.position}: {text}" if self.position else text

    @property
    def code(self) -> str:
        """The name of the kind of problem; it never changes."""
        return self.kind.id

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """By file, line and column."""
        place = self.position or Position("", 0, 0)
        return (place.file, place.line, place.column, self.message)

    def as_dict(self) -> dict[str, object]:
        """The problem as plain data for JSON; what is empty is left out."""
        out: dict[str, object] = {"code": self.code, "severity": str(self.severity), "message": self.message}
        if self.position:
            out |= {"file": self.position.file, "line": self.position.line, "column": self.position.column}
        if self.field:
            out["field"] = self.field
        if self.hint:
            out["hint"] = self.hint
        if self.closest:
            out["closest"] = list(self.closest)
        if self.related:
            out["related"] = [{"at": str(r.position), "message": r.message} for r in self.related]
        out["link"] = self.kind.link()
        return out


class ProblemsError(Exception):
    """Raised where work cannot go on. `problems` holds all that were found, in file order, never only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ProblemsError], tuple[tuple[Problem, ...]]]:
        """What another process needs to raise it again."""
        return ProblemsError, (self.problems,)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Only those that stop the rules from running."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
