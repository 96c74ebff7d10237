"""Invariants tried over the whole catalog, with inputs and steps of many sizes; a broken one shows a small example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from engine.closest import closest
from engine.columns import Column, Kind, WordColumn, cell
from engine.evaluate.evaluation import Evaluation, evaluate, shown
from engine.evaluate.evaluator import evaluator
from engine.evaluate.grid import Grid
from engine.problems import Problem, ProblemsFound
from engine.rulebook.expression_kinds import kind_of
from engine.rulebook.invariants import Always, Change, Following, Invariant
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import QUESTION

STEPS = (1 + 1 / 16, 2, 16)  # a cause is made larger by these factors, the smallest first
INPUT_SHARES = (0, 1 / 1024, 1 / 16)  # where between its bounds an input is tried, beside not being given at all
SLACK = 1e-9  # of the value: the last digits of a float


def invariant_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Every invariant that names what is not there, or that some question breaks, said once over all profiles."""
    told: set[tuple[Any, ...]] = set()
    for rule_set in rulebook.rule_sets.values():
        trial = _Trial(rulebook, rule_set)
        for invariant in rulebook.invariants:
            place = (invariant.document.path, invariant.path)
            if place in told:
                continue
            problem = next(_unknown(rule_set, invariant), None) or trial.counter_example(invariant)
            if problem is not None:
                told.add(place)
                yield problem


def _unknown(rule_set: RuleSet, invariant: Invariant) -> Iterator[Problem]:
    """Names of the invariant that stand for nothing, or for something that cannot be asked of them."""
    known = [*rule_set.definitions, *rule_set.subject.axes]
    if isinstance(invariant, Always):
        path = (*invariant.path, "always")
        for name in invariant.condition.names:
            if rule_set.describe(name) is None:
                at, near = invariant.condition.offset_of(name), closest(name, known)
                yield invariant.document.problem(
                    "name-unknown", f"there is no name `{name}`", path, offset=at, closest=near
                )
                return
        kind, faults = kind_of(invariant.condition, lambda name: getattr(rule_set.describe(name), "kind", None))
        for fault in faults:
            yield invariant.document.problem(fault.code, fault.message, path, offset=fault.offset, hint=fault.hint)
        if kind is not Kind.CONDITION:
            yield invariant.document.problem("invariant-form", "this is no condition", path, hint="compare something")
        return
    cause, effect = rule_set.describe(invariant.cause), rule_set.describe(invariant.effect)
    is_axis = invariant.cause in rule_set.subject.axes
    for key, name, missing in (
        ("when", invariant.cause, cause is None and not is_axis),
        ("then", invariant.effect, effect is None),
    ):
        if missing:
            place, near = (*invariant.path, key), closest(name, known)
            yield invariant.document.problem("name-unknown", f"there is no name `{name}`", place, closest=near)
    if is_axis is not (invariant.when is Change.CHANGES) and (is_axis or cause):
        hint = "an axis `changes`, a number `increases` or `decreases`"
        yield invariant.document.problem("invariant-form", "this cannot be tried", (*invariant.path, "when"), hint=hint)
    if effect and effect.kind is not Kind.NUMBER and invariant.never is not Change.CHANGES:
        hint = "write `never changes`"
        yield invariant.document.problem(
            "invariant-form", f"a {effect.kind} has no order", (*invariant.path, "then"), hint=hint
        )


@dataclass
class _Trial:
    """One rule set on its whole catalogs, asked with inputs of several sizes."""

    rulebook: Rulebook
    rule_set: RuleSet

    def counter_example(self, invariant: Invariant) -> Problem | None:
        """The first question, by the size of what changes, that breaks the invariant."""
        try:
            if isinstance(invariant, Always):
                return self._always(invariant)
            if invariant.cause in self.rule_set.subject.axes:
                return self._along_axis(invariant)
            return self._following(invariant)
        except ProblemsFound as found:
            return found.problems[0]

    def _always(self, invariant: Always) -> Problem | None:
        names = invariant.condition.names
        for inputs in self._inputs():
            evaluation = self._ask(names, inputs)
            columns = {name: evaluation.columns[name] for name in names}
            with np.errstate(all="ignore"):
                holds = np.asarray(evaluator().run(invariant.condition, columns))
            if not holds.all():
                index = _first(~holds, evaluation.grid.shape)
                values = ", ".join(f"{name} = {shown(cell(columns[name], index))}" for name in names)
                return self._broken(invariant, "always", evaluation, index, inputs, values)
        return None

    def _along_axis(self, invariant: Following) -> Problem | None:
        for inputs in self._inputs():
            evaluation = self._ask([invariant.effect], inputs)
            column = evaluation.columns[invariant.effect]
            axis = list(evaluation.grid.ids).index(invariant.cause)
            data = np.asarray(column.codes if isinstance(column, WordColumn) else column)
            if data.ndim and data.shape[axis] > 1:
                first = np.take(data, [0], axis=axis)
                if (index := _first_difference(first, data, invariant.never, evaluation.grid.shape)) is not None:
                    start = tuple(0 if at == axis else number for at, number in enumerate(index))
                    before, after = cell(column, start), cell(column, index)
                    there = evaluation.grid.row(start)[invariant.cause]
                    values = f"{invariant.effect} is {shown(before)} for {there}, and here {shown(after)}"
                    return self._broken(invariant, "then", evaluation, index, inputs, values)
        return None

    def _following(self, invariant: Following) -> Problem | None:
        asked = {invariant.cause, invariant.effect}
        for factor, inputs in product(STEPS, self._inputs()):
            before = self._ask(asked, inputs)
            cause: Any = before.columns[invariant.cause]
            stepped: Any = cause * factor if invariant.when is Change.INCREASES else cause / factor
            after = self._ask([invariant.effect], inputs, {invariant.cause: stepped})
            old, new = before.columns[invariant.effect], after.columns[invariant.effect]
            index = _first_difference(_comparable(old), _comparable(new), invariant.never, before.grid.shape)
            if index is not None:
                values = "; ".join(
                    f"{name} {shown(cell(one, index))} -> {shown(cell(other, index))}"
                    for name, one, other in ((invariant.cause, cause, stepped), (invariant.effect, old, new))
                )
                return self._broken(invariant, "then", before, index, inputs, values)
        return None

    def _inputs(self) -> Iterator[dict[str, float]]:
        """No inputs at all, then each at several places between its bounds."""
        yield {}
        for share in INPUT_SHARES:
            yield {
                asked.name: np.floor(asked.minimum + share * (asked.maximum - asked.minimum))
                for asked in self.rule_set.subject.inputs.values()
            }

    def _ask(self, names: Any, inputs: dict[str, float], given: dict[str, Column] | None = None) -> Evaluation:
        ids = {axis: self.rulebook.catalog_of(axis).ids for axis in self.rule_set.subject.axes}
        grid = Grid.of(self.rule_set.subject, self.rule_set.catalogs, ids)
        return evaluate(self.rule_set, grid, names, inputs, given)

    def _broken(
        self,
        invariant: Invariant,
        key: str,
        evaluation: Evaluation,
        index: tuple[int, ...],
        inputs: dict[str, float],
        values: str,
    ) -> Problem:
        row = " ".join(
            [*evaluation.grid.row(index).values(), *(f"{QUESTION}.{name}={value:g}" for name, value in inputs.items())]
        )
        message = f"`{invariant.name}` does not hold for {row}: {values}"
        hint = f"in the profile {self.rule_set.profile}: correct the rule, or the invariant"
        return invariant.document.problem("invariant-broken", message, (*invariant.path, key), hint=hint)


def _comparable(column: Column) -> Any:
    """Numbers as they are, and each word by itself."""
    return np.array(column.words, dtype=object)[column.codes] if isinstance(column, WordColumn) else np.asarray(column)


def _first_difference(old: Any, new: Any, never: Change, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The first cell where `new` differs from `old` as it never may; None where there is none."""
    if old.dtype.kind not in "f":
        wrong = np.asarray(old != new)
    else:
        slack = SLACK * np.maximum(np.abs(old), 1)
        with np.errstate(invalid="ignore"):
            falls, rises = new < old - slack, new > old + slack
        wrong = {Change.DECREASES: falls, Change.INCREASES: rises, Change.CHANGES: falls | rises}[never]
    return _first(wrong, shape) if wrong.any() else None


def _first(wrong: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    whole = np.broadcast_to(wrong, np.broadcast_shapes(np.shape(wrong), shape))
    return tuple(int(at) for at in np.unravel_index(int(np.argmax(whole)), whole.shape))
