"""How many entries of a catalog are about what a question asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.columns import ABSENT, Codes, Numbers, WordColumn
from engine.rulebook.catalogs import Catalog
from engine.rulebook.definitions import Count


def counted(count: Count, catalogs: Mapping[str, Catalog], columns: Mapping[str, Any]) -> Numbers:
    """The number of entries for each question, in the shape that its axes broadcast to."""
    catalog = catalogs[count.catalog]
    having = catalog.having(count.having)
    asked: Codes = np.zeros((), dtype=np.int64)
    there = np.zeros(len(having), dtype=np.int64)
    known = np.ones(len(having), dtype=bool)
    for axis in count.same:
        column: WordColumn = columns[f"{axis}.id"]
        named = catalog.column(axis)
        assert isinstance(named, WordColumn)
        number = {word: at for at, word in enumerate(column.words)}
        codes = np.array([*(number.get(word, ABSENT) for word in named.words), ABSENT])[named.codes[having]]
        known &= codes != ABSENT
        asked = asked * len(column.words) + column.codes
        there = there * len(column.words) + codes
    combinations, counts = np.unique(there[known], return_counts=True)
    if not len(combinations):
        return np.zeros(np.shape(asked))
    place = np.searchsorted(combinations, asked).clip(max=len(combinations) - 1)
    return np.where(combinations[place] == asked, counts[place], 0).astype(float)
