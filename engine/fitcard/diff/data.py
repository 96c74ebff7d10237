"""The parts of a report as plain data in the shapes of `diff.schema.json`. Relative changes are in percent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any, cast

import numpy as np

from fitcard.calibration.comparison import Errors
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.diff.accuracy import MeasuredComparison, StatedFigures, TestComparison
from fitcard.diff.changes import Change, FieldChange, changed_spans
from fitcard.diff.contract import Case, format_figure
from fitcard.diff.histogram import ChangeTally, NumberChanges, WordChanges
from fitcard.diff.impact import Impact, first_difference
from fitcard.diff.schema import (
    AccuracyData,
    Action,
    AxisEntriesData,
    BinData,
    CaseData,
    ChangeData,
    DetailData,
    FailureData,
    FamiliesData,
    FamilyData,
    ImpactData,
    MeasuredData,
    MoverData,
    OutputData,
    ProblemData,
    RunErrorsData,
    SideData,
    StatedErrorsData,
    TestsData,
)
from fitcard.diff.shown import Output
from fitcard.diff.snapshot import Snapshot
from fitcard.problems import Problem, errors
from fitcard.testing.rule_tests import Outcome

EDGES = (-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of relative changes
PERCENT = 100


def side_data(snapshot: Snapshot) -> SideData:
    """One side of the comparison."""
    data: SideData = {
        "label": snapshot.revision.label,
        "sha256": snapshot.files.sha256,
        "profile": snapshot.profile,
        "errors": len(errors(snapshot.problems)),
    }
    if snapshot.rulebook is not None:
        data["version"] = snapshot.rulebook.version
    return data


def change_data(change: Change) -> ChangeData:
    """A changed item with its fields and dependents."""
    item = change.item
    data: ChangeData = {
        "what": item.kind,
        "name": item.name,
        "action": change.action,
        "effect": change.effect,
        "file": change.position.file,
        "line": change.position.line,
        "details": [_detail(field) for field in change.details if change.action is Action.CHANGED or field.field],
    }
    if item.within:
        data["within"] = item.within
    if change.read_by:
        data["read_by"] = list(change.read_by)
    if change.reaches:
        data["reaches"] = list(change.reaches)
    if change.renames:
        data["renames"] = True
    if change.still_read_by:
        data["still_read_by"] = list(change.still_read_by)
    return data


def _detail(change: FieldChange) -> DetailData:
    old, new = change.old, change.new
    data: DetailData = {"field": change.field, "old": old, "new": new, "effect": change.effect}
    if _is_number(old) and _is_number(new) and old:
        data["percent"] = (new - old) / abs(old) * PERCENT
    if change.field == "expr" and isinstance(old, str) and isinstance(new, str):
        data["marks"] = changed_spans(" ".join(old.split()), " ".join(new.split()))
    return data


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def impact_data(impact: Impact, opened: str = "") -> ImpactData:
    """The effect on one profile. `opened` is the axis whose entries are varied, if not all answers are compared."""
    questions = impact.questions
    base, head = questions.base, questions.head
    entries: dict[str, AxisEntriesData] = {}
    for axis in questions.axes:
        if axis in base.question_fields.axes and axis in head.question_fields.axes:
            old, new = (rules.catalogs[rules.question_fields.axes[axis].catalog].entries for rules in (base, head))
            entries[axis] = {
                "both": len(questions.ids[axis]),
                "added": [entry for entry in new if entry not in old],
                "removed": [entry for entry in old if entry not in new],
            }
    moved = {name: tally for name, tally in impact.tallies.items() if tally.moved}
    data: ImpactData = {
        "profile": head.profile,
        "base_profile": base.profile,
        "answers": questions.count,
        "moved": impact.moved,
        "pages": impact.all_pages,
        "pages_moved": impact.pages,
        "about": list(questions.subjects),
        "entries": entries,
        "outputs": [_output(impact.outputs[name], tally) for name, tally in moved.items()],
        "groups": [families for name, tally in moved.items() for families in _families(name, tally, head)],
    }
    if opened:
        data["opened"] = opened
    return data


def _output(output: Output, tally: ChangeTally) -> OutputData:
    name, head = output.name, tally.questions.head
    definition = head.definitions.get(name) or tally.questions.base.definitions[name]
    data: OutputData = {
        "name": name,
        "about": definition.about,
        "unit": definition.unit,
        "moved": tally.moved,
        "movers": [],
    }
    if isinstance(tally, NumberChanges):
        data["rose"], data["fell"], data["from_zero"] = tally.rose, tally.fell, tally.from_zero
        data["appeared"], data["vanished"] = tally.appeared, tally.vanished
        if tally.rose + tally.fell > tally.from_zero:
            tenth, middle, nine_tenths = tally.quantiles()
            data["percent"] = {
                "least": tally.least * PERCENT,
                "tenth": tenth * PERCENT,
                "median": middle * PERCENT,
                "nine_tenths": nine_tenths * PERCENT,
                "most": tally.most * PERCENT,
            }
            data["histogram"] = [_bin(tally, start, end) for start, end in pairwise((-np.inf, *EDGES, np.inf))]
    if isinstance(tally, WordChanges):
        used = {word for pair in tally.counts for word in pair}
        words = [*(word for word in tally.order if word in used), *sorted(used - set(tally.order))]
        pairs = sorted(tally.counts.items(), key=lambda pair: [words.index(word) for word in pair[0]])
        data["words"] = words
        data["matrix"] = [{"old": old, "new": new, "answers": count} for (old, new), count in pairs]
    for mover in tally.movers:
        moved: MoverData = {
            "question": dict(mover.row),
            "old": mover.old,
            "new": mover.new,
            "first": first_difference(mover.question, output),
        }
        if isinstance(mover.old, float) and isinstance(mover.new, float) and mover.old:
            moved["percent"] = (mover.new - mover.old) / abs(mover.old) * PERCENT
        data["movers"].append(moved)
    return data


def _bin(tally: NumberChanges, start: float, end: float) -> BinData:
    low, high = (bound * PERCENT if np.isfinite(bound) else None for bound in (start, end))
    return {"from": low, "to": high, "answers": tally.between(start, end)}


def _families(name: str, tally: ChangeTally, rules: CompiledRules) -> Iterator[FamiliesData]:
    """The mean change of an output for each family of the entries that questions are about."""
    if not isinstance(tally, NumberChanges):
        return
    for axis in tally.sums:
        catalog = rules.catalogs[rules.question_fields.axes[axis].catalog]
        for field in (field for field in catalog.fields.values() if field.groups):
            members: dict[str, list[float]] = {}
            for entry, mean in zip(tally.questions.ids[axis], tally.means(axis), strict=True):
                members.setdefault(str(catalog.entries[entry].value(field.name)), []).append(float(mean))
            rows: list[FamilyData] = [
                {"group": group, "percent": sum(means) / len(means) * PERCENT} for group, means in members.items()
            ]
            rows.sort(key=lambda row: row["percent"])
            yield {"output": name, "axis": axis, "field": field.name, "rows": rows}


def tests_data(tests: TestComparison) -> TestsData:
    """The rule tests with another result."""
    return {
        "before": {"passed": tests.passed_before, "failed": tests.failed_before},
        "after": {"passed": tests.passed, "failed": tests.failed},
        "broken": [_failure(outcome) for outcome in tests.broken],
        "mended": [outcome.test.name for outcome in tests.mended],
        "new_failures": [_failure(outcome) for outcome in tests.new_failures],
    }


def _failure(outcome: Outcome) -> FailureData:
    position = outcome.test.document.position((*outcome.test.path, "name"))
    wrong = [problem.message for problem in outcome.problems]
    return {"name": outcome.test.name, "file": position.file, "line": position.line, "wrong": wrong}


def accuracy_data(figures: StatedFigures) -> AccuracyData:
    """The errors of one quantity against the figures that tests state."""
    return {
        "name": figures.name,
        "unit": figures.unit,
        "figures": len(figures.stated),
        "before": _stated_errors(figures.errors(figures.before)),
        "after": _stated_errors(figures.errors(figures.after)),
        "points": list(zip(figures.stated, figures.before, figures.after, strict=True)),
    }


def _stated_errors(relative: list[float]) -> StatedErrorsData:
    return {"median_percent": median(relative) * PERCENT, "worst_percent": max(relative) * PERCENT}


def measured_data(comparison: MeasuredComparison) -> MeasuredData:
    """The errors of one quantity against measured runs."""
    data: MeasuredData = {
        "profile": comparison.profile,
        "name": comparison.name,
        "title": comparison.title,
        "points": list(comparison.points),
    }
    if comparison.before is not None:
        data["before"] = _run_errors(comparison.before)
    if comparison.after is not None:
        data["after"] = _run_errors(comparison.after)
    return data


def _run_errors(errors: Errors) -> RunErrorsData:
    return {
        "runs": errors.count,
        "median_percent": errors.median * PERCENT,
        "ninetieth_percent": errors.ninetieth * PERCENT,
        "bias_percent": errors.bias * PERCENT,
    }


def case_data(case: Case) -> CaseData:
    """A changed contract case with its figures as printed."""
    position = case.test.document.position((*case.test.path, "name"))
    data: CaseData = {
        "case": case.name,
        "file": position.file,
        "line": position.line,
        "figures": {
            name: {"old": format_figure(case, name, old), "new": format_figure(case, name, new)}
            for name, (old, new) in case.figures.items()
        },
    }
    if case.withdrawn:
        data["withdrawn"] = True
    if case.why:
        data["why"] = case.why
    return data


def problem_data(problem: Problem) -> ProblemData:
    """A problem as plain data."""
    return cast(ProblemData, problem.as_dict())
