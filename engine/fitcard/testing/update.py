"""Updates of expectations in rule tests: new figures replace the old ones, and the rest of the file is unchanged."""

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
    """A new text for an expectation. `inputs` are the values that the new one is computed from, as text."""

    document: Document
    place: Span
    position: Position
    name: str
    old: str
    new: str
    inputs: str


def expectation_updates(outcomes: Iterable[Outcome]) -> Iterator[Update]:
    """The updates after which failed figures pass, with as many decimals as the old text.

    Known differences and tests that could not run are left out.
    """
    for outcome in outcomes:
        steps = {step["name"]: step for step in outcome.trace}
        for name, value in outcome.actual.items():
            path = (*outcome.test.path, "expect", name)
            place = outcome.test.document.spans[path]
            old = place.written or ""
            decimals = len(old.partition(".")[2])
            new = format_decimals(value, decimals) if type(value) is float else format_value(value)
            inputs = ", ".join(
                f"{part} = {format_value(input_value)}"
                for part, input_value in steps.get(name, {}).get("inputs", {}).items()
            )
            yield Update(outcome.test.document, place, outcome.test.document.position(path), name, old, new, inputs)


def write_updates(updates: Iterable[Update]) -> int:
    """Writes the updates to their files; returns their number."""
    by_file: dict[str, list[Update]] = defaultdict(list)
    for update in updates:
        by_file[update.document.path].append(update)
    for file_updates in by_file.values():
        document = file_updates[0].document
        text = document.text
        for update in sorted(file_updates, key=lambda update: update.place.start, reverse=True):
            text = text[: update.place.start] + update.new + text[update.place.end :]
        assert document.file is not None
        document.file.write_text(text, "utf-8")
    return sum(map(len, by_file.values()))
