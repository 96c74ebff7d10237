"""One answer in process, beside writing it as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import Benchmark, Comparison, Setup, Variant
from fitcard.answer.answer import answer_question
from fitcard.answer.question import Question, read_question
from fitcard.rulebook.rulebook import Rulebook


def pinned_question(rulebook: Rulebook) -> Question:
    """The first pinned question of the rulebook; the first entry of each required axis where it pins none."""
    pinned = rulebook.pinned.questions
    axes = [axis.name for axis in rulebook.question_fields.axes.values() if axis.required]
    return read_question(rulebook, pinned[0] if pinned else {axis: rulebook.catalog_of(axis).ids[0] for axis in axes})


@contextmanager
def _answer(setup: Setup) -> Iterator[Comparison]:
    engine = setup.engine
    question = pinned_question(engine.rulebook)
    built = answer_question(engine, question).to_dict()
    yield Comparison(
        (
            Variant("JSON of the answer", lambda: json.dumps(built)),
            Variant("one answer", lambda: answer_question(engine, question).to_dict()),
            Variant("one answer with its trace", lambda: answer_question(engine, question, explained=True).to_dict()),
        ),
        "answer",
    )


BENCHMARKS = (Benchmark("answer", "one answer in process, beside writing it as JSON", _answer),)
