"""Answers as text: CSV and JSON lines, with numbers as JSON gives them and nothing where one is absent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from fitcard.sweep.columns import SweepColumn
from fitcard.sweep.rows import Rows
from fitcard.sweep.selection import Sweep
from fitcard.values import Kind, WordColumn

COMMA, LINE = ",", "\n"


def csv_head(sweep: Sweep) -> bytes:
    """The line with the keys of the columns."""
    return _csv([[column.key for column in sweep.columns]])


def csv_part(sweep: Sweep, rows: Rows) -> bytes:
    """A line for each answer; a field is empty where its value is absent."""
    columns = [_texts(sweep, rows, column, _Writing("", "", str)) for column in sweep.columns]
    return _csv(zip(*columns, strict=True))


def jsonl_part(sweep: Sweep, rows: Rows) -> bytes:
    """An object for each answer on a line of its own; a value that is absent is null."""
    columns = [
        _texts(sweep, rows, column, _Writing(f"{_json(column.key)}:", _json(None), _json)) for column in sweep.columns
    ]
    lines = (f"{{{COMMA.join(parts)}}}{LINE}" for parts in zip(*columns, strict=True))
    return "".join(lines).encode()


@dataclass(frozen=True)
class _Writing:
    """How one value is written: what stands before it, what in place of an absent one, and how a word is quoted."""

    before: str
    absent: str
    quoted: Callable[[str], str]


def _texts(sweep: Sweep, rows: Rows, column: SweepColumn, writing: _Writing) -> list[str]:
    """A column as text, one for each row; each cell is written once, however many rows it stands for."""
    values = rows.columns[column.key]
    before, absent = writing.before, writing.before + writing.absent
    if isinstance(values, WordColumn):
        words = [before + writing.quoted(word) for word in values.words]
        cells = np.array([*words, absent], dtype=object)[values.codes]  # ABSENT, which is -1, takes the last
        return list(rows.spread(cells))
    numbers = np.asarray(values, dtype=float)
    write = _condition if sweep.kind(column) is Kind.CONDITION else _number
    texts = [before + write(value) if isfinite(value) else absent for value in numbers.ravel().tolist()]
    return list(rows.spread(np.array(texts, dtype=object).reshape(numbers.shape)))


def _number(value: float) -> str:
    """A finite number as the JSON of an answer gives it."""
    return repr(int(value)) if value.is_integer() else repr(value)


def _condition(value: float) -> str:
    return _json(bool(value))


def _csv(lines: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=LINE).writerows(lines)
    return text.getvalue().encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
