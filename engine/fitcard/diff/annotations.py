"""What a reviewer is told at the line itself: what is gone and still read, and what moves answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fitcard.diff.changes import Action, Detail, Difference, Effect
from fitcard.diff.items import RULE_KINDS, ItemKind
from fitcard.problems import Problem, ProblemCode, Related, Severity


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


def removed_but_read(changed: Iterable[Difference]) -> Iterator[Problem]:
    """What is gone and still read, said where it was."""
    for one in changed:
        if one.still_read_by:
            readers = ", ".join(f"`{name}`" for name in one.still_read_by)
            message = f"`{one.thing.name}` was removed, but {readers} still use{'s' * (len(one.still_read_by) == 1)} it"
            was = Related(one.thing.document.position(one.thing.path, key=True), "it was here")
            hint = f"keep it, or change {readers} too"
            yield Problem(NameStillRead, message, one.position, hint=hint, related=(was,))


def answer_annotations(changed: Iterable[Difference], impacts: Iterable[Mapping[str, Any]]) -> Iterator[Problem]:
    """What moves answers, said at its line, for whoever reads the files."""
    moved = sum(one["moved"] for one in impacts if "opened" not in one)
    for one in changed:
        if one.effect is Effect.ANSWERS and (one.thing.what in RULE_KINDS.values() or one.thing.what is ItemKind.ENTRY):
            what = f"the {one.thing.what} `{one.thing.name}` is {one.action}"
            steps = [_said(detail) for detail in one.details if detail.field and detail.effect is Effect.ANSWERS]
            told = f": {', '.join(steps)}" if steps and one.action is Action.CHANGED else ""
            reach = f"; it affects {', '.join(one.reaches)}" if one.reaches else "; it affects no answer"
            total = f"; {moved:,} answers move with the whole change" if one.reaches else ""
            yield Problem(AnswersMoved, f"{what}{told}{reach}{total}", one.position, Severity.NOTE)


def _said(detail: Detail) -> str:
    if detail.old is None or detail.new is None:
        return f"{detail.field} {'removed' if detail.new is None else f'{detail.new} added'}"
    return f"{detail.field} {detail.old} -> {detail.new}"
