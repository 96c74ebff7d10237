"""The one type for anything that is wrong: in a file, in a question, or in a number that came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fitcard.codes import Code


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
    parameter of a question; `closest` lists what may have been meant, best first.
    """

    kind: type[Code]
    message: str
    position: Position | None = None
    severity: Severity = Severity.ERROR
    hint: str = ""
    closest: tuple[str, ...] = ()
    field: str = ""
    source_line: str = ""
    related: tuple[Related, ...] = ()

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


class ProblemsFound(Exception):
    """Raised where work cannot go on. `problems` holds all that were found, in file order, never only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(f"{p.position}: {p.message}" if p.position else p.message for p in self.problems))

    def __reduce__(self) -> tuple[type[ProblemsFound], tuple[tuple[Problem, ...]]]:
        """What another process needs to raise it again."""
        return ProblemsFound, (self.problems,)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Only those that stop the rules from running."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]
