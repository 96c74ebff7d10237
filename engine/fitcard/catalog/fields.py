"""What is known of each catalog entry: the fields that its schema declares, with kind and unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fitcard.source.schemas import Schemas
from fitcard.values import Kind

KINDS = {"number": Kind.NUMBER, "integer": Kind.NUMBER, "boolean": Kind.CONDITION, "string": Kind.WORD}


@dataclass(frozen=True)
class Field:
    """One field of an entry, such as `bandwidth`. A field that is not `required` may be absent.

    A word that names an entry of another catalog says which, in `entry_of`; one that `groups` entries is what a report
    sums up by, one that is a `spelling` is another name by which they are found, and one that is a `day` says when.
    A field that counts such a day in years says which, in `of_day`; nobody writes it.
    """

    name: str
    kind: Kind
    unit: str
    about: str
    required: bool
    entry_of: str = ""
    groups: bool = False
    spelling: bool = False
    day: bool = False
    of_day: str = ""


IN_YEARS, YEAR = "in_years", "year"
ID = Field("id", Kind.WORD, "word", "", True)


def day_of(word: str) -> date:
    """The day that a field of a `day` holds; of a month its first. Raises ValueError where there is no such day."""
    year, month, *rest = (int(part) for part in word.split("-"))
    return date(year, month, rest[0] if rest else 1)


def in_years(day: str) -> float:
    """A day, or the first day of a month, as a number of years: the middle of 2026 is 2026.5."""
    found = day_of(day)
    start, end = date(found.year, 1, 1).toordinal(), date(found.year + 1, 1, 1).toordinal()
    return found.year + (found.toordinal() - start) / (end - start)


def catalog_kinds(schemas: Schemas) -> list[str]:
    """The kinds of files that are catalogs: those whose schema describes an entry."""
    return [kind for kind, schema in schemas.by_kind.items() if "entry" in schema.get("$defs", {})]


def fields_of(schemas: Schemas, kind: str) -> dict[str, Field]:
    """The fields of the entries of catalog `kind`, the `id` first; fields inside an object have a dotted name.

    Behind each `day` follows `day.in_years`, the same as a number that rules can compute with.
    """
    entry = schemas.by_kind[kind]["$defs"]["entry"]
    return {ID.name: ID} | {field.name: field for field in _fields(schemas, kind, entry, "", True)}


def _fields(schemas: Schemas, kind: str, schema: Mapping[str, Any], prefix: str, required: bool) -> Iterator[Field]:
    for name, part in schema.get("properties", {}).items():
        declared = {**schemas.resolve(part, kind), **part}
        always = required and name in schema.get("required", [])
        if declared.get("type") == "object":
            yield from _fields(schemas, kind, declared, f"{prefix}{name}.", always)
        elif declared.get("type") in KINDS:
            found = KINDS[declared["type"]]
            unit = declared.get("unit", "1" if found is Kind.NUMBER else str(found))
            about, other = declared.get("description", ""), declared.get("entryOf", "")
            groups, spelling, day = (bool(declared.get(key)) for key in ("groups", "spelling", "day"))
            yield Field(prefix + name, found, unit, about, always, other, groups, spelling, day)
            if day:
                in_numbers = f"{prefix}{name}.{IN_YEARS}"
                yield Field(in_numbers, Kind.NUMBER, YEAR, about, always, of_day=prefix + name)
