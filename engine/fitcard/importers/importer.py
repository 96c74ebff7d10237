"""The interface of importers, which turn records of one format into entries of a catalog.

Each format has a module with one `Importer`, called IMPORTER, which `registry.py` lists. Its `read` takes the records
of a file and the overrides, fields that the user sets, and returns a `Reading` for each entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fitcard.importers.gguf_header import LongValue
from fitcard.importers.machine import MachineSource
from fitcard.importers.problems import ImportValue, import_error
from fitcard.importers.records import Record, SourceKind, look_up, quoted
from fitcard.importers.values import ABSENT, find, first_known, is_control, join_known, known, number_of, text_of
from fitcard.problems import ProblemsError

MAX_TEXT = 1_000  # characters of a name or another text of an entry
NUMBER = re.compile(r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?")
WITHOUT_VALUE = {"", "-", "–", "—", "?", "n/a", "na", "none", "null", "unknown", "not stated"}  # noqa: RUF001
Fields = Mapping[str, Any]  # by dotted name: `measured.ttft`
INAPPLICABLE: Any = object()  # value of a field that an entry should not have, so that it is not reported as absent


@dataclass(frozen=True)
class Guess:
    """The usual value of a field that the source does not state."""

    value: Any


def _no_id(fields: Fields) -> str:
    return ""


@dataclass(frozen=True)
class Reading:
    """One entry as read.

    `fields` has every field that the importer knows, in order: None or NaN if it could not be read, INAPPLICABLE if
    the entry should not have it, a `Guess` if it is not stated. `names` are possible names in the catalog, best first;
    absent ones are None. `entry_id` returns the id, given fields that name entries of catalogs by their ids, or an
    empty text.
    """

    fields: Fields
    names: tuple[str | None, ...] = ()
    entry_id: Callable[[Fields], str] = _no_id


@dataclass(frozen=True)
class Importer:
    """A format. `word` is the argument of the command: `fitcard import WORD`.

    An importer of a machine reads the outputs of `machine`, by name, with one record for each line of the output
    `each`; a `fallback` is used only if no other importer gives an entry. `tolerances` are relative differences up to
    which a figure agrees with that of an entry of the same name.
    """

    title: str
    word: str
    catalog: str
    source: SourceKind
    recognises: Callable[[Record], bool]
    read: Callable[[Sequence[Record], Fields], list[Reading]]
    machine: Mapping[str, MachineSource] = field(default_factory=dict)
    each: str = ""
    fallback: bool = False
    tolerances: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RecordReader:
    """Looks up keys of a record, first in those of its `sections` that it has, and reads values as what they should be.

    Of several keys, the first that is present counts. Raises ProblemsError with the file and the key for a value of
    another kind. `overrides` are fields that the user sets.
    """

    record: Record
    overrides: Fields = field(default_factory=dict)
    sections: tuple[str, ...] = ()

    def value(self, *keys: str) -> Any:
        """The value as it is, to see whether it is present; a dot leads into a part of the record."""
        return self._find(*keys)[1]

    def number(self, *keys: str) -> float:
        """The value as a number: a finite one, or the text of one; absent for the word of a table for no value."""
        return self._number(*self._find(*keys))

    def number_or_absent(self, *keys: str) -> float:
        """The value as a number; absent if it is a list with a number for each layer."""
        key, value = self._find(*keys)
        return ABSENT if self._is_list(value) and self._numbers(key, value) is not None else self._number(key, value)

    def largest(self, *keys: str) -> float:
        """The number, or the largest of a list with a number for each layer."""
        key, value = self._find(*keys)
        return max(self._numbers(key, value), default=ABSENT) if self._is_list(value) else self._number(key, value)

    def per_layer(self, *keys: str) -> list[float] | None:
        """The list with a number or condition for each layer; None if there is one number for all layers, or none."""
        key, value = self._find(*keys)
        if not self._is_list(value):
            self._number(key, value)
            return None
        return self._numbers(key, value)

    def items(self, *keys: str) -> Sequence[Any] | LongValue | None:
        """The value as a list; None if absent."""
        key, value = self._find(*keys)
        if value is None or self._is_list(value):
            items: Sequence[Any] | LongValue | None = value
            return items
        raise self._problem(key, value, "a list")

    def text(self, *keys: str) -> str | None:
        """The value as text, without control characters and of at most MAX_TEXT characters; None if absent."""
        key, value = self._find(*keys)
        return None if value is None else self._checked(key, self._text(key, value))

    def scalar(self, *keys: str) -> Any:
        """The value as a text, number or condition; None if absent."""
        key, value = self._find(*keys)
        if value is not None and not isinstance(value, bool):
            self._checked(key, self._text(key, value))
        return value

    def flag(self, *keys: str) -> bool | None:
        """The value as a condition; None if absent."""
        key, value = self._find(*keys)
        if value is None:
            return None
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise self._problem(key, value, "true or false")

    def find(self, pattern: str, *keys: str) -> str | None:
        """The first group of a regular expression in the text of the value; None without a match."""
        key, value = self._find(*keys)
        found = None if value is None else find(pattern, self._text(key, value))
        return None if found is None else self._checked(key, found)

    def override_number(self, field_name: str) -> float:
        """The override of a field as a number."""
        return number_of(self.overrides.get(field_name))

    def override_or_number(self, field_name: str, *keys: str) -> float:
        """The override of a field as a number, or else the number of these keys."""
        return first_known(self.override_number(field_name), self.number(*keys))

    def override_or_text(self, field_name: str, *keys: str) -> Any:
        """The override of a field, or else the text of these keys."""
        return self.overrides[field_name] if field_name in self.overrides else self.text(*keys)

    def _find(self, *keys: str) -> tuple[str, Any]:
        """The first of the keys that is present, with its value."""
        parts = [part for path in self.sections if isinstance(part := look_up(self.record, path), Mapping)]
        values = ((key, look_up(record, key)) for key in keys for record in (*parts, self.record))
        return next((found for found in values if found[1] is not None), (keys[0], None))

    def _is_list(self, value: Any) -> bool:
        return isinstance(value, list | LongValue)

    def _number(self, key: str, value: Any) -> float:
        if value is None or (isinstance(value, str) and value.strip().lower() in WITHOUT_VALUE):
            return ABSENT
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number or (isinstance(value, str) and NUMBER.fullmatch(value.strip())):
            number = number_of(value)
            if known(number):
                return number
        raise self._problem(key, value, "a number")

    def _numbers(self, key: str, value: Any) -> list[float]:
        if isinstance(value, LongValue):
            raise self._problem(key, value, "a number for each layer")
        return [float(part) if isinstance(part, bool) else self._number(key, part) for part in value]

    def _text(self, key: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bool | list | LongValue | Mapping):
            raise self._problem(key, value, "a text")
        return text_of(self._number(key, value))

    def _checked(self, key: str, text: str) -> str:
        if len(text) > MAX_TEXT or any(is_control(character) for character in text):
            raise self._problem(key, text, f"a text of at most {MAX_TEXT:,} characters without control characters")
        return text

    def _problem(self, key: str, value: Any, kind: str) -> ProblemsError:
        origin = getattr(self.record, "origin", "")
        message = f"{f'{origin}: ' if origin else ''}`{key}` must be {kind}, but is {_describe(value)}"
        return import_error(ImportValue, message, "correct the file, or export it again")


def _describe(value: Any) -> str:
    """A value of the wrong kind, for a message."""
    if isinstance(value, str):
        return quoted(value) if len(value) <= MAX_TEXT else f"a text of {len(value):,} characters"
    if isinstance(value, list | LongValue):
        return f"a list or text of length {len(value):,}" if isinstance(value, LongValue) else "a list"
    return "an object" if isinstance(value, Mapping) else str(value).lower()


def applies(condition: bool, value: Any) -> Any:
    """The value of a field that an entry has only under a condition."""
    return value if condition else INAPPLICABLE


def number_if(condition: bool, number: float) -> float:
    """The number under a condition; otherwise absent."""
    return number if condition else ABSENT


def run_id(fields: Fields, *labels: str | None, count_gpus: bool = True) -> str:
    """The id of a measured run: device, model, quant and distinguishing labels; empty if one is absent."""
    name = join_known(fields.get("device"), fields.get("model"), fields.get("quant"), *labels, separator="_")
    gpus = number_of(fields.get("gpus"))
    prefix = f"{text_of(gpus)}x-" if count_gpus and gpus > 1 else ""
    return f"{prefix}{name}" if name is not None else ""
