"""The file formats of a sweep: CSV, JSON lines and Parquet. Parts are encoded by workers and joined by one writer."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite
from typing import Any, BinaryIO, Protocol

import numpy as np

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.sweep.rows import Rows, compute_rows
from fitcard.sweep.selection import Sweep, SweepColumn
from fitcard.values import Column, Kind, WordColumn

PARQUET = "parquet"
QUESTION = "question"  # metadata of a Parquet file, beside those of the rulebook
COMMA, LINE = ",", "\n"


class SweepNeedsMore(ProblemCode):
    """A file format or a way to compute requires a package that is not installed.

    Why: the base installation stays small.
    Avoid: `fitcard sweep --out answers.parquet` after `pip install fitcard`
    Prefer: `pip install 'fitcard[sweep]'`
    """


class Writer(Protocol):
    """A file that encoded parts are appended to, in order."""

    def add(self, content: bytes) -> None:
        """Appends a part."""

    def close(self) -> None:
        """Writes the end of the file."""


@dataclass(frozen=True)
class Format:
    """A file format. `holds_gil` where encoding is pure Python, so that threads do not speed it up."""

    encode: Callable[[Sweep, Rows], bytes]
    writer: Callable[[Sweep, BinaryIO], Writer]
    holds_gil: bool


@dataclass(frozen=True)
class ComputedPart:
    """An encoded part, and its number of rows."""

    content: bytes
    rows: int


def find_format(name: str) -> Format:
    """The format of that name. Raises ProblemsError if it requires a package that is not installed."""
    if name != PARQUET:
        return TEXT_FORMATS[name]
    if find_spec("pyarrow") is None:
        hint = "install it: pip install 'fitcard[sweep]', or write CSV or JSON lines"
        raise ProblemsError([Problem(SweepNeedsMore, "Parquet requires the package pyarrow", hint=hint)])
    return Format(encode_arrow, ParquetWriter, holds_gil=False)


def compute_part(sweep: Sweep, format_name: str, number: int) -> ComputedPart:
    """Computes and encodes the part of that number. Raises ProblemsError if a number is not finite."""
    rows = compute_rows(sweep, number)
    return ComputedPart(find_format(format_name).encode(sweep, rows), rows.count)


# CSV and JSON lines: numbers as in the JSON of an answer.


class TextWriter:
    """A text file: a header, then the parts."""

    def __init__(self, file: BinaryIO, header: bytes = b"") -> None:
        self._file = file
        file.write(header)

    def add(self, content: bytes) -> None:
        """Appends a part."""
        self._file.write(content)

    def close(self) -> None:
        """Does nothing: text has no footer."""


def encode_csv(sweep: Sweep, rows: Rows) -> bytes:
    """A line per answer; a field is empty where its value is absent."""
    columns = [_cell_texts(sweep, rows, column, _TextStyle("", "", str)) for column in sweep.columns]
    return _csv(zip(*columns, strict=True))


def encode_jsonl(sweep: Sweep, rows: Rows) -> bytes:
    """A JSON object per answer and line; absent values are null."""
    styles = [_TextStyle(f"{_json(column.key)}:", _json(None), _json) for column in sweep.columns]
    columns = [_cell_texts(sweep, rows, *of) for of in zip(sweep.columns, styles, strict=True)]
    lines = (f"{{{COMMA.join(cells)}}}{LINE}" for cells in zip(*columns, strict=True))
    return "".join(lines).encode()


@dataclass(frozen=True)
class _TextStyle:
    """How cells of a column are written: a prefix, the text of an absent value, and the quoting of words."""

    prefix: str
    absent: str
    quote: Callable[[str], str]


def _cell_texts(sweep: Sweep, rows: Rows, column: SweepColumn, style: _TextStyle) -> list[str]:
    """A column as text, one per row. Each distinct cell is formatted once and then expanded to the rows."""
    values = rows.columns[column.key]
    absent = style.prefix + style.absent
    if isinstance(values, WordColumn):
        words = [style.prefix + style.quote(word) for word in values.words]
        cells = np.array([*words, absent], dtype=object)[values.codes]  # ABSENT, which is -1, selects the last
        return list(rows.expand(cells))
    numbers = np.asarray(values, dtype=float)
    form = _condition if sweep.kind(column) is Kind.CONDITION else _number
    texts = [style.prefix + form(value) if isfinite(value) else absent for value in numbers.ravel().tolist()]
    return list(rows.expand(np.array(texts, dtype=object).reshape(numbers.shape)))


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)


def _condition(value: float) -> str:
    return _json(bool(value))


def _csv(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=LINE).writerows(lines)
    return text.getvalue().encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


# Parquet: dictionary-encoded words, a row group per part, and metadata about the rules and the question. All of it
# raises ImportError where pyarrow, which is an extra, is not installed.


class ParquetWriter:
    """A Parquet file to which parts in Arrow format are appended."""

    def __init__(self, sweep: Sweep, file: BinaryIO) -> None:
        from pyarrow import parquet  # noqa: PLC0415 - an extra

        schema = _schema(sweep)
        words = [column.key for column in sweep.columns if sweep.kind(column) is Kind.WORD]
        self._writer = parquet.ParquetWriter(file, schema, compression="zstd", use_dictionary=words)

    def add(self, content: bytes) -> None:
        """Appends a part as a row group, unless it has no rows."""
        from pyarrow import ipc  # noqa: PLC0415 - an extra

        table = ipc.open_stream(content).read_all()
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        """Writes the footer."""
        self._writer.close()


def encode_arrow(sweep: Sweep, rows: Rows) -> bytes:
    """A part as an Arrow IPC stream, faster to write and read than Parquet, which is made when parts are joined."""
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import ipc  # noqa: PLC0415

    columns = [_arrow_array(rows, rows.columns[column.key], sweep.kind(column)) for column in sweep.columns]
    schema, sink = _schema(sweep), pa.BufferOutputStream()
    with ipc.new_stream(sink, schema, options=ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_table(pa.table(columns, schema=schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _schema(sweep: Sweep) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    words = pa.dictionary(pa.int32(), pa.string())
    types = {Kind.NUMBER: pa.float64(), Kind.CONDITION: pa.bool_(), Kind.WORD: words}
    metadata = {**sweep.rulebook_values, QUESTION: json.dumps(sweep.question, ensure_ascii=False, allow_nan=False)}
    return pa.schema([(column.key, types[sweep.kind(column)]) for column in sweep.columns], metadata=metadata)


def _arrow_array(rows: Rows, column: Column, kind: Kind) -> Any:
    """A column with a value per row, null where it is absent."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    if isinstance(column, WordColumn):
        codes = rows.expand(np.asarray(column.codes).astype(np.int32))
        return pa.DictionaryArray.from_arrays(_with_nulls(codes, codes < 0), pa.array(column.words, pa.string()))
    values = rows.expand(np.asarray(column))
    absent = np.zeros(values.shape, dtype=bool) if values.dtype == bool else ~np.isfinite(values)
    return _with_nulls(values.astype(bool) if kind is Kind.CONDITION else values, absent)


def _with_nulls(values: Any, absent: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.array(values, mask=absent) if absent.any() else pa.array(values)


TEXT_FORMATS: Mapping[str, Format] = {
    "csv": Format(
        encode_csv,
        lambda sweep, file: TextWriter(file, _csv([[column.key for column in sweep.columns]])),
        holds_gil=True,
    ),
    "jsonl": Format(encode_jsonl, lambda _, file: TextWriter(file), holds_gil=True),
}
FORMATS = (PARQUET, *TEXT_FORMATS)
