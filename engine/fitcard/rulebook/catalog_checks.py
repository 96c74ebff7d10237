"""Checks of catalogs: what the figures of an entry must agree with, and by what two entries are one and the same.

Names in their expressions are figures of the entry itself, and, behind a field that names an entry of another catalog,
figures of that one. A day is counted in years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.problems import Problem
from fitcard.read.document import Document, Path
from fitcard.rulebook.expression import Expression, ExpressionFaults, parse

BOUNDS = ("at_least", "at_most", "equals")


@dataclass(frozen=True)
class CatalogCheck:
    """What every check has: the kind of catalog it is `of`, and entries that it leaves out, each with the reason."""

    name: str
    of: str
    about: str
    excused: Mapping[str, str]
    document: Document
    path: Path


@dataclass(frozen=True)
class FigureCheck(CatalogCheck):
    """`figure` lies within its `bounds` for every entry where the condition `when` holds.

    An entry of which one of the figures that are compared is absent is passed over.
    """

    when: Expression | None
    figure: Expression
    bounds: Mapping[str, Expression]

    @property
    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Each expression by its key."""
        yield from (("when", self.when),) if self.when else ()
        yield "figure", self.figure
        yield from self.bounds.items()


@dataclass(frozen=True)
class AlikeCheck(CatalogCheck):
    """No two entries say the same in all fields but these; fields that neither of them has are the same too."""

    but_for: tuple[str, ...]


def read_catalog_checks(document: Document) -> tuple[list[CatalogCheck], list[Problem]]:
    """The checks of a file that has passed its schema, and what is wrong with the expressions of the others."""
    checks: list[CatalogCheck] = []
    problems: list[Problem] = []
    for name, data in document.data.get("checks", {}).items():
        path = ("checks", name)
        read, wrong = _expressions(document, path, data)
        problems += wrong
        if not wrong:
            bounds = {key: read[key] for key in BOUNDS if key in read}
            shared = _shared(document, path, data)
            checks.append(FigureCheck(**shared, when=read.get("when"), figure=read["figure"], bounds=bounds))
    for name, data in document.data.get("alike", {}).items():
        shared = _shared(document, ("alike", name), data)
        checks.append(AlikeCheck(**shared, but_for=tuple(data["but_for"])))
    return checks, problems


def _shared(document: Document, path: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    """What every check has."""
    return {
        "name": str(path[-1]),
        "of": data["of"],
        "about": data["about"],
        "excused": data.get("except", {}),
        "document": document,
        "path": path,
    }


def _expressions(
    document: Document, path: Path, data: Mapping[str, Any]
) -> tuple[dict[str, Expression], list[Problem]]:
    read: dict[str, Expression] = {}
    problems: list[Problem] = []
    for key in ("when", "figure", *BOUNDS):
        if key not in data:
            continue
        try:
            read[key] = parse(str(data[key]))
        except ExpressionFaults as found:
            problems += [fault.problem(document, (*path, key)) for fault in found.faults]
    return read, problems
