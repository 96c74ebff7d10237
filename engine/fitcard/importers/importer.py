"""The interface of importers, which turn records of one format into entries of a catalog.

Each format has a module with one `Importer`, called IMPORTER, which `registry.py` lists. Its `read` takes the records
of a file and the overrides, fields that the user sets, and returns a `Reading` for each entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fitcard.importers.records import MachineSource, Record, SourceKind, look_up
from fitcard.importers.values import ABSENT, find, first_known, join_known, number_of, text_of

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
    """Looks up keys of a record, first in those of its `sections` that it has.

    `overrides` are fields that the user sets.
    """

    record: Record
    overrides: Fields = field(default_factory=dict)
    sections: tuple[str, ...] = ()

    def value(self, *keys: str) -> Any:
        """The value of the first of these keys that is present; a dot leads into a part of the record."""
        parts = [part for path in self.sections if isinstance(part := look_up(self.record, path), Mapping)]
        values = (look_up(record, key) for key in keys for record in (*parts, self.record))
        return next((value for value in values if value is not None), None)

    def number(self, *keys: str) -> float:
        """The value as a number."""
        return number_of(self.value(*keys))

    def text(self, *keys: str) -> str | None:
        """The value as text."""
        value = self.value(*keys)
        return None if value is None else text_of(value)

    def find(self, pattern: str, *keys: str) -> str | None:
        """The first group of a regular expression in the text under the first of these keys that is present."""
        return find(pattern, self.value(*keys))

    def override_number(self, field_name: str) -> float:
        """The override of a field as a number."""
        return number_of(self.overrides.get(field_name))

    def override_or_number(self, field_name: str, *keys: str) -> float:
        """The override of a field as a number, or else the number under the first of these keys."""
        return first_known(self.override_number(field_name), self.number(*keys))

    def override_or_value(self, field_name: str, *keys: str) -> Any:
        """The override of a field, or else the value under the first of these keys."""
        return self.overrides[field_name] if field_name in self.overrides else self.value(*keys)


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
