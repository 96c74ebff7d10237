"""Contract cases that changed, and their acknowledgements in files of kind `changes`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.compiler.engine import Engine
from fitcard.diff.snapshot import Snapshot
from fitcard.problems import Problem, ProblemCode, ProblemsError, Severity
from fitcard.rulebook.files import CHANGES
from fitcard.source.document import Document, Path
from fitcard.source.yaml_edit import TextOffsets, to_yaml
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
    """A changed contract case. `figures` are old and new values by name, empty if the case was `withdrawn`."""

    name: str
    test: RuleTest
    figures: Mapping[str, tuple[Scalar, Scalar]]
    withdrawn: bool
    why: str = ""


@dataclass(frozen=True)
class Acknowledgement:
    """A new entry of a file of changes."""

    document: Document
    path: Path
    data: Mapping[str, Any]


def moved_cases(base: Snapshot, head: Snapshot) -> list[Case]:
    """The changed contract cases, each with its acknowledged reason, if any. Both versions must have an engine."""
    assert base.engine is not None
    assert head.engine is not None
    new_tests = {test.name: test for test in rule_tests(head.engine.rulebook)}
    reasons = {entry.data["case"]: entry.data["why"] for entry in _acknowledgements(base, head)}
    cases = []
    for test in rule_tests(base.engine.rulebook):
        if not test.contract:
            continue
        reason, new_test = reasons.get(test.name, ""), new_tests.get(test.name)
        if new_test is None or not new_test.contract:
            cases.append(Case(test.name, test, {}, withdrawn=True, why=reason))
            continue
        names = [*dict.fromkeys([*test.figures, *new_test.figures])]
        old, new = _values(base.engine, test, names), _values(head.engine, new_test, names)
        figures = {
            name: (old[name], new[name])
            for name in names
            if _printed(test, new_test, name, old[name]) != _printed(test, new_test, name, new[name])
        }
        if figures:
            cases.append(Case(test.name, new_test, figures, withdrawn=False, why=reason))
    return cases


def contract_problems(base: Snapshot, head: Snapshot, cases: list[Case]) -> Iterator[Problem]:
    """Changed cases without a reason, and acknowledgements that differ from the changes."""
    for case in cases:
        if not case.why:
            yield _unexplained(case)
    by_name = {case.name: case for case in cases}
    for entry in _acknowledgements(base, head):
        moved = by_name.get(entry.data["case"])
        if moved is None or moved.withdrawn != ("withdrawn" in entry.data):
            message = f"`{entry.data['case']}` is acknowledged as changed, but did not change"
            hint = "use the name of a contract case that moves, or remove the entry"
            yield entry.document.problem(ContractUnmoved, message, entry.path, severity=Severity.WARNING, hint=hint)
        else:
            yield from _mismatches(moved, entry)


def _acknowledgements(base: Snapshot, head: Snapshot) -> list[Acknowledgement]:
    before = [data for document in base.files.of(CHANGES) for data in document.data["changes"]]
    return [
        Acknowledgement(document, ("changes", number), data)
        for document in head.files.of(CHANGES)
        for number, data in enumerate(document.data["changes"])
        if data not in before
    ]


def format_figure(case: Case, name: str, value: Scalar) -> str:
    """A figure with the decimals that the case states; in full if it states none."""
    return _printed(case.test, case.test, name, value)


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
    acknowledged: Mapping[str, Any] = entry.data.get("figures", {})
    for name, (old, new) in case.figures.items():
        if name not in acknowledged:
            message = f"`{name}` moves as well: {format_figure(case, name, old)} -> {format_figure(case, name, new)}"
            yield entry.document.problem(ContractMismatch, message, (*entry.path, "figures"), key=True, hint="add it")
            continue
        for side, value in (("old", old), ("new", new)):
            path = (*entry.path, "figures", name, side)
            stated = entry.document.spans[path].written or ""
            if stated != _format_like(stated, value):
                message = f"`{name}` is stated as {stated}, but is {format_figure(case, name, value)}"
                yield entry.document.problem(ContractMismatch, message, path, hint="write the actual figure")
    for name in acknowledged:
        if name not in case.figures:
            message, path = f"`{name}` is acknowledged as changed, but did not change", (*entry.path, "figures", name)
            yield entry.document.problem(ContractUnmoved, message, path, key=True, severity=Severity.WARNING)


def _values(engine: Engine, test: RuleTest, names: list[str]) -> dict[str, Scalar]:
    """The computed values by name; None if they cannot be computed."""
    try:
        return computed_values(engine, test, names)
    except (ProblemsError, KeyError):
        return dict.fromkeys(names)


def _printed(test: RuleTest, other: RuleTest, name: str, value: Scalar) -> str:
    """A value with the decimals that one of the tests states, the first one if both do."""
    stating = test if name in test.figures else other
    stated = stating.written(stating.figures[name]) if name in stating.figures else ""
    return _format_like(stated, value)


def _format_like(stated: str, value: Scalar) -> str:
    """A value with the decimals of a stated figure."""
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
    """The text of a file of changes with an entry for each case appended."""
    block = "\n".join(line for case in cases for line in _entry_lines(case, why))
    text, spans = document.text, TextOffsets(document)
    if spans.in_brackets(("changes",)):  # an empty list: `changes: []`
        place = document.spans[("changes",)]
        return f"{text[: place.start].rstrip()}\n{block}{text[place.end :]}"
    end = spans.end_of_line(spans.value_end(("changes",)))
    return f"{text[:end]}\n{block}{text[end:] or chr(10)}"


def _entry_lines(case: Case, why: str) -> Iterator[str]:
    yield f"  - case: {to_yaml(case.name, in_braces=False)}"
    yield f"    why: {to_yaml(why, in_braces=False)}"
    if case.withdrawn:
        yield "    withdrawn: true"
        return
    yield "    figures:"
    for name, (old, new) in case.figures.items():
        before, after = (
            format_figure(case, name, value) if isinstance(value, float) else to_yaml(value) for value in (old, new)
        )
        yield f"      {name}: {{old: {before}, new: {after}}}"
