"""Catalogs as numpy columns, and their values for the entries that questions name."""

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
    """The fields of a catalog as columns with one row per entry, built when first read."""

    def __init__(self, catalog: Catalog, columns: Mapping[str, Column] | None = None) -> None:
        self.catalog = catalog
        self.ids = catalog.ids
        self.index = catalog.index
        self.rows: NDArray[np.int64] = np.arange(len(catalog.entries))
        self._columns: dict[str, Column] = dict(columns or {})
        self._blocks = IdentityCache()  # keyed by the fields that a program reads
        self._single_rows: dict[tuple[tuple[str, ...], Any], list[Column]] = {}
        self._rows_by_id = IdentityCache()  # keyed by the words of a table that chooses entries
        self._rows_by_values: dict[Any, Mapping[tuple[Any, ...], tuple[int, ...]]] = {}

    def __repr__(self) -> str:
        return f"<CatalogColumns {self.catalog.kind}, {len(self.ids)} rows>"

    def column(self, field: str) -> Column:
        """A field of all entries, in the order of `ids`."""
        if field not in self._columns:
            self._columns[field] = column_from_entries(self.catalog.fields[field], self.catalog.entries.values())
        return self._columns[field]

    def at(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """The values of these fields in these rows; cached for a single row."""
        if isinstance(rows, np.ndarray):
            if rows.size > LARGE_COLUMN:  # a block of that size would be allocated each time
                return [take_rows(self.column(name), rows) for name in fields]
            return self._from_blocks(fields, rows)
        values = self._single_rows.get((fields, rows))
        if values is None:
            if len(self._single_rows) >= MAX_CACHED_ROWS:
                self._single_rows.clear()
            values = self._single_rows[fields, rows] = self._from_blocks(fields, rows)
        return values

    def _from_blocks(self, fields: tuple[str, ...], rows: Codes) -> list[Column]:
        """The same, with one operation for all columns of a dtype."""
        blocks = self._blocks.get_or_compute(
            (fields,), lambda: tuple(group_columns(fields, [*map(self.column, fields)]))
        )
        values = {name: column for block in blocks for name, column in block.take(rows)}
        return [values[name] for name in fields]

    def rows_by_id(self, ids: tuple[str, ...]) -> NDArray[np.int64]:
        """The row of each of these ids. Raises KeyError for an unknown one."""
        rows: NDArray[np.int64] = self._rows_by_id.get_or_compute(
            (ids,), lambda: np.array([self.index[entry] for entry in ids], np.int64)
        )
        return rows

    def rows_with(self, field: str | None) -> NDArray[np.int64]:
        """The rows of the entries that have a value of `field`; all rows for None."""
        if field is None:
            return self.rows
        column = self.column(field)
        return np.flatnonzero(column.codes != ABSENT if isinstance(column, WordColumn) else ~np.isnan(column))

    def input_numbers(self, field: str, default: float | None) -> NDArray[np.float64]:
        """The numbers of the field of an input, with its default where an entry has none.

        Absent numbers compare equal.
        """
        column: Any = self.column(field)
        return nan_comparable(column if default is None else np.where(np.isnan(column), default, column))

    def rows_matching(
        self, values: Mapping[str, Scalar], defaults: Mapping[str, float | None], having: str | None
    ) -> tuple[int, ...]:
        """The rows of the entries that have all of these values, and a value of the field `having`.

        An absent number has its default; if that is absent too, it matches None.
        """
        key = (tuple(values), tuple(defaults.get(name) for name in values), having)
        rows = self._rows_by_values.get(key)
        if rows is None:
            rows = self._rows_by_values[key] = self._index_by_values(*key)
        return rows.get(tuple(-math.inf if value is None else value for value in values.values()), ())

    def _index_by_values(
        self, fields: tuple[str, ...], defaults: tuple[float | None, ...], having: str | None
    ) -> Mapping[tuple[Any, ...], tuple[int, ...]]:
        """The rows by the values of these fields, without entries that lack a word."""
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
        """The catalog with additional columns, whose names are not those of fields."""
        return CatalogColumns(self.catalog, {**self._columns, **columns})

    def with_entry(self, entry: Entry) -> CatalogColumns:
        """The catalog with one entry added, or replaced if it has the same id; without computed columns."""
        row = self.index.get(entry.id, len(self.ids))
        fields = self.catalog.fields
        columns = {
            name: _with_row(column, row, column_from_entries(fields[name], [entry]))
            for name, column in self._columns.items()
            if name in fields
        }
        return CatalogColumns(self.catalog.with_entry(entry), columns)


def column_from_entries(field: Field, entries: Iterable[Entry]) -> Column:
    """A field of these entries: float64 or words, NaN or ABSENT where an entry lacks it, or bool."""
    values = [entry.value(field.of_day or field.name) for entry in entries]
    if field.of_day:
        return np.array([np.nan if value is None else decimal_year(value) for value in values])
    if field.kind is Kind.NUMBER:
        return np.array([np.nan if value is None else float(value) for value in values])
    if field.kind is Kind.CONDITION:
        return np.array([bool(value) for value in values])
    words = tuple(dict.fromkeys(value for value in values if value is not None))
    code_of = {word: code for code, word in enumerate(words)}
    return WordColumn(np.array([ABSENT if value is None else code_of[value] for value in values], np.int64), words)


def _with_row(column: Any, row: int, value: Any) -> Column:
    """The column with a value, which is a column of length 1, in this row, or appended.

    The words remain the same object unless the value is a new word, so that results cached for them are still used.
    """
    if isinstance(column, WordColumn):
        words = tuple(dict.fromkeys((*column.words, *value.words)))
        words = column.words if len(words) == len(column.words) else words
        code = words.index(value.words[0]) if value.words else ABSENT
        return WordColumn(_with_row(column.codes, row, np.array([code])), words)
    changed: Column = np.concatenate([column[:row], value, column[row + 1 :]])
    return changed


def take_rows(column: Any, rows: NDArray[np.int64]) -> Column:
    """The values of a column in these rows."""
    if isinstance(column, WordColumn):
        return WordColumn(column.codes.take(rows), column.words)
    values: Column = column.take(rows)
    return values


@dataclass(frozen=True)
class ColumnBlock:
    """Columns of one dtype as one array of shape (fields, rows), so that one operation takes rows of all of them."""

    fields: tuple[str, ...]
    data: NDArray[Any]
    words: tuple[tuple[str, ...], ...] = ()

    def take(self, rows: Codes) -> Iterable[tuple[str, Column]]:
        """Each field with its values in these rows."""
        values: Any = self.data.take(rows, axis=1) if isinstance(rows, np.ndarray) else self.data[:, rows]
        return zip(self.fields, map(WordColumn, values, self.words) if self.words else values, strict=True)


def group_columns(fields: Sequence[str], columns: Sequence[Any]) -> Iterator[ColumnBlock]:
    """The columns in blocks of one dtype each."""
    by_dtype: dict[Any, dict[str, Any]] = {}
    for name, column in zip(fields, columns, strict=True):
        by_dtype.setdefault(WordColumn if isinstance(column, WordColumn) else column.dtype, {})[name] = column
    for dtype, block in by_dtype.items():
        if dtype is WordColumn:
            codes, words = zip(*block.values(), strict=True)
            yield ColumnBlock(tuple(block), np.array(codes), words)
        else:
            yield ColumnBlock(tuple(block), np.array([*block.values()]))
