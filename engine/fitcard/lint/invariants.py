"""Invariants tried on many questions, with steps of several sizes; a broken one shows an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fitcard.compiler.finite import format_value
from fitcard.compiler.program import evaluate_expression
from fitcard.language.invariants import AlwaysInvariant, Direction, Invariant, InvariantForm, MonotonicInvariant
from fitcard.language.kinds import infer_kind
from fitcard.language.question_fields import QUESTION
from fitcard.language.resolution import NameUnknown
from fitcard.language.rule_set import RuleSet, field_names
from fitcard.language.unit_system import UnitSystem
from fitcard.language.units import convert_condition
from fitcard.lint.sample import Sample
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest
from fitcard.values import Column, Kind, WordColumn, cell, first_true


class Perturbations:
    """The effects of invariants in one trial, after each of their causes has moved.

    A move is a factor by which a number becomes larger or smaller, or the entry that all questions name on an axis.
    """

    def __init__(self, trial: Sample, invariants: Iterable[MonotonicInvariant]) -> None:
        self.trial = trial
        self._effects: dict[tuple[str, Direction], set[str]] = {}
        self._kept: dict[tuple[str, Direction, float | str], Mapping[str, Column]] = {}
        for one in invariants:
            self._effects.setdefault((one.cause, one.when), set()).add(one.effect)

    def after(self, invariant: MonotonicInvariant, move: float | str) -> Column:
        """The effect once the cause has moved. Raises ProblemsFound where a number is not finite then."""
        key = (invariant.cause, invariant.when, move)
        if key not in self._kept:
            try:
                self._kept[key] = self._evaluate(invariant, move, self._effects[key[:2]])
            except ProblemsError:  # of one of the effects, which is told where that one is asked for
                self._kept[key] = {}
        if invariant.effect not in self._kept[key]:
            return self._evaluate(invariant, move, [invariant.effect])[invariant.effect]
        return self._kept[key][invariant.effect]

    def _evaluate(
        self, invariant: MonotonicInvariant, move: float | str, effects: Iterable[str]
    ) -> Mapping[str, Column]:
        if isinstance(move, str):
            return self.trial.with_entry(invariant.cause, move, effects)
        column = self.trial.values([invariant.cause])[invariant.cause]
        return self.trial.perturbed(invariant.cause, perturb(column, invariant.when, move), effects)


def perturb(column: Any, when: Direction, factor: float) -> Any:
    """A column of numbers made larger by a factor, or smaller by it."""
    return column * factor if when is Direction.INCREASES else column / factor


class InvariantBroken(ProblemCode):
    """Some question violates an invariant. The problem shows a minimal one, with values before and after.

    Why: invariants state what must hold regardless of the values of constants.
    Avoid: removing the invariant
    Prefer: fixing the rule that the values lead to, or the invariant if it claims too much.
    """


STEPS = (1 + 1 / 16, 2, 16)  # a cause is made larger by these factors, the smallest first
SLACK = 1e-9  # of the value: the last digits of a float
AS_IT_MAY = {Direction.DECREASES: np.greater_equal, Direction.INCREASES: np.less_equal, Direction.CHANGES: np.equal}


def invariant_problems(rulebook: Rulebook, trials: Iterable[Sample]) -> Iterator[Problem]:
    """Every invariant that names what is not there, or that some question breaks, said once over all profiles."""
    told: set[tuple[Any, ...]] = set()
    yield from _unknown_profiles(rulebook)
    for trial in trials:
        tried: list[Invariant] = []
        for invariant in rulebook.invariants:
            left_out = trial.rules.profile in invariant.not_in
            if left_out or _place(invariant) in told or _tried_before(trial, invariant):
                continue
            problem = next(_unknown(trial.rules.rule_set, rulebook.units, invariant), None)
            converted = invariant
            if problem is None and isinstance(invariant, AlwaysInvariant):
                converted, problem = _converted(rulebook, trial.rules.rule_set, invariant)
            if problem is None:
                tried.append(converted)
            else:
                told.add(_place(invariant))
                yield problem
        moves = Perturbations(trial, (one for one in tried if isinstance(one, MonotonicInvariant)))
        for invariant in tried:
            problem = _counter_example(moves, invariant)
            if problem is not None:
                told.add(_place(invariant))
                yield problem


def _converted(
    rulebook: Rulebook, rule_set: RuleSet, invariant: AlwaysInvariant
) -> tuple[AlwaysInvariant, Problem | None]:
    """The invariant with its condition in units that are converted, and the first that cannot be."""
    path = (*invariant.path, "always")
    condition, problems = convert_condition(invariant.condition, rule_set, rulebook.units, invariant.document, path)
    return replace(invariant, condition=condition), next(iter(problems), None)


def _place(invariant: Invariant) -> tuple[Any, ...]:
    return (invariant.document.path, invariant.path)


def _unknown_profiles(rulebook: Rulebook) -> Iterator[Problem]:
    """Profiles that an invariant leaves out, and that are not there."""
    for invariant in rulebook.invariants:
        for at, profile in enumerate(invariant.not_in):
            if profile not in rulebook.rule_sets:
                message, near = f"there is no profile `{profile}`", closest(profile, rulebook.rule_sets)
                path = (*invariant.path, "not_in", at)
                yield invariant.document.problem(NameUnknown, message, path, closest=near)


def _tried_before(trial: Sample, invariant: Invariant) -> bool:
    """Whether it was tried under another profile, and all that it is about is the same here."""
    if trial.baseline is None or trial.baseline.rules.profile in invariant.not_in:
        return False
    names = invariant.condition.names if isinstance(invariant, AlwaysInvariant) else (invariant.cause, invariant.effect)
    made_of = {*names, *map(trial.rules.question_fields.default_table, names)} & trial.rules.definitions.keys()
    return made_of <= trial.shared


def _unknown(rule_set: RuleSet, units: UnitSystem, invariant: Invariant) -> Iterator[Problem]:
    """Names of the invariant that stand for nothing, or for something that cannot be asked of them."""
    known = [
        *rule_set.definitions,
        *rule_set.question_fields.axes,
        *field_names(rule_set.question_fields, rule_set.catalogs),
    ]
    known += [f"{QUESTION}.{asked}" for asked in rule_set.question_fields.inputs]
    if isinstance(invariant, AlwaysInvariant):
        path = (*invariant.path, "always")
        for name in invariant.condition.names:
            if rule_set.describe(name) is None and units.named(name) is None:
                at, near = invariant.condition.offset_of(name), closest(name, known)
                yield invariant.document.problem(NameUnknown, f"undefined name `{name}`", path, offset=at, closest=near)
                return

        def kind_of_name(name: str) -> Kind:
            info = rule_set.describe(name)
            return info.kind if info else Kind.NUMBER  # of a unit

        kind, faults = infer_kind(invariant.condition, kind_of_name)
        for fault in faults:
            yield fault.problem(invariant.document, path)
        if kind is not Kind.CONDITION:
            yield invariant.document.problem(InvariantForm, "this must be a condition", path, hint="write a comparison")
        return
    cause, effect = rule_set.describe(invariant.cause), rule_set.describe(invariant.effect)
    is_axis = invariant.cause in rule_set.question_fields.axes
    for key, name, missing in (
        ("when", invariant.cause, cause is None and not is_axis),
        ("then", invariant.effect, effect is None),
    ):
        if missing:
            place, near = (*invariant.path, key), closest(name, known)
            yield invariant.document.problem(NameUnknown, f"undefined name `{name}`", place, closest=near)
    if is_axis is not (invariant.when is Direction.CHANGES) and (is_axis or cause):
        hint = "an axis `changes`, a number `increases` or `decreases`"
        yield invariant.document.problem(InvariantForm, "this cannot be tested", (*invariant.path, "when"), hint=hint)
    if effect and effect.kind is not Kind.NUMBER and invariant.never is not Direction.CHANGES:
        hint = "write `never changes`"
        yield invariant.document.problem(
            InvariantForm, f"a {effect.kind} has no order", (*invariant.path, "then"), hint=hint
        )


def _counter_example(moves: Perturbations, invariant: Invariant) -> Problem | None:
    """The first question that breaks the invariant: by the smallest step, and of those with the least value."""
    try:
        if isinstance(invariant, AlwaysInvariant):
            return _always(moves.trial, invariant)
        if invariant.cause in moves.trial.rules.question_fields.axes:
            return _along_axis(moves, invariant)
        return _following(moves, invariant)
    except ProblemsError as found:
        return found.problems[0]


def _always(trial: Sample, invariant: AlwaysInvariant) -> Problem | None:
    names = invariant.condition.names
    columns = {name: column for name, column in trial.values(names).items() if name in names}
    holds = np.asarray(evaluate_expression(invariant.condition, columns))
    if holds.all():
        return None
    number = first_true(~holds, trial.questions.shape)[0]
    values = ", ".join(f"{name} = {format_value(cell(columns[name], (number,)))}" for name in names)
    return _broken(trial, invariant, "always", number, values)


def _along_axis(moves: Perturbations, invariant: MonotonicInvariant) -> Problem | None:
    trial = moves.trial
    entries = trial.questions.columns_of(invariant.cause).ids
    first = moves.after(invariant, entries[0])
    for entry in entries[1:]:
        column = moves.after(invariant, entry)
        wrong = _differences(first, column, invariant.never)
        if wrong.any():
            number = first_true(wrong, trial.questions.shape)[0]
            before, after = (format_value(cell(one, (number,))) for one in (first, column))
            values = f"{invariant.effect} is {before} for {entries[0]}, and {after} for {entry}"
            return _broken(trial, invariant, "then", number, values)
    return None


def _following(moves: Perturbations, invariant: MonotonicInvariant) -> Problem | None:
    trial = moves.trial
    columns = trial.values([invariant.cause, invariant.effect])
    cause, old = columns[invariant.cause], columns[invariant.effect]
    for factor in STEPS:
        new = moves.after(invariant, factor)
        wrong = _differences(old, new, invariant.never)
        if wrong.any():
            number, larger = _least_cell(wrong, cause, trial.questions.shape)[0], perturb(cause, invariant.when, factor)
            values = "; ".join(
                f"{name} {format_value(cell(one, (number,)))} -> {format_value(cell(other, (number,)))}"
                for name, one, other in ((invariant.cause, cause, larger), (invariant.effect, old, new))
            )
            return _broken(trial, invariant, "then", number, values)
    return None


def _broken(trial: Sample, invariant: Invariant, key: str, number: int, values: str) -> Problem:
    message = f"`{invariant.name}` does not hold for {' '.join(trial.row(number))}: {values}"
    hint = f"in the profile {trial.rules.profile}: correct the rule, or the invariant"
    return invariant.document.problem(InvariantBroken, message, (*invariant.path, key), hint=hint)


def _differences(old: Column, new: Column, never: Direction) -> Any:
    """Where `new` differs from `old` as it never may."""
    if isinstance(old, WordColumn) and isinstance(new, WordColumn):
        same = old.words == new.words
        return np.asarray(old.codes != new.codes if same else _words(old) != _words(new))
    before, after = np.asarray(old), np.asarray(new)
    if before.dtype.kind not in "f":
        return np.asarray(before != after)
    with np.errstate(invalid="ignore"):
        if AS_IT_MAY[never](after, before).all():  # nearly always so, and found in a fifth of the time
            return np.False_
        slack = SLACK * np.maximum(np.abs(before), 1)
        falls, rises = after < before - slack, after > before + slack
    return {Direction.DECREASES: falls, Direction.INCREASES: rises, Direction.CHANGES: falls | rises}[never]


def _words(column: WordColumn) -> Any:
    """Each word by itself; None where it is absent, whose code is the last place."""
    return np.array([*column.words, None], dtype=object)[column.codes]


def _least_cell(wrong: Any, cause: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of the marked cells, the first with the least value of the cause."""
    causes = np.broadcast_to(cause, np.broadcast_shapes(np.shape(wrong), np.shape(cause)))
    return first_true(wrong & (causes == np.min(causes, where=wrong, initial=np.inf)), shape)
