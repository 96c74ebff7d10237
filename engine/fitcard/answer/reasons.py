"""The reasons for single numbers of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fitcard.answer.asking import Asker
from fitcard.answer.own_entry import with_own_entries
from fitcard.answer.question import Question, unknown_rule
from fitcard.answer.set_by_caller import told_to_the_caller
from fitcard.problems import ProblemsFound
from fitcard.rulebook.rulebook import Rulebook


def reasons(rulebook: Rulebook, question: Question, names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The trace of these names, or of all that the answer shows where none is named; what is read comes first.

    What compares a row with the question is explained for the question itself, beside which nothing is better.
    Raises ProblemsFound for a name that no rule has.
    """
    asker = Asker(with_own_entries(rulebook, question.own), question)
    wanted = set(names)
    unknown = sorted(name for name in wanted if name not in asker.rules.definitions)
    if unknown:
        raise ProblemsFound(unknown_rule(rulebook, name, asker.rules) for name in unknown)
    shown = wanted or rulebook.needs[question.profile].shown.computed
    compared = asker.rules.plan(shown).current
    with told_to_the_caller(rulebook, question):
        asker.ask({*compared} if compared else shown)
        if not compared:
            return asker.asked.trace(shown)
        current = {name: asker.asked.value(name) for name in compared}
        return asker.row(shown, current).trace(shown)
