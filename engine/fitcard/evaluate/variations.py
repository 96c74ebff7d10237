"""One question asked otherwise in several ways: a single list of all of them, so that rules run once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from fitcard.columns import Codes, Numbers
from fitcard.evaluate.question_list import QuestionList


@dataclass(frozen=True)
class Variation:
    """So many questions that differ from another in the entries of some axes, by their rows in the catalog, and inputs.

    What is the same for all of them is a single number.
    """

    length: int
    entries: Mapping[str, Codes]
    inputs: Mapping[str, Numbers]


@dataclass(frozen=True)
class Varied:
    """The questions of all variations, and where those of each of them stand.

    `inputs` are NaN where a question does not give them; `differs` names the axes and inputs that are not those of the
    question.
    """

    questions: QuestionList
    inputs: Mapping[str, Numbers]
    places: tuple[slice, ...]
    differs: frozenset[str]


def varied(question: QuestionList, inputs: Mapping[str, float], variations: Sequence[Variation]) -> Varied:
    """A question, the only one of its list, and its inputs, in all of these variations."""
    ends = tuple(accumulate(one.length for one in variations))
    places = tuple(map(slice, (0, *ends[:-1]), ends))
    axes = dict.fromkeys(axis for one in variations for axis in one.entries)
    names = dict.fromkeys(name for one in variations for name in one.inputs)
    rows: dict[str, Any] = {axis: np.full(ends[-1], question.rows[axis]) for axis in axes}
    given: dict[str, Any] = {name: np.full(ends[-1], inputs.get(name, np.nan)) for name in names}
    for place, one in zip(places, variations, strict=True):
        for axis, codes in one.entries.items():
            rows[axis][place] = codes
        for name, numbers in one.inputs.items():
            given[name][place] = numbers
    questions = replace(question, length=ends[-1], rows={**question.rows, **rows})
    return Varied(questions, {**inputs, **given}, places, frozenset({*axes, *names}))
