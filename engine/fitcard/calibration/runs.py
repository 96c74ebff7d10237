"""Measured runs as questions to the rules."""

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
    """The runs with a measured value of one quantity: entries, questions, inputs, values and weights by row."""

    backtest: Backtest
    quantity: Quantity
    entries: tuple[Entry, ...]
    questions: QuestionList
    inputs: Mapping[str, Numbers]
    measured: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.entries)

    def where(self, condition: Floats) -> Runs:
        """Only the rows where the condition holds."""
        rows = np.flatnonzero(condition)
        return replace(
            self,
            entries=tuple(self.entries[row] for row in rows),
            questions=self.questions.at(rows),
            inputs={name: np.asarray(column)[rows] for name, column in self.inputs.items()},
            measured=self.measured[rows],
            weights=self.weights[rows],
        )

    def evaluate(self, rules: CompiledRules, names: Sequence[str]) -> Evaluation:
        """These names for each run. Raises ProblemsError, at the quantity, if a run is incomplete."""
        try:
            return evaluate(rules, self.questions, names, self.inputs)
        except ProblemsError as error:
            raise ProblemsError([self._at_quantity(problem) for problem in error.problems]) from None

    def _at_quantity(self, problem: Problem) -> Problem:
        """The problem with the position of the quantity if it has none."""
        if problem.position:
            return problem
        path = self.quantity.path
        return self.backtest.document.problem(problem.kind, problem.message, path, key=True, hint=problem.hint)


def all_runs(engine: Engine) -> list[Runs]:
    """The runs of each quantity of the back-test that has any; none without a back-test.

    Raises ProblemsError if a run is incomplete.
    """
    backtest = engine.rulebook.backtest
    if backtest is None:
        return []
    by_quantity = [_runs_of(engine, backtest, quantity) for quantity in backtest.quantities.values()]
    return [runs for runs in by_quantity if len(runs)]


def _runs_of(engine: Engine, backtest: Backtest, quantity: Quantity) -> Runs:
    """The runs with a weight that measure the quantity and whose condition holds in the default profile."""
    rulebook = engine.rulebook
    entries = [
        entry
        for entry in rulebook.catalogs[backtest.catalog].entries.values()
        if _weight(backtest, entry) > 0 and entry.value(quantity.measured) is not None
    ]
    fields = rulebook.question_fields
    runs = Runs(
        backtest,
        quantity,
        tuple(entries),
        QuestionList.of(fields, engine.columns, [named_entries(engine.default_rules, entry) for entry in entries]),
        input_columns(engine.default_rules, entries),
        _column(entries, quantity.measured),
        np.array([_weight(backtest, entry) for entry in entries]),
    )
    if quantity.when is None or not entries:
        return runs
    holds = runs.evaluate(engine.default_rules, [quantity.when]).columns[quantity.when]
    return runs.where(np.broadcast_to(np.asarray(holds, dtype=bool), (len(runs),)))


def named_entries(rules: CompiledRules, run: Entry) -> dict[str, str]:
    """The entries that a run names by axis, or else the default; without axes that are left to the rules."""
    entries = {axis.name: run.value(axis.name) or axis.default for axis in rules.question_fields.axes.values()}
    return {axis: str(entry) for axis, entry in entries.items() if entry is not None}


def input_columns(rules: CompiledRules, runs: Sequence[Entry]) -> dict[str, Floats]:
    """The columns of the inputs that any of the runs states."""
    stated = [name for name in rules.question_fields.inputs if any(run.value(name) is not None for run in runs)]
    return {name: _column(runs, name) for name in stated}


def _weight(backtest: Backtest, entry: Entry) -> float:
    return backtest.weights.get(str(entry.value(backtest.weight_field)), 0)


def _column(entries: Sequence[Entry], name: str) -> Floats:
    """A figure of each run; NaN where it is absent."""
    return np.array([np.nan if (value := entry.value(name)) is None else float(value) for entry in entries])
