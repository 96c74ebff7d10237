"""The forms of a file of every answer: how a part becomes bytes, wherever it is computed, and these become the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO, Protocol

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.sweep.parquet import ParquetParts, parquet_part
from fitcard.sweep.rows import Rows, compute_rows
from fitcard.sweep.selection import Sweep
from fitcard.sweep.text import csv_head, csv_part, jsonl_part

PARQUET = "parquet"


class SweepNeedsMore(ProblemCode):
    """A file format or a way to compute requires a package that is not installed.

    Why: the base installation stays small.
    Avoid: `fitcard sweep --out answers.parquet` after `pip install fitcard`
    Prefer: `pip install 'fitcard[sweep]'`
    """


class Writer(Protocol):
    """A file that parts are added to, in their order."""

    def add(self, content: bytes) -> None:
        """Writes a part."""

    def close(self) -> None:
        """Writes what comes after all parts."""


@dataclass(frozen=True)
class Format:
    """One form; `in_python` where most of the time is spent in Python itself, so that threads wait for each other."""

    part: Callable[[Sweep, Rows], bytes]
    joined: Callable[[Sweep, BinaryIO], Writer]
    in_python: bool


@dataclass(frozen=True)
class ComputedPart:
    """A part as bytes, and how many rows it has."""

    content: bytes
    rows: int


class Lines:
    """A file of text: its head, then the parts one after another."""

    def __init__(self, file: BinaryIO, head: bytes = b"") -> None:
        self._file = file
        file.write(head)

    def add(self, content: bytes) -> None:
        """Writes a part."""
        self._file.write(content)

    def close(self) -> None:
        """Nothing comes after the last line."""


def find_format(name: str) -> Format:
    """The form of that name. Raises ProblemsFound where it needs a package that is not installed."""
    if name != PARQUET:
        return TEXTS[name]
    if find_spec("pyarrow") is None:
        hint = "install it: pip install 'fitcard[sweep]', or write CSV or JSON lines"
        raise ProblemsError([Problem(SweepNeedsMore, "Parquet requires the package pyarrow", hint=hint)])
    return Format(parquet_part, ParquetParts, in_python=False)


def compute_part(sweep: Sweep, form: str, number: int) -> ComputedPart:
    """The part of that number in a form. Raises ProblemsFound where a number is not finite."""
    rows = compute_rows(sweep, number)
    return ComputedPart(find_format(form).part(sweep, rows), rows.count)


TEXTS: Mapping[str, Format] = {
    "csv": Format(csv_part, lambda sweep, file: Lines(file, csv_head(sweep)), in_python=True),
    "jsonl": Format(jsonl_part, lambda _, file: Lines(file), in_python=True),
}
FORMATS = (PARQUET, *TEXTS)
