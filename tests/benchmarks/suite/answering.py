"""One answer in process: evaluated and built, beside writing it as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from fitcard.answer.answer import answer_question
from fitcard.answer.question import Question, read_question
from fitcard.rulebook.rulebook import Rulebook
from suite.contest import Bench, Contest, Setting, Variant


def first_pinned(rulebook: Rulebook) -> Question:
    """The first question that the rulebook has pinned; the first entry of each axis where it has none."""
    pinned = rulebook.pinned.questions
    axes = [axis.name for axis in rulebook.question_fields.axes.values() if axis.required]
    return read_question(rulebook, pinned[0] if pinned else {axis: rulebook.catalog_of(axis).ids[0] for axis in axes})


@contextmanager
def _page(setting: Setting) -> Iterator[Contest]:
    rulebook = setting.rulebook
    question = first_pinned(rulebook)
    built = answer_question(rulebook, question).to_dict()
    yield Contest(
        (
            Variant("writing it as JSON", lambda: json.dumps(built)),
            Variant("one answer", lambda: answer_question(rulebook, question).to_dict()),
            Variant("one answer, explained", lambda: answer_question(rulebook, question, explained=True).to_dict()),
        ),
        "answer",
    )


BENCHES = (Bench("answer", "one answer in process, beside writing it as JSON", _page),)
