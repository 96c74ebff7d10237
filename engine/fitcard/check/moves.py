"""What comes out of a trial once a cause has changed: evaluated at once for all effects that follow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fitcard.check.trial import Trial
from fitcard.columns import Column
from fitcard.problems import ProblemsFound
from fitcard.rulebook.invariants import Change, Following


class Moves:
    """The effects of invariants in one trial, after each of their causes has moved.

    A move is a factor by which a number becomes larger or smaller, or the entry that all questions name on an axis.
    """

    def __init__(self, trial: Trial, invariants: Iterable[Following]) -> None:
        self.trial = trial
        self._effects: dict[tuple[str, Change], set[str]] = {}
        self._kept: dict[tuple[str, Change, float | str], Mapping[str, Column]] = {}
        for one in invariants:
            self._effects.setdefault((one.cause, one.when), set()).add(one.effect)

    def after(self, invariant: Following, move: float | str) -> Column:
        """The effect once the cause has moved. Raises ProblemsFound where a number is not finite then."""
        key = (invariant.cause, invariant.when, move)
        if key not in self._kept:
            try:
                self._kept[key] = self._evaluate(invariant, move, self._effects[key[:2]])
            except ProblemsFound:  # of one of the effects, which is told where that one is asked for
                self._kept[key] = {}
        if invariant.effect not in self._kept[key]:
            return self._evaluate(invariant, move, [invariant.effect])[invariant.effect]
        return self._kept[key][invariant.effect]

    def _evaluate(self, invariant: Following, move: float | str, effects: Iterable[str]) -> Mapping[str, Column]:
        if isinstance(move, str):
            return self.trial.with_entry(invariant.cause, move, effects)
        column = self.trial.values([invariant.cause])[invariant.cause]
        return self.trial.stepped(invariant.cause, stepped(column, invariant.when, move), effects)


def stepped(column: Any, when: Change, factor: float) -> Any:
    """A column of numbers made larger by a factor, or smaller by it."""
    return column * factor if when is Change.INCREASES else column / factor
