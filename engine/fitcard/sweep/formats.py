"""The forms of a file of every answer: how a part becomes bytes, wherever it is computed, and these become the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import BinaryIO, Protocol

from fitcard.problems import Code, Problem, ProblemsFound
from fitcard.sweep.parquet import ParquetParts, parquet_part
from fitcard.sweep.rows import Rows, rows_of
from fitcard.sweep.selection import Sweep
from fitcard.sweep.text import csv_head, csv_part, jsonl_part

PARQUET = "parquet"


class SweepNeedsMore(Code):
    """A form of file, or a way to compute, needs a package that is not installed.

    Why: the base install stays small.
    Avoid: `fitcard sweep --out answers.parquet` after `pip install fitcard`
    Prefer: `pip install 'fitcard[sweep]'` first
    """


class Joined(Protocol):
    """A file that parts are added to, in their order."""

    def add(self, content: bytes) -> None:
        """Writes a part."""

    def close(self) -> None:
        """Writes what comes after all parts."""


@dataclass(frozen=True)
class Form:
    """One form; `in_python` where most of the time is spent in Python itself, so that threads wait for each other."""

    part: Callable[[Sweep, Rows], bytes]
    joined: Callable[[Sweep, BinaryIO], Joined]
    in_python: bool


@dataclass(frozen=True)
class Computed:
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


def form_of(name: str) -> Form:
    """The form of that name. Raises ProblemsFound where it needs a package that is not installed."""
    if name != PARQUET:
        return TEXTS[name]
    if find_spec("pyarrow") is None:
        hint = "install it: pip install 'fitcard[sweep]', or write CSV or JSON lines"
        raise ProblemsFound([Problem(SweepNeedsMore, "Parquet needs the package pyarrow", hint=hint)])
    return Form(parquet_part, ParquetParts, in_python=False)


def computed(sweep: Sweep, form: str, number: int) -> Computed:
    """The part of that number in a form. Raises ProblemsFound where a number is not finite."""
    rows = rows_of(sweep, number)
    return Computed(form_of(form).part(sweep, rows), rows.count)


TEXTS: Mapping[str, Form] = {
    "csv": Form(csv_part, lambda sweep, file: Lines(file, csv_head(sweep)), in_python=True),
    "jsonl": Form(jsonl_part, lambda _, file: Lines(file), in_python=True),
}
FORMS = (PARQUET, *TEXTS)
