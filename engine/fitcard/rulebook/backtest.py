"""Definition of the back-test: which rules are compared with which fields of a catalog of measured runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fitcard.catalog.catalog import Catalog
from fitcard.language.resolution import NameUnknown
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import closest
from fitcard.values import Kind


class BacktestUnknown(ProblemCode):
    """A back-test names a catalog or field that does not exist.

    Why: there would be no figures to compare with.
    Avoid: `measured: measured.decode`
    Prefer: `measured: measured.decode_tok_s`
    """


class BacktestKind(ProblemCode):
    """A back-test compares a rule that is not a number, or selects runs by one that is not a condition.

    Why: only numbers have errors, and only conditions can select runs.
    Avoid: `computed: grade`
    Prefer: `computed: decode_tok_s`
    """


@dataclass(frozen=True)
class Quantity:
    """A quantity that is measured, as the field `measured` of the catalog, and computed, as the rule `computed`.

    Only runs for which the condition `when` holds are compared. `max_median_error` is the largest acceptable relative
    error; `held_out_error` is the median error of the held-out runs of the last fit.
    """

    name: str
    title: str
    about: str
    measured: str
    computed: str
    when: str | None
    max_median_error: float | None
    held_out_error: float | None
    path: Path


@dataclass(frozen=True)
class Backtest:
    """Quantities to compare for each run of `catalog`.

    - `weights`: weight of a run by its word in the field `weight_field`, 0 for other words
    - `error_bounds`: relative errors for which reports count the runs within them
    - `min_runs`: minimum number of runs that a value is fitted to
    - `slack`: acceptable increase of `held_out_error` by a fit
    """

    catalog: str
    weight_field: str
    weights: Mapping[str, float]
    error_bounds: tuple[float, ...]
    min_runs: int
    slack: float
    quantities: Mapping[str, Quantity]
    document: Document


def read_backtest(document: Document) -> Backtest:
    """The back-test of a file that is valid against its schema."""
    data = document.data
    quantities = {
        name: Quantity(
            name=name,
            title=quantity["title"],
            about=quantity["about"],
            measured=quantity["measured"],
            computed=quantity["computed"],
            when=quantity.get("when"),
            max_median_error=quantity.get("median_error_at_most"),
            held_out_error=quantity.get("median_error_held_out"),
            path=("quantities", name),
        )
        for name, quantity in data["quantities"].items()
    }
    weigh, fit = data["weigh"], data["fit"]
    return Backtest(
        catalog=data["catalog"],
        weight_field=weigh["by"],
        weights=weigh["rows"],
        error_bounds=tuple(data["near"]),
        min_runs=fit["runs_at_least"],
        slack=fit["slack"],
        quantities=quantities,
        document=document,
    )


def backtest_problems(
    backtest: Backtest, catalogs: Mapping[str, Catalog], rule_sets: Mapping[str, RuleSet]
) -> Iterator[Problem]:
    """Catalogs, fields and rules that do not exist or are of another kind."""
    document, catalog = backtest.document, catalogs.get(backtest.catalog)
    if catalog is None:
        message, near = f"there is no kind of catalog `{backtest.catalog}`", closest(backtest.catalog, catalogs)
        yield document.problem(BacktestUnknown, message, ("catalog",), closest=near)
        return
    weight_field = catalog.fields.get(backtest.weight_field)
    if weight_field is None or weight_field.kind is not Kind.WORD:
        yield _field_problem(backtest, catalog, backtest.weight_field, ("weigh", "by"), Kind.WORD)
    for quantity in backtest.quantities.values():
        field = catalog.fields.get(quantity.measured)
        if field is None or field.kind is not Kind.NUMBER:
            yield _field_problem(backtest, catalog, quantity.measured, (*quantity.path, "measured"), Kind.NUMBER)
        for rule_set in rule_sets.values():
            for part, name, kind in (
                ("computed", quantity.computed, Kind.NUMBER),
                ("when", quantity.when, Kind.CONDITION),
            ):
                yield from _rule_problems(document, rule_set, name, kind, (*quantity.path, part))


def _field_problem(backtest: Backtest, catalog: Catalog, name: str, path: Path, kind: Kind) -> Problem:
    near = closest(name, [field.name for field in catalog.fields.values() if field.kind is kind])
    message = f"entries of `{catalog.kind}` have no {kind} `{name}`"
    return backtest.document.problem(BacktestUnknown, message, path, closest=near)


def _rule_problems(
    document: Document, rule_set: RuleSet, name: str | None, kind: Kind, path: Path
) -> Iterator[Problem]:
    if name is None:
        return
    info = rule_set.describe(name)
    if info is None:
        near = closest(name, rule_set.definitions)
        yield document.problem(NameUnknown, f"undefined name `{name}`", path, closest=near)
    elif info.kind is not kind:
        yield document.problem(BacktestKind, f"`{name}` must be a {kind}, but is a {info.kind}", path)
