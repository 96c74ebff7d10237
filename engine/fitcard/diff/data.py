"""The parts of a comparison as plain data, in the shape of `diff.schema.json`. Shares are in percent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from fitcard.calibration.comparison import Errors
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.diff.accuracy import MeasuredComparison, StatedFigures, TestComparison
from fitcard.diff.changes import Action, Detail, Difference, changed_spans
from fitcard.diff.contract import Case, format_figure
from fitcard.diff.histogram import ChangeTally, NumberChanges, WordChanges
from fitcard.diff.impact import Impact, first_difference
from fitcard.diff.snapshot import Snapshot
from fitcard.problems import errors
from fitcard.testing.rule_tests import Outcome
from fitcard.values import Scalar

EDGES = (-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, 0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of relative changes


def side_data(state: Snapshot) -> dict[str, Any]:
    """One side: what it is called, which rules it holds, and how many errors they have."""
    side: dict[str, Any] = {"label": state.revision.label, "sha256": state.files.sha256, "profile": state.profile}
    if state.rulebook is not None:
        side["version"] = state.rulebook.version
    return side | {"errors": len(errors(state.problems))}


def change_data(one: Difference) -> dict[str, Any]:
    """One thing that differs, with its fields, and what is made of it."""
    thing = one.thing
    change: dict[str, Any] = {
        "what": str(thing.what),
        "name": thing.name,
        "action": str(one.action),
        "effect": str(one.effect),
        "file": one.position.file,
        "line": one.position.line,
    }
    if thing.within:
        change["within"] = thing.within
    change["details"] = [_detail(detail) for detail in one.details if one.action is Action.CHANGED or detail.field]
    for key in ("read_by", "reaches", "still_read_by"):
        if getattr(one, key):
            change[key] = list(getattr(one, key))
    return change


def _detail(detail: Detail) -> dict[str, Any]:
    told: dict[str, Any] = {"field": detail.field, "old": detail.old, "new": detail.new, "effect": str(detail.effect)}
    old, new = detail.old, detail.new
    if _is_number(old) and _is_number(new) and old:
        told["percent"] = (new - old) / abs(old) * 100
    if detail.field == "expr" and isinstance(old, str) and isinstance(new, str):
        told["marks"] = changed_spans(" ".join(old.split()), " ".join(new.split()))
    return told


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def impact_data(found: Impact, opened: str = "") -> dict[str, Any]:
    """What moved under one profile: how many answers, each output, and the farthest movers.

    `opened` is the axis that is run through, where it is not every answer that is compared.
    """
    questions = found.questions
    base, head = questions.base, questions.head
    entries: dict[str, Any] = {}
    for axis in questions.axes:
        there = [
            rules.catalogs[rules.question_fields.axes[axis].catalog].entries
            for rules in (base, head)
            if axis in rules.question_fields.axes
        ]
        if len(there) == 2:
            entries[axis] = {
                "both": len(questions.ids[axis]),
                "added": [entry for entry in there[1] if entry not in there[0]],
                "removed": [entry for entry in there[0] if entry not in there[1]],
            }
    moved = {name: tally for name, tally in found.tallies.items() if tally.moved}
    return {
        "profile": head.profile,
        "base_profile": base.profile,
        **({"opened": opened} if opened else {}),
        "answers": questions.count,
        "moved": found.moved,
        "pages": found.all_pages,
        "pages_moved": found.pages,
        "about": list(questions.subjects),
        "entries": entries,
        "outputs": [_output(name, tally, head) for name, tally in moved.items()],
        "groups": [row for name, tally in moved.items() for row in _groups(name, tally, head)],
    }


def _output(name: str, tally: ChangeTally, rules: CompiledRules) -> dict[str, Any]:
    definition = rules.definitions[name]
    output: dict[str, Any] = {"name": name, "about": definition.about, "unit": definition.unit, "moved": tally.moved}
    if isinstance(tally, NumberChanges):
        output |= {"rose": tally.rose, "fell": tally.fell, "from_zero": tally.from_zero}
        if tally.moved > tally.from_zero:
            low, middle, high = tally.shares()
            figures = {"least": tally.least, "tenth": low, "median": middle, "nine_tenths": high, "most": tally.most}
            output["percent"] = {key: value * 100 for key, value in figures.items()}
            bounds = (-np.inf, *EDGES, np.inf)
            output["histogram"] = [
                {"from": _percent(start), "to": _percent(end), "answers": tally.between(start, end)}
                for start, end in pairwise(bounds)
            ]
    if isinstance(tally, WordChanges):
        there = {word for pair in tally.counts for word in pair}
        words = [*(word for word in tally.order if word in there), *sorted(there - set(tally.order))]
        pairs = sorted(tally.counts.items(), key=lambda pair: [words.index(word) for word in pair[0]])
        output["words"] = words
        output["matrix"] = [{"old": old, "new": new, "answers": count} for (old, new), count in pairs]
    output["movers"] = [
        {
            "question": dict(mover.row),
            "old": mover.old,
            "new": mover.new,
            **_step(mover.old, mover.new),
            "first": first_difference(mover.index, name),
        }
        for mover in tally.movers
    ]
    return output


def _percent(share: float) -> float | None:
    return share * 100 if np.isfinite(share) else None


def _step(old: Scalar, new: Scalar) -> dict[str, float]:
    return (
        {"percent": (new - old) / abs(old) * 100} if isinstance(old, float) and isinstance(new, float) and old else {}
    )


def _groups(name: str, tally: ChangeTally, rules: CompiledRules) -> Iterator[dict[str, Any]]:
    """The mean change of an output for each family of what questions are about, the greatest fall first."""
    if not isinstance(tally, NumberChanges):
        return
    for axis in tally.sums:
        catalog = rules.catalogs[rules.question_fields.axes[axis].catalog]
        for field in (field for field in catalog.fields.values() if field.groups):
            members: dict[str, list[float]] = {}
            for entry, mean in zip(tally.questions.ids[axis], tally.means(axis), strict=True):
                members.setdefault(str(catalog.entries[entry].value(field.name)), []).append(float(mean))
            means = {group: sum(values) / len(values) * 100 for group, values in members.items()}
            rows = [
                {"group": group, "percent": mean} for group, mean in sorted(means.items(), key=lambda pair: pair[1])
            ]
            yield {"output": name, "axis": axis, "field": field.name, "rows": rows}


def tests_data(found: TestComparison) -> dict[str, Any]:
    """The rule tests that come out otherwise."""
    return {
        "before": {"passed": found.passed_before, "failed": found.failed_before},
        "after": {"passed": found.passed, "failed": found.failed},
        "broken": [_outcome(outcome) for outcome in found.broken],
        "mended": [outcome.test.name for outcome in found.mended],
        "new_failures": [_outcome(outcome) for outcome in found.new_failures],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    place = outcome.test.document.position((*outcome.test.path, "name"))
    wrong = [problem.message for problem in outcome.problems]
    return {"name": outcome.test.name, "file": place.file, "line": place.line, "wrong": wrong}


def accuracy_data(one: StatedFigures) -> dict[str, Any]:
    """How far one quantity is from the figures that tests state: `points` are [stated, before, after]."""

    def told(computed: tuple[float, ...]) -> dict[str, float]:
        wrong = one.errors(computed)
        return {"median_percent": median(wrong) * 100, "worst_percent": max(wrong) * 100}

    points = [list(point) for point in zip(one.stated, one.before, one.after, strict=True)]
    return {
        "name": one.name,
        "unit": one.unit,
        "figures": len(one.stated),
        "before": told(one.before),
        "after": told(one.after),
        "points": points,
    }


def measured_data(one: MeasuredComparison) -> dict[str, Any]:
    """How far one quantity is from measured runs: `points` are [measured, before, after]."""
    told: dict[str, Any] = {"profile": one.profile, "name": one.name, "title": one.title}
    for side in ("before", "after"):
        errors: Errors | None = getattr(one, side)
        if errors is not None:
            shares = {"median": errors.median, "ninetieth": errors.ninetieth, "bias": errors.bias}
            told[side] = {"runs": errors.count, **{f"{key}_percent": share * 100 for key, share in shares.items()}}
    return told | {"points": [list(point) for point in one.points]}


def case_data(case: Case) -> dict[str, Any]:
    """A contract case that moved, its figures as they are printed."""
    place = case.test.document.position((*case.test.path, "name"))
    figures = {
        name: {"old": format_figure(case, name, old), "new": format_figure(case, name, new)}
        for name, (old, new) in case.figures.items()
    }
    told: dict[str, Any] = {"case": case.name, "file": place.file, "line": place.line, "figures": figures}
    return told | ({"withdrawn": True} if case.withdrawn else {}) | ({"why": case.why} if case.why else {})
