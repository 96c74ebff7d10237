"""The columns of a catalog: made of its entries, with a row more, and taken for some rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitcard.catalog.fields import Field, in_years
from fitcard.values import ABSENT, Codes, Column, Kind, WordColumn


class EntryLike(Protocol):
    """An entry of a catalog, as far as its columns go."""

    def value(self, field: str) -> Any:
        """The figure or word of a (dotted) field; None where it is absent."""


@dataclass(frozen=True)
class ColumnBlock:
    """Columns of one kind, one below the other, so that those of some entries are taken all at once."""

    fields: tuple[str, ...]
    data: NDArray[Any]
    words: tuple[tuple[str, ...], ...] = ()

    def taken(self, rows: Codes) -> Iterable[tuple[str, Column]]:
        """Each field with its figures or words of the entries in these rows."""
        found: Any = self.data.take(rows, axis=1) if isinstance(rows, np.ndarray) else self.data[:, rows]
        return zip(self.fields, map(WordColumn, found, self.words) if self.words else found, strict=True)


def group_columns(fields: Sequence[str], columns: Sequence[Any]) -> Iterator[ColumnBlock]:
    """These columns, those of one kind together."""
    by_kind: dict[Any, dict[str, Any]] = {}
    for name, column in zip(fields, columns, strict=True):
        by_kind.setdefault(WordColumn if isinstance(column, WordColumn) else column.dtype, {})[name] = column
    for kind, found in by_kind.items():
        if kind is WordColumn:
            codes, words = zip(*found.values(), strict=True)
            yield ColumnBlock(tuple(found), np.array(codes), words)
        else:
            yield ColumnBlock(tuple(found), np.array([*found.values()]))


def with_row(column: Any, row: int, one: Any) -> Column:
    """The column with that of one entry in this row, or after all others; of the same words where it says no other."""
    if isinstance(column, WordColumn):
        words = tuple(dict.fromkeys((*column.words, *one.words)))
        words = column.words if len(words) == len(column.words) else words
        code = words.index(one.words[0]) if one.words else ABSENT
        return WordColumn(with_row(column.codes, row, np.array([code])), words)
    longer: Column = np.concatenate([column[:row], one, column[row + 1 :]])
    return longer


def take_rows(column: Any, rows: NDArray[np.int64]) -> Column:
    """The figures or words of the entries in these rows."""
    if isinstance(column, WordColumn):
        return WordColumn(column.codes.take(rows), column.words)
    figures: Column = column.take(rows)
    return figures


def column_from_entries(field: Field, entries: Iterable[EntryLike]) -> Column:
    """A field of these entries."""
    values = [entry.value(field.of_day or field.name) for entry in entries]
    if field.of_day:
        return np.array([np.nan if value is None else in_years(value) for value in values])
    if field.kind is Kind.NUMBER:
        return np.array([np.nan if value is None else float(value) for value in values])
    if field.kind is Kind.CONDITION:
        return np.array([bool(value) for value in values])
    words = tuple(dict.fromkeys(value for value in values if value is not None))
    number = {word: at for at, word in enumerate(words)}
    return WordColumn(np.array([ABSENT if value is None else number[value] for value in values], dtype=np.int64), words)
