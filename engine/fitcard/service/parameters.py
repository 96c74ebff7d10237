"""Parameters of addresses that ask no question: only those that the address takes, each once."""

from __future__ import annotations

from flask import g, request

from fitcard.answer.language import LANGUAGE
from fitcard.answer.told import RepeatedParameter, UnknownParameter, told
from fitcard.closest import closest
from fitcard.problems import ProblemsFound


def parameters(*known: str) -> dict[str, str]:
    """The parameters of this request, those that are not given as empty text.

    Raises ProblemsFound with one problem for each that the address does not take, and for each that is given twice.
    """
    given = dict(request.args.lists())
    takes = (*known, LANGUAGE)
    problems = [told(g.rulebook, RepeatedParameter, name) for name, values in given.items() if len(values) > 1]
    problems += [
        told(g.rulebook, UnknownParameter, name, name, closest(name, takes) or takes)
        for name in given
        if name not in takes
    ]
    if problems:
        raise ProblemsFound(problems)
    return {name: given.get(name, [""])[0] for name in known}
