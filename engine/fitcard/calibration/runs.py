"""The runs that somebody measured, as questions to the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Entry
from fitcard.compiler.batch import QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, evaluate
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.backtest import Backtest, Quantity
from fitcard.values import Numbers

Floats = Any  # a numpy array of floats, one for each run


@dataclass(frozen=True)
class Runs:
    """The runs in which one quantity was measured: with entry, question, figure and weight."""

    backtest: Backtest
    quantity: Quantity
    entries: tuple[Entry, ...]
    asked: QuestionList
    inputs: Mapping[str, Numbers]
    measured: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.entries)

    def where(self, chosen: Floats) -> Runs:
        """Only the runs that are chosen, by a condition for each or by their numbers."""
        at = np.flatnonzero(chosen) if np.asarray(chosen).dtype == bool else np.asarray(chosen)
        return replace(
            self,
            entries=tuple(self.entries[number] for number in at),
            asked=self.asked.at(at),
            inputs={name: np.asarray(column)[at] for name, column in self.inputs.items()},
            measured=self.measured[at],
            weights=self.weights[at],
        )

    def evaluate(
        self, rules: CompiledRules, names: Sequence[str], given: Mapping[str, Any] | None = None
    ) -> Evaluation:
        """These names for each run. Raises ProblemsFound, at the quantity, where a run does not say enough."""
        try:
            return evaluate(rules, self.asked, names, self.inputs, given)
        except ProblemsError as found:
            problems = [_at_quantity(self.backtest, self.quantity, problem) for problem in found.problems]
            raise ProblemsError(problems) from None


def all_runs(engine: Engine) -> list[Runs]:
    """The runs of each quantity of the back-test that has any; none where there is no back-test.

    Raises ProblemsFound where a run does not say enough to be asked.
    """
    backtest = engine.rulebook.backtest
    if backtest is None:
        return []
    found = [runs_of(engine, backtest, quantity) for quantity in backtest.quantities.values()]
    return [runs for runs in found if len(runs)]


def runs_of(engine: Engine, backtest: Backtest, quantity: Quantity) -> Runs:
    """All runs that count in which the quantity was measured and whose condition holds by the default profile.

    Raises ProblemsFound where a run does not name what the condition needs.
    """
    rulebook = engine.rulebook
    entries = [entry for entry in rulebook.catalogs[backtest.catalog].entries.values() if _counts(backtest, entry)]
    entries = [entry for entry in entries if entry.value(quantity.measured) is not None]
    question_fields = rulebook.question_fields
    defaults = {axis.name: axis.default for axis in question_fields.axes.values() if axis.default is not None}
    named = [
        {**defaults, **{axis: str(word) for axis in question_fields.axes if (word := entry.value(axis)) is not None}}
        for entry in entries
    ]
    runs = Runs(
        backtest,
        quantity,
        tuple(entries),
        QuestionList.of(question_fields, engine.columns, named),
        {
            name: _column(entries, name)
            for name in question_fields.inputs
            if any(e.value(name) is not None for e in entries)
        },
        _column(entries, quantity.measured),
        np.array([backtest.weights[str(entry.value(backtest.weight_field))] for entry in entries]),
    )
    if quantity.when is None or not entries:
        return runs
    holds = runs.evaluate(engine.default_rules, [quantity.when]).columns[quantity.when]
    return runs.where(np.broadcast_to(np.asarray(holds, dtype=bool), (len(runs),)))


def _counts(backtest: Backtest, entry: Entry) -> bool:
    return backtest.weights.get(str(entry.value(backtest.weight_field)), 0) > 0


def _column(entries: Sequence[Entry], name: str) -> Floats:
    """A figure of each run, NaN where it has none."""
    return np.array([np.nan if (value := entry.value(name)) is None else float(value) for entry in entries])


def _at_quantity(backtest: Backtest, quantity: Quantity, problem: Problem) -> Problem:
    """A problem of a run, at the quantity whose runs lack something."""
    if problem.position:
        return problem
    return backtest.document.problem(problem.kind, problem.message, quantity.path, key=True, hint=problem.hint)
