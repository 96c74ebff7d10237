"""A stretch of columns: some questions of a list, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.columns import Column, WordColumn


class Stretch(Mapping[str, Column]):
    """The columns with only the questions at one place. Each is cut when it is first asked for: most never are."""

    def __init__(self, columns: Mapping[str, Column], place: slice) -> None:
        self._whole, self._place = columns, place
        self._cut: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        found = self._cut.get(name)
        if found is None:
            found = self._cut[name] = _cut(self._whole[name], self._place)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._whole

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)


def _cut(column: Any, place: slice) -> Column:
    if isinstance(column, WordColumn):
        return WordColumn(_cut(column.codes, place), column.words)
    cut: Column = column[place] if isinstance(column, np.ndarray) and len(column) > 1 else column
    return cut
