"""Problems of files and questions, and their codes, each with a page that explains it."""

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

CODES: dict[str, type[ProblemCode]] = {}  # of all modules imported so far, by id


class ProblemCode:
    """A kind of problem. Its docstring is its page: what is wrong, why it matters, what to avoid and what to prefer.

    Its `id` is the name of the class in kebab case: that of `NameUnknown` is `name-unknown`.
    """

    id: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.id = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
        CODES[cls.id] = cls

    @classmethod
    def link(cls) -> str:
        """Path of the page in the service."""
        return f"/problems/{cls.id}"

    @classmethod
    def page(cls) -> str:
        """The page as text."""
        return f"{cls.id}\n\n{inspect.getdoc(cls)}\n"


@cache
def all_codes() -> dict[str, type[ProblemCode]]:
    """All problem codes by id, in alphabetical order. Imports every module of the package."""
    for module in pkgutil.walk_packages(fitcard.__path__, f"{fitcard.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return dict(sorted(CODES.items()))


class Severity(StrEnum):
    """ERROR: the rules cannot be used. WARNING: they can, but should be reviewed. NOTE: nothing is wrong."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, order=True)
class Position:
    """A position in a file; lines and columns start at 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Related:
    """Another position that belongs to a problem, such as that of the first of two duplicate keys."""

    position: Position
    message: str


@dataclass(frozen=True)
class Problem:
    """What is wrong, where, and what to do about it.

    `position` and `source_line` are set for files, `field` for parameters of questions. `closest` are the nearest known
    words, best first. Problems of questions have no `message` until they are shown: `parameters` fill the text of their
    kind in the language of the reader.
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
        parameters = ", ".join(f"{name} {value!r}" for name, value in self.parameters.items() if value)
        text = self.message or f"{self.code}: {parameters}"
        return f"{self.position}: {text}" if self.position else text

    @property
    def code(self) -> str:
        """The id of its kind; stable across versions."""
        return self.kind.id

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """By file, line and column."""
        position = self.position or Position("", 0, 0)
        return (position.file, position.line, position.column, self.message)

    def as_dict(self) -> dict[str, object]:
        """The problem as plain data for JSON, without empty fields."""
        data: dict[str, object] = {"code": self.code, "severity": str(self.severity), "message": self.message}
        if self.position:
            data |= {"file": self.position.file, "line": self.position.line, "column": self.position.column}
        if self.field:
            data["field"] = self.field
        if self.hint:
            data["hint"] = self.hint
        if self.closest:
            data["closest"] = list(self.closest)
        if self.related:
            data["related"] = [{"at": str(r.position), "message": r.message} for r in self.related]
        data["link"] = self.kind.link()
        return data


class ProblemsError(Exception):
    """Raised when problems prevent a result. `problems` has all of them, in order of file and position."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ProblemsError], tuple[tuple[Problem, ...]]]:
        """Pickles the problems, so that other processes can raise it again."""
        return ProblemsError, (self.problems,)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """The problems of severity ERROR."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
