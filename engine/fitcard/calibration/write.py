"""Writes fitted values to the rules: the numbers, the day of the fit, and the number of runs."""

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
Edit = tuple[int, int, str]  # offsets of start and end, and the new text between them


def write_calibration(calibration: Calibration, backtest: Backtest, day: str, why: str) -> list[str]:
    """Writes all fitted values, and the errors on held-out runs. Returns the changed files."""
    edits: dict[str, list[Edit]] = defaultdict(list)
    documents: dict[str, Document] = {}
    by_definition: dict[str, list[Fitted]] = defaultdict(list)
    for fitted in calibration.values:
        by_definition[fitted.parameter.definition.name].append(fitted)
    for values in by_definition.values():
        document = values[0].parameter.definition.document
        documents[document.path] = document
        edits[document.path] += [*_value_edits(values), *_note_edits(values, day, why)]
    document = backtest.document
    documents[document.path] = document
    for change in calibration.changes:
        path = backtest.quantities[change.quantity].path
        error = f"{change.held_out.median:.{DIGITS}g}"
        edits[document.path] += _key_edits(document, path, HELD_OUT, error, "computed")
    changed = []
    for name, edits_of_file in edits.items():
        text = _edited(documents[name].text, edits_of_file)
        file = documents[name].file
        if text != documents[name].text and file is not None:
            file.write_text(text, "utf-8")
            changed.append(name)
    return changed


def _value_edits(values: Sequence[Fitted]) -> Iterator[Edit]:
    for fitted in values:
        place = fitted.parameter.definition.document.spans[fitted.parameter.path]
        if fitted.value != fitted.parameter.value:
            yield place.start, place.end, f"{fitted.value:g}"


def _note_edits(values: Sequence[Fitted], day: str, why: str) -> Iterator[Edit]:
    """The key `fitted` of a definition: day, number of runs (by row of a table, without unfitted rows), and reason."""
    first, definition = values[0], values[0].parameter.definition
    if isinstance(first.parameter, Parameter) and first.parameter.row is not None:
        rows = ", ".join(
            f"{fitted.parameter.row}: {fitted.runs}"
            for fitted in values
            if isinstance(fitted.parameter, Parameter) and fitted.fitted and fitted.runs
        )
        runs = f"{{{rows}}}" if rows else ""
    else:
        runs = str(first.runs) if first.fitted else ""
    if not runs:
        return
    reason = f", why: {to_yaml(why)}" if why else ""
    text = f"{{on: {day}, runs: {runs}{reason}}}"
    yield from _key_edits(definition.document, definition.path, FITTED, text, CALIBRATE)


def _key_edits(document: Document, path: Path, key: str, text: str, after: str) -> Iterator[Edit]:
    """Sets a key of the map at `path`; a new key is inserted after the key `after`."""
    place = document.spans.get((*path, key))
    if place is not None:
        yield place.start, place.end, text
        return
    previous, parent = document.spans[(*path, after)], document.spans[path]
    if document.text[parent.start] == "{":
        yield previous.end, previous.end, f", {key}: {text}"
    else:
        end_of_line = document.text.find("\n", previous.end - 1)
        end = end_of_line if end_of_line >= 0 else previous.end
        indent = " " * (previous.key_column or 0)
        yield end, end, f"\n{indent}{key}: {text}"


def _edited(text: str, edits: Sequence[Edit]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
