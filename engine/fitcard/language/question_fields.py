"""The fields of a question: axes, which name entries of catalogs, and inputs, which are numbers."""

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
PROFILE = "profile"  # the parameter that selects the profile


def question_name(field: str) -> str:
    """The name by which rules read a field of a count: an axis `model`, or an input `question.users`."""
    return field if field.startswith(f"{QUESTION}.") else f"{field}.id"


def entry_field(field: str) -> str:
    """The field of catalog entries that corresponds to an axis `model`, or an input `question.users`."""
    return field.removeprefix(f"{QUESTION}.")


@dataclass(frozen=True)
class Axis:
    """An entry of a catalog that a question names.

    Without a name it is the `default`, or the entry that the table `default_by` gives; an axis with neither is
    required. Sweeps and diffs cover all entries of axes that are `swept`, and the default of the others. `noise_words`
    are ignored in names that people type. A custom entry needs the `custom_fields`; an axis without any takes none.
    `title` is its label in forms.
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
    """A number between `minimum` and `maximum`, an integer if `whole`; absent if neither set nor by `default`."""

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
    """The axes, in the order of pages and of the dimensions of grids, and the inputs."""

    axes: Mapping[str, Axis]
    inputs: Mapping[str, Input]

    @cached_property
    def defaults(self) -> Mapping[str, np.float64]:
        """The default of each input by its name in rules; NaN for none."""
        defaults = self.input_defaults.items()
        return {f"{QUESTION}.{name}": np.float64(np.nan if number is None else number) for name, number in defaults}

    @cached_property
    def input_defaults(self) -> Mapping[str, float | None]:
        """The default of each input."""
        return {name: number.default for name, number in self.inputs.items()}

    @property
    def reserved(self) -> frozenset[str]:
        """The namespaces, which no definition may have as its name."""
        return frozenset([*self.axes, QUESTION, CURRENT])

    def default_table(self, name: str) -> str | None:
        """The table that chooses the entry of the axis of `name` for questions that name none; None without one."""
        axis = self.axes.get(name.partition(".")[0])
        return axis.default_by if axis else None


def read_question_fields(document: Document) -> QuestionFields:
    """The fields that a rulebook file defines, which conforms to its schema."""
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
    """A problem for each input whose range is empty or does not contain its default."""
    for number in question_fields.inputs.values():
        low, high, default = number.minimum, number.maximum, number.default
        if low > high:
            message, key = f"the minimum {low:g} is above the maximum {high:g}", "minimum"
        elif default is not None and not low <= default <= high:
            message, key = f"the default {default:g} is outside {low:g} to {high:g}", "default"
        else:
            continue
        yield document.problem(InputRange, message, ("inputs", number.name, key), hint="change it, or the bounds")
