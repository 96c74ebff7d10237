"""The comparison of two states, all of it, as plain data: whatever is drawn is drawn from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from fitcard.diff.accuracy import compare_measured, compare_stated_figures, compare_tests
from fitcard.diff.annotations import answer_annotations, removed_but_read
from fitcard.diff.changes import Difference, Effect, differences, shown_rules
from fitcard.diff.contract import Case, contract_problems, moved_cases
from fitcard.diff.data import accuracy_data, case_data, change_data, impact_data, measured_data, side_data, tests_data
from fitcard.diff.impact import impact
from fitcard.diff.questions import Questions
from fitcard.diff.snapshot import Snapshot
from fitcard.diff.unchanged import is_touched
from fitcard.problems import Problem, ProblemsError, Severity
from fitcard.rulebook.rulebook import Rulebook
from fitcard.testing.rule_tests import rule_tests

Progress = Callable[[str, int, int], None]  # the profile, questions done, and all


@dataclass(frozen=True)
class DiffReport:
    """`data` is the comparison; `problems` are its errors, warnings and notes, the most important first.

    `computed` is the part of the data that takes the two rulebooks alone, and most of the time.
    """

    data: dict[str, Any]
    problems: tuple[Problem, ...]
    unexplained: tuple[Case, ...]
    computed: Mapping[str, Any]


def compare_snapshots(
    base: Snapshot,
    head: Snapshot,
    progress: Progress = lambda profile, done, of: None,
    computed: Mapping[str, Any] = MappingProxyType({}),
) -> DiffReport:
    """Everything that can be said of the change from `base` to `head`.

    Where the new files hold an error, what changed is told and nothing is computed. `computed` is that of a report on
    the same two rulebooks, if there is one.
    """
    changed = differences(base, head)
    problems = [*removed_but_read(changed), *head.problems]
    data: dict[str, Any] = {
        "base": side_data(base),
        "head": side_data(head),
        "counts": {str(effect): sum(one.effect is effect for one in changed) for effect in Effect},
        "changes": [change_data(one) for one in changed],
        "impact": [],
    }
    cases: list[Case] = []
    if base.engine is not None and head.engine is not None:
        try:
            computed = computed or _computed(base, head, _profiles(base, head, changed), progress)
            data |= computed
        except ProblemsError as not_finite:
            problems += not_finite.problems
        cases = moved_cases(base, head)
        problems += contract_problems(base, head, cases)
        count = sum(test.contract for test in rule_tests(base.engine.rulebook))
        data["contract"] = {"cases": count, "moved": [case_data(case) for case in cases]}
    else:
        problems += _of_old(base)
    problems += answer_annotations(changed, data["impact"])
    problems.sort(key=lambda problem: list(Severity).index(problem.severity))
    data["problems"] = [problem.as_dict() for problem in problems if problem.severity is not Severity.NOTE]
    return DiffReport(data, tuple(problems), tuple(case for case in cases if not case.why), computed)


def _computed(base: Snapshot, head: Snapshot, profiles: list[tuple[str, str]], progress: Progress) -> dict[str, Any]:
    """What the change does to answers, rule tests, and estimates of what was measured, by each of the profiles.

    Raises ProblemsFound where an answer is not finite.
    """
    assert base.engine is not None
    assert head.engine is not None
    return {
        "impact": [one for pair in profiles for one in _impacts(base, head, pair, progress)],
        "tests": tests_data(compare_tests(base.engine, head.engine)),
        "measured": [measured_data(one) for one in compare_measured(base.engine, head.engine, profiles)],
        "accuracy": [accuracy_data(one) for one in compare_stated_figures(base.engine, head.engine)],
    }


def _impacts(base: Snapshot, head: Snapshot, pair: tuple[str, str], progress: Progress) -> Iterator[dict[str, Any]]:
    """By one profile every answer, then each entry of an axis that is not swept and that the change touches."""
    assert base.engine is not None
    assert head.engine is not None
    before, after = pair
    rules = base.engine.rules[before], head.engine.rules[after]
    every = Questions.both_know(*rules)
    opened = [
        name for name, axis in rules[1].question_fields.axes.items() if not axis.swept and is_touched(every, name)
    ]
    for axis in ("", *opened):
        asked, told = every.opened(axis) if axis else every, " by ".join(filter(None, (after, axis)))
        found = impact(asked, _outputs(head.engine.rulebook, after), partial(progress, told))
        if found.tallies or (after == head.profile and not axis):
            yield impact_data(found, axis)


def _of_old(base: Snapshot) -> Iterator[Problem]:
    """What is wrong in the old state: no errors of the change, and said whose they are."""
    for problem in base.problems if base.rulebook is None else ():
        place = problem.position
        there = replace(place, file=f"{base.revision.label}:{place.file}") if place else None
        yield replace(problem, position=there, severity=Severity.WARNING)


def _profiles(base: Snapshot, head: Snapshot, changed: Iterable[Difference]) -> list[tuple[str, str]]:
    """Which profile of the old state is compared with which of the new one, what answers by default first.

    One that is not swept takes part only where it says something else itself.
    """
    assert base.rulebook is not None
    assert head.rulebook is not None
    pairs = [(base.profile, head.profile)]
    if not base.revision.profile and not head.revision.profile:
        itself = {one.thing.within for one in changed}
        swept = {name for name in head.rulebook.rule_sets if name not in head.unswept or name in itself}
        both = [name for name in head.rulebook.rule_sets if name in base.rulebook.rule_sets and name in swept]
        pairs += [(name, name) for name in both if (name, name) not in pairs]
    return pairs


def _outputs(rulebook: Rulebook, profile: str) -> list[str]:
    """The rules whose values an answer shows: those that are pinned first, then in the order of the answer."""
    rules = rulebook.rule_sets[profile]
    names = [*rulebook.pinned.names, *shown_rules(rulebook)]
    return [name for name in dict.fromkeys(names) if name in rules.definitions]
