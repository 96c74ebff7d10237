"""Fitted values written into their files: the numbers, and when and to how much they were fitted; nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from fitcard.calibration.calibrate import Calibration, Fitted
from fitcard.calibration.parameters import CALIBRATE, Parameter
from fitcard.rulebook.backtest import Backtest
from fitcard.source.document import Document, Path
from fitcard.source.yaml_edit import to_yaml

FITTED, HELD_OUT = "fitted", "median_error_held_out"
DIGITS = 2  # significant digits of an error
Edit = tuple[int, int, str]  # from one character to another, and what stands there instead


def write_calibration(calibration: Calibration, backtest: Backtest, day: str, why: str) -> list[str]:
    """Writes all values that were fitted, and the errors where runs took no part. Returns the files that changed."""
    edits: dict[str, list[Edit]] = defaultdict(list)
    documents: dict[str, Document] = {}
    by_definition: dict[str, list[Fitted]] = defaultdict(list)
    for one in calibration.values:
        by_definition[one.parameter.definition.name].append(one)
    for values in by_definition.values():
        document = values[0].parameter.definition.document
        documents[document.path] = document
        edits[document.path] += [*_numbers(values), *_note(values, day, why)]
    document = backtest.document
    documents[document.path] = document
    for change in calibration.changes:
        path = backtest.quantities[change.quantity].path
        edits[document.path] += _entry(document, path, HELD_OUT, f"{change.held_out.median:.{DIGITS}g}", "computed")
    changed = []
    for name, of_file in edits.items():
        text = _edited(documents[name].text, of_file)
        file = documents[name].file
        if text != documents[name].text and file is not None:
            file.write_text(text, "utf-8")
            changed.append(name)
    return changed


def _numbers(values: Sequence[Fitted]) -> Iterator[Edit]:
    for one in values:
        place = one.parameter.definition.document.spans[one.parameter.path]
        if one.value != one.parameter.value:
            yield place.start, place.end, f"{one.value:g}"


def _note(values: Sequence[Fitted], day: str, why: str) -> Iterator[Edit]:
    """When it was fitted and to how many figures; rows that were not fitted are not counted."""
    definition = values[0].parameter.definition
    counts = {
        one.parameter.row: one.runs
        for one in values
        if isinstance(one.parameter, Parameter) and one.fitted and one.runs
    }
    single = values[0] if not isinstance(values[0].parameter, Parameter) or values[0].parameter.row is None else None
    if single is not None:
        runs = str(single.runs) if single.fitted else ""
    else:
        runs = ", ".join(f"{row}: {count}" for row, count in counts.items())
        runs = f"{{{runs}}}" if runs else ""
    if not runs:
        return
    reason = f", why: {to_yaml(why)}" if why else ""
    text = f"{{on: {day}, runs: {runs}{reason}}}"
    yield from _entry(definition.document, definition.path, FITTED, text, CALIBRATE)


def _entry(document: Document, path: Path, key: str, text: str, after: str) -> Iterator[Edit]:
    """A key of a map with another value, or a new one after another key."""
    place = document.spans.get((*path, key))
    if place is not None:
        yield place.start, place.end, text
        return
    before, whole = document.spans[(*path, after)], document.spans[path]
    if document.text[whole.start] == "{":
        yield before.end, before.end, f", {key}: {text}"
    else:
        end = document.text.index("\n", before.end - 1) if "\n" in document.text[before.end - 1 :] else before.end
        indent = " " * (before.key_column or 0)
        yield end, end, f"\n{indent}{key}: {text}"


def _edited(text: str, edits: Sequence[Edit]) -> str:
    for start, end, instead in sorted(edits, reverse=True):
        text = text[:start] + instead + text[end:]
    return text
