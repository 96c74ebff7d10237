"""The whole comparison of two versions as plain data, from which every output format is rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fitcard.compiler.engine import Engine
from fitcard.diff.accuracy import compare_measured, compare_stated_figures, compare_tests
from fitcard.diff.changes import Change, FieldChange, find_changes
from fitcard.diff.contract import Case, contract_problems, moved_cases
from fitcard.diff.data import (
    accuracy_data,
    case_data,
    change_data,
    impact_data,
    measured_data,
    problem_data,
    side_data,
    tests_data,
)
from fitcard.diff.impact import compare_answers, is_touched
from fitcard.diff.leads import find_leads
from fitcard.diff.questions import Questions
from fitcard.diff.schema import AccuracyData, Action, Effect, ImpactData, ItemKind, MeasuredData, ReportData, TestsData
from fitcard.diff.shown import ALWAYS, NOWHERE, Output, shown_places
from fitcard.diff.snapshot import Snapshot
from fitcard.problems import Problem, ProblemCode, ProblemsError, Related, Severity
from fitcard.rulebook.rulebook import Rulebook
from fitcard.testing.rule_tests import rule_tests

NO_REACH = {False: "; it affects no answer", True: "; it affects which names find the entry"}  # by whether names differ
Progress = Callable[[str, int, int], None]  # profile, number of compared questions, number of all


class NameStillRead(ProblemCode):
    """A removed rule is still used by others.

    Why: rules that use it have no value. The problem points at where the rule was and names those that use it.
    Avoid: removing `headroom_share` while `headroom` uses it
    Prefer: changing `headroom` in the same commit, or first.
    """


class AnswersMoved(ProblemCode):
    """A changed rule or catalog figure affects answers.

    Why: reviewers see at the changed line how far the change reaches.
    Avoid: assuming that a small change has a small effect
    Prefer: reading what `fitcard diff BASE` reports.
    """


@dataclass(frozen=True)
class Computed:
    """The parts of a report that are computed with the two rulebooks, which takes most of the time."""

    impact: Sequence[ImpactData]
    tests: TestsData
    measured: Sequence[MeasuredData]
    accuracy: Sequence[AccuracyData]


@dataclass(frozen=True)
class DiffReport:
    """`problems` are errors first, then warnings and notes; `unexplained` the contract cases without a reason.

    `computed` is None if either version has errors or an answer is not finite.
    """

    data: ReportData
    problems: tuple[Problem, ...]
    unexplained: tuple[Case, ...]
    computed: Computed | None


def compare_snapshots(
    base: Snapshot,
    head: Snapshot,
    progress: Progress = lambda profile, done, total: None,
    computed: Computed | None = None,
) -> DiffReport:
    """All changes from `base` to `head` and, unless either has errors, their effect on answers, tests and errors.

    `computed` is that of an earlier report on the same two rulebooks, if there is one.
    """
    leads = find_leads(base.rulebook, head.rulebook) if base.rulebook and head.rulebook else []
    changes = find_changes(base, head, leads)
    problems = [*_removed_but_read(changes), *head.problems]
    data: ReportData = {
        "base": side_data(base),
        "head": side_data(head),
        "counts": {
            "answers": _count(changes, Effect.ANSWERS),
            "checks": _count(changes, Effect.CHECKS),
            "wording": _count(changes, Effect.WORDING),
        },
        "changes": [change_data(change) for change in changes],
        "impact": [],
        "problems": [],
    }
    cases: list[Case] = []
    if base.engine is not None and head.engine is not None:
        try:
            profiles = _profiles(base, base.engine, head, head.engine, changes)
            computed = computed or _compute(base.engine, head.engine, profiles, progress)
            data["impact"], data["tests"] = [*computed.impact], computed.tests
            data["measured"], data["accuracy"] = [*computed.measured], [*computed.accuracy]
        except ProblemsError as not_finite:
            problems += not_finite.problems
        data["leads"] = leads
        cases = moved_cases(base, head)
        problems += contract_problems(base, head, cases)
        count = sum(test.contract for test in rule_tests(base.engine.rulebook))
        data["contract"] = {"cases": count, "moved": [case_data(case) for case in cases]}
    else:
        problems += _base_problems(base)
    problems += _answer_notes(changes, data["impact"])
    problems.sort(key=lambda problem: list(Severity).index(problem.severity))
    data["problems"] = [problem_data(problem) for problem in problems if problem.severity is not Severity.NOTE]
    return DiffReport(data, tuple(problems), tuple(case for case in cases if not case.why), computed)


def _count(changes: Iterable[Change], effect: Effect) -> int:
    return sum(change.effect is effect for change in changes)


def _compute(base: Engine, head: Engine, profiles: Sequence[tuple[str, str]], progress: Progress) -> Computed:
    """Raises ProblemsError if an answer is not finite."""
    return Computed(
        [impact for pair in profiles for impact in _impacts(base, head, pair, profiles[0][1], progress)],
        tests_data(compare_tests(base, head)),
        [measured_data(comparison) for comparison in compare_measured(base, head, profiles)],
        [accuracy_data(figures) for figures in compare_stated_figures(base, head)],
    )


def _impacts(
    base: Engine, head: Engine, profiles: tuple[str, str], default_profile: str, progress: Progress
) -> Iterator[ImpactData]:
    """The impact on all answers of one profile, and for each axis that is not swept and is touched by the change, the
    impact on answers about each of its entries.

    Impacts without an affected output are skipped, except that on all answers of the default profile.
    """
    old, new = base.rules[profiles[0]], head.rules[profiles[1]]
    all_questions = Questions.shared(old, new)
    axes = [
        name for name, axis in new.question_fields.axes.items() if not axis.swept and is_touched(all_questions, name)
    ]
    for axis in ("", *axes):
        questions = all_questions.opened(axis) if axis else all_questions
        title = " by ".join(filter(None, (new.profile, axis)))
        impact = compare_answers(questions, _outputs(base.rulebook, head.rulebook, profiles), partial(progress, title))
        if impact.tallies or (new.profile == default_profile and not axis):
            yield impact_data(impact, axis)


def _profiles(
    base: Snapshot, old: Engine, head: Snapshot, new: Engine, changes: Iterable[Change]
) -> list[tuple[str, str]]:
    """The pairs of profiles to compare, that of the default profiles first.

    A profile that is not swept is compared only if it changed itself.
    """
    pairs = [(base.profile, head.profile)]
    if not base.revision.profile and not head.revision.profile:
        changed = {change.item.within for change in changes}
        swept = [name for name in new.rulebook.rule_sets if name not in head.unswept or name in changed]
        both = [name for name in swept if name in old.rulebook.rule_sets]
        pairs += [(name, name) for name in both if (name, name) not in pairs]
    return pairs


def _outputs(base: Rulebook, head: Rulebook, profiles: tuple[str, str]) -> list[Output]:
    """The rules whose values an answer of either version shows, and pinned rules: these first, then in the order of the
    answer.
    """
    rule_sets = (base.rule_sets[profiles[0]], head.rule_sets[profiles[1]])
    old, new = (shown_places(book.layout, rules) for book, rules in zip((base, head), rule_sets, strict=True))
    outputs = []
    for name in dict.fromkeys([*head.pinned.names, *new, *old]):
        if any(name in rule_set.definitions for rule_set in rule_sets):
            places = NOWHERE if name in old or name in new else ALWAYS
            outputs.append(Output(name, old.get(name, places), new.get(name, places)))
    return outputs


def _base_problems(base: Snapshot) -> Iterator[Problem]:
    """The errors of the old version as warnings, with its label in their positions."""
    for problem in base.problems if base.rulebook is None else ():
        position = problem.position
        labelled = replace(position, file=f"{base.revision.label}:{position.file}") if position else None
        yield replace(problem, position=labelled, severity=Severity.WARNING)


def _removed_but_read(changes: Iterable[Change]) -> Iterator[Problem]:
    """An error for each removed rule that others still use."""
    for change in changes:
        if change.still_read_by:
            name, document = change.item.name, change.item.document
            readers = ", ".join(f"`{reader}`" for reader in change.still_read_by)
            message = f"`{name}` was removed, but {readers} still use{'s' * (len(change.still_read_by) == 1)} it"
            former = Related(document.position(change.item.path, key=True), "it was here")
            hint = f"keep it, or change {readers} too"
            yield Problem(NameStillRead, message, change.position, hint=hint, related=(former,))


def _answer_notes(changes: Iterable[Change], impacts: Sequence[ImpactData]) -> Iterator[Problem]:
    """A note at the line of each rule or catalog entry whose change affects answers."""
    moved = sum(impact["moved"] for impact in impacts if "opened" not in impact)
    for change in changes:
        item = change.item
        if change.effect is Effect.ANSWERS and (item.is_rule or item.kind is ItemKind.ENTRY):
            fields = [_describe(field) for field in change.details if field.field and field.effect is Effect.ANSWERS]
            details = f": {', '.join(fields)}" if fields and change.action is Action.CHANGED else ""
            reach = f"; it affects {', '.join(change.reaches)}" if change.reaches else NO_REACH[change.renames]
            total = f"; {moved:,} answers move with the whole change" if change.reaches and impacts else ""
            message = f"the {item.kind} `{item.name}` is {change.action}{details}{reach}{total}"
            yield Problem(AnswersMoved, message, change.position, Severity.NOTE)


def _describe(change: FieldChange) -> str:
    if change.old is None or change.new is None:
        return f"{change.field} {'removed' if change.new is None else f'{change.new} added'}"
    return f"{change.field} {change.old} -> {change.new}"
