"""Catalogs as numpy columns: each field of all entries, and of the entries that questions name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.catalog.catalog import Catalog, Entry, Field, decimal_year
from fitcard.compiler.identity_cache import IdentityCache
from fitcard.values import ABSENT, LARGE_COLUMN, Codes, Column, Kind, Scalar, WordColumn, nan_comparable

MAX_CACHED_ROWS = 4096


class CatalogColumns:
    """A catalog as columns, each with one row per entry, built when first read and kept.

    Programs read from here; the catalog itself stays as it was loaded. `computed` are more columns, of what rules give
    for each entry, under names that no field has.
    """

    def __init__(self, catalog: Catalog, columns: Mapping[str, Column] | None = None) -> None:
        self.catalog = catalog
        self.ids = catalog.ids
        self.index = catalog.index
        self.rows: NDArray[np.int64] = np.arange(len(catalog.entries))
        self._columns: dict[str, Column] = dict(columns or {})
        self._blocks = IdentityCache()  # by the fields that a program reads
        self._single_rows: dict[tuple[tuple[str, ...], Any], list[Column]] = {}
        self._rows_by_id = IdentityCache()  # by the words of a table that chooses entries
        self._rows_by_values: dict[Any, Mapping[tuple[Any, ...], tuple[int, ...]]] = {}

    def __repr__(self) -> str:
        return f"<CatalogColumns {self.catalog.kind}, {len(self.ids)} rows>"

    def column(self, field: str) -> Column:
        """A field of all entries, in the order of `ids`."""
        if field not in self._columns:
            self._columns[field] = column_from_entries(self.catalog.fields[field], self.catalog.entries.values())
        return self._columns[field]

    def at(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """These fields of the entries in these rows; those of a single row are kept."""
        if isinstance(rows, np.ndarray):
            if rows.size > LARGE_COLUMN:  # a block of that size would be allocated anew each time
                return [take_rows(self.column(name), rows) for name in fields]
            return self._from_blocks(fields, rows)
        found = self._single_rows.get((fields, rows))
        if found is None:
            if len(self._single_rows) >= MAX_CACHED_ROWS:
                self._single_rows.clear()
            found = self._single_rows[fields, rows] = self._from_blocks(fields, rows)
        return found

    def _from_blocks(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """The same, columns of one dtype taken together."""
        blocks = self._blocks.get_or_compute(
            (fields,), lambda: tuple(group_columns(fields, [*map(self.column, fields)]))
        )
        found = {name: column for block in blocks for name, column in block.taken(rows)}
        return [found[name] for name in fields]

    def rows_by_id(self, ids: tuple[str, ...]) -> NDArray[np.int64]:
        """The row of each of these ids. Raises KeyError for an unknown one."""
        rows: NDArray[np.int64] = self._rows_by_id.get_or_compute(
            (ids,), lambda: np.array([self.index[one] for one in ids], np.int64)
        )
        return rows

    def rows_with(self, field: str | None) -> NDArray[np.int64]:
        """The rows of the entries that have a field; of all where `field` is None."""
        if field is None:
            return self.rows
        column = self.column(field)
        return np.flatnonzero(column.codes != ABSENT if isinstance(column, WordColumn) else ~np.isnan(column))

    def input_numbers(self, field: str, default: float | None) -> NDArray[np.float64]:
        """The numbers of a field that stands for an input of a question, `default` where an entry has none.

        An absent number compares equal to another absent one.
        """
        column: Any = self.column(field)
        return nan_comparable(column if default is None else np.where(np.isnan(column), default, column))

    def rows_matching(
        self, values: Mapping[str, Scalar], defaults: Mapping[str, float | None], having: str | None
    ) -> tuple[int, ...]:
        """The rows of the entries that have all of these values, and the field `having`.

        A number that an entry lacks is its default; one that is absent there too matches None.
        """
        wanted = (tuple(values), tuple(defaults.get(name) for name in values), having)
        rows = self._rows_by_values.get(wanted)
        if rows is None:
            rows = self._rows_by_values[wanted] = self._index_by_values(*wanted)
        return rows.get(tuple(-math.inf if value is None else value for value in values.values()), ())

    def _index_by_values(
        self, fields: tuple[str, ...], defaults: tuple[float | None, ...], having: str | None
    ) -> Mapping[tuple[Any, ...], tuple[int, ...]]:
        """The rows by the values of these fields; an entry that lacks a word has no place among them."""
        rows: dict[tuple[Any, ...], tuple[int, ...]] = {}
        by_field = [
            [column.words[code] if code != ABSENT else None for code in column.codes.tolist()]
            if isinstance(column := self.column(name), WordColumn)
            else self.input_numbers(name, default).tolist()
            for name, default in zip(fields, defaults, strict=True)
        ]
        for row in self.rows_with(having).tolist():
            key = tuple(of_field[row] for of_field in by_field)
            if None not in key:
                rows[key] = (*rows.get(key, ()), row)
        return rows

    def with_computed(self, columns: Mapping[str, Column]) -> CatalogColumns:
        """The same with more columns, under names that no field has."""
        return CatalogColumns(self.catalog, {**self._columns, **columns})

    def with_entry(self, entry: Entry) -> CatalogColumns:
        """The same with one more entry, or with another in place of the one of that id; without what was computed."""
        row = self.index.get(entry.id, len(self.ids))
        fields = self.catalog.fields
        columns = {
            name: with_row(column, row, column_from_entries(fields[name], [entry]))
            for name, column in self._columns.items()
            if name in fields
        }
        return CatalogColumns(self.catalog.with_entry(entry), columns)


def column_from_entries(field: Field, entries: Iterable[Entry]) -> Column:
    """A field of these entries: float64 with NaN, bool, or words with ABSENT where an entry lacks it."""
    values = [entry.value(field.of_day or field.name) for entry in entries]
    if field.of_day:
        return np.array([np.nan if value is None else decimal_year(value) for value in values])
    if field.kind is Kind.NUMBER:
        return np.array([np.nan if value is None else float(value) for value in values])
    if field.kind is Kind.CONDITION:
        return np.array([bool(value) for value in values])
    words = tuple(dict.fromkeys(value for value in values if value is not None))
    number = {word: at for at, word in enumerate(words)}
    return WordColumn(np.array([ABSENT if value is None else number[value] for value in values], dtype=np.int64), words)


def with_row(column: Any, row: int, one: Any) -> Column:
    """The column with the value of one entry in this row, or after all others.

    The words stay the same object where it brings no new one, so that what was compiled for them still holds.
    """
    if isinstance(column, WordColumn):
        words = tuple(dict.fromkeys((*column.words, *one.words)))
        words = column.words if len(words) == len(column.words) else words
        code = words.index(one.words[0]) if one.words else ABSENT
        return WordColumn(with_row(column.codes, row, np.array([code])), words)
    longer: Column = np.concatenate([column[:row], one, column[row + 1 :]])
    return longer


def take_rows(column: Any, rows: NDArray[np.int64]) -> Column:
    """The values of a column in these rows."""
    if isinstance(column, WordColumn):
        return WordColumn(column.codes.take(rows), column.words)
    values: Column = column.take(rows)
    return values


@dataclass(frozen=True)
class ColumnBlock:
    """Columns of one dtype as one array of shape (fields, rows), so that a row of all is taken at once."""

    fields: tuple[str, ...]
    data: NDArray[Any]
    words: tuple[tuple[str, ...], ...] = ()

    def taken(self, rows: Codes) -> Iterable[tuple[str, Column]]:
        """Each field with its values in these rows."""
        found: Any = self.data.take(rows, axis=1) if isinstance(rows, np.ndarray) else self.data[:, rows]
        return zip(self.fields, map(WordColumn, found, self.words) if self.words else found, strict=True)


def group_columns(fields: Sequence[str], columns: Sequence[Any]) -> Iterator[ColumnBlock]:
    """These columns in blocks of one dtype each."""
    by_kind: dict[Any, dict[str, Any]] = {}
    for name, column in zip(fields, columns, strict=True):
        by_kind.setdefault(WordColumn if isinstance(column, WordColumn) else column.dtype, {})[name] = column
    for kind, found in by_kind.items():
        if kind is WordColumn:
            codes, words = zip(*found.values(), strict=True)
            yield ColumnBlock(tuple(found), np.array(codes), words)
        else:
            yield ColumnBlock(tuple(found), np.array([*found.values()]))
