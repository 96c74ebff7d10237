"""Reads records: JSON, JSON lines, CSV, Markdown tables and GGUF headers, within limits of size, depth and number."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import zip_longest
from json import JSONDecodeError
from pathlib import Path
from typing import Any, NoReturn

from fitcard.importers.gguf_header import GGUF_MAGIC, read_gguf_header
from fitcard.importers.problems import ImportSyntax, ImportTooLarge, ImportUnreadable, import_error
from fitcard.importers.source import Source, open_source, read_text
from fitcard.problems import Position, ProblemsError

Record = Mapping[str, Any]
AROUND = "around"  # key of the text around a Markdown table
RULE = re.compile(r"\|?[\s:|-]*-[\s:|-]*")  # line between the head and the body of a Markdown table
# Of one file, so that it is read, matched with the catalogs and checked in seconds. Published collections of runs have
# 1,500 rows.
MAX_RECORDS = 2_000
MAX_VALUES = 500_000  # an object takes up to 300 bytes
MAX_DEPTH = 50
MAX_LINES = 200_000  # of other formats than JSON
MAX_COLUMNS = 200
MAX_INTEGER_DIGITS = 40  # longer integers are read as floats: Python takes quadratic time for them
MAX_QUOTED = 60  # characters of a value in a message
WHOLE = "import the whole file, as its program wrote it"
DETAILS = "import a part of it, without details of single requests"


class SourceKind(StrEnum):
    """What an importer reads: records of a file, the header of a GGUF file, or output of programs of this machine."""

    RECORDS = "records"
    GGUF = "gguf"
    MACHINE = "machine"


class SourceRecord(dict[str, Any]):
    """The values of a record by key. `origin` is its file, and its row or number if the file has several."""

    def __init__(self, values: Mapping[str, Any], origin: str) -> None:
        super().__init__(values)
        self.origin = origin


def records_of(file: Path) -> tuple[SourceKind, list[Record]]:
    """The kind of source of a file, and its records; `-` is standard input. Raises ProblemsError if it has none."""
    with open_source(file) as source:
        return read_records(source)


def read_records(source: Source) -> tuple[SourceKind, list[Record]]:
    """The kind of an open source, and its records. Raises ProblemsError if it has none."""
    start = source.stream.read(len(GGUF_MAGIC))
    if start == GGUF_MAGIC:
        return SourceKind.GGUF, [SourceRecord(read_gguf_header(source), source.name)]
    return SourceKind.RECORDS, text_records(read_text(source, start), source.name)


def text_records(text: str, name: str) -> list[Record]:
    """The records of a text. Raises ProblemsError if there are none, or if it is malformed."""
    reader = _TextReader(text, name)
    for read in (reader.json, reader.json_lines, reader.markdown, reader.csv):
        if records := read():
            return records
    if reader.json_error:
        raise reader.json_error
    message = f"{name} cannot be read: it contains no JSON, CSV or Markdown table"
    raise import_error(ImportUnreadable, message)


class _TextReader:
    """Reads a text in one of its formats: each method gives the records, none if the text has another format."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text.strip()
        self.name = name
        before = text[: len(text) - len(text.lstrip())]
        self._lines_before, self._columns_before = before.count("\n"), len(before) - before.rfind("\n") - 1
        self.json_error: ProblemsError | None = None  # why a text that looks like JSON is none
        self._is_single_json = False  # and not JSON lines

    def json(self) -> list[Record]:
        """One JSON value: an object, or a list of them."""
        if not self.text.startswith(("{", "[")):
            return []
        self._limit_values()
        try:
            data = self._parse(self.text)
        except JSONDecodeError as error:
            self.json_error = self._json_error(error)
            self._is_single_json = error.msg != "Extra data"
            return []
        if isinstance(data, dict):
            return [SourceRecord(data, self.name)]
        self._limit_records(len(data))
        for number, part in enumerate(data, 1):
            if not isinstance(part, dict):
                message = f"{self.name} must be a list of objects, but value {number} is none"
                raise import_error(ImportSyntax, message, "import the output of one program")
        return [SourceRecord(part, f"{self.name}, record {number}") for number, part in enumerate(data, 1)]

    def json_lines(self) -> list[Record]:
        """An object in each line that starts with a bracket; other lines are the program's log."""
        self._limit_values()
        records: list[Record] = []
        failed: ProblemsError | None = None
        for number, line in self._lines():
            if line.lstrip().startswith("{"):
                try:
                    data = self._parse(line)
                except JSONDecodeError as error:
                    failed = failed or self._json_error(error, number - 1 - self._lines_before)
                else:
                    self._limit_records(len(records) + 1)
                    records.append(SourceRecord(data, f"{self.name}, line {number}"))
        if records and failed:
            raise failed
        return records

    def markdown(self) -> list[Record]:
        """The rows of all tables, each with the text around the tables under `around`."""
        lines = list(self._lines())
        around = "\n".join(line for _, line in lines if not line.strip().startswith("|"))
        records: list[Record] = []
        head: list[str] = []
        for (number, line), (_, below) in zip_longest(lines, lines[1:], fillvalue=(0, "")):
            if not line.strip().startswith("|"):
                head = []
            elif RULE.fullmatch(below.strip()) and below.strip().startswith("|"):
                head = self._columns(_cells(line))
            elif head and not RULE.fullmatch(line.strip()):
                self._limit_records(len(records) + 1)
                records.append(self._row(head, _cells(line), number, {AROUND: around}))
        return records

    def csv(self) -> list[Record]:
        """The rows of a table with more than one column."""
        rows = csv.reader(io.StringIO(self.text, newline=""), strict=True)
        records: list[Record] = []
        try:
            head = self._columns(next(rows, []))
            if len(head) < 2:
                return []
            for cells in rows:
                if not records and len(cells) != len(head):  # prose with a comma in its first line
                    return []
                if any(map(str.strip, cells)):
                    self._limit_records(len(records) + 1)
                    records.append(self._row(head, cells, rows.line_num + self._lines_before))
        except csv.Error as error:
            position = Position(self.name, rows.line_num + self._lines_before, 1)
            raise import_error(ImportSyntax, f"malformed CSV: {error}", WHOLE, position) from None
        return records

    def _parse(self, text: str) -> Any:
        """A JSON value. Raises JSONDecodeError if it is malformed, ProblemsError if it is nested too deep."""
        try:
            data = json.loads(text, parse_int=_integer, object_pairs_hook=self._object)
        except RecursionError:
            self._too_deep()
        if _is_deep(data):
            self._too_deep()
        return data

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object. Raises ProblemsError if a key has two values."""
        values = dict(pairs)
        if len(values) < len(pairs):
            for key, value in pairs:
                if repr(values[key]) != repr(value):
                    message = f"{self.name}: the key {quoted(key)} has two values in one object"
                    raise import_error(ImportSyntax, message, "remove one of them")
        return values

    def _json_error(self, error: JSONDecodeError, lines_before: int = 0) -> ProblemsError:
        """The problem at the position of an error in the text, or in the line after `lines_before`."""
        column = error.colno + (self._columns_before if lines_before + error.lineno == 1 else 0)
        position = Position(self.name, self._lines_before + lines_before + error.lineno, column)
        return import_error(ImportSyntax, f"malformed JSON: {error.msg}", WHOLE, position)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers. Raises ProblemsError if there are too many."""
        if self.text.count("\n") > MAX_LINES:
            if self.json_error and self._is_single_json:
                raise self.json_error
            raise import_error(ImportTooLarge, f"{self.name} has more than {MAX_LINES:,} lines", DETAILS)
        return enumerate(self.text.splitlines(), self._lines_before + 1)

    def _limit_values(self) -> None:
        if self.text.count(",") + self.text.count("[") + self.text.count("{") > MAX_VALUES:
            raise import_error(ImportTooLarge, f"{self.name} has more than {MAX_VALUES:,} values", DETAILS)

    def _too_deep(self) -> NoReturn:
        message = f"{self.name} is nested more than {MAX_DEPTH} levels deep"
        raise import_error(ImportTooLarge, message, "import the output of one program, as it was written")

    def _limit_records(self, count: int) -> None:
        if count > MAX_RECORDS:
            message = f"{self.name} has more than {MAX_RECORDS:,} records"
            raise import_error(ImportTooLarge, message, "split it")

    def _columns(self, head: list[str]) -> list[str]:
        """The names of columns. Raises ProblemsError if there are too many, or two of one name."""
        if len(head) > MAX_COLUMNS:
            raise import_error(ImportTooLarge, f"{self.name} has more than {MAX_COLUMNS:,} columns")
        twice = next((column for at, column in enumerate(head) if column and column in head[:at]), None)
        if twice is not None:
            message = f"{self.name} has two columns {quoted(twice)}"
            raise import_error(ImportSyntax, message, "remove or rename one of them")
        return head

    def _row(self, head: list[str], cells: list[str], line: int, values: Mapping[str, str] | None = None) -> Record:
        if len(cells) != len(head):
            message = f"{len(cells):,} cells instead of {len(head):,}"
            position = Position(self.name, line, 1)
            raise import_error(ImportSyntax, message, "give each row a cell for each column", position)
        return SourceRecord({**(values or {}), **dict(zip(head, cells, strict=True))}, f"{self.name}, line {line}")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= MAX_INTEGER_DIGITS else float(text)


def _is_deep(data: Any) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH levels deep. Walks level by level, not recursively."""
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [part for outer in level for part in _parts(outer)]
    return bool(level)


def _parts(outer: Any) -> Iterator[Any]:
    inner = outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
    return (part for part in inner if isinstance(part, dict | list))


def quoted(text: str) -> str:
    """The beginning of a text in backticks for a message, with other than printable characters escaped."""
    start = text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."
    return f"`{''.join(c if c.isprintable() else ascii(c)[1:-1] for c in start)}`"


def look_up(record: Mapping[str, Any], path: str) -> Any:
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
