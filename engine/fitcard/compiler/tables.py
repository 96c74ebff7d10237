"""Tables compiled: a callable from columns of what a table reads to its column of results."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.compiler.identity_cache import IdentityCache
from fitcard.language.definitions import Table
from fitcard.language.tables import Bands, Knots, Lookup, ValueOf
from fitcard.values import ABSENT, LARGE_COLUMN, Codes, Column, Kind, Numbers, WordColumn

Words = tuple[str, ...]
CompiledTable = Callable[..., Column]


def compile_table(table: Table) -> CompiledTable:
    """What gives the results of a table for the columns of `table.reads`: its input, and names whose value a row takes.

    A result is NaN, or an absent word, where the input is absent and there is no `otherwise`.
    """
    rows = table.rows
    if isinstance(rows, Lookup):
        return CompiledLookup(table, rows)
    return CompiledKnots(rows) if isinstance(rows, Knots) else CompiledBands(rows, table.kind)


class CompiledKnots:
    """Linear interpolation between knots; constant beyond the first and the last."""

    def __init__(self, knots: Knots) -> None:
        self._x, self._y = np.array(knots.x), np.array(knots.y)

    def __call__(self, value: Numbers) -> Numbers:
        """The height of the lines at each value."""
        heights: Numbers = np.interp(value, self._x, self._y)
        return heights


class CompiledBands:
    """A binary search among the bounds. One more bound and result stand at the end, for an absent number."""

    def __init__(self, bands: Bands, kind: Kind) -> None:
        self._bands = bands
        self._bounds = np.array([*bands.bounds, math.inf if bands.side == "left" else math.nan])  # NaN sorts last
        self._words: Words = ()
        if kind is Kind.WORD:
            self._words = tuple(dict.fromkeys(str(result) for result in bands.results))
            codes = (self._words.index(str(result)) for result in bands.results)
            self._results: NDArray[Any] = np.array([*codes, ABSENT])
        else:
            self._results = np.array([*bands.results, np.nan], dtype=float)

    def __call__(self, value: Numbers) -> Column:
        """The result of the band that each value lies in."""
        results: Any = self._results[self.place(value)]
        return WordColumn(results, self._words) if self._words else results

    def place(self, value: Numbers) -> Codes:
        """The index into the results of the bands for each value; one beyond the last for an absent one."""
        bands = self._bands
        if not isinstance(value, np.ndarray):  # a tenth of the time of numpy's search
            at = bisect_left(bands.bounds, value) if bands.side == "left" else bisect_right(bands.bounds, value)
            return np.int64(len(bands.results) if math.isnan(value) else at)
        return np.searchsorted(self._bounds, value, side=bands.side)


@dataclass(frozen=True)
class _Results:
    """What a lookup gives for each of some words, with the result for an absent word last, where code -1 finds it.

    `own` are its own results: numbers, conditions or codes of `words`. Where the result is that of another name,
    `takes` says which of those that are read; `marks` says for each of them which words these are, and `numbered` which
    codes its words have here.
    """

    own: NDArray[Any]
    takes: tuple[int | None, ...]
    marks: Mapping[int, NDArray[np.bool_]]
    words: Words = ()
    numbered: tuple[NDArray[np.int64], ...] = ()
    places: dict[tuple[int, ...], NDArray[np.intp]] = field(default_factory=dict)

    def place_among(self, names: tuple[int, ...]) -> NDArray[np.intp]:
        """For each word the place among these names of the one that gives its result, from 1 on; 0 where none does."""
        if names not in self.places:
            among = {name: at for at, name in enumerate(names, 1)}
            self.places[names] = np.array([among.get(-1 if name is None else name, 0) for name in self.takes])
        return self.places[names]


class CompiledLookup:
    """Results by the codes of words, worked out once for the words of each column that is looked up.

    Columns of a catalog keep their words as the same object, so its results are found by identity.
    """

    def __init__(self, table: Table, lookup: Lookup) -> None:
        self._lookup, self._kind, self._reads = lookup, table.kind, table.reads
        taken = {result.name for result in (*lookup.rows.values(), lookup.otherwise) if isinstance(result, ValueOf)}
        self._taken = tuple(at for at, name in enumerate(table.reads) if name in taken)  # of what is read
        self._results_by_words = IdentityCache()

    def __call__(self, *read: Any) -> Any:
        """The results for a column of words; of the other columns, the values that rows take."""
        codes, words = read[0]
        if self._taken and self._kind is Kind.WORD:
            results = self._results(words, *[read[at].words for at in self._taken])
            wanted = results.marks if isinstance(codes, np.ndarray) else (results.takes[codes],)
            numbered = zip(self._taken, results.numbered, strict=True)
            taken = {at: _of_words(numbers, read[at].codes) for at, numbers in numbered if at in wanted}
            return WordColumn(_with_taken(results, codes, taken), results.words)
        results = self._results_by_words.get_single(words) or self._results(words)
        if self._taken:
            return _with_taken(results, codes, read)
        found = _of_words(results.own, codes)
        return WordColumn(found, results.words) if self._kind is Kind.WORD else found

    def _results(self, words: Words, *taken: Words) -> _Results:
        found: _Results = self._results_by_words.get_or_compute((words, *taken), lambda: self._resolve(words, taken))
        return found

    def _resolve(self, words: Words, taken: tuple[Words, ...]) -> _Results:
        lookup = self._lookup
        results = (*(lookup.rows.get(word, lookup.otherwise) for word in words), lookup.otherwise)
        takes = tuple(self._reads.index(result.name) if isinstance(result, ValueOf) else None for result in results)
        marks = {at: np.array([name == at for name in takes]) for at in self._taken if at in takes}
        if self._kind is Kind.NUMBER:
            numbers = [result if isinstance(result, float) else np.nan for result in results]
            return _Results(np.array(numbers), takes, marks)
        if self._kind is Kind.CONDITION:
            return _Results(np.array([result is True for result in results]), takes, marks)
        own = (result for result in results if isinstance(result, str))
        every = tuple(dict.fromkeys((*own, *(word for name in taken for word in name))))
        number = {word: at for at, word in enumerate(every)}
        codes = np.array([number.get(str(result), ABSENT) for result in results], dtype=np.int64)
        numbered = tuple(np.array([*(number[word] for word in name), ABSENT], dtype=np.int64) for name in taken)
        return _Results(codes, takes, marks, every, numbered)


def _of_words(by_word: NDArray[Any], codes: Any) -> Any:
    return by_word.take(codes, mode="wrap") if isinstance(codes, np.ndarray) else by_word[codes]


def _with_taken(results: _Results, codes: Any, read: Mapping[int, Any] | Sequence[Any]) -> Any:
    """The results for these words, with those that are `read` of other names."""
    own = results.own
    if not isinstance(codes, np.ndarray):  # one word for all questions, which takes a tenth of the time of a column
        name = results.takes[codes]
        return own[codes] if name is None else read[name]
    same = [(mark, read[name]) for name, mark in results.marks.items() if not isinstance(read[name], np.ndarray)]
    for mark, value in same:  # the same for all questions, so for all of a word
        own = np.where(mark, value, own)
    found = _of_words(own, codes)
    if len(same) == len(results.marks):
        return found
    differing = [name for name in results.marks if isinstance(read[name], np.ndarray)]
    columns = [read[name] for name in differing]
    if len(differing) > 1 and found.size <= LARGE_COLUMN and {column.shape for column in columns} == {(found.size,)}:
        places = results.place_among(tuple(differing)).take(codes, mode="wrap")  # side by side, a row for each name
        return np.array([found, *columns])[places, np.arange(found.size)]
    for name, column in zip(differing, columns, strict=True):
        found = np.where(_of_words(results.marks[name], codes), column, found)
    return found
