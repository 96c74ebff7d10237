"""Compiled tables: callables from the columns that a table reads to the column of its results."""

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
    """The callable from the columns of `table.reads`, the input and the names in `value_of`, to the results.

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
        """The interpolated result for each value."""
        results: Numbers = np.interp(value, self._x, self._y)
        return results


class CompiledBands:
    """A binary search among the bounds, with one more bound and result at the end, for an absent number."""

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
        """The result of the band of each value."""
        results: Any = self._results[self.band(value)]
        return WordColumn(results, self._words) if self._words else results

    def band(self, value: Numbers) -> Codes:
        """The index of the band of each value, in ascending order; one more than the last for an absent value."""
        bands = self._bands
        if not isinstance(value, np.ndarray):  # takes a tenth of the time of numpy's search
            at = bisect_left(bands.bounds, value) if bands.side == "left" else bisect_right(bands.bounds, value)
            return np.int64(len(bands.results) if math.isnan(value) else at)
        return np.searchsorted(self._bounds, value, side=bands.side)


@dataclass(frozen=True)
class _Results:
    """The results of a lookup by the code of a word; the last, at the code -1, is for an absent word.

    `literals` are literal results: numbers, conditions or codes of `words`. `sources` are the positions, among the
    columns that are read, of the column of a `value_of`; None for a literal. `masks` has, by position, the words whose
    result is in that column, and `recoded` the codes in `words` of the words of each of these columns.
    """

    literals: NDArray[Any]
    sources: tuple[int | None, ...]
    masks: Mapping[int, NDArray[np.bool_]]
    words: Words = ()
    recoded: tuple[NDArray[np.int64], ...] = ()
    _choices: dict[tuple[int, ...], NDArray[np.intp]] = field(default_factory=dict)

    def choices(self, positions: tuple[int, ...]) -> NDArray[np.intp]:
        """For each word, 1 + the index in `positions` of the column of its result; 0 if it is in none of them."""
        if positions not in self._choices:
            index = {position: at for at, position in enumerate(positions, 1)}
            self._choices[positions] = np.array([index.get(-1 if at is None else at, 0) for at in self.sources])
        return self._choices[positions]


class CompiledLookup:
    """Results by the codes of words, resolved once for the words of each input column.

    The words of catalog columns are always the same object, so that the cache is keyed by identity.
    """

    def __init__(self, table: Table, lookup: Lookup) -> None:
        self._lookup, self._kind, self._reads = lookup, table.kind, table.reads
        names = {result.name for result in (*lookup.rows.values(), lookup.otherwise) if isinstance(result, ValueOf)}
        self._sources = tuple(at for at, name in enumerate(table.reads) if name in names)  # positions of `value_of`
        self._results_by_words = IdentityCache()

    def __call__(self, *columns: Any) -> Any:
        """The results for the columns that the table reads, the first of which is its input."""
        codes, words = columns[0]
        if self._sources and self._kind is Kind.WORD:
            results = self._results(words, *[columns[at].words for at in self._sources])
            used = results.masks if isinstance(codes, np.ndarray) else (results.sources[codes],)
            recoded = zip(self._sources, results.recoded, strict=True)
            by_source = {at: _take(of_words, columns[at].codes) for at, of_words in recoded if at in used}
            return WordColumn(_merge(results, codes, by_source), results.words)
        results = self._results_by_words.get(words) or self._results(words)
        if self._sources:
            return _merge(results, codes, columns)
        literals = _take(results.literals, codes)
        return WordColumn(literals, results.words) if self._kind is Kind.WORD else literals

    def _results(self, words: Words, *words_of_sources: Words) -> _Results:
        results: _Results = self._results_by_words.get_or_compute(
            (words, *words_of_sources), lambda: self._resolve(words, words_of_sources)
        )
        return results

    def _resolve(self, words: Words, words_of_sources: tuple[Words, ...]) -> _Results:
        lookup = self._lookup
        results = (*(lookup.rows.get(word, lookup.otherwise) for word in words), lookup.otherwise)
        sources = tuple(self._reads.index(result.name) if isinstance(result, ValueOf) else None for result in results)
        masks = {at: np.array([source == at for source in sources]) for at in self._sources if at in sources}
        if self._kind is Kind.NUMBER:
            numbers = [result if isinstance(result, float) else np.nan for result in results]
            return _Results(np.array(numbers), sources, masks)
        if self._kind is Kind.CONDITION:
            return _Results(np.array([result is True for result in results]), sources, masks)
        literals = (result for result in results if isinstance(result, str))
        all_words = tuple(dict.fromkeys((*literals, *(word for of_source in words_of_sources for word in of_source))))
        code_of = {word: code for code, word in enumerate(all_words)}
        codes = np.array([code_of.get(str(result), ABSENT) for result in results], dtype=np.int64)
        recoded = tuple(
            np.array([*(code_of[word] for word in of_source), ABSENT], dtype=np.int64) for of_source in words_of_sources
        )
        return _Results(codes, sources, masks, all_words, recoded)


def _take(by_word: NDArray[Any], codes: Any) -> Any:
    return by_word.take(codes, mode="wrap") if isinstance(codes, np.ndarray) else by_word[codes]


def _merge(results: _Results, codes: Any, columns: Mapping[int, Any] | Sequence[Any]) -> Any:
    """The results for these codes: literals, and the values of the `columns` of other names, by position."""
    literals = results.literals
    if not isinstance(codes, np.ndarray):  # the same word for all questions takes a tenth of the time of a column
        source = results.sources[codes]
        return literals[codes] if source is None else columns[source]
    scalars = [(mask, columns[at]) for at, mask in results.masks.items() if not isinstance(columns[at], np.ndarray)]
    for mask, value in scalars:
        literals = np.where(mask, value, literals)
    merged = _take(literals, codes)
    if len(scalars) == len(results.masks):
        return merged
    positions = [at for at in results.masks if isinstance(columns[at], np.ndarray)]
    arrays = [columns[at] for at in positions]
    if len(positions) > 1 and merged.size <= LARGE_COLUMN and {array.shape for array in arrays} == {(merged.size,)}:
        choices = results.choices(tuple(positions)).take(codes, mode="wrap")
        return np.array([merged, *arrays])[choices, np.arange(merged.size)]
    for at, array in zip(positions, arrays, strict=True):
        merged = np.where(_take(results.masks[at], codes), array, merged)
    return merged
