"""What a trial asks: all questions over the catalogs and inputs of many sizes, or so many of them that tell most.

Where the catalogs hold no more questions than can be tried in a moment, all of them are asked. Else they are drawn by
lot, so that entries that tell much are never left out: those with the least and the greatest of each figure that a rule
reads, those that lack it, and one for each word that a table has a row for. The lot falls the same each time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from fitcard.compiler.batch import Chunks, QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.language.definitions import Table
from fitcard.language.question_fields import Axis, Input
from fitcard.language.tables import Lookup
from fitcard.values import ABSENT, Codes, Column, Numbers, WordColumn

INPUT_STEPS = 4  # an input is tried at so many places from its least to its greatest, beside not being given at all
WITHOUT_INPUTS = 2  # one question in so many gives none
SEED = 1


def sample_questions(
    all_rules: Sequence[CompiledRules], most: int | None
) -> tuple[QuestionList, Mapping[str, Numbers]]:
    """All questions, without and with inputs, or so many of them drawn by lot; and the inputs that they give.

    All rule sets have the same subject and the same catalogs.
    """
    rules, lot = all_rules[0], np.random.default_rng(SEED)
    axes, inputs = rules.question_fields.axes, rules.question_fields.inputs
    every = {name: _every(rules, axis) for name, axis in axes.items()}
    count = math.prod(map(len, every.values()))
    if most is None or count * 2 <= most:
        questions = _product(rules, every)
        given = np.arange(count * 2) >= count
        questions = questions.at(np.tile(np.arange(count), 2))
    else:
        words = _words(all_rules)
        telling = {name: _telling(rules, axis, words) for name, axis in axes.items()}
        drawn = {name: _drawn(every[name], telling[name], most, lot) for name in axes}
        questions = QuestionList(rules.question_fields, rules.columns, most, drawn)
        given = np.arange(most) % WITHOUT_INPUTS > 0
    size = questions.shape[0]
    steps = {name: lot.choice(_steps(one), size) for name, one in inputs.items()}
    return questions, {name: np.where(given, values, np.nan) for name, values in steps.items()}


def question_chunks(rules: CompiledRules, most: int) -> Iterator[QuestionList]:
    """Lists that together hold every question over the axes that are swept, each of at most so many."""
    rows = {name: _swept(rules, axis) for name, axis in rules.question_fields.axes.items()}
    for part in Chunks(rows, most):
        yield _product(rules, part.entries)


def _every(rules: CompiledRules, axis: Axis) -> Sequence[int]:
    """All entries of an axis, and before them that none is named, where the rules then choose."""
    every = range(len(rules.columns[axis.catalog].ids))
    return [ABSENT, *every] if axis.default_by else every


def _swept(rules: CompiledRules, axis: Axis) -> Sequence[int]:
    """All entries of an axis that is swept, and of the others what answers by default."""
    catalog = rules.columns[axis.catalog]
    if axis.swept:
        return range(len(catalog.ids))
    return [catalog.index[axis.default] if axis.default else ABSENT]


def _product(rules: CompiledRules, rows: Mapping[str, Sequence[int]]) -> QuestionList:
    """Every question over these entries, in the order of the axes."""
    grids = np.meshgrid(*(np.array(codes, dtype=np.int64) for codes in rows.values()), indexing="ij")
    found = {name: grid.ravel() for name, grid in zip(rows, grids, strict=True)}
    return QuestionList(rules.question_fields, rules.columns, grids[0].size, found)


def _drawn(every: Sequence[int], telling: list[int], size: int, lot: np.random.Generator) -> Codes:
    """So many entries of an axis in an order of their own: those that tell most in turn with any others."""
    turns = np.tile(telling, (math.ceil(size / (2 * len(telling))), 1))
    turns = lot.permuted(turns, axis=1).ravel()  # each turn by itself
    drawn = np.concatenate([turns[: (size + 1) // 2], lot.choice(every, size // 2)])
    first = drawn[:1].copy()
    drawn = lot.permutation(drawn)
    drawn[:1] = first
    found: Codes = drawn.astype(np.int64)
    return found


def _steps(asked: Input) -> Any:
    """Whole numbers from the least to the greatest, each as many times the last where the least is above 0."""
    spread = np.geomspace if asked.minimum > 0 else np.linspace
    return np.round(spread(asked.minimum, asked.maximum, INPUT_STEPS)).clip(asked.minimum, asked.maximum)


def _telling(rules: CompiledRules, axis: Axis, words: Mapping[str, set[frozenset[str]]]) -> list[int]:
    """The entries, by number, that no trial leaves out, in order; -1 for naming none.

    `words` are those that the rules of each profile tell apart, by the figure or word of a catalog that they read.
    """
    catalog = rules.columns[axis.catalog]
    found = {ABSENT if axis.default_by else 0}
    for name, told_apart in words.items():
        space, _, field_name = name.partition(".")
        if space == axis.name:
            found.update(_extremes(catalog.column(field_name), told_apart))
    return sorted(found)


def _extremes(column: Column, told_apart: Iterable[frozenset[str]]) -> Iterator[int]:
    """Where a figure is least, greatest and absent; where a word is each of those told apart, another, and absent."""
    if isinstance(column, WordColumn):
        places = dict(
            zip(column.codes[::-1].tolist(), range(len(column.codes))[::-1], strict=True)
        )  # the first of each
        yield from (at for code, at in places.items() if code == ABSENT)
        for keys in told_apart:
            others = [at for code, at in places.items() if code != ABSENT and column.words[code] not in keys]
            yield from (at for code, at in places.items() if code != ABSENT and column.words[code] in keys)
            yield from sorted(others)[:1]
        return
    figures = np.asarray(column, dtype=float)
    if np.isnan(figures).any():
        yield int(np.isnan(figures).argmax())
    if not np.isnan(figures).all():
        yield int(np.nanargmin(figures))
        yield int(np.nanargmax(figures))


def _words(all_rules: Iterable[CompiledRules]) -> Mapping[str, set[frozenset[str]]]:
    """The words that tables have a row for, by what tables go by, one set of them for each profile that differs.

    No words for any other figure or word of a catalog that rules read.
    """
    found: dict[str, set[frozenset[str]]] = {}
    for rules in all_rules:
        rows: dict[str, set[str]] = {}
        for table in rules.definitions.values():
            if isinstance(table, Table) and isinstance(table.rows, Lookup):
                rows.setdefault(table.input, set()).update(table.rows.rows)
        for name in rules.plan(rules.definitions).fields:
            found.setdefault(name, set()).add(frozenset(rows.get(name, ())))
    return found
