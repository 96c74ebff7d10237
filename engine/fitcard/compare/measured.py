"""How far estimates are from measured runs, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fitcard.backtest.comparison import Comparison, Errors, compare
from fitcard.problems import ProblemsFound
from fitcard.rulebook.rulebook import Rulebook


@dataclass(frozen=True)
class Measured:
    """One quantity by one profile. A side that does not have it is None.

    `points` are the runs of both sides: what was measured, what came out before, and what comes out.
    """

    profile: str
    name: str
    title: str
    before: Errors | None
    after: Errors | None
    points: tuple[tuple[float, float, float], ...]


def measured(base: Rulebook, head: Rulebook, profiles: Sequence[tuple[str, str]]) -> list[Measured]:
    """Each quantity of either back-test whose errors differ, by each of the profiles: that of base, that of head."""
    return [one for before, after in profiles for one in _by_profile(base, before, head, after)]


def _by_profile(base: Rulebook, before: str, head: Rulebook, after: str) -> Iterator[Measured]:
    old, new = _compared(base, before), _compared(head, after)
    for name in dict.fromkeys((*new, *old)):
        one, other = old.get(name), new.get(name)
        there = other or one
        assert there is not None
        told = Measured(
            after,
            name,
            there.quantity.title,
            one.summary if one else None,
            other.summary if other else None,
            tuple(_points(one, other)) if one and other else (),
        )
        if told.before != told.after:
            yield told


def _compared(rulebook: Rulebook, profile: str) -> dict[str, Comparison]:
    """By quantity; none where a run cannot be asked, which `fitcard check` tells."""
    try:
        return {one.quantity.name: one for one in compare(rulebook, profile)}
    except ProblemsFound:
        return {}


def _points(old: Comparison, new: Comparison) -> Iterator[tuple[float, float, float]]:
    before = {entry.id: at for at, entry in enumerate(old.runs.entries)}
    for at, entry in enumerate(new.runs.entries):
        if entry.id in before and old.runs.measured[before[entry.id]] == new.runs.measured[at]:
            yield float(new.runs.measured[at]), float(old.computed[before[entry.id]]), float(new.computed[at])
