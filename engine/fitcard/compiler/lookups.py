"""What a table gives for a column of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.language.definitions import Table
from fitcard.language.tables import Knots, Lookup, ValueOf
from fitcard.values import ABSENT, LARGE_COLUMN, Column, Kind, WordColumn

Words = tuple[str, ...]


def evaluate_table(table: Table, *read: Any) -> Column:
    """The column of results; NaN, or an absent word, where the input is absent and there is no `otherwise`.

    `read` are the columns of the names that the table reads: its input, and those whose values rows take.
    """
    rows, first = table.rows, read[0]
    if isinstance(rows, Lookup):
        looked_up: Column = _looked_up(table, rows, first.codes, read)
        return looked_up
    if isinstance(rows, Knots):
        return rows.at(first)
    places = rows.place(first)
    if table.kind is Kind.WORD:
        return WordColumn(rows.words.codes[places], rows.words.words)
    numbers: Column = rows.numbers[places]
    return numbers


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
    kept: dict[tuple[int, ...], NDArray[np.intp]] = field(default_factory=dict)

    def place_among(self, names: tuple[int, ...]) -> NDArray[np.intp]:
        """For each word the place among these names of the one that gives its result, from 1 on; 0 where none does."""
        if names not in self.kept:
            among = {name: at for at, name in enumerate(names, 1)}
            self.kept[names] = np.array([among.get(-1 if name is None else name, 0) for name in self.takes])
        return self.kept[names]


def _looked_up(table: Table, lookup: Lookup, codes: Any, read: Sequence[Any]) -> Any:
    words = read[0].words
    if table.takes and table.kind is Kind.WORD:
        results = _results(table, lookup, words, *[read[at].words for at in table.takes])
        wanted = results.marks if isinstance(codes, np.ndarray) else (results.takes[codes],)
        numbered = zip(table.takes, results.numbered, strict=True)
        taken = {at: _of_words(numbers, read[at].codes) for at, numbers in numbered if at in wanted}
        return WordColumn(_with_taken(results, codes, taken), results.words)
    results = lookup.kept.of(words) or _results(table, lookup, words)
    if table.takes:
        return _with_taken(results, codes, read)
    found = _of_words(results.own, codes)
    return WordColumn(found, results.words) if table.kind is Kind.WORD else found


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


def _results(table: Table, lookup: Lookup, words: Words, *taken: Words) -> _Results:
    """The results for these words, worked out once: words of a catalog stay the same object, and so do those here."""
    found: _Results = lookup.kept.get((words, *taken), lambda: _work_out(table, lookup, words, taken))
    return found


def _work_out(table: Table, lookup: Lookup, words: Words, taken: tuple[Words, ...]) -> _Results:
    results = (*(lookup.rows.get(word, lookup.otherwise) for word in words), lookup.otherwise)
    takes = tuple(table.reads.index(result.name) if isinstance(result, ValueOf) else None for result in results)
    marks = {at: np.array([name == at for name in takes]) for at in table.takes if at in takes}
    if table.kind is Kind.NUMBER:
        numbers = [result if isinstance(result, float) else np.nan for result in results]
        return _Results(np.array(numbers), takes, marks)
    if table.kind is Kind.CONDITION:
        return _Results(np.array([result is True for result in results]), takes, marks)
    own = (result for result in results if isinstance(result, str))
    every = tuple(dict.fromkeys((*own, *(word for name in taken for word in name))))
    number = {word: at for at, word in enumerate(every)}
    codes = np.array([number.get(str(result), ABSENT) for result in results], dtype=np.int64)
    numbered = tuple(np.array([*(number[word] for word in name), ABSENT], dtype=np.int64) for name in taken)
    return _Results(codes, takes, marks, every, numbered)
