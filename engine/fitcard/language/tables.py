"""Tables: bands (threshold -> result), lookups (word -> result) and knots (piecewise linear interpolation).

Results are numbers or words; those of a lookup may also be conditions.

Reading a table checks that it is complete: bands are sorted, without gap or overlap, and end with a default; knots are
sorted. `kinds.py` checks lookups, once the possible words of their input are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from fitcard.language.unit_system import Conversion
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.values import Kind


class TableOrder(ProblemCode):
    """The thresholds of a table are out of order, or one appears twice.

    Why: rows are matched from top to bottom, so that a row out of order never matches as intended.
    Avoid: `at_least: 70` above `at_least: 85`
    Prefer: `at_least: 85` above `at_least: 70`
    """


class TableUnreachable(ProblemCode):
    """A row follows `otherwise`.

    Why: `otherwise` matches every remaining value, so that the row is never reached.
    Avoid: `- {otherwise: too_heavy}` above `- {at_most: 1.2, gives: very_compromised}`
    Prefer: `otherwise` as the last row.
    """


class TableNoDefault(ProblemCode):
    """The last row of a band table is not `otherwise`.

    Why: values beyond the last threshold would have no result.
    Avoid: `- {at_most: 1.2, gives: very_compromised}` as the last row
    Prefer: `- {otherwise: too_heavy}` after it.
    """


class TableRow(ProblemCode):
    """A band does not have exactly one threshold and one result.

    Why: it would be unclear when the row applies, or what it gives.
    Avoid: `- {at_least: 400, below: 1000, gives: medium}`
    Prefer: `- {below: 1000, gives: medium}`; the row above it ends where this one starts.
    """


class TableMixed(ProblemCode):
    """The bands of a table use different kinds of thresholds.

    Why: the bands could overlap, or leave a gap.
    Avoid: `below: 400` above `at_most: 1000`
    Prefer: `at_least`, `at_most` or `below` in every row.
    """


Result = float | str | bool


@dataclass(frozen=True)
class ValueOf:
    """A result that is the value of another definition, converted to the unit of the table."""

    name: str
    conversion: Conversion | None = None


@dataclass(frozen=True)
class Bands:
    """`results[i]` applies from `bounds[i - 1]` to `bounds[i]`, in ascending order; one more result than bounds.

    A value equal to a bound belongs to the band below it where `side` is `left`, else to the band above.
    """

    bounds: tuple[float, ...]
    results: tuple[Result, ...]
    side: Literal["left", "right"]


@dataclass(frozen=True)
class Lookup:
    """Results by word, and `otherwise` for words without a row; None where every word has a row."""

    rows: Mapping[str, Result | ValueOf]
    otherwise: Result | ValueOf | None


@dataclass(frozen=True)
class Knots:
    """Points in ascending order of `x`, joined by straight lines; constant beyond the first and the last."""

    x: tuple[float, ...]
    y: tuple[float, ...]


Rows = Bands | Lookup | Knots


def results_of(rows: Rows) -> tuple[Result | ValueOf, ...]:
    """All results of a table, in the order of its rows; for bands, of ascending bounds."""
    if isinstance(rows, Lookup):
        return (*rows.rows.values(), *(() if rows.otherwise is None else (rows.otherwise,)))
    return rows.y if isinstance(rows, Knots) else rows.results


def read_rows(document: Document, path: Path, data: Mapping[str, Any]) -> tuple[Rows | None, list[Problem]]:
    """The rows of the table at `path`, None if they cannot be used, and their problems."""
    if data["kind"] == "lookup":
        otherwise = data.get("otherwise")
        rows = {word: _result(result) for word, result in data["rows"].items()}
        return Lookup(rows, None if otherwise is None else _result(otherwise)), []
    if data["kind"] == "knots":
        return _read_knots(document, (*path, "rows"), data["rows"])
    return _read_bands(document, (*path, "rows"), data["rows"])


def result_kinds(rows: Rows) -> set[Kind]:
    """The kinds of all results that are literal; empty where all are the values of other names."""
    return {
        Kind.WORD if isinstance(result, str) else Kind.CONDITION if isinstance(result, bool) else Kind.NUMBER
        for result in results_of(rows)
        if not isinstance(result, ValueOf)
    }


def _result(data: Any) -> Result | ValueOf:
    if isinstance(data, dict):
        return ValueOf(data["value_of"])
    return data if isinstance(data, str | bool) else float(data)


def _read_knots(document: Document, path: Path, rows: list[list[float]]) -> tuple[Rows | None, list[Problem]]:
    problems = [
        document.problem(
            TableOrder,
            f"the knot at {after[0]:g} follows the knot at {before[0]:g}",
            (*path, at),
            hint="sort knots in ascending order, without duplicates",
        )
        for at, (before, after) in enumerate(pairwise(rows), 1)
        if after[0] <= before[0]
    ]
    return Knots(tuple(float(x) for x, _ in rows), tuple(float(y) for _, y in rows)), problems


DESCENDING, ASCENDING = -1, 1
THRESHOLDS = {"at_least": DESCENDING, "at_most": ASCENDING, "below": ASCENDING}  # the order of rows, by their key


def _read_bands(document: Document, path: Path, rows: list[dict[str, Any]]) -> tuple[Rows | None, list[Problem]]:
    problems = list(_band_problems(document, path, rows))
    if problems:
        return None, problems
    threshold = next(key for key in THRESHOLDS if key in rows[0])
    bounds = [float(row[threshold]) for row in rows[:-1]]
    results = [_result(row["gives"]) for row in rows[:-1]] + [_result(rows[-1]["otherwise"])]
    if THRESHOLDS[threshold] == DESCENDING:
        bounds.reverse()
        results.reverse()
    side: Literal["left", "right"] = "left" if threshold == "at_most" else "right"
    return Bands(tuple(bounds), tuple(result for result in results if not isinstance(result, ValueOf)), side), []


def _band_problems(document: Document, path: Path, rows: list[dict[str, Any]]) -> Iterator[Problem]:
    first = next((key for key in THRESHOLDS if key in rows[0]), "at_least")
    last = len(rows) - 1
    previous: float | None = None
    for at, row in enumerate(rows):
        here = (*path, at)
        thresholds = [key for key in THRESHOLDS if key in row]
        if "otherwise" in row:
            if at != last:
                yield document.problem(
                    TableUnreachable,
                    "rows after `otherwise` are never reached",
                    (*path, at + 1),
                    hint="move `otherwise` to the end",
                )
            if len(row) > 1:
                yield document.problem(
                    TableRow, "`otherwise` must be alone in its row", here, hint="write it as a separate row"
                )
            continue
        if at == last and not any("otherwise" in other for other in rows):
            yield document.problem(
                TableNoDefault,
                "the last row must be `otherwise`",
                here,
                hint="add a row `- {otherwise: ...}` for all other values",
            )
        if len(thresholds) != 1 or "gives" not in row:
            hint = f"write `{{{first}: 70, gives: A}}`"
            yield document.problem(TableRow, "a band has exactly one threshold and one result", here, hint=hint)
            continue
        if thresholds[0] != first:
            message = f"`{first}` and `{thresholds[0]}` are mixed: bands could overlap or leave a gap"
            yield document.problem(TableMixed, message, here, hint=f"use `{first}` in every row")
            continue
        bound = float(row[first])
        if previous is not None and (bound - previous) * THRESHOLDS[first] <= 0:
            order = "descending" if THRESHOLDS[first] == DESCENDING else "ascending"
            message = f"{bound:g} follows {previous:g}: this row never matches as intended"
            yield document.problem(
                TableOrder, message, (*here, first), hint=f"sort thresholds in {order} order, without duplicates"
            )
        previous = bound
