"""Many questions at once: the rules of one profile, asked about entries and inputs of many sizes.

All profiles are asked the same, and what they share is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fitcard.compiler.batch import QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.language.question_fields import QUESTION
from fitcard.lint.sampling import question_chunks, sample_questions
from fitcard.values import Column, Numbers, Scalar


@dataclass
class Sample:
    """One rule set, asked these questions with these inputs. What was evaluated is kept for whoever asks next.

    `baseline` is the trial of another profile that was asked the same.
    """

    rules: CompiledRules
    questions: QuestionList
    inputs: Mapping[str, Numbers]
    baseline: Sample | None = None
    _compared: dict[str, Scalar] = field(default_factory=dict, repr=False)

    @cached_property
    def shared(self) -> frozenset[str]:
        """The definitions that are those of `baseline`, down to all that they are made of."""
        if self.baseline is None:
            return frozenset()
        found: set[str] = set()
        for name, definition in self.rules.definitions.items():  # each comes after all that it reads
            if (
                definition is self.baseline.rules.definitions.get(name)
                and self.rules.dependencies.direct(name) <= found
            ):
                found.add(name)
        return frozenset(found)

    @cached_property
    def whole(self) -> Evaluation:
        """Every definition; what is compared is compared with the first question.

        Raises ProblemsFound where a number is not finite.
        """
        given = dict(self._from_like()) if self.baseline else {}
        found = self._evaluate(self.rules.definitions, given)
        return replace(found, columns={**given, **found.columns})

    def _from_like(self) -> Iterator[tuple[str, Column]]:
        """The columns of `baseline` that are the same here: of definitions, inputs, and figures of the same entries."""
        assert self.baseline is not None
        question_fields, shared = self.rules.question_fields, self.shared
        for name, column in self.baseline.whole.columns.items():
            space, dot, _ = name.partition(".")
            chooser = question_fields.default_table(name)
            figure = space == QUESTION or (space in question_fields.axes and (chooser is None or chooser in shared))
            if figure if dot else name in shared:
                yield name, column

    def perturbed(self, cause: str, column: Column, effects: Iterable[str]) -> Mapping[str, Column]:
        """The effects once more, with another column in place of the cause and all else as in `whole`.

        Raises ProblemsFound where a number is not finite.
        """
        given = {**self._read_by(effects, self.rules.dependencies.dependents(cause).__contains__), cause: column}
        found = self._evaluate(effects, given).columns
        return {name: found[name] for name in effects}

    def with_entry(self, axis: str, entry: str, effects: Iterable[str]) -> Mapping[str, Column]:
        """The effects once more, where all questions name another entry of one axis. Raises as `whole` does."""
        others = replace(self, questions=self.questions.with_entry(axis, entry))
        given = self._read_by(effects, lambda name: axis in self.rules.dependencies.varies_by(name))
        found = others._evaluate(effects, given).columns
        return {name: found[name] for name in effects}

    def _read_by(self, effects: Iterable[str], moved: Callable[[str], bool]) -> dict[str, Column]:
        """The columns of `whole` that the effects are made of where what has moved is made anew, and all inputs."""
        inputs = (f"{QUESTION}.{name}" for name in self.rules.question_fields.inputs)
        found = {name: self.whole.columns[name] for name in inputs}
        seen: set[str] = set()
        stack = list(effects)
        while stack:
            name = stack.pop()
            if name in seen:
                continue
            seen.add(name)
            chooser = self.rules.question_fields.default_table(name)
            if name in self.whole.columns and not moved(name) and not (chooser and moved(chooser)):
                found[name] = self.whole.columns[name]
                continue
            stack += self.rules.definitions[name].reads if name in self.rules.definitions else ()
            stack += [chooser] if chooser else []
        return found

    def evaluate(self, names: Iterable[str]) -> Evaluation:
        """Some names alone, catalog figures among them. Raises ProblemsFound as `whole` does."""
        return self._evaluate(names, {})

    def values(self, names: Iterable[str]) -> Mapping[str, Column]:
        """The columns of names, catalog figures among them. Raises ProblemsFound as `whole` does."""
        wanted = set(names)
        known = {name: self.whole.columns[name] for name in wanted if name in self.whole.columns}
        return known if len(known) == len(wanted) else self._evaluate(wanted, known).columns

    def row(self, number: int) -> tuple[str, ...]:
        """The ids of one question, and the inputs that it gives."""
        given = {
            name: float(np.broadcast_to(value, self.questions.shape)[number]) for name, value in self.inputs.items()
        }
        told = (f"{name}={value:g}" for name, value in given.items() if not math.isnan(value))
        return (*self.questions.row((number,)).values(), *told)

    def _evaluate(self, outputs: Iterable[str], given: Mapping[str, Any]) -> Evaluation:
        return evaluate(self.rules, self.questions, outputs, self.inputs, given, self._first)

    @property
    def _first(self) -> Mapping[str, Scalar]:
        """What `current` stands for: the values of the first question."""
        compared = self.rules.plan(self.rules.definitions).current
        if compared and not self._compared:
            first = {name: _first(value) for name, value in self.inputs.items()}
            row = evaluate(self.rules, self.questions.at([0]), compared, first)
            self._compared.update({name: row.value(name, (0,)) for name in compared})
        return self._compared


def samples_of(all_rules: Iterable[CompiledRules], most: int | None = None) -> list[Sample]:
    """One trial for each rule set, of all questions over the catalogs or of so many that tell most.

    All rule sets have the same subject and the same catalogs.
    """
    profiles = list(all_rules)
    questions, inputs = sample_questions(profiles, most)
    first = Sample(profiles[0], questions, inputs)
    return [first, *(Sample(rules, questions, inputs, first) for rules in profiles[1:])]


def exhaustive_samples(rules: CompiledRules, most: int) -> Iterator[Sample]:
    """Trials that together ask every question over the axes that are swept, each of at most so many."""
    for questions in question_chunks(rules, most):
        yield Sample(rules, questions, {})


def _first(value: Numbers) -> Numbers:
    return value[:1] if isinstance(value, np.ndarray) else value
