"""A parsed YAML file: its data, and the position of each key and value in the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from fitcard.problems import Position, Problem, ProblemCode, Related, Severity
from fitcard.suggest import did_you_mean

Path = tuple[str | int, ...]


class Span(NamedTuple):  # one for each value of each file; created in a fifth of the time of a frozen dataclass
    """Where a value is in the text. Lines and columns start at 0; those of `Document.position` start at 1.

    `start` and `end` are character offsets. `written` is the text of a scalar after YAML's folding, so that `2.0`
    differs from `2`; None for a map or list. `block` is true for `|` and `>` scalars.
    """

    line: int
    column: int
    start: int
    end: int
    key_line: int | None = None
    key_column: int | None = None
    written: str | None = None
    block: bool = False


@dataclass(frozen=True, repr=False)
class Document:
    """`data` as plain dicts, lists, strings, numbers, booleans and None; `spans` by path into the data.

    `path` is the file name in messages; `file` is where it was read from, None for text from elsewhere.
    """

    path: str
    text: str
    data: Any
    spans: Mapping[Path, Span]
    file: FilePath | None = None

    def __repr__(self) -> str:
        return f"<Document {self.path}>"

    def at(self, path: Path) -> Any:
        """The value at `path`. Raises KeyError or IndexError if there is none."""
        value = self.data
        for step in path:
            value = value[step]
        return value

    def position(self, path: Path = (), *, key: bool = False, offset: int | None = None) -> Position:
        """Start of the value at `path`, of its key, or of the character at `offset` in a scalar.

        For a path that is not in the file, the nearest parent that is.
        """
        while path not in self.spans and path:
            path = path[:-1]
        span = self.spans.get(path)
        if span is None:
            return Position(self.path, 1, 1)
        if key and span.key_line is not None and span.key_column is not None:
            return Position(self.path, span.key_line + 1, span.key_column + 1)
        if offset is not None and span.written is not None:
            line, column = _position_in_scalar(self.text, span, offset)
            return Position(self.path, line + 1, column + 1)
        return Position(self.path, span.line + 1, span.column + 1)

    def source_line(self, position: Position) -> str:
        """The line of text at a position."""
        return self._lines[position.line - 1].rstrip("\r") if position.line <= len(self._lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def problem(
        self,
        kind: type[ProblemCode],
        message: str,
        path: Path = (),
        *,
        key: bool = False,
        offset: int | None = None,
        severity: Severity = Severity.ERROR,
        hint: str = "",
        closest: tuple[str, ...] = (),
        first: Position | None = None,
    ) -> Problem:
        """A problem at that position of this file, with its source line.

        Without a `hint`, the `closest` words are suggested. `first` is the position of the first of two duplicates.
        """
        position = self.position(path, key=key, offset=offset)
        return Problem(
            kind,
            message,
            position,
            severity,
            hint=hint or did_you_mean(closest),
            closest=closest,
            source_line=self.source_line(position),
            related=(Related(first, "the first is here"),) if first else (),
        )


def _position_in_scalar(text: str, span: Span, offset: int) -> tuple[int, int]:
    """Line and column, from 0, of the character at `offset` in a scalar's value.

    Value and text are walked in parallel, ignoring white space: folding, indentation and quotes only add characters
    around those of the value. This holds for plain, quoted, literal and folded scalars.
    """
    value = span.written or ""
    at = span.start
    if span.block:  # the text of a block starts on the line after its `|` or `>`
        at = text.find("\n", span.start) + 1
    elif text[at : at + 1] in ("'", '"'):
        at += 1
    for character in value[:offset]:
        if character.isspace():
            continue
        while at < span.end and text[at] != character:
            at += 1
        at += 1
    if value[offset : offset + 1].strip():
        while at < span.end and text[at] != value[offset]:
            at += 1
    line = text.count("\n", 0, at)
    return line, at - (text.rfind("\n", 0, at) + 1)
