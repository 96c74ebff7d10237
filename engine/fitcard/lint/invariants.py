"""Invariants tested on samples of questions; a problem shows the smallest counterexample."""

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


class InvariantBroken(ProblemCode):
    """Some question violates an invariant. The problem shows a minimal one, with values before and after.

    Why: invariants state what must hold regardless of the values of constants.
    Avoid: removing the invariant
    Prefer: fixing the rule that the values lead to, or the invariant if it claims too much.
    """


STEPS = (1 + 1 / 16, 2, 16)  # factors by which a cause is changed, in this order
SLACK = 1e-9  # relative; smaller differences are rounding errors
KEEPS_ORDER = {Direction.DECREASES: np.greater_equal, Direction.INCREASES: np.less_equal, Direction.CHANGES: np.equal}


class Perturbations:
    """The effects of invariants in one sample after a change of their cause, each cause evaluated once for all effects.

    A step is the factor by which a number is increased or decreased, or the entry that all questions name on an axis.
    """

    def __init__(self, sample: Sample, invariants: Iterable[MonotonicInvariant]) -> None:
        self.sample = sample
        self._effects: dict[tuple[str, Direction], set[str]] = {}
        self._columns: dict[tuple[str, Direction, float | str], Mapping[str, Column]] = {}
        for invariant in invariants:
            self._effects.setdefault((invariant.cause, invariant.when), set()).add(invariant.effect)

    def effect(self, invariant: MonotonicInvariant, step: float | str) -> Column:
        """The effect after the cause changed by `step`. Raises ProblemsError if a number is not finite."""
        key = (invariant.cause, invariant.when, step)
        if key not in self._columns:
            try:
                self._columns[key] = self._evaluate(invariant, step, self._effects[key[:2]])
            except ProblemsError:  # of one effect: each is then evaluated by itself, so that only that one fails
                self._columns[key] = {}
        if invariant.effect not in self._columns[key]:
            return self._evaluate(invariant, step, [invariant.effect])[invariant.effect]
        return self._columns[key][invariant.effect]

    def _evaluate(
        self, invariant: MonotonicInvariant, step: float | str, effects: Iterable[str]
    ) -> Mapping[str, Column]:
        if isinstance(step, str):
            return self.sample.with_entry(invariant.cause, step, effects)
        column = self.sample.values([invariant.cause])[invariant.cause]
        return self.sample.with_column(invariant.cause, perturb(column, invariant.when, step), effects)


def perturb(column: Any, when: Direction, factor: float) -> Any:
    """A column of numbers increased or decreased by a factor."""
    return column * factor if when is Direction.INCREASES else column / factor


def invariant_problems(rulebook: Rulebook, samples: Iterable[Sample]) -> Iterator[Problem]:
    """Invariants with unknown names, and invariants that some question violates, each once for all profiles."""
    reported: set[tuple[Any, ...]] = set()
    yield from _unknown_profiles(rulebook)
    for sample in samples:
        testable: list[Invariant] = []
        for invariant in rulebook.invariants:
            excluded = sample.rules.profile in invariant.not_in
            if excluded or _key(invariant) in reported or _tested_by_baseline(sample, invariant):
                continue
            problem = next(_misuse_problems(sample.rules.rule_set, rulebook.units, invariant), None)
            converted = invariant
            if problem is None and isinstance(invariant, AlwaysInvariant):
                converted, problem = _convert_units(rulebook, sample.rules.rule_set, invariant)
            if problem is None:
                testable.append(converted)
            else:
                reported.add(_key(invariant))
                yield problem
        perturbations = Perturbations(
            sample, (invariant for invariant in testable if isinstance(invariant, MonotonicInvariant))
        )
        for invariant in testable:
            problem = _counterexample(perturbations, invariant)
            if problem is not None:
                reported.add(_key(invariant))
                yield problem


def _convert_units(
    rulebook: Rulebook, rule_set: RuleSet, invariant: AlwaysInvariant
) -> tuple[AlwaysInvariant, Problem | None]:
    """The invariant with its units converted, and the first problem with them."""
    path = (*invariant.path, "always")
    condition, problems = convert_condition(invariant.condition, rule_set, rulebook.units, invariant.document, path)
    return replace(invariant, condition=condition), next(iter(problems), None)


def _key(invariant: Invariant) -> tuple[Any, ...]:
    return (invariant.document.path, invariant.path)


def _unknown_profiles(rulebook: Rulebook) -> Iterator[Problem]:
    """Profiles in `not_in` that do not exist."""
    for invariant in rulebook.invariants:
        for number, profile in enumerate(invariant.not_in):
            if profile not in rulebook.rule_sets:
                message, near = f"there is no profile `{profile}`", closest(profile, rulebook.rule_sets)
                path = (*invariant.path, "not_in", number)
                yield invariant.document.problem(NameUnknown, message, path, closest=near)


def _tested_by_baseline(sample: Sample, invariant: Invariant) -> bool:
    """Whether the baseline tests it with the same definitions."""
    if sample.baseline is None or sample.baseline.rules.profile in invariant.not_in:
        return False
    names = invariant.condition.names if isinstance(invariant, AlwaysInvariant) else (invariant.cause, invariant.effect)
    default_tables = map(sample.rules.question_fields.default_table, names)
    return {*names, *default_tables} & sample.rules.definitions.keys() <= sample.shared


def _misuse_problems(rule_set: RuleSet, units: UnitSystem, invariant: Invariant) -> Iterator[Problem]:
    """Unknown names, and forms that do not suit the kinds of their names."""
    fields = rule_set.question_fields
    known = [*rule_set.definitions, *fields.axes, *field_names(fields, rule_set.catalogs)]
    known += [f"{QUESTION}.{name}" for name in fields.inputs]
    document = invariant.document
    if isinstance(invariant, AlwaysInvariant):
        path = (*invariant.path, "always")
        for name in invariant.condition.names:
            if rule_set.describe(name) is None and units.named(name) is None:
                offset, near = invariant.condition.offset_of(name), closest(name, [*known, *units.closest(name)])
                yield document.problem(NameUnknown, f"undefined name `{name}`", path, offset=offset, closest=near)
                return

        def kind_of_name(name: str) -> Kind:
            info = rule_set.describe(name)
            return info.kind if info else Kind.NUMBER  # of a unit

        kind, faults = infer_kind(invariant.condition, kind_of_name)
        for fault in faults:
            yield fault.problem(document, path)
        if kind is not Kind.CONDITION:
            yield document.problem(InvariantForm, "this must be a condition", path, hint="write a comparison")
        return
    cause, effect = rule_set.describe(invariant.cause), rule_set.describe(invariant.effect)
    is_axis = invariant.cause in fields.axes
    for key, name, is_unknown in (
        ("when", invariant.cause, cause is None and not is_axis),
        ("then", invariant.effect, effect is None),
    ):
        if is_unknown:
            path, near = (*invariant.path, key), closest(name, known)
            yield document.problem(NameUnknown, f"undefined name `{name}`", path, closest=near)
    if is_axis is not (invariant.when is Direction.CHANGES) and (is_axis or cause):
        hint = "an axis `changes`, a number `increases` or `decreases`"
        yield document.problem(InvariantForm, "this cannot be tested", (*invariant.path, "when"), hint=hint)
    if effect and effect.kind is not Kind.NUMBER and invariant.never is not Direction.CHANGES:
        message, hint = f"a {effect.kind} has no order", "write `never changes`"
        yield document.problem(InvariantForm, message, (*invariant.path, "then"), hint=hint)


def _counterexample(perturbations: Perturbations, invariant: Invariant) -> Problem | None:
    """The first question that violates the invariant: with the smallest step, and then the minimum of the cause."""
    try:
        if isinstance(invariant, AlwaysInvariant):
            return _test_condition(perturbations.sample, invariant)
        if invariant.cause in perturbations.sample.rules.question_fields.axes:
            return _test_axis(perturbations, invariant)
        return _test_number(perturbations, invariant)
    except ProblemsError as error:
        return error.problems[0]


def _test_condition(sample: Sample, invariant: AlwaysInvariant) -> Problem | None:
    names = invariant.condition.names
    columns = {name: column for name, column in sample.values(names).items() if name in names}
    holds = np.asarray(evaluate_expression(invariant.condition, columns))
    if holds.all():
        return None
    number = first_true(~holds, sample.questions.shape)[0]
    values = ", ".join(f"{name} = {format_value(cell(columns[name], (number,)))}" for name in names)
    return _broken(sample, invariant, "always", number, values)


def _test_axis(perturbations: Perturbations, invariant: MonotonicInvariant) -> Problem | None:
    sample = perturbations.sample
    first, *others = sample.questions.columns_of(invariant.cause).ids
    old = perturbations.effect(invariant, first)
    for entry in others:
        new = perturbations.effect(invariant, entry)
        violated = _violations(old, new, invariant.never)
        if violated.any():
            number = first_true(violated, sample.questions.shape)[0]
            before, after = (format_value(cell(column, (number,))) for column in (old, new))
            values = f"{invariant.effect} is {before} for {first}, and {after} for {entry}"
            return _broken(sample, invariant, "then", number, values)
    return None


def _test_number(perturbations: Perturbations, invariant: MonotonicInvariant) -> Problem | None:
    sample = perturbations.sample
    columns = sample.values([invariant.cause, invariant.effect])
    cause, old = columns[invariant.cause], columns[invariant.effect]
    for factor in STEPS:
        new = perturbations.effect(invariant, factor)
        violated = _violations(old, new, invariant.never)
        if violated.any():
            number = _minimal_cell(violated, cause, sample.questions.shape)[0]
            changed = perturb(cause, invariant.when, factor)
            values = "; ".join(
                f"{name} {format_value(cell(before, (number,)))} -> {format_value(cell(after, (number,)))}"
                for name, before, after in ((invariant.cause, cause, changed), (invariant.effect, old, new))
            )
            return _broken(sample, invariant, "then", number, values)
    return None


def _broken(sample: Sample, invariant: Invariant, key: str, number: int, values: str) -> Problem:
    message = f"`{invariant.name}` does not hold for {' '.join(sample.row(number))}: {values}"
    hint = f"in the profile {sample.rules.profile}: correct the rule, or the invariant"
    return invariant.document.problem(InvariantBroken, message, (*invariant.path, key), hint=hint)


def _violations(old: Column, new: Column, never: Direction) -> Any:
    """The questions in which the effect changes in the direction that is ruled out."""
    if isinstance(old, WordColumn) and isinstance(new, WordColumn):
        same_words = old.words == new.words
        return np.asarray(old.codes != new.codes if same_words else _words(old) != _words(new))
    before, after = np.asarray(old), np.asarray(new)
    if before.dtype.kind not in "f":
        return np.asarray(before != after)
    with np.errstate(invalid="ignore"):
        if KEEPS_ORDER[never](after, before).all():  # usually so, and five times as fast as the comparison below
            return np.False_
        slack = SLACK * np.maximum(np.abs(before), 1)
        falls, rises = after < before - slack, after > before + slack
    return {Direction.DECREASES: falls, Direction.INCREASES: rises, Direction.CHANGES: falls | rises}[never]


def _words(column: WordColumn) -> Any:
    """The words themselves; None where absent, whose code -1 is the last index."""
    return np.array([*column.words, None], dtype=object)[column.codes]


def _minimal_cell(marked: Any, cause: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The first marked cell with the minimum of the cause."""
    causes = np.broadcast_to(cause, np.broadcast_shapes(np.shape(marked), np.shape(cause)))
    return first_true(marked & (causes == np.min(causes, where=marked, initial=np.inf)), shape)
