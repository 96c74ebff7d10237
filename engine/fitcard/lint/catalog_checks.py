"""Checks of catalogs, as files of kind `checks` state them: contradictory figures and duplicate entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
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
    """A check of the catalog of kind `of`; `excused` entries are exempt, each with a reason."""

    name: str
    of: str
    about: str
    excused: Mapping[str, str]
    document: Document
    path: Path


@dataclass(frozen=True)
class FigureCheck(CatalogCheck):
    """`figure` lies within its `bounds` for every entry where the condition `when` holds.

    Entries that lack a figure of the comparison are skipped.
    """

    when: Expression | None
    figure: Expression
    bounds: Mapping[str, Expression]

    @property
    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """All expressions with their keys."""
        yield from (("when", self.when),) if self.when else ()
        yield "figure", self.figure
        yield from self.bounds.items()


@dataclass(frozen=True)
class AlikeCheck(CatalogCheck):
    """No two entries have the same values in all fields except `but_for`; absent values count as the same."""

    but_for: tuple[str, ...]


def read_catalog_checks(document: Document) -> tuple[list[CatalogCheck], list[Problem]]:
    """The checks of a file that has passed its schema, and the problems of those with invalid expressions."""
    checks: list[CatalogCheck] = []
    problems: list[Problem] = []
    for name, data in document.data.get("checks", {}).items():
        path = ("checks", name)
        expressions, faults = _parse_expressions(document, path, data)
        problems += faults
        if not faults:
            bounds = {key: expressions[key] for key in BOUNDS if key in expressions}
            common = _common_fields(document, path, data)
            check = FigureCheck(**common, when=expressions.get("when"), figure=expressions["figure"], bounds=bounds)
            checks.append(check)
    for name, data in document.data.get("alike", {}).items():
        common = _common_fields(document, ("alike", name), data)
        checks.append(AlikeCheck(**common, but_for=tuple(data["but_for"])))
    return checks, problems


def _common_fields(document: Document, path: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": str(path[-1]),
        "of": data["of"],
        "about": data["about"],
        "excused": data.get("except", {}),
        "document": document,
        "path": path,
    }


def _parse_expressions(
    document: Document, path: Path, data: Mapping[str, Any]
) -> tuple[dict[str, Expression], list[Problem]]:
    expressions: dict[str, Expression] = {}
    problems: list[Problem] = []
    for key in ("when", "figure", *BOUNDS):
        if key not in data:
            continue
        try:
            expressions[key] = parse(str(data[key]))
        except ExpressionError as error:
            problems += [fault.problem(document, (*path, key)) for fault in error.faults]
    return expressions, problems


@dataclass(frozen=True)
class EntryFigures:
    """The columns of one catalog by name, with a row for each entry.

    A name is a field of the entries, or `reference.field` for a field of the entry that `reference` names.
    """

    rulebook: Rulebook
    catalog: Catalog
    _columns: dict[str, Any] = dataclass_field(default_factory=dict, repr=False)

    def field(self, name: str) -> Field | None:
        """The field of a name; None if there is none."""
        if name in self.catalog.fields:
            return self.catalog.fields[name]
        reference, _, rest = name.partition(".")
        field = self.catalog.fields.get(reference)
        return self.rulebook.catalogs[field.entry_of].fields.get(rest) if field and field.entry_of else None

    def kind(self, name: str) -> Kind | None:
        """The kind of a name; days are numbers. None for an unknown name."""
        field = self.field(name)
        if field is None:
            return None
        return Kind.NUMBER if field.day else field.kind

    def column(self, name: str) -> Any:
        """A value for each entry; NaN where absent."""
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def _read(self, name: str) -> Any:
        if name in self.catalog.fields:
            return _column(self.catalog, name)
        reference, _, rest = name.partition(".")
        referenced = self.rulebook.catalogs[self.catalog.fields[reference].entry_of]
        entry_ids = [entry.value(reference) for entry in self.catalog.entries.values()]
        rows = np.array([ABSENT if entry is None else referenced.index[entry] for entry in entry_ids], dtype=np.int64)
        column = np.asarray(_column(referenced, rest))
        return np.where(rows == ABSENT, column.dtype.type(False) if column.dtype == bool else np.nan, column[rows])

    def values(self, expression: Expression) -> Any:
        """The value of an expression for each entry; NaN where a figure is absent or the result is undefined."""
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


SLACK = 1e-9  # relative; smaller differences are rounding errors
BELOW, ABOVE = "below", "above"
SIDES = {"at_least": (BELOW,), "at_most": (ABOVE,), "equals": (BELOW, ABOVE)}
PERCENT = 100
MAX_REPORTED = 100  # entries of one check; of more than that, the check itself is probably wrong
MIN_SHOWN = 0.001  # fraction of a bound: smaller deviations are not shown in percent


@dataclass(frozen=True)
class CheckResult:
    """The result of one check: the number of compared entries, and problems of entries and of needless exceptions."""

    check: CatalogCheck
    compared: int
    problems: tuple[Problem, ...]


def check_catalogs(rulebook: Rulebook) -> tuple[list[CheckResult], list[Problem]]:
    """The results of all valid checks of the rulebook, and the problems of the others."""
    results: list[CheckResult] = []
    problems: list[Problem] = []
    figures = {kind: EntryFigures(rulebook, catalog) for kind, catalog in rulebook.catalogs.items()}
    for document in rulebook.checks:
        checks, faults = read_catalog_checks(document)
        problems += faults
        for check in checks:
            faults = list(_misuse_problems(rulebook, check))
            problems += faults
            if not faults:
                results.append(_run(figures[check.of], check))
    return results, problems


def catalog_problems(rulebook: Rulebook) -> list[Problem]:
    """All problems that the checks find, and those of the checks themselves."""
    results, problems = check_catalogs(rulebook)
    return [*problems, *(problem for result in results for problem in result.problems)]


def _misuse_problems(rulebook: Rulebook, check: CatalogCheck) -> Iterator[Problem]:
    """Unknown catalogs and fields, and expressions of the wrong kind."""
    document, path = check.document, check.path
    catalog = rulebook.catalogs.get(check.of)
    if catalog is None:
        message, near = f"there is no kind of catalog `{check.of}`", closest(check.of, rulebook.catalogs)
        yield document.problem(AxisUnknownCatalog, message, (*path, "of"), closest=near)
    elif isinstance(check, AlikeCheck):
        for number, name in enumerate(check.but_for):
            if name not in catalog.fields:
                near = closest(name, catalog.fields)
                message = f"entries of `{check.of}` have no field `{name}`"
                yield document.problem(NameUnknown, message, (*path, "but_for", number), closest=near)
    elif isinstance(check, FigureCheck):
        figures = EntryFigures(rulebook, catalog)
        for key, expression in check.expressions:
            yield from _expression_problems(figures, check, key, expression)


def _expression_problems(
    figures: EntryFigures, check: FigureCheck, key: str, expression: Expression
) -> Iterator[Problem]:
    path = (*check.path, key)
    for name in expression.names:
        if figures.field(name) is None:
            message, near = f"entries of `{check.of}` have no field `{name}`", closest(name, figures.catalog.fields)
            offset = expression.offset_of(name)
            yield check.document.problem(NameUnknown, message, path, offset=offset, closest=near)
    kind, faults = infer_kind(expression, figures.kind)
    yield from (fault.problem(check.document, path) for fault in faults)
    expected = Kind.CONDITION if key == "when" else Kind.NUMBER
    if kind is not None and kind is not expected:
        yield check.document.problem(ExpressionKind, f"this must be a {expected}, but is a {kind}", path)


def _run(figures: EntryFigures, check: CatalogCheck) -> CheckResult:
    catalog = figures.catalog
    if isinstance(check, FigureCheck):
        compared, by_entry = _check_figures(figures, check)
    else:
        assert isinstance(check, AlikeCheck)
        compared, by_entry = len(catalog.entries), _duplicates(catalog, check)
    problems = [problem for entry, problem in by_entry.items() if entry not in check.excused]
    if len(problems) > MAX_REPORTED:
        message, hint = f"`{check.name}`: {len(problems) - MAX_REPORTED:,} more entries", "correct the check, or these"
        rest = check.document.problem(
            problems[-1].kind, message, check.path, key=True, severity=Severity.WARNING, hint=hint
        )
        problems = [*problems[:MAX_REPORTED], rest]
    problems += [_needless_exception(catalog, check, entry) for entry in check.excused if entry not in by_entry]
    return CheckResult(check, compared, tuple(problems))


def _needless_exception(catalog: Catalog, check: CatalogCheck, entry: str) -> Problem:
    exists = entry in catalog.entries
    message = f"the exception for `{entry}` is not needed" if exists else f"there is no `{entry}` in `{check.of}`"
    near = () if exists else catalog.nearest(entry)
    path = (*check.path, "except", entry)
    hint = "" if near else "remove it"
    return check.document.problem(
        CatalogExcused, message, path, key=True, severity=Severity.WARNING, hint=hint, closest=near
    )


def _check_figures(figures: EntryFigures, check: FigureCheck) -> tuple[int, dict[str, Problem]]:
    """The number of entries that could be compared, and by entry the problem of each that is out of bounds."""
    ids = figures.catalog.ids
    figure = figures.values(check.figure)
    applies = figures.values(check.when) if check.when else np.ones(len(ids), dtype=bool)
    compared = np.zeros(len(ids), dtype=bool)
    problems: dict[str, Problem] = {}
    for key, bound in ((key, figures.values(expression)) for key, expression in check.bounds.items()):
        comparable = applies & ~np.isnan(figure) & ~np.isnan(bound)
        compared |= comparable
        slack = SLACK * np.maximum(np.abs(bound), 1)
        outside = {BELOW: figure < bound - slack, ABOVE: figure > bound + slack}
        for side in SIDES[key]:
            for row in map(int, np.flatnonzero(comparable & outside[side])):
                if len(problems) > MAX_REPORTED + len(check.excused):
                    problems.setdefault(ids[row], problems[next(iter(problems))])  # only counted
                    continue
                deviation = _describe_deviation(check, key, side, float(figure[row]), float(bound[row]))
                message = deviation + _describe_inputs(figures, check, row)
                problems.setdefault(ids[row], _entry_problem(check, figures.catalog.entries[ids[row]], message))
    return int(compared.sum()), problems


def _describe_deviation(check: FigureCheck, key: str, side: str, figure: float, bound: float) -> str:
    """The figure, the bound, and the deviation in percent."""
    deviation = abs(figure / bound - 1) if bound else 0
    percent = f"{deviation * PERCENT:.1f} % " if deviation > MIN_SHOWN else ""
    source = check.bounds[key].source
    limit = f"`{source}`, {bound:g}" if check.bounds[key].names else f"{bound:g}"
    return f"`{check.name}`: `{check.figure.source}` is {figure:g}, {percent}{side} {limit}"


def _describe_inputs(figures: EntryFigures, check: FigureCheck, row: int) -> str:
    """The inputs of the figure for one entry; empty if the figure is a single field."""
    inputs = {name: format_value(cell(figures.column(name), (row,))) for name in check.figure.names}
    if check.figure.source in inputs:
        return ""
    return ": " + ", ".join(f"{name} = {value}" for name, value in inputs.items())


def _entry_problem(
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


def _duplicates(catalog: Catalog, check: AlikeCheck) -> dict[str, Problem]:
    """A problem for the second and each further of several equal entries."""
    ignored = {"id", *check.but_for}
    fields = [name for name in catalog.fields if name not in ignored]
    first_by_values: dict[tuple[Any, ...], Entry] = {}
    problems: dict[str, Problem] = {}
    for entry in catalog.entries.values():
        first = first_by_values.setdefault(tuple(entry.value(name) for name in fields), entry)
        if first is not entry:
            message = f"`{check.name}`: `{entry.id}` has the same figures as `{first.id}`"
            problems[entry.id] = _entry_problem(check, entry, message, CatalogAlike, first.position)
    return problems
