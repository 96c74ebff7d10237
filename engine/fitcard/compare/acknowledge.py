"""Saying why contract cases moved: the entries for the file of changes, written into it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.compare.contract import Case, written
from fitcard.read.document import Document
from fitcard.read.spans import Spans
from fitcard.read.yaml_writer import written as as_yaml


def acknowledged_text(document: Document, cases: Iterable[Case], why: str) -> str:
    """The text of a file of changes with an entry for each case at its end."""
    block = "\n".join(line for case in cases for line in _entry(case, why))
    text, spans = document.text, Spans(document)
    if spans.in_brackets(("changes",)):  # as long as there is none: `changes: []`
        place = document.places[("changes",)]
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
            written(case, name, value) if isinstance(value, float) else as_yaml(value) for value in (old, new)
        )
        yield f"      {name}: {{old: {before}, new: {after}}}"
