"""Samples of questions over the catalogs, evaluated once for all checks.

If the catalogs hold no more questions than a sample may have, it has all of them. Otherwise questions are drawn at
random, always with the same seed, and some entries are never left out: those with the minimum and the maximum of each
figure that a rule reads, those that lack it, and one for each word that has a row in a table. All profiles are sampled
with the same questions, and what they have in common is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fitcard.compiler.batch import Chunks, QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.language.definitions import Table
from fitcard.language.question_fields import QUESTION, Axis, Input
from fitcard.language.tables import Lookup
from fitcard.values import ABSENT, Codes, Column, Numbers, Scalar, WordColumn

INPUT_STEPS = 4  # values of an input from its minimum to its maximum, beside leaving it out
WITHOUT_INPUTS = 2  # one of this many questions leaves out all inputs
SEED = 1


@dataclass
class Sample:
    """The rules of one profile with questions and their inputs. Evaluations are cached.

    `baseline` is the sample of another profile with the same questions.
    """

    rules: CompiledRules
    questions: QuestionList
    inputs: Mapping[str, Numbers]
    baseline: Sample | None = None
    _current: dict[str, Scalar] = field(default_factory=dict, repr=False)

    @cached_property
    def shared(self) -> frozenset[str]:
        """The definitions that are the same in `baseline`, including everything that they depend on."""
        return shared_definitions(self.rules, self.baseline.rules) if self.baseline else frozenset()

    @cached_property
    def evaluation(self) -> Evaluation:
        """All definitions; `current` is the first question.

        Raises ProblemsError if a number is not finite.
        """
        given = dict(self._baseline_columns()) if self.baseline else {}
        evaluation = self._evaluate(self.rules.definitions, given)
        return replace(evaluation, columns={**given, **evaluation.columns})

    def _baseline_columns(self) -> Iterator[tuple[str, Column]]:
        """The columns of `baseline` that are the same here: definitions, inputs, and figures of the same entries."""
        assert self.baseline is not None
        question_fields, shared = self.rules.question_fields, self.shared
        for name, column in self.baseline.evaluation.columns.items():
            space, dot, _ = name.partition(".")
            default_table = question_fields.default_table(name)
            same_entries = space in question_fields.axes and (default_table is None or default_table in shared)
            if (space == QUESTION or same_entries) if dot else name in shared:
                yield name, column

    def with_column(self, name: str, column: Column, outputs: Iterable[str]) -> Mapping[str, Column]:
        """The outputs after the column of `name` is replaced, with everything else as in `evaluation`.

        Raises ProblemsError if a number is not finite.
        """
        unchanged = self._columns_behind(outputs, self.rules.dependencies.dependents(name).__contains__)
        columns = self._evaluate(outputs, {**unchanged, name: column}).columns
        return {output: columns[output] for output in outputs}

    def with_entry(self, axis: str, entry: str, outputs: Iterable[str]) -> Mapping[str, Column]:
        """The outputs after all questions name the same entry of one axis.

        Raises ProblemsError if a number is not finite.
        """
        other = replace(self, questions=self.questions.with_entry(axis, entry))
        unchanged = self._columns_behind(outputs, lambda name: axis in self.rules.dependencies.varies_by(name))
        columns = other._evaluate(outputs, unchanged).columns
        return {output: columns[output] for output in outputs}

    def _columns_behind(self, outputs: Iterable[str], changed: Callable[[str], bool]) -> dict[str, Column]:
        """The columns of `evaluation` that outputs are computed from and that did not change, and all inputs."""
        columns = self.evaluation.columns
        unchanged = {name: columns[name] for name in (f"{QUESTION}.{i}" for i in self.rules.question_fields.inputs)}
        seen: set[str] = set()
        stack = list(outputs)
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            default_table = self.rules.question_fields.default_table(name)
            if name in columns and not changed(name) and not (default_table and changed(default_table)):
                unchanged[name] = columns[name]
                continue
            stack += self.rules.definitions[name].reads if name in self.rules.definitions else ()
            stack += [default_table] if default_table else []
        return unchanged

    def evaluate(self, names: Iterable[str]) -> Evaluation:
        """These names only, which may be catalog figures. Raises ProblemsError if a number is not finite."""
        return self._evaluate(names, {})

    def values(self, names: Iterable[str]) -> Mapping[str, Column]:
        """The columns of these names, which may be catalog figures. Raises ProblemsError if one is not finite."""
        names = set(names)
        known = {name: self.evaluation.columns[name] for name in names if name in self.evaluation.columns}
        return known if len(known) == len(names) else self._evaluate(names, known).columns

    def row(self, number: int) -> tuple[str, ...]:
        """The entries of one question and its inputs, as `name=value`."""
        inputs = {
            name: float(np.broadcast_to(column, self.questions.shape)[number]) for name, column in self.inputs.items()
        }
        written = (f"{name}={value:g}" for name, value in inputs.items() if not math.isnan(value))
        return (*self.questions.row((number,)).values(), *written)

    def _evaluate(self, outputs: Iterable[str], given: Mapping[str, Any]) -> Evaluation:
        return evaluate(self.rules, self.questions, outputs, self.inputs, given, self._current_values)

    @property
    def _current_values(self) -> Mapping[str, Scalar]:
        """The values of `current`: those of the first question."""
        names = self.rules.plan(self.rules.definitions).current
        if names and not self._current:
            inputs = {
                name: column[:1] if isinstance(column, np.ndarray) else column for name, column in self.inputs.items()
            }
            first = evaluate(self.rules, self.questions.at([0]), names, inputs)
            self._current.update({name: first.value(name, (0,)) for name in names})
        return self._current


def shared_definitions(rules: CompiledRules, others: CompiledRules) -> frozenset[str]:
    """The definitions that are the same in two profiles, including everything that they depend on."""
    shared: set[str] = set()
    for name, definition in rules.definitions.items():  # in dependency order
        if definition is others.definitions.get(name) and rules.dependencies.direct(name) <= shared:
            shared.add(name)
    return frozenset(shared)


def samples_of(profiles: Iterable[CompiledRules], max_questions: int | None = None) -> list[Sample]:
    """A sample for each profile, with the same questions. All profiles have the same axes, inputs and catalogs."""
    first, *others = profiles
    questions, inputs = _sample_questions([first, *others], max_questions)
    baseline = Sample(first, questions, inputs)
    return [baseline, *(Sample(rules, questions, inputs, baseline) for rules in others)]


def exhaustive_samples(
    rules: CompiledRules, max_questions: int, axes: Container[str] | None = None
) -> Iterator[Sample]:
    """All questions over the axes that are swept, in samples of at most `max_questions`, without inputs.

    With `axes`, other axes have one entry each.
    """
    for chunk in Chunks(_exhaustive_rows(rules, axes), max_questions):
        yield Sample(rules, _product(rules, chunk.entries), {})


def exhaustive_count(rules: CompiledRules, axes: Container[str] | None = None) -> int:
    """The number of questions of `exhaustive_samples`."""
    return math.prod(map(len, _exhaustive_rows(rules, axes).values()))


def _exhaustive_rows(rules: CompiledRules, axes: Container[str] | None) -> Mapping[str, Sequence[int]]:
    rows = {name: _swept_rows(rules, axis) for name, axis in rules.question_fields.axes.items()}
    return {name: entries if axes is None or name in axes else entries[:1] for name, entries in rows.items()}


def _sample_questions(
    profiles: Sequence[CompiledRules], max_questions: int | None
) -> tuple[QuestionList, Mapping[str, Numbers]]:
    """All questions, each without and with inputs, or `max_questions` of them drawn at random; and their inputs."""
    rules, random = profiles[0], np.random.default_rng(SEED)
    axes, inputs = rules.question_fields.axes, rules.question_fields.inputs
    rows = {name: _all_rows(rules, axis) for name, axis in axes.items()}
    count = math.prod(map(len, rows.values()))
    if max_questions is None or count * 2 <= max_questions:
        questions = _product(rules, rows)
        with_inputs = np.arange(count * 2) >= count
        questions = questions.at(np.tile(np.arange(count), 2))
    else:
        words = _table_words(profiles)
        required = {name: _required_rows(rules, axis, words) for name, axis in axes.items()}
        drawn = {name: _draw(rows[name], required[name], max_questions, random) for name in axes}
        questions = QuestionList(rules.question_fields, rules.columns, max_questions, drawn)
        with_inputs = np.arange(max_questions) % WITHOUT_INPUTS > 0
    size = questions.shape[0]
    values = {name: random.choice(_steps(number), size) for name, number in inputs.items()}
    return questions, {name: np.where(with_inputs, column, np.nan) for name, column in values.items()}


def _all_rows(rules: CompiledRules, axis: Axis) -> Sequence[int]:
    """All entries of an axis; first ABSENT, if the rules choose an entry for questions that name none."""
    rows = range(len(rules.columns[axis.catalog].ids))
    return [ABSENT, *rows] if axis.default_by else rows


def _swept_rows(rules: CompiledRules, axis: Axis) -> Sequence[int]:
    """All entries of an axis that is swept; otherwise its default, or ABSENT if the rules choose it."""
    catalog = rules.columns[axis.catalog]
    if axis.swept:
        return range(len(catalog.ids))
    return [catalog.index[axis.default] if axis.default else ABSENT]


def _product(rules: CompiledRules, rows: Mapping[str, Sequence[int]]) -> QuestionList:
    """Every combination of these entries, in the order of the axes."""
    grids = np.meshgrid(*(np.array(codes, dtype=np.int64) for codes in rows.values()), indexing="ij")
    columns = {name: grid.ravel() for name, grid in zip(rows, grids, strict=True)}
    return QuestionList(rules.question_fields, rules.columns, grids[0].size, columns)


def _draw(rows: Sequence[int], required: list[int], size: int, random: np.random.Generator) -> Codes:
    """`size` entries of an axis in random order: half of them the required ones, repeated, half any."""
    repeated = np.tile(required, (math.ceil(size / (2 * len(required))), 1))
    repeated = random.permuted(repeated, axis=1).ravel()
    drawn = np.concatenate([repeated[: (size + 1) // 2], random.choice(rows, size // 2)])
    first = drawn[:1].copy()
    drawn = random.permutation(drawn)
    drawn[:1] = first
    codes: Codes = drawn.astype(np.int64)
    return codes


def _steps(number: Input) -> Any:
    """Whole numbers from the minimum to the maximum, in equal ratios if the minimum is above 0."""
    spread = np.geomspace if number.minimum > 0 else np.linspace
    return np.round(spread(number.minimum, number.maximum, INPUT_STEPS)).clip(number.minimum, number.maximum)


def _required_rows(rules: CompiledRules, axis: Axis, words: Mapping[str, set[frozenset[str]]]) -> list[int]:
    """The entries of an axis that no sample leaves out, in order; `words` are those of `_table_words`."""
    catalog = rules.columns[axis.catalog]
    rows = {ABSENT if axis.default_by else 0}
    for name, word_sets in words.items():
        space, _, field_name = name.partition(".")
        if space == axis.name:
            rows.update(_boundary_rows(catalog.column(field_name), word_sets))
    return sorted(rows)


def _boundary_rows(column: Column, word_sets: Iterable[frozenset[str]]) -> Iterator[int]:
    """Of a figure where it is absent, minimal and maximal; of a word where it is absent, and for each set of words
    the first entry with each of them and one with another word.
    """
    if isinstance(column, WordColumn):
        reversed_codes = column.codes[::-1].tolist()
        rows = dict(zip(reversed_codes, reversed(range(len(column.codes))), strict=True))  # the first row of each
        yield from (row for code, row in rows.items() if code == ABSENT)
        for words in word_sets:
            others = [row for code, row in rows.items() if code != ABSENT and column.words[code] not in words]
            yield from (row for code, row in rows.items() if code != ABSENT and column.words[code] in words)
            yield from sorted(others)[:1]
        return
    figures = np.asarray(column, dtype=float)
    if np.isnan(figures).any():
        yield int(np.isnan(figures).argmax())
    if not np.isnan(figures).all():
        yield int(np.nanargmin(figures))
        yield int(np.nanargmax(figures))


def _table_words(profiles: Iterable[CompiledRules]) -> Mapping[str, set[frozenset[str]]]:
    """For each catalog figure or word that rules read, the words with a row in a table, a set for each profile that
    differs. Empty sets for what is the input of no table.
    """
    words: dict[str, set[frozenset[str]]] = {}
    for rules in profiles:
        rows: dict[str, set[str]] = {}
        for table in rules.definitions.values():
            if isinstance(table, Table) and isinstance(table.rows, Lookup):
                rows.setdefault(table.input, set()).update(table.rows.rows)
        for name in rules.plan(rules.definitions).fields:
            words.setdefault(name, set()).add(frozenset(rows.get(name, ())))
    return words
