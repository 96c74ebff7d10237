"""Answers as Parquet: words and entries by number, a group of rows for each part, and which rules answered."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import numpy as np

from fitcard.sweep.rows import Rows
from fitcard.sweep.selection import Sweep
from fitcard.values import Column, Kind, WordColumn

QUESTION = "question"


def parquet_part(sweep: Sweep, rows: Rows) -> bytes:
    """A part as a stream of Arrow, which is soon written and read: Parquet is made of it when all parts are joined.

    Raises ImportError where pyarrow is not installed, as all here do.
    """
    import pyarrow as pa  # noqa: PLC0415 - only Parquet needs the extra
    from pyarrow import ipc  # noqa: PLC0415

    columns = [_array(rows, rows.columns[column.key], sweep.kind(column)) for column in sweep.columns]
    schema, sink = _schema(sweep), pa.BufferOutputStream()
    with ipc.new_stream(sink, schema, options=ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_table(pa.table(columns, schema=schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


class ParquetParts:
    """A file of Parquet that parts are added to, in their order."""

    def __init__(self, sweep: Sweep, file: BinaryIO) -> None:
        from pyarrow import parquet  # noqa: PLC0415

        schema = _schema(sweep)
        words = [column.key for column in sweep.columns if sweep.kind(column) is Kind.WORD]
        self._writer = parquet.ParquetWriter(file, schema, compression="zstd", use_dictionary=words)

    def add(self, content: bytes) -> None:
        """Writes a part as a group of rows; none where it has no rows."""
        from pyarrow import ipc  # noqa: PLC0415

        table = ipc.open_stream(content).read_all()
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        """Writes the end of the file."""
        self._writer.close()


def _schema(sweep: Sweep) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    words = pa.dictionary(pa.int32(), pa.string())
    types = {Kind.NUMBER: pa.float64(), Kind.CONDITION: pa.bool_(), Kind.WORD: words}
    told = {**sweep.rulebook_values, QUESTION: json.dumps(sweep.question, ensure_ascii=False, allow_nan=False)}
    return pa.schema([(column.key, types[sweep.kind(column)]) for column in sweep.columns], metadata=told)


def _array(rows: Rows, column: Column, kind: Kind) -> Any:
    """One column with a value for each row, null where it is absent."""
    import pyarrow as pa  # noqa: PLC0415

    if isinstance(column, WordColumn):
        codes = rows.spread(np.asarray(column.codes).astype(np.int32))
        return pa.DictionaryArray.from_arrays(_with_nulls(codes, codes < 0), pa.array(column.words, pa.string()))
    values = rows.spread(np.asarray(column))
    absent = np.zeros(values.shape, dtype=bool) if values.dtype == bool else ~np.isfinite(values)
    return _with_nulls(values.astype(bool) if kind is Kind.CONDITION else values, absent)


def _with_nulls(values: Any, absent: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    return pa.array(values, mask=absent) if absent.any() else pa.array(values)
