"""Rows and columns, as frames of polars or pandas where these are installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas
    import polars


@dataclass(frozen=True)
class Table:
    """Columns of equal length by name; None, or NaN among numbers, where a value is absent."""

    columns: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row by the names of the columns."""
        for row in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, row, strict=True))

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame. Raises ImportError where polars is not installed."""
        import polars  # noqa: PLC0415 - no dependency of fitcard

        return polars.DataFrame(dict(self.columns), strict=False)

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame. Raises ImportError where pandas is not installed."""
        import pandas  # noqa: PLC0415 - no dependency of fitcard

        return pandas.DataFrame(dict(self.columns))


def table_of(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A table of nested rows: one column for each single value, called by its keys with dots between; lists are left
    out."""
    flat = [dict(_flatten(row, "")) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return Table({name: [row.get(name) for row in flat] for name in names})


def _flatten(data: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{before}{key}.")
        elif not isinstance(value, list):
            yield before + key, value
