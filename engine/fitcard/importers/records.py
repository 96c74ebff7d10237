"""Reads records: JSON, JSON lines, CSV, Markdown tables, GGUF headers, and the output of programs of this machine."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Any

Record = Mapping[str, Any]
MachineSource = tuple[str, ...] | Path  # a program with its arguments, run without a shell, or a file of the system

GGUF_MAGIC = b"GGUF"
AROUND = "around"  # key of the text around a Markdown table
RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")  # line between the head and the body of a Markdown table
ARCHITECTURE, TENSORS, PARAMETERS = "general.architecture", "tensors", "parameters"
TEXT_SUFFIX = ".txt"  # of saved output of programs
MAX_SECONDS = 30  # for one program of this machine


class SourceKind(StrEnum):
    """What an importer reads: records of a file, the header of a GGUF file, or output of programs of this machine."""

    RECORDS = "records"
    GGUF = "gguf"
    MACHINE = "machine"


class Unreadable(Exception):
    """Raised if a file cannot be read, with the reason."""


def records_of(file: Path) -> tuple[SourceKind, list[Record]]:
    """The kind of source of a file, and its records. Raises Unreadable if the format is unknown."""
    try:
        with file.open("rb") as stream:
            magic = stream.read(len(GGUF_MAGIC))
        if magic == GGUF_MAGIC:
            return SourceKind.GGUF, [gguf_header(file)]
        return SourceKind.RECORDS, text_records(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None


def text_records(text: str) -> list[Record]:
    """The records of a text. Raises Unreadable if there are none."""
    for read in (_json, _json_lines, _markdown, _csv):
        if records := read(text):
            return records
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
    """The rows of all tables in the text, each with the text around the tables under `around`."""
    lines = text.splitlines()
    around = "\n".join(line for line in lines if not line.strip().startswith("|"))
    records: list[Record] = []
    head: list[str] = []
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        if not line.strip().startswith("|"):
            head = []
        elif RULE.fullmatch(below.strip()) and below.strip().startswith("|"):
            head = _cells(line)
        elif head and not RULE.fullmatch(line.strip()) and len(_cells(line)) == len(head):
            records.append({AROUND: around, **dict(zip(head, _cells(line), strict=True))})
    return records


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def gguf_header(file: Path) -> Record:
    """The keys of a GGUF file, those of its architecture without its name as prefix.

    `tensors` has the number of parameters of each tensor, `parameters` their total. Raises Unreadable if the package
    `gguf` is not installed or cannot read the file.
    """
    try:
        from gguf import GGUFReader  # noqa: PLC0415  - an extra
    except ImportError:
        raise Unreadable("it requires the package gguf: pip install 'fitcard[import]'") from None
    try:
        reader = GGUFReader(file)
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise Unreadable(f"its header cannot be read: {error}") from None
    fields = {name: field.contents() for name, field in reader.fields.items()}
    prefix = f"{fields.get(ARCHITECTURE)}."
    tensors = {str(tensor.name): int(tensor.n_elements) for tensor in reader.tensors}
    counted = {TENSORS: tensors, PARAMETERS: sum(tensors.values())} if tensors else {}
    return {name.removeprefix(prefix): value for name, value in fields.items()} | counted


def machine_records(machine: Mapping[str, MachineSource], each: str, saved: Path | None) -> list[Record]:
    """The output of programs and the content of files of this machine, by name, without missing ones.

    `saved` is a folder with these texts of another machine, as NAME.txt. There is one record, or one for each line of
    the text named `each`.
    """
    outputs = {name: _saved(saved, name) if saved else _output(source) for name, source in machine.items()}
    texts = {name: text.strip() for name, text in outputs.items() if text.strip()}
    if not each:
        return [texts]
    return [{**texts, each: line.strip()} for line in texts.get(each, "").splitlines()]


def _saved(folder: Path, name: str) -> str:
    file = folder / f"{name}{TEXT_SUFFIX}"
    return file.read_text("utf-8") if file.is_file() else ""


def _output(source: MachineSource) -> str:
    try:
        if isinstance(source, Path):
            return source.read_text("utf-8")
        process = subprocess.run(source, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)
    except (OSError, UnicodeDecodeError, subprocess.TimeoutExpired):
        return ""
    return process.stdout if process.returncode == 0 else ""


def look_up(record: Record, path: str) -> Any:
    """The value at a path of a record, which is a key itself or nested keys separated by dots; None if absent."""
    if path in record:
        return record[path]
    for head, rest in _splits(path):
        nested = record.get(head)
        if isinstance(nested, Mapping) and (value := look_up(nested, rest)) is not None:
            return value
    return None


def _splits(path: str) -> Iterator[tuple[str, str]]:
    dots = [at for at, character in enumerate(path) if character == "."]
    return ((path[:at], path[at + 1 :]) for at in dots)
