"""The questions of requests: read from pairs and answered one at a time.

A question is evaluated in thousands of short steps, at many of which numpy lets other threads run. Threads that
evaluate at the same time hand the interpreter back and forth and together answer half as many, so a lock admits one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g

from fitcard.answer.answer import answer_question, answer_questions
from fitcard.answer.evaluator import explain
from fitcard.answer.question import Question, read_question, split_pair
from fitcard.answer.ranking import rank, read_ranking
from fitcard.compiler.engine import Engine
from fitcard.web.observability import decision

PAIR = ("model", "device")
JOINED = "-on-"  # in the path of an address


def read_pair(pair: str, values: Mapping[str, str]) -> Question:
    """The question about the pair of a path with these parameters. Raises ProblemsError like `read_question`."""
    return read_question(g.rulebook, {**values, **split_pair(g.rulebook, pair, JOINED, *PAIR)})


def split_line(line: str) -> dict[str, str]:
    """The model and the device in one line, as people write it in the language of the page."""
    return split_pair(g.rulebook, line, f" {g.rulebook.messages.label('page_between')} ", *PAIR)


def answer(question: Question, *, explained: bool = False) -> dict[str, Any]:
    """The answer to a question, which goes to the decision log."""
    with g.service.evaluating:
        data = answer_question(g.engine, question, explained=explained, site=g.service.site).to_dict()
    _log(question, data)
    return data


def answer_many(questions: Sequence[tuple[Question, bool]]) -> list[dict[str, Any]]:
    """The answers to many questions, each with whether to explain it; those that are not explained, together."""
    together = [question for question, explained in questions if not explained]
    with g.service.evaluating:
        answers = iter(answer_questions(g.engine, together, site=g.service.site))
    found = []
    for question, explained in questions:
        if explained:
            found.append(answer(question, explained=True))
        else:
            found.append(next(answers).to_dict())
            _log(question, found[-1])
    return found


def _log(question: Question, data: dict[str, Any]) -> None:
    if g.service.decision_log is not None:
        g.decisions = (*g.decisions, decision(question, data, g.rulebook.sha256))


def ranking(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The ranking with that name. Raises ProblemsError like `read_ranking`."""
    question = read_ranking(g.rulebook, name, values)
    with g.service.evaluating:
        return rank(g.engine, question, site=g.service.site)


def explanation(engine: Engine, question: Question, name: str) -> list[dict[str, Any]]:
    """The steps by which a rule gets its value. Raises ProblemsError where there is no such rule."""
    with g.service.evaluating:
        return explain(engine, question, [name])
