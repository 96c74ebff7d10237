"""What a change does to every answer: both rulebooks asked every question that both know."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any

import numpy as np

from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.diff.histogram import ChangeTally, NumberChanges, WordChanges
from fitcard.diff.questions import Questions
from fitcard.diff.unchanged import unchanged_names
from fitcard.problems import ProblemsError
from fitcard.values import Kind, Scalar

MAX_CHUNK = 250_000  # questions; the same on every machine, and so is the order of what moves as far
MAX_THREADS = 4  # more wait for memory
Progress = Callable[[int, int], None]  # questions done, and all
Starts = Mapping[str, int]  # of a part, by axis


@dataclass(frozen=True)
class Impact:
    """`moved` questions have another value in one of the outputs; `pages` counts what they are about.

    `tallies` are those of the outputs that can have moved, by name.
    """

    questions: Questions
    tallies: Mapping[str, ChangeTally]
    moved: int
    pages: int
    all_pages: int


def impact(questions: Questions, outputs: Iterable[str], progress: Progress = lambda done, of: None) -> Impact:
    """Both rule sets over all the questions, compared in these outputs.

    Only what can differ is computed twice. Raises ProblemsFound where a number of either side is not finite.
    """
    base, head = questions.base, questions.head
    same = unchanged_names(questions)
    names = [name for name in outputs if name not in same and _comparable(questions, name)]
    tallies = {name: _tally(questions, name) for name in names}
    moved = done = 0
    subjects = [questions.axes.index(axis) for axis in questions.subjects]
    all_pages = int(np.prod([questions.shape[at] for at in subjects]))
    page_marks = np.zeros([questions.shape[at] for at in subjects], dtype=bool)
    threads = min(MAX_THREADS, os.cpu_count() or 1)
    parts = questions.parts(MAX_CHUNK) if names and questions.count else iter(())
    with ThreadPoolExecutor(threads) as pool:
        for part, start, old, new in _evaluated(parts, names, same, pool, threads):
            columns = ((part.aligned(old.columns[name], base), part.aligned(new.columns[name], head)) for name in names)
            adding = [
                pool.submit(tallies[name].add, part, start, *pair) for name, pair in zip(names, columns, strict=True)
            ]
            marks = [added.result() for added in adding]
            marked = reduce(np.logical_or, marks)
            moved += int(marked.sum()) * (part.count // marked.size)
            others = tuple(at for at in range(marked.ndim) if at not in subjects)
            place = tuple(slice(start[axis], start[axis] + len(part.ids[axis])) for axis in questions.subjects)
            page_marks[place] |= marked.any(axis=others)
            done += part.count
            progress(done, questions.count)
    return Impact(questions, tallies, moved, int(page_marks.sum()), all_pages)


def _evaluated(
    parts: Iterator[tuple[Questions, Starts]], names: list[str], same: frozenset[str], pool: Executor, at_once: int
) -> Iterator[tuple[Questions, Starts, Evaluation, Evaluation]]:
    """Each part, where it starts, and both its sides; no more parts are evaluated at once than there are threads."""
    while some := list(islice(parts, at_once)):
        sides = pool.map(lambda one: _both(one[0], names, same), some)
        for (part, start), (old, new) in zip(some, sides, strict=True):
            yield part, start, old, new


def first_difference(question: Questions, name: str) -> str:
    """Of all that `name` is made of for one question, in dependency order, the first that differs and matters.

    A catalog figure, constant, table or formula matters where its old value, put into the new rules, gives another
    result than they do.
    """
    head = question.head
    old, new = _both(question, [name], frozenset())
    plan = head.plan([name])
    for made_of in (*plan.fields, *plan.steps):
        if made_of in old.columns and _only(old, made_of) != _only(new, made_of):
            try:
                without = evaluate(head, question.grid(head), [name], overrides={made_of: _only(old, made_of)})
            except ProblemsError:  # the old value does not go with the new rules, so it matters
                return made_of
            if _only(without, name) != _only(new, name):
                return made_of
    return name


def _only(evaluation: Evaluation, name: str) -> Scalar:
    """The value in a grid of one cell."""
    return evaluation.value(name, (0,) * len(evaluation.batch.shape))


def _both(part: Questions, names: list[str], same: frozenset[str]) -> tuple[Evaluation, Evaluation]:
    """Both sides evaluated; what is the same is computed once, where both have the same axes."""
    base, head = part.base, part.head
    old = evaluate(base, part.grid(base), names)
    shared: dict[str, Any] = {}
    if list(base.question_fields.axes) == list(head.question_fields.axes):
        shared = {name: column for name, column in old.columns.items() if name in same and name in head.definitions}
    return old, evaluate(head, part.grid(head), names, overrides=shared)


def _comparable(questions: Questions, name: str) -> bool:
    """Whether both sides give the name, of the same kind, to a question by itself."""
    base, head = questions.base, questions.head
    there = name in base.definitions and name in head.definitions
    return (
        there and base.kinds[name] is head.kinds[name] and not (base.plan([name]).current or head.plan([name]).current)
    )


def _tally(questions: Questions, name: str) -> ChangeTally:
    head = questions.head
    if head.kinds[name] is Kind.NUMBER:
        return NumberChanges(questions)
    words = head.rule_set.possible_words(name)[0] if head.kinds[name] is Kind.WORD else ()
    return WordChanges(questions, order=words)
