"""New expectations for rule tests whose figures have moved: written into the place of the old ones, nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fitcard.problems import Position
from fitcard.source.document import Document, Span
from fitcard.testing.rule_tests import Outcome, format_value
from fitcard.values import format_decimals


@dataclass(frozen=True)
class Update:
    """One expectation that becomes another; `made_of` is how the new value came about, as far as a line can say."""

    document: Document
    place: Span
    position: Position
    name: str
    old: str
    new: str
    made_of: str


def expectation_updates(outcomes: Iterable[Outcome]) -> Iterator[Update]:
    """What would make the failed figures pass: each as it came out, with as many decimals as were written.

    Figures that are told apart as known differences, and tests that could not run, are left to a person.
    """
    for outcome in outcomes:
        steps = {step["name"]: step for step in outcome.trace}
        for name, got in outcome.wrong.items():
            path = (*outcome.test.path, "expect", name)
            place = outcome.test.document.spans[path]
            old = place.written or ""
            decimals = len(old.partition(".")[2])
            new = format_decimals(got, decimals) if type(got) is float else format_value(got)
            read = steps.get(name, {}).get("inputs", {})
            made_of = ", ".join(f"{part} = {format_value(value)}" for part, value in read.items())
            yield Update(outcome.test.document, place, outcome.test.document.position(path), name, old, new, made_of)


def write_updates(changes: Iterable[Update]) -> int:
    """Writes the new expectations into their files, comments and layout untouched; says how many there were."""
    by_file: dict[str, list[Update]] = defaultdict(list)
    for change in changes:
        by_file[change.document.path].append(change)
    for of_file in by_file.values():
        document = of_file[0].document
        text = document.text
        for change in sorted(of_file, key=lambda change: change.place.start, reverse=True):
            text = text[: change.place.start] + change.new + text[change.place.end :]
        assert document.file is not None
        document.file.write_text(text, "utf-8")
    return sum(len(of_file) for of_file in by_file.values())
