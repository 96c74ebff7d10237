"""A YAML file that has been read: its data, and where in the text each key and value stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from fitcard.problems import Position, Problem, ProblemCode, Related, Severity
from fitcard.suggest import did_you_mean

Path = tuple[str | int, ...]


class Place(NamedTuple):  # made for every value of every file, and in a fifth of the time of a frozen dataclass
    """Where one value stands. Lines and columns count from 0 here; `Document.position` counts as people do.

    `written` is a scalar as it was written after YAML's folding (so `2.0` is not `2`); None for a map or a list.
    `start` and `end` are character offsets into the text; `block` is true for `|` and `>` scalars.
    """

    line: int
    column: int
    start: int
    end: int
    key_line: int | None = None
    key_column: int | None = None
    written: str | None = None
    block: bool = False


@dataclass(frozen=True)
class Document:
    """`data` as plain dicts, lists, text, numbers, booleans and None; `places` by path into it.

    `path` is how the file is shown, `file` where it was read from; None for text at hand.
    """

    path: str
    text: str
    data: Any
    places: Mapping[Path, Place]
    file: FilePath | None = None

    def at(self, path: Path) -> Any:
        """The value at `path`. Raises KeyError or IndexError where there is none."""
        found = self.data
        for step in path:
            found = found[step]
        return found

    def position(self, path: Path = (), *, key: bool = False, offset: int | None = None) -> Position:
        """Where the value at `path` starts; its key with `key`; the `offset`-th character of a scalar with `offset`.

        A path that is not in the file gives the nearest place above it.
        """
        while path not in self.places and path:
            path = path[:-1]
        place = self.places.get(path)
        if place is None:
            return Position(self.path, 1, 1)
        if key and place.key_line is not None and place.key_column is not None:
            return Position(self.path, place.key_line + 1, place.key_column + 1)
        if offset is not None and place.written is not None:
            line, column = position_in_scalar(self.text, place, offset)
            return Position(self.path, line + 1, column + 1)
        return Position(self.path, place.line + 1, place.column + 1)

    def source_line(self, position: Position) -> str:
        """The line of text that the position is on."""
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
        """A problem at that place of this file, with the source line for a caret.

        Without a `hint` the `closest` words are offered. `first` is the other place of something that stands twice.
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


def position_in_scalar(text: str, place: Place, offset: int) -> tuple[int, int]:
    """Line and column, from 0, of the `offset`-th character of a scalar's value.

    Folding, indentation and quotes only ever add or merge white space and marks around the value's own characters, so
    walking the value and the text side by side, and letting any run of white space stand for any other, finds the
    place in plain, quoted, literal and folded scalars alike.
    """
    value = place.written or ""
    at = place.start
    if place.block:  # the text of a block starts on the line after its `|` or `>`
        at = text.find("\n", place.start) + 1
    elif text[at : at + 1] in ("'", '"'):
        at += 1
    for character in value[:offset]:
        if character.isspace():
            continue
        while at < place.end and text[at] != character:
            at += 1
        at += 1
    if value[offset : offset + 1].strip():
        while at < place.end and text[at] != value[offset]:
            at += 1
    line = text.count("\n", 0, at)
    return line, at - (text.rfind("\n", 0, at) + 1)
