"""The back-test of a rulebook: which rules are held against which figures of a catalog of measurements."""

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
    """One number that is both measured and computed: field `measured` of the catalog, and the rule `computed`.

    Only runs where the condition `when` holds take part. `aim` is the median error that is not to be passed,
    `cross_validate` that of runs that took no part in the last fit.
    """

    name: str
    title: str
    about: str
    measured: str
    computed: str
    when: str | None
    aim: float | None
    held_out: float | None
    path: Path


@dataclass(frozen=True)
class Backtest:
    """How much a run counts says `weights` by its word in the field `weighed_by`; one whose word is not there counts 0.

    `near` are the errors, as shares, of which a report says how many runs stay within them. A value is fitted to
    `runs_at_least`, and runs that took no part may be farther off by `slack` than before.
    """

    catalog: str
    weighed_by: str
    weights: Mapping[str, float]
    near: tuple[float, ...]
    runs_at_least: int
    slack: float
    quantities: Mapping[str, Quantity]
    document: Document


def read_backtest(document: Document) -> Backtest:
    """The back-test in a file that has passed its schema."""
    data = document.data
    quantities = {
        name: Quantity(
            name=name,
            title=one["title"],
            about=one["about"],
            measured=one["measured"],
            computed=one["computed"],
            when=one.get("when"),
            aim=one.get("median_error_at_most"),
            held_out=one.get("median_error_held_out"),
            path=("quantities", name),
        )
        for name, one in data["quantities"].items()
    }
    weigh, fit = data["weigh"], data["fit"]
    return Backtest(
        data["catalog"],
        weigh["by"],
        weigh["rows"],
        tuple(data["near"]),
        fit["runs_at_least"],
        fit["slack"],
        quantities,
        document,
    )


def backtest_problems(
    backtest: Backtest, catalogs: Mapping[str, Catalog], rule_sets: Mapping[str, RuleSet]
) -> Iterator[Problem]:
    """Catalogs, figures and rules that it names and that are not there, or of another kind."""
    document, catalog = backtest.document, catalogs.get(backtest.catalog)
    if catalog is None:
        message, near = f"there is no kind of catalog `{backtest.catalog}`", closest(backtest.catalog, catalogs)
        yield document.problem(BacktestUnknown, message, ("catalog",), closest=near)
        return
    weighed_by = catalog.fields.get(backtest.weighed_by)
    if weighed_by is None or weighed_by.kind is not Kind.WORD:
        yield _no_field(backtest, catalog, backtest.weighed_by, ("weigh", "by"), Kind.WORD)
    for quantity in backtest.quantities.values():
        field = catalog.fields.get(quantity.measured)
        if field is None or field.kind is not Kind.NUMBER:
            yield _no_field(backtest, catalog, quantity.measured, (*quantity.path, "measured"), Kind.NUMBER)
        for rule_set in rule_sets.values():
            for part, name, kind in (
                ("computed", quantity.computed, Kind.NUMBER),
                ("when", quantity.when, Kind.CONDITION),
            ):
                yield from _rule_problems(document, rule_set, name, kind, (*quantity.path, part))


def _no_field(backtest: Backtest, catalog: Catalog, name: str, path: Path, kind: Kind) -> Problem:
    near = closest(name, [field.name for field in catalog.fields.values() if field.kind is kind])
    message = f"entries of `{catalog.kind}` have no {kind} `{name}`"
    return backtest.document.problem(BacktestUnknown, message, path, closest=near)


def _rule_problems(
    document: Document, rule_set: RuleSet, name: str | None, kind: Kind, path: Path
) -> Iterator[Problem]:
    if name is None:
        return
    found = rule_set.describe(name)
    if found is None:
        near = closest(name, rule_set.definitions)
        yield document.problem(NameUnknown, f"undefined name `{name}`", path, closest=near)
    elif found.kind is not kind:
        yield document.problem(BacktestKind, f"`{name}` must be a {kind}, but is a {found.kind}", path)
