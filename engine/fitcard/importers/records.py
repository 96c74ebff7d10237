"""The records of a file that another program wrote: JSON, JSON lines, CSV, a Markdown table, or a GGUF header."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]

GGUF_MARK = b"GGUF"  # the first four bytes of such a file
AROUND = "around"  # the key of what stands around a Markdown table
RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")  # the line between the head and the body of a Markdown table
ARCHITECTURE, TENSORS, PARAMETERS = "general.architecture", "tensors", "parameters"
TEXT_SUFFIX = ".txt"  # of files that hold what a machine said
LONGEST_WAIT = 30  # seconds for one program of this machine


class Unreadable(Exception):
    """Raised where a file cannot be read, with why."""


def records_of(file: Path) -> tuple[str, list[Record]]:
    """How the file was read, as an import calls it, and its records.

    Raises Unreadable where it is of no form that is known.
    """
    try:
        with file.open("rb") as stream:
            mark = stream.read(len(GGUF_MARK))
        if mark == GGUF_MARK:
            return "gguf", [gguf_header(file)]
        return "records", text_records(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None


def text_records(text: str) -> list[Record]:
    """The records of a text. Raises Unreadable where there are none."""
    for read in (_json, _json_lines, _markdown, _csv):
        if found := read(text):
            return found
    raise Unreadable("it contains no JSON, CSV or Markdown table")


def _json(text: str) -> list[Record]:
    try:
        data = json.loads(text)
    except ValueError:
        return []
    return [record for record in (data if isinstance(data, list) else [data]) if isinstance(record, dict)]


def _json_lines(text: str) -> list[Record]:
    lines = (_json(line) for line in text.splitlines() if line.strip().startswith("{"))
    return [record for records in lines for record in records]


def _csv(text: str) -> list[Record]:
    rows = list(csv.DictReader(io.StringIO(text.strip())))
    columns = len(rows[0]) if rows else 0
    return [row for row in rows if columns > 1 and None not in row and None not in row.values()]


def _markdown(text: str) -> list[Record]:
    """The rows of all tables in the text; each has what stands around them under `around`."""
    lines = text.splitlines()
    around = "\n".join(line for line in lines if not line.strip().startswith("|"))
    found: list[Record] = []
    head: list[str] = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not line.strip().startswith("|"):
            head = []
        elif RULE.fullmatch(below.strip()) and below.strip().startswith("|"):
            head = _cells(line)
        elif head and not RULE.fullmatch(line.strip()) and len(_cells(line)) == len(head):
            found.append({AROUND: around, **dict(zip(head, _cells(line), strict=True))})
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def gguf_header(file: Path) -> Record:
    """The keys of a GGUF file, those of its architecture without its name, and how many parameters its `tensors` hold,
    each and all together.

    Raises Unreadable where the `gguf` package is not installed or cannot read it.
    """
    try:
        from gguf import GGUFReader  # noqa: PLC0415  (a package that only this needs)
    except ImportError:
        raise Unreadable("it requires the package gguf: pip install 'fitcard[import]'") from None
    try:
        reader = GGUFReader(file)
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise Unreadable(f"its header cannot be read: {error}") from None
    found = {name: field.contents() for name, field in reader.fields.items()}
    own = f"{found.get(ARCHITECTURE)}."
    tensors = {str(tensor.name): int(tensor.n_elements) for tensor in reader.tensors}
    counted = {TENSORS: tensors, PARAMETERS: sum(tensors.values())} if tensors else {}
    return {name.removeprefix(own): value for name, value in found.items()} | counted


def machine_records(machine: Mapping[str, Mapping[str, Any]], each: str, saved: Path | None) -> list[Record]:
    """What this machine says, or what another said, as `saved` in a folder of texts: one record, or one for each line
    of the text `each`. What is not there is left out.
    """
    said = {name: _saved(saved, name) if saved else _said(source) for name, source in machine.items()}
    there = {name: text.strip() for name, text in said.items() if text and text.strip()}
    if not each:
        return [there]
    return [{**there, each: line.strip()} for line in there.get(each, "").splitlines()]


def _saved(folder: Path, name: str) -> str:
    file = folder / f"{name}{TEXT_SUFFIX}"
    return file.read_text("utf-8") if file.is_file() else ""


def _said(source: Mapping[str, Any]) -> str:
    try:
        if "file" in source:
            return Path(source["file"]).read_text("utf-8")
        ended = subprocess.run(source["run"], capture_output=True, text=True, timeout=LONGEST_WAIT, check=False)
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout if ended.returncode == 0 else ""


def looked_up(record: Record, path: str) -> Any:
    """What stands at a path of a record: under the whole path as a key, or in a part of it; None where nothing does."""
    if path in record:
        return record[path]
    for head, rest in _splits(path):
        inside = record.get(head)
        if isinstance(inside, Mapping) and (found := looked_up(inside, rest)) is not None:
            return found
    return None


def _splits(path: str) -> Iterator[tuple[str, str]]:
    dots = [at for at, character in enumerate(path) if character == "."]
    return ((path[:at], path[at + 1 :]) for at in dots)
