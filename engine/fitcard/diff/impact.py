"""The effect of a change on answers: both versions evaluated for all questions that both can answer."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any

import numpy as np

from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.diff.histogram import ChangeTally, NumberChanges, WordChanges
from fitcard.diff.questions import Questions, word_codes
from fitcard.diff.shown import Output, names_behind, shown_column
from fitcard.language.definitions import Constant, Definition, Formula, Table
from fitcard.language.question_fields import CURRENT, QUESTION
from fitcard.language.tables import Lookup
from fitcard.problems import ProblemsError
from fitcard.values import Kind, Scalar, cell

MAX_CHUNK = 250_000  # questions; the same on every machine, so that equally large changes come in the same order
MAX_THREADS = 4  # more would wait for memory
Progress = Callable[[int, int], None]  # number of compared questions, number of all
Start = Mapping[str, int]  # of a part: index of its first entry by axis


@dataclass(frozen=True)
class Impact:
    """`moved` is the number of questions with a different value in any output, `pages` that of the subjects of these,
    of `all_pages`. `tallies` has every one of the `outputs` that may differ.
    """

    questions: Questions
    outputs: Mapping[str, Output]
    tallies: Mapping[str, ChangeTally]
    moved: int
    pages: int
    all_pages: int


def compare_answers(
    questions: Questions, outputs: Sequence[Output], progress: Progress = lambda done, total: None
) -> Impact:
    """The differences of these outputs over all questions. Rules that cannot differ are evaluated once.

    A value that an answer does not show is absent. Raises ProblemsError if a number of either version is not finite.
    """
    unchanged = unchanged_names(questions)
    differing = [each for each in outputs if not _is_same(each, unchanged) and _is_comparable(questions, each)]
    tallies = {output.name: _tally(questions, output.name) for output in differing}
    moved = done = 0
    subjects = [questions.axes.index(axis) for axis in questions.subjects]
    page_moved = np.zeros([questions.shape[at] for at in subjects], dtype=bool)
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    parts = questions.parts(MAX_CHUNK) if differing and questions.count else iter(())
    with ThreadPoolExecutor(threads) as pool:
        for part, start, old, new in _evaluated_parts(parts, differing, unchanged, pool, threads):
            additions = [
                pool.submit(tallies[output.name].add, part, start, *_shown_columns(part, output, old, new))
                for output in differing
            ]
            differs = reduce(np.logical_or, [addition.result() for addition in additions])
            moved += int(differs.sum()) * (part.count // differs.size)
            others = tuple(at for at in range(differs.ndim) if at not in subjects)
            pages = tuple(slice(start[axis], start[axis] + len(part.ids[axis])) for axis in questions.subjects)
            page_moved[pages] |= differs.any(axis=others)
            done += part.count
            progress(done, questions.count)
    by_name = {output.name: output for output in differing}
    return Impact(questions, by_name, tallies, moved, int(page_moved.sum()), page_moved.size)


def _evaluated_parts(
    parts: Iterator[tuple[Questions, Start]],
    outputs: Sequence[Output],
    unchanged: frozenset[str],
    pool: Executor,
    threads: int,
) -> Iterator[tuple[Questions, Start, Evaluation, Evaluation]]:
    """Each part with its start and the evaluations of both versions, no more at once than there are threads."""
    while batch := list(islice(parts, threads)):
        evaluations = pool.map(lambda part: _evaluate_both(part[0], outputs, unchanged), batch)
        for (part, start), (old, new) in zip(batch, evaluations, strict=True):
            yield part, start, old, new


def _shown_columns(part: Questions, output: Output, old: Evaluation, new: Evaluation) -> Iterator[Any]:
    """The columns of an output in both versions, aligned."""
    kind = _kind(part, output.name)
    for evaluation, places in ((old, output.old), (new, output.new)):
        yield part.aligned(shown_column(evaluation, output.name, places, kind), evaluation.rules)


def first_difference(question: Questions, output: Output) -> str:
    """For one question, the first name in dependency order that an output depends on, that differs, and that matters.

    A catalog figure, constant, table or formula matters if its old value in the new rules gives another result than
    they do.
    """
    head = question.head
    old, new = _evaluate_both(question, [output], frozenset())
    names = names_behind(output.name, output.new, head)
    plan = head.plan(names)
    for dependency in (*plan.fields, *plan.steps):
        if dependency in old.columns and _single_value(old, dependency) != _single_value(new, dependency):
            try:
                overrides = {dependency: _single_value(old, dependency)}
                without = evaluate(head, question.grid(head), names, overrides=overrides)
            except ProblemsError:  # the old value does not fit the new rules, so it matters
                return dependency
            if _shown_value(without, output, question) != _shown_value(new, output, question):
                return dependency
    return output.name


def _shown_value(evaluation: Evaluation, output: Output, question: Questions) -> Scalar:
    """The value of the new version that the answer to a single question shows; None if it shows none."""
    column = shown_column(evaluation, output.name, output.new, _kind(question, output.name))
    return cell(column, (0,) * len(evaluation.batch.shape))


def _single_value(evaluation: Evaluation, name: str) -> Scalar:
    """The value for a single question."""
    return evaluation.value(name, (0,) * len(evaluation.batch.shape))


def _evaluate_both(
    part: Questions, outputs: Sequence[Output], unchanged: frozenset[str]
) -> tuple[Evaluation, Evaluation]:
    """The evaluations of both versions; `unchanged` names are evaluated once if both have the same axes."""
    base, head = part.base, part.head
    old_names, new_names = set[str](), set[str]()
    for output in outputs:
        old_names |= names_behind(output.name, output.old, base)
        new_names |= names_behind(output.name, output.new, head)
    old = evaluate(base, part.grid(base), old_names)
    shared: dict[str, Any] = {}
    if list(base.question_fields.axes) == list(head.question_fields.axes):
        shared = {name: column for name, column in old.columns.items() if name in unchanged & head.definitions.keys()}
    return old, evaluate(head, part.grid(head), new_names, overrides=shared)


def _is_same(output: Output, unchanged: frozenset[str]) -> bool:
    """Whether both versions show the same value of an output for each question."""
    conditions = frozenset().union(*output.old)
    return output.name in unchanged and output.old == output.new and conditions <= unchanged


def _is_comparable(questions: Questions, output: Output) -> bool:
    """Whether both versions define an output with the same kind, or one of them as a figure; without reference to a
    current configuration.
    """
    name = output.name
    versions = [rules for rules in (questions.base, questions.head) if name in rules.definitions]
    if len({rules.kinds[name] for rules in versions}) != 1 or any(rules.plan([name]).current for rules in versions):
        return False
    return len(versions) > 1 or bool(versions[0].definitions[name].shown)


def _defining_rules(questions: Questions, name: str) -> CompiledRules:
    """The new version, or the old one if the new one no longer has the definition."""
    return questions.head if name in questions.head.definitions else questions.base


def _kind(questions: Questions, name: str) -> Kind:
    return _defining_rules(questions, name).kinds[name]


def _tally(questions: Questions, name: str) -> ChangeTally:
    kind = _kind(questions, name)
    if kind is Kind.NUMBER:
        return NumberChanges(questions)
    words = _defining_rules(questions, name).rule_set.possible_words(name)[0] if kind is Kind.WORD else ()
    return WordChanges(questions, order=words)


def unchanged_names(questions: Questions) -> frozenset[str]:
    """The names with the same value in both versions for each question, as far as definitions and figures show it."""
    base, head = questions.base, questions.head
    fields = set(head.plan(head.definitions).fields) & set(base.plan(base.definitions).fields)
    unchanged = {name for name in fields if _has_same_figures(questions, name)}
    old_inputs = base.question_fields.inputs
    for name, field in head.question_fields.inputs.items():
        if name in old_inputs and field.default == old_inputs[name].default:
            unchanged.add(f"{QUESTION}.{name}")
    for name, definition in head.definitions.items():  # in dependency order
        old = base.definitions.get(name)
        reads = {*definition.reads, *(table for read in definition.reads if (table := _default_table(questions, read)))}
        if old is not None and is_same_rule(old, definition) and reads <= unchanged:
            unchanged |= {name, f"{CURRENT}.{name}"}
    return frozenset(unchanged)


def is_touched(questions: Questions, axis: str) -> bool:
    """Whether a figure of the axis differs, or a rule that reads one: answers about its entries may then differ by
    more than those about the default entry.
    """
    base, head = questions.base, questions.head
    if axis not in base.question_fields.axes or axis not in head.question_fields.axes:
        return False
    opened = questions.opened(axis)
    fields = {name for name in head.plan(head.definitions).fields if name.startswith(f"{axis}.")}
    old_fields = base.plan(base.definitions).fields
    if any(name not in old_fields or not _has_same_figures(opened, name) for name in fields):
        return True
    readers = [definition for definition in head.definitions.values() if not fields.isdisjoint(definition.reads)]
    return any(
        reader.name not in base.definitions or not is_same_rule(base.definitions[reader.name], reader)
        for reader in readers
    )


def is_same_rule(old: Definition, new: Definition) -> bool:
    """Whether two definitions compute the same from the same inputs. False for counts, which read all entries."""
    if isinstance(old, Constant) and isinstance(new, Constant):
        return old.value == new.value
    if isinstance(old, Formula) and isinstance(new, Formula):
        return ast.dump(old.expression.tree) == ast.dump(new.expression.tree)
    if isinstance(old, Table) and isinstance(new, Table) and old.input == new.input:
        if isinstance(old.rows, Lookup) and isinstance(new.rows, Lookup):
            return old.rows.rows == new.rows.rows and old.rows.otherwise == new.rows.otherwise
        return old.rows == new.rows
    return False


def _default_table(questions: Questions, name: str) -> str | None:
    """The table that selects the entry of a figure if questions do not name one."""
    is_named = name.partition(".")[0] in questions.ids
    return None if is_named else questions.head.question_fields.default_table(name)


def _has_same_figures(questions: Questions, name: str) -> bool:
    """Whether both versions have the same figure of a catalog for each question."""
    axis = name.partition(".")[0]
    if axis not in questions.ids:
        old_fields = questions.base.question_fields
        if axis not in old_fields.axes or _default_table(questions, name) != old_fields.default_table(name):
            return False
        questions = questions.opened(axis)
    old, new = (_figures(questions, rules, name) for rules in (questions.base, questions.head))
    info = questions.head.describe(name)
    if info is not None and info.kind is Kind.NUMBER:
        return np.array_equal(np.asarray(old), np.asarray(new), equal_nan=True)
    old_codes, new_codes, _ = word_codes(old, new)
    return np.array_equal(old_codes, new_codes)


def _figures(questions: Questions, rules: CompiledRules, name: str) -> Any:
    return questions.grid(rules).column(name)
