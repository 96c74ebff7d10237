"""The results of many questions: answers, rankings and tables, convertible to polars and pandas frames."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, overload

from fitcard.answer.answer import Answer, copy_data

if TYPE_CHECKING:
    import pandas
    import polars


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length by name; absent values are None, or NaN in columns of numbers.

    Tables are equal only if they are the same object; their `columns` may be numpy arrays.
    """

    columns: Mapping[str, Sequence[Any]]

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]]) -> Table:
        """A table of nested rows: one column per scalar, named by its keys joined with dots; lists are left out."""
        flat = [dict(_flatten(row, "")) for row in rows]
        names = dict.fromkeys(name for row in flat for name in row)
        return cls({name: [row.get(name) for row in flat] for name in names})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row by column name."""
        for row in zip(*self.columns.values(), strict=True):
            yield dict(zip(self.columns, row, strict=True))

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame. Raises ImportError where polars is not installed."""
        frame: polars.DataFrame = _import_library("polars").DataFrame(dict(self.columns), strict=False)
        return frame

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame. Raises ImportError where pandas is not installed."""
        frame: pandas.DataFrame = _import_library("pandas").DataFrame(dict(self.columns))
        return frame


def _import_library(name: str) -> Any:
    """The module of polars or pandas, which are no dependencies. Raises ImportError with how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"to_{name} requires the package {name}: pip install {name}") from error


def _flatten(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            yield prefix + key, value


class _Tabular(ABC):
    """A result that is also a table."""

    @abstractmethod
    def table(self) -> Table:
        """The result as a table."""

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame. Raises ImportError where polars is not installed."""
        return self.table().to_polars()

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame. Raises ImportError where pandas is not installed."""
        return self.table().to_pandas()


class Answers(_Tabular, Sequence[Answer]):
    """The answers to several questions, in the order of the questions."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = tuple(answers)

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> Answer: ...

    @overload
    def __getitem__(self, index: slice) -> Answers: ...

    def __getitem__(self, index: int | slice) -> Answer | Answers:
        """The answer at an index, or the answers of a slice."""
        return Answers(self._answers[index]) if isinstance(index, slice) else self._answers[index]

    def __repr__(self) -> str:
        return f"<Answers {len(self)}>"

    def table(self) -> Table:
        """One row per answer, one column per scalar of an answer, such as `memory.needed_gb`."""
        return Table.from_rows([answer.data for answer in self._answers])


class Ranking(_Tabular):
    """The entries of a catalog for one question, best first."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def __repr__(self) -> str:
        return f"<Ranking {self._data['title']}: {len(self.rows)} of {self._data['ranked']}>"

    @property
    def title(self) -> str:
        """What is ranked, as a sentence."""
        return str(self._data["title"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows, best first, in the shape of `ranking-answer.schema.json`."""
        return list(copy_data(self._data["rows"]))

    def to_dict(self) -> dict[str, Any]:
        """The whole ranking as plain data, as a copy that may be changed."""
        return dict(copy_data(self._data))

    def table(self) -> Table:
        """One row per entry, one column per scalar of a row."""
        return Table.from_rows(self._data["rows"])
