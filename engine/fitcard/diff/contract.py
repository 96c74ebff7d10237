"""Saying why contract cases moved: the entries for the file of changes, written into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.compiler.engine import Engine
from fitcard.diff.snapshot import Snapshot
from fitcard.problems import Problem, ProblemCode, ProblemsError, Severity
from fitcard.rulebook.files import CHANGES
from fitcard.source.document import Document, Path
from fitcard.source.yaml_edit import TextOffsets
from fitcard.source.yaml_edit import to_yaml as as_yaml
from fitcard.testing.rule_tests import RuleTest, computed_values, format_value, rule_tests
from fitcard.values import Scalar, format_decimals


class ContractChanged(ProblemCode):
    """A figure of a contract case changed, or the case was removed, without an entry that explains it.

    Why: whoever relies on the figure learns of the change from the record instead of by surprise.
    Avoid: a new value of `headroom_share` without an explanation
    Prefer: an entry in the file of kind `changes` with `why` and the old and new figures; `fitcard diff BASE --why
        "..."` writes it.
    """


class ContractMismatch(ProblemCode):
    """An acknowledged change states other figures than the rules give.

    Why: a record that differs from what happened misleads its readers.
    Avoid: `decode_tok_s: {old: 6.1, new: 6.9}` where the new figure is 6.5
    Prefer: the figures reported by `fitcard diff`.
    """


class ContractUnmoved(ProblemCode):
    """An acknowledged change is about a figure that did not move, or about a case that does not exist.

    Why: such entries are usually leftovers, or name a misspelt case.
    Avoid: `case: Qwen 3 14B on M1` where no contract case has that name
    Prefer: entries for actual changes only.
    """


@dataclass(frozen=True)
class Case:
    """A contract case that moved: `figures` by name as they were and as they are; none where it is `withdrawn`."""

    name: str
    test: RuleTest
    figures: Mapping[str, tuple[Scalar, Scalar]]
    withdrawn: bool
    why: str = ""


@dataclass(frozen=True)
class Acknowledgement:
    """One entry of the files of changes that was not there before."""

    document: Document
    path: Path
    data: Mapping[str, Any]


def moved_cases(base: Snapshot, head: Snapshot) -> list[Case]:
    """The contract cases that moved, each with why, where the new state says so."""
    assert base.engine is not None
    assert head.engine is not None
    now = {test.name: test for test in rule_tests(head.engine.rulebook)}
    why = {entry.data["case"]: entry.data["why"] for entry in acknowledgements(base, head)}
    cases = []
    for test in rule_tests(base.engine.rulebook):
        if not test.contract:
            continue
        after = now.get(test.name)
        if after is None or not after.contract:
            cases.append(Case(test.name, test, {}, True, why.get(test.name, "")))
            continue
        names = [*dict.fromkeys([*test.figures, *after.figures])]
        old, new = _answers(base.engine, test, names), _answers(head.engine, after, names)
        figures = {
            name: (old[name], new[name])
            for name in names
            if _printed(test, after, name, old) != _printed(test, after, name, new)
        }
        if figures:
            cases.append(Case(test.name, after, figures, False, why.get(test.name, "")))
    return cases


def contract_problems(base: Snapshot, head: Snapshot, cases: list[Case]) -> Iterator[Problem]:
    """Cases that moved without a word, and acknowledgements that do not say what happened."""
    for case in cases:
        if not case.why:
            yield _unexplained(case)
    by_name = {case.name: case for case in cases}
    for entry in acknowledgements(base, head):
        moved = by_name.get(entry.data["case"])
        if moved is None or moved.withdrawn != ("withdrawn" in entry.data):
            message = f"`{entry.data['case']}` is acknowledged as changed, but did not change"
            hint = "use the name of a contract case that moves, or remove the entry"
            yield entry.document.problem(ContractUnmoved, message, entry.path, severity=Severity.WARNING, hint=hint)
        else:
            yield from _mismatches(moved, entry)


def acknowledgements(base: Snapshot, head: Snapshot) -> list[Acknowledgement]:
    """The entries that are new."""
    before = [data for document in base.files.of(CHANGES) for data in document.data["changes"]]
    return [
        Acknowledgement(document, ("changes", number), data)
        for document in head.files.of(CHANGES)
        for number, data in enumerate(document.data["changes"])
        if data not in before
    ]


def format_figure(case: Case, name: str, value: Scalar) -> str:
    """A figure with as many decimals as the case states; in full where it states none."""
    return _printed(case.test, case.test, name, {name: value})


def _unexplained(case: Case) -> Problem:
    if case.withdrawn:
        message = f"the contract case `{case.name}` was removed without a reason"
    else:
        moved = ", ".join(
            f"{name} {format_figure(case, name, old)} -> {format_figure(case, name, new)}"
            for name, (old, new) in case.figures.items()
        )
        message = f"the contract case `{case.name}` changed without a reason: {moved}"
    hint = 'state the reason: `fitcard diff BASE --why "..."` adds it to the changes file'
    return case.test.document.problem(ContractChanged, message, (*case.test.path, "name"), hint=hint)


def _mismatches(case: Case, entry: Acknowledgement) -> Iterator[Problem]:
    said: Mapping[str, Any] = entry.data.get("figures", {})
    for name, (old, new) in case.figures.items():
        if name not in said:
            message = f"`{name}` moves as well: {format_figure(case, name, old)} -> {format_figure(case, name, new)}"
            yield entry.document.problem(ContractMismatch, message, (*entry.path, "figures"), key=True, hint="add it")
            continue
        for side, value in (("old", old), ("new", new)):
            path = (*entry.path, "figures", name, side)
            stated = entry.document.spans[path].written or ""
            if stated != _like(stated, value):
                message = f"`{name}` is stated as {stated}, but is {format_figure(case, name, value)}"
                yield entry.document.problem(ContractMismatch, message, path, hint="write the actual figure")
    for name in said:
        if name not in case.figures:
            message, path = f"`{name}` is acknowledged as changed, but did not change", (*entry.path, "figures", name)
            yield entry.document.problem(ContractUnmoved, message, path, key=True, severity=Severity.WARNING)


def _answers(engine: Engine, test: RuleTest, names: list[str]) -> dict[str, Scalar]:
    """What comes out; absent where it does not."""
    try:
        return computed_values(engine, test, names)
    except (ProblemsError, KeyError):
        return dict.fromkeys(names)


def _printed(test: RuleTest, other: RuleTest, name: str, answers: Mapping[str, Scalar]) -> str:
    of_test = test if name in test.figures else other
    stated = of_test.written(of_test.figures[name]) if name in of_test.figures else ""
    return _like(stated, answers[name])


def _like(stated: str, value: Scalar) -> str:
    """A value as it is written with the decimals of a stated figure."""
    if isinstance(value, float) and _is_number(stated):
        return format_decimals(value, len(stated.partition(".")[2]))
    return format_value(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def acknowledged_text(document: Document, cases: Iterable[Case], why: str) -> str:
    """The text of a file of changes with an entry for each case at its end."""
    block = "\n".join(line for case in cases for line in _entry(case, why))
    text, spans = document.text, TextOffsets(document)
    if spans.in_brackets(("changes",)):  # as long as there is none: `changes: []`
        place = document.spans[("changes",)]
        return f"{text[: place.start].rstrip()}\n{block}{text[place.end :]}"
    end = spans.end_of_line(spans.value_end(("changes",)))
    return f"{text[:end]}\n{block}{text[end:] or chr(10)}"


def _entry(case: Case, why: str) -> Iterator[str]:
    yield f"  - case: {as_yaml(case.name, in_braces=False)}"
    yield f"    why: {as_yaml(why, in_braces=False)}"
    if case.withdrawn:
        yield "    withdrawn: true"
        return
    yield "    figures:"
    for name, (old, new) in case.figures.items():
        before, after = (
            format_figure(case, name, value) if isinstance(value, float) else as_yaml(value) for value in (old, new)
        )
        yield f"      {name}: {{old: {before}, new: {after}}}"
