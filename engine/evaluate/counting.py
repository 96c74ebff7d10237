"""How many entries of a catalog are about what a question asks."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.columns import ABSENT, Numbers, WordColumn
from engine.evaluate.asked import Asked
from engine.rulebook.catalogs import Catalog
from engine.rulebook.definitions import Count


def counted(count: Count, asked: Asked, *ids: WordColumn) -> Numbers:
    """The number of entries for each question, in the shape that the ids that it names broadcast to."""
    catalog, words = asked.catalogs[count.catalog], [column.words for column in ids]
    combinations, counts = count.kept.get((catalog, *words), lambda: _there(count, catalog, words))
    wanted: Any = np.int64(0)
    for column in ids:
        wanted = wanted * len(column.words) + column.codes
    place = np.searchsorted(combinations, wanted)
    number: Numbers = np.where(combinations[place] == wanted, counts[place], 0.0)[()]
    return number


def _there(count: Count, catalog: Catalog, words: list[tuple[str, ...]]) -> Any:
    """What entries of the catalog name, as rising numbers, and how many entries name each; the last is in no question.

    What an entry names is numbered by its place in the `words` of each axis.
    """
    having = catalog.having(count.having)
    there = np.zeros(len(having), dtype=np.int64)
    known = np.ones(len(having), dtype=bool)
    for axis, named_there in zip(count.same, words, strict=True):
        named = catalog.column(axis)
        assert isinstance(named, WordColumn)
        number = {word: at for at, word in enumerate(named_there)}
        codes = np.array([*(number.get(word, ABSENT) for word in named.words), ABSENT])[named.codes[having]]
        known &= codes != ABSENT
        there = there * len(named_there) + codes
    combinations, counts = np.unique(there[known], return_counts=True)
    return np.append(combinations, np.iinfo(np.int64).max), np.append(counts, 0.0)
