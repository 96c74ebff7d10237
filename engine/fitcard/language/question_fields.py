"""What can be asked: the axes, each a catalog, and the numbers that a question may carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fitcard.problems import Problem, ProblemCode
from fitcard.source.document import Document


class InputRange(ProblemCode):
    """The minimum of an input is above its maximum, or its default is outside both.

    Why: every value would be rejected.
    Avoid: `gpus: {minimum: 64, maximum: 1, ...}`
    Prefer: `gpus: {minimum: 1, maximum: 64, ...}`
    """


QUESTION, CURRENT = "question", "current"
PROFILE = "profile"  # the parameter that names whose beliefs answer


def question_name(word: str) -> str:
    """The name of what a question says, where `word` is an axis, or an input written as rules read it."""
    return word if word.startswith(f"{QUESTION}.") else f"{word}.id"


def entry_field(word: str) -> str:
    """The field by which an entry of a catalog says the same as a question does by that axis or input."""
    return word.removeprefix(f"{QUESTION}.")


@dataclass(frozen=True)
class Axis:
    """One thing that a question names.

    Where none is named it is the `default`, or the entry that the table `default_by` gives for the rest of the
    question; without either one must be named. What compares every answer runs over all entries of an axis that is
    `swept`, and keeps to what answers by default on the others. `noise_words` are words that people say beside the name
    of an entry. An entry that a question brings along must say at least the fields `custom_fields`; none can be brought
    along where there are none. A form calls the axis by its `title`.
    """

    name: str
    catalog: str
    default: str | None
    about: str
    default_by: str | None = None
    swept: bool = True
    noise_words: tuple[str, ...] = ()
    custom_fields: tuple[str, ...] = ()
    title: str = ""

    @property
    def required(self) -> bool:
        """Whether a question must name it."""
        return self.default is None and self.default_by is None


@dataclass(frozen=True)
class Input:
    """One number that a question may carry, between `minimum` and `maximum`; absent without a `default`.

    Where it is `whole` there is nothing between two of them.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    default: float | None
    about: str
    whole: bool = False
    title: str = ""


@dataclass(frozen=True)
class QuestionFields:
    """Axes in the order of pages and grids, and inputs."""

    axes: Mapping[str, Axis]
    inputs: Mapping[str, Input]

    @cached_property
    def defaults(self) -> Mapping[str, np.float64]:
        """What each input, as rules name it, is where a question does not give it; NaN for none."""
        defaults = self.input_defaults.items()
        return {f"{QUESTION}.{name}": np.float64(np.nan if number is None else number) for name, number in defaults}

    @cached_property
    def input_defaults(self) -> Mapping[str, float | None]:
        """The default of each input."""
        return {name: one.default for name, one in self.inputs.items()}

    @property
    def reserved(self) -> frozenset[str]:
        """Words before a dot, which no definition may have as its name."""
        return frozenset([*self.axes, QUESTION, CURRENT])

    def default_table(self, name: str) -> str | None:
        """The table that chooses the entry of which `name` is a figure, where none is named; None where none does."""
        axis = self.axes.get(name.partition(".")[0])
        return axis.default_by if axis else None


def read_question_fields(document: Document) -> QuestionFields:
    """The subject of a rulebook file that has passed its schema."""
    axes = {
        name: Axis(
            name,
            data["catalog"],
            data.get("default"),
            data["about"],
            data.get("default_by"),
            data.get("swept", True),
            tuple(data.get("fillers", ())),
            tuple(data.get("own", ())),
            data.get("title", name),
        )
        for name, data in document.data["axes"].items()
    }
    inputs = {
        name: Input(
            name,
            data["unit"],
            data["minimum"],
            data["maximum"],
            data.get("default"),
            data["about"],
            data.get("whole", False),
            data.get("title", name),
        )
        for name, data in document.data.get("inputs", {}).items()
    }
    return QuestionFields(axes, inputs)


def input_problems(document: Document, question_fields: QuestionFields) -> Iterator[Problem]:
    """Inputs that no number can be, and defaults beyond their bounds."""
    for one in question_fields.inputs.values():
        if one.minimum > one.maximum:
            message, key = f"the minimum {one.minimum:g} is above the maximum {one.maximum:g}", "minimum"
        elif one.default is not None and not one.minimum <= one.default <= one.maximum:
            message, key = f"the default {one.default:g} is outside {one.minimum:g} to {one.maximum:g}", "default"
        else:
            continue
        yield document.problem(InputRange, message, ("inputs", one.name, key), hint="change it, or the bounds")
