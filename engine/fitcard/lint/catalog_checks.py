"""The checks of catalogs over all entries: figures that disagree with one another, and entries that stand twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.catalog.catalog import IN_YEARS, Catalog, Entry, Field
from fitcard.compiler.catalog_columns import column_from_entries
from fitcard.compiler.finite import format_value
from fitcard.compiler.program import evaluate_expression
from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.kinds import ExpressionKind, infer_kind
from fitcard.language.resolution import NameUnknown
from fitcard.problems import Position, Problem, ProblemCode, Severity
from fitcard.rulebook.loader import AxisUnknownCatalog
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Path
from fitcard.suggest import closest
from fitcard.values import ABSENT, Column, Kind, cell

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
        except ExpressionError as found:
            problems += [fault.problem(document, (*path, key)) for fault in found.faults]
    return read, problems


@dataclass(frozen=True)
class EntryFigures:
    """What names mean for the entries of one catalog, with a row for each of them."""

    rulebook: Rulebook
    catalog: Catalog

    def field(self, name: str) -> Field | None:
        """The field that a name stands for: of the entry itself, or of the one that it names."""
        if name in self.catalog.fields:
            return self.catalog.fields[name]
        reference, _, rest = name.partition(".")
        field = self.catalog.fields.get(reference)
        return self.rulebook.catalogs[field.entry_of].fields.get(rest) if field and field.entry_of else None

    def kind(self, name: str) -> Kind | None:
        """Days are numbers here; None for a name that is unknown."""
        field = self.field(name)
        if field is None:
            return None
        return Kind.NUMBER if field.day else field.kind

    def column(self, name: str) -> Any:
        """One value for each entry; NaN where it is absent."""
        if name in self.catalog.fields:
            return _column(self.catalog, name)
        reference, _, rest = name.partition(".")
        there = self.rulebook.catalogs[self.catalog.fields[reference].entry_of]
        words = [entry.value(reference) for entry in self.catalog.entries.values()]
        rows = np.array([ABSENT if word is None else there.index[word] for word in words], dtype=np.int64)
        column = np.asarray(_column(there, rest))
        return np.where(rows == ABSENT, column.dtype.type(False) if column.dtype == bool else np.nan, column[rows])

    def values(self, expression: Expression) -> Any:
        """What an expression gives for each entry; NaN where a figure that it reads is absent, or nothing comes out."""
        columns = {name: self.column(name) for name in expression.names}
        shape = (len(self.catalog.ids),)
        return np.broadcast_to(np.asarray(evaluate_expression(expression, columns)), shape)


def _column(catalog: Catalog, name: str) -> Column:
    field = catalog.fields[f"{name}.{IN_YEARS}" if catalog.fields[name].day else name]
    return column_from_entries(field, catalog.entries.values())


class CatalogDisagrees(ProblemCode):
    """Figures of an entry contradict each other, or are impossible.

    Why: one wrong figure in a catalog makes every answer about that entry wrong.
    Avoid: a model with 14 billion parameters whose layers and hidden dimension give 1.4 billion
    Prefer: the correct figure with its source; if all figures are correct, the entry under `except` with the reason.
    """


class CatalogAlike(ProblemCode):
    """Two entries have the same figures in all fields that matter. The problem points at both.

    Why: updates would reach only one of the two.
    Avoid: `rtx-4090-24gb` and `geforce-4090` with identical figures
    Prefer: one entry with the other name as an alias; if they are distinct, the second under `except` with the reason.
    """


class CatalogExcused(ProblemCode):
    """An exception to a catalog check is not needed: the entry passes the check or does not exist.

    Why: a list of exceptions is useful only while all of them are real.
    Avoid: leaving an entry under `except` after correcting its figure
    Prefer: removing the exception.
    """


SLACK = 1e-9  # of a bound: the last digits of a float
BELOW, ABOVE = "below", "above"
SIDES = {"at_least": (BELOW,), "at_most": (ABOVE,), "equals": (BELOW, ABOVE)}
PERCENT = 100
MIN_SHOWN = 0.001  # of a bound: a smaller distance is told as no share


@dataclass(frozen=True)
class CheckResult:
    """One check: how many entries it compared, and what it has against them and against its own exceptions."""

    check: CatalogCheck
    compared: int
    problems: tuple[Problem, ...]


def check_catalogs(rulebook: Rulebook) -> tuple[list[CheckResult], list[Problem]]:
    """What comes of each check of the rulebook, and what is wrong with the files of checks themselves."""
    done: list[CheckResult] = []
    problems: list[Problem] = []
    for document in rulebook.checks:
        checks, wrong = read_catalog_checks(document)
        problems += wrong
        for check in checks:
            faults = list(_faults(rulebook, check))
            problems += faults
            if not faults:
                done.append(_run(rulebook, check))
    return done, problems


def catalog_problems(rulebook: Rulebook) -> list[Problem]:
    """All that the checks have against catalogs, and all that is wrong with them."""
    done, problems = check_catalogs(rulebook)
    return [*problems, *(problem for checked in done for problem in checked.problems)]


def _faults(rulebook: Rulebook, check: CatalogCheck) -> Iterator[Problem]:
    """Catalogs and fields that a check names and that are not there, and expressions of another kind."""
    document, path = check.document, check.path
    catalog = rulebook.catalogs.get(check.of)
    if catalog is None:
        message, near = f"there is no kind of catalog `{check.of}`", closest(check.of, rulebook.catalogs)
        yield document.problem(AxisUnknownCatalog, message, (*path, "of"), closest=near)
    elif isinstance(check, AlikeCheck):
        for at, name in enumerate(check.but_for):
            if name not in catalog.fields:
                near = closest(name, catalog.fields)
                message = f"entries of `{check.of}` have no field `{name}`"
                yield document.problem(NameUnknown, message, (*path, "but_for", at), closest=near)
    elif isinstance(check, FigureCheck):
        names = EntryFigures(rulebook, catalog)
        for key, expression in check.expressions:
            yield from _expression_faults(names, check, key, expression)


def _expression_faults(names: EntryFigures, check: FigureCheck, key: str, expression: Expression) -> Iterator[Problem]:
    path = (*check.path, key)
    for name in expression.names:
        if names.field(name) is None:
            message, near = f"entries of `{check.of}` have no field `{name}`", closest(name, names.catalog.fields)
            offset = expression.offset_of(name)
            yield check.document.problem(NameUnknown, message, path, offset=offset, closest=near)
    found, faults = infer_kind(expression, names.kind)
    yield from (fault.problem(check.document, path) for fault in faults)
    wanted = Kind.CONDITION if key == "when" else Kind.NUMBER
    if found is not None and found is not wanted:
        yield check.document.problem(ExpressionKind, f"this must be a {wanted}, but is a {found}", path)


def _run(rulebook: Rulebook, check: CatalogCheck) -> CheckResult:
    catalog = rulebook.catalogs[check.of]
    if isinstance(check, FigureCheck):
        compared, found = _figures(EntryFigures(rulebook, catalog), check)
    else:
        assert isinstance(check, AlikeCheck)
        compared, found = len(catalog.entries), _alike(catalog, check)
    told = [problem for entry, problem in found.items() if entry not in check.excused]
    told += [_not_needed(catalog, check, entry) for entry in check.excused if entry not in found]
    return CheckResult(check, compared, tuple(told))


def _not_needed(catalog: Catalog, check: CatalogCheck, entry: str) -> Problem:
    there = entry in catalog.entries
    message = f"the exception for `{entry}` is not needed" if there else f"there is no `{entry}` in `{check.of}`"
    near = () if there else catalog.nearest(entry)
    place = (*check.path, "except", entry)
    hint = "" if near else "remove it"
    return check.document.problem(
        CatalogExcused, message, place, key=True, severity=Severity.WARNING, hint=hint, closest=near
    )


def _figures(figures: EntryFigures, check: FigureCheck) -> tuple[int, dict[str, Problem]]:
    """How many entries could be compared, and the problem of each that is out of bounds."""
    ids = figures.catalog.ids
    figure = figures.values(check.figure)
    asked = figures.values(check.when) if check.when else np.ones(len(ids), dtype=bool)
    compared = np.zeros(len(ids), dtype=bool)
    found: dict[str, Problem] = {}
    for key, bound in ((key, figures.values(expression)) for key, expression in check.bounds.items()):
        both = asked & ~np.isnan(figure) & ~np.isnan(bound)
        compared |= both
        slack = SLACK * np.maximum(np.abs(bound), 1)
        outside = {BELOW: figure < bound - slack, ABOVE: figure > bound + slack}
        for side in SIDES[key]:
            for row in (int(at) for at in np.flatnonzero(both & outside[side])):
                told = _told(check, key, side, float(figure[row]), float(bound[row])) + _made_of(figures, check, row)
                found.setdefault(ids[row], _against(check, figures.catalog.entries[ids[row]], told))
    return int(compared.sum()), found


def _made_of(figures: EntryFigures, check: FigureCheck, row: int) -> str:
    """What the figure of one entry is made of; nothing where it is written as it is."""
    parts = {name: format_value(cell(figures.column(name), (row,))) for name in check.figure.names}
    if check.figure.source in parts:
        return ""
    return ": " + ", ".join(f"{name} = {value}" for name, value in parts.items())


def _told(check: FigureCheck, key: str, side: str, figure: float, bound: float) -> str:
    """What disagrees with what, and by how much."""
    away = abs(figure / bound - 1) if bound else 0
    share = f"{away * PERCENT:.1f} % " if away > MIN_SHOWN else ""
    source = check.bounds[key].source
    named = f"`{source}`, {bound:g}" if check.bounds[key].names else f"{bound:g}"
    return f"`{check.name}`: `{check.figure.source}` is {figure:g}, {share}{side} {named}"


def _against(
    check: CatalogCheck,
    entry: Entry,
    message: str,
    kind: type[ProblemCode] = CatalogDisagrees,
    first: Position | None = None,
) -> Problem:
    hint = f"{check.about} Correct the entry, or list it under `except` in {check.document.path} with the reason."
    return entry.document.problem(
        kind, message, ("entries", entry.id), key=True, severity=Severity.WARNING, hint=hint, first=first
    )


def _alike(catalog: Catalog, check: AlikeCheck) -> dict[str, Problem]:
    """The second of each two entries that are alike."""
    left_out = {"id", *check.but_for}
    telling = [name for name in catalog.fields if name not in left_out]
    first: dict[tuple[Any, ...], Entry] = {}
    found: dict[str, Problem] = {}
    for entry in catalog.entries.values():
        owner = first.setdefault(tuple(entry.value(name) for name in telling), entry)
        if owner is not entry:
            message = f"`{check.name}`: `{entry.id}` has the same figures as `{owner.id}`"
            found[entry.id] = _against(check, entry, message, CatalogAlike, owner.position)
    return found
