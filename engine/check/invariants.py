"""Invariants tried over the catalogs, with inputs and steps of many sizes; a broken one shows the smallest example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np

from engine.check.trial import Trial
from engine.closest import closest
from engine.codes import Code
from engine.columns import Column, Kind, WordColumn, cell, first_cell
from engine.evaluate.evaluation import shown
from engine.evaluate.evaluator import evaluator
from engine.problems import Problem, ProblemsFound
from engine.rulebook.expression_kinds import kind_of
from engine.rulebook.invariants import Always, Change, Following, Invariant, InvariantForm
from engine.rulebook.names import NameUnknown
from engine.rulebook.rule_set import RuleSet, field_names
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import QUESTION


class InvariantBroken(Code):
    """Some question breaks an invariant; the smallest that does is named, with the values before and after.

    Why: an invariant says what must hold whatever the numbers are.
    Avoid: removing the invariant.
    Prefer: mending the rule that the values lead to, or the invariant where it claims too much.
    """


STEPS = (1 + 1 / 16, 2, 16)  # a cause is made larger by these factors, the smallest first
SLACK = 1e-9  # of the value: the last digits of a float


def invariant_problems(rulebook: Rulebook, trials: Iterable[Trial]) -> Iterator[Problem]:
    """Every invariant that names what is not there, or that some question breaks, said once over all profiles."""
    told: set[tuple[Any, ...]] = set()
    for trial in trials:
        for invariant in rulebook.invariants:
            place = (invariant.document.path, invariant.path)
            if place in told:
                continue
            problem = next(_unknown(trial.rule_set, invariant), None) or _counter_example(trial, invariant)
            if problem is not None:
                told.add(place)
                yield problem


def _unknown(rule_set: RuleSet, invariant: Invariant) -> Iterator[Problem]:
    """Names of the invariant that stand for nothing, or for something that cannot be asked of them."""
    known = [*rule_set.definitions, *rule_set.subject.axes, *field_names(rule_set.subject, rule_set.catalogs)]
    known += [f"{QUESTION}.{asked}" for asked in rule_set.subject.inputs]
    if isinstance(invariant, Always):
        path = (*invariant.path, "always")
        for name in invariant.condition.names:
            if rule_set.describe(name) is None:
                at, near = invariant.condition.offset_of(name), closest(name, known)
                yield invariant.document.problem(
                    NameUnknown, f"there is no name `{name}`", path, offset=at, closest=near
                )
                return
        kind, faults = kind_of(invariant.condition, lambda name: getattr(rule_set.describe(name), "kind", None))
        for fault in faults:
            yield invariant.document.problem(fault.kind, fault.message, path, offset=fault.offset, hint=fault.hint)
        if kind is not Kind.CONDITION:
            yield invariant.document.problem(InvariantForm, "this is no condition", path, hint="compare something")
        return
    cause, effect = rule_set.describe(invariant.cause), rule_set.describe(invariant.effect)
    is_axis = invariant.cause in rule_set.subject.axes
    for key, name, missing in (
        ("when", invariant.cause, cause is None and not is_axis),
        ("then", invariant.effect, effect is None),
    ):
        if missing:
            place, near = (*invariant.path, key), closest(name, known)
            yield invariant.document.problem(NameUnknown, f"there is no name `{name}`", place, closest=near)
    if is_axis is not (invariant.when is Change.CHANGES) and (is_axis or cause):
        hint = "an axis `changes`, a number `increases` or `decreases`"
        yield invariant.document.problem(InvariantForm, "this cannot be tried", (*invariant.path, "when"), hint=hint)
    if effect and effect.kind is not Kind.NUMBER and invariant.never is not Change.CHANGES:
        hint = "write `never changes`"
        yield invariant.document.problem(
            InvariantForm, f"a {effect.kind} has no order", (*invariant.path, "then"), hint=hint
        )


def _counter_example(trial: Trial, invariant: Invariant) -> Problem | None:
    """The smallest question that breaks the invariant: fewest inputs, smallest step, then the least value."""
    try:
        if isinstance(invariant, Always):
            return _always(trial, invariant)
        if invariant.cause in trial.rule_set.subject.axes:
            return _along_axis(trial, invariant)
        return _following(trial, invariant)
    except ProblemsFound as found:
        return found.problems[0]


def _always(trial: Trial, invariant: Always) -> Problem | None:
    names = invariant.condition.names
    for number in range(len(trial.inputs)):
        evaluation = trial.evaluate(names, number)
        columns = {name: evaluation.columns[name] for name in names}
        with np.errstate(all="ignore"):
            holds = np.asarray(evaluator().run(invariant.condition, columns))
        if not holds.all():
            index = first_cell(~holds, evaluation.grid.shape)
            values = ", ".join(f"{name} = {shown(cell(columns[name], index))}" for name in names)
            return _broken(trial, invariant, "always", index, number, values)
    return None


def _along_axis(trial: Trial, invariant: Following) -> Problem | None:
    for number in range(len(trial.inputs)):
        evaluation = trial.evaluate([invariant.effect], number)
        column = evaluation.columns[invariant.effect]
        axis = list(evaluation.grid.ids).index(invariant.cause)
        data = np.asarray(column.codes if isinstance(column, WordColumn) else column)
        if data.ndim and data.shape[axis] > 1:
            wrong = _differences(np.take(data, [0], axis=axis), data, invariant.never)
            if wrong.any():
                index = first_cell(wrong, evaluation.grid.shape)
                start = tuple(0 if at == axis else place for at, place in enumerate(index))
                before, after = cell(column, start), cell(column, index)
                there = evaluation.grid.row(start)[invariant.cause]
                values = f"{invariant.effect} is {shown(before)} for {there}, and here {shown(after)}"
                return _broken(trial, invariant, "then", index, number, values)
    return None


def _following(trial: Trial, invariant: Following) -> Problem | None:
    asked = {invariant.cause, invariant.effect}
    befores = [trial.evaluate(asked, number) for number in range(len(trial.inputs))]
    for factor, (number, before) in product(STEPS, enumerate(befores)):
        cause: Any = before.columns[invariant.cause]
        stepped: Any = cause * factor if invariant.when is Change.INCREASES else cause / factor
        old, new = before.columns[invariant.effect], trial.stepped(number, invariant.cause, stepped, invariant.effect)
        wrong = _differences(_comparable(old), _comparable(new), invariant.never)
        if wrong.any():
            index = _least_cell(wrong, cause, before.grid.shape)
            values = "; ".join(
                f"{name} {shown(cell(one, index))} -> {shown(cell(other, index))}"
                for name, one, other in ((invariant.cause, cause, stepped), (invariant.effect, old, new))
            )
            return _broken(trial, invariant, "then", index, number, values)
    return None


def _broken(trial: Trial, invariant: Invariant, key: str, index: tuple[int, ...], number: int, values: str) -> Problem:
    inputs = [f"{QUESTION}.{name}={value:g}" for name, value in trial.inputs[number].items()]
    row = " ".join([*trial.row(index), *inputs])
    message = f"`{invariant.name}` does not hold for {row}: {values}"
    hint = f"in the profile {trial.rule_set.profile}: correct the rule, or the invariant"
    return invariant.document.problem(InvariantBroken, message, (*invariant.path, key), hint=hint)


def _comparable(column: Column) -> Any:
    """Numbers as they are, and each word by itself."""
    return np.array(column.words, dtype=object)[column.codes] if isinstance(column, WordColumn) else np.asarray(column)


def _differences(old: Any, new: Any, never: Change) -> Any:
    """Where `new` differs from `old` as it never may."""
    if old.dtype.kind not in "f":
        return np.asarray(old != new)
    slack = SLACK * np.maximum(np.abs(old), 1)
    with np.errstate(invalid="ignore"):
        falls, rises = new < old - slack, new > old + slack
    return {Change.DECREASES: falls, Change.INCREASES: rises, Change.CHANGES: falls | rises}[never]


def _least_cell(wrong: Any, cause: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of the marked cells, the first with the least value of the cause."""
    causes = np.broadcast_to(cause, np.broadcast_shapes(np.shape(wrong), np.shape(cause)))
    return first_cell(wrong & (causes == np.min(causes, where=wrong, initial=np.inf)), shape)
