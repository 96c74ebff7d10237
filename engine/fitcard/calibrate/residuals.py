"""How far all estimates are from what was measured, by the values of parameters: what a fit makes small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.backtest.runs import Floats, Runs
from fitcard.calibrate.parameters import Parameter, applied
from fitcard.evaluate.evaluation import evaluate
from fitcard.evaluate.question_list import QuestionList
from fitcard.rulebook.rule_set import RuleSet
from fitcard.rulebook.rulebook import Rulebook

Values = Any  # a numpy array of floats, one for each parameter


@dataclass(frozen=True)
class _Group:
    """Runs that name the same axes, so that they are asked as one list; which of its rows each quantity takes."""

    asked: QuestionList
    inputs: Mapping[str, Floats]
    rows: Mapping[str, Floats]


class Residuals:
    """One number for each run and quantity: the logarithm of computed over measured, times the root of its weight."""

    def __init__(self, rulebook: Rulebook, rule_set: RuleSet, all_runs: Sequence[Runs]) -> None:
        self.rule_set, self.all_runs = rule_set, [runs for runs in all_runs if len(runs)]
        self.measured = np.log(np.concatenate([runs.measured for runs in self.all_runs]))
        self.roots = np.sqrt(np.concatenate([runs.weights for runs in self.all_runs]))
        self.quantities = [runs.quantity.name for runs in self.all_runs for _ in runs.entries]
        self.entries = [entry for runs in self.all_runs for entry in runs.entries]
        self._groups = list(_groups(rulebook, self.all_runs))

    def __len__(self) -> int:
        return len(self.entries)

    def computed(self, parameters: Sequence[Parameter], values: Values) -> Floats:
        """The logarithm of what comes out for each run and quantity."""
        rules = applied(self.rule_set, parameters, values)
        names = {runs.quantity.name: runs.quantity.computed for runs in self.all_runs}
        found = {name: np.full(len(runs), np.nan) for name, runs in zip(names, self.all_runs, strict=True)}
        for group in self._groups:
            outputs = {names[quantity] for quantity in group.rows}
            columns = evaluate(rules, group.asked, outputs, group.inputs).columns
            for quantity, (rows, at) in group.rows.items():
                column = np.broadcast_to(np.asarray(columns[names[quantity]], dtype=float), group.asked.shape)
                found[quantity][at] = column[rows]
        return np.log(np.concatenate(list(found.values())))

    def __call__(self, parameters: Sequence[Parameter], values: Values) -> Floats:
        """The residuals by these values."""
        return (self.computed(parameters, values) - self.measured) * self.roots


def _groups(rulebook: Rulebook, all_runs: Sequence[Runs]) -> Any:
    """The runs of all quantities, each once, by the axes that they name."""
    defaults = {axis.name: axis.default for axis in rulebook.subject.axes.values() if axis.default is not None}
    taking: dict[tuple[str, ...], dict[str, list[tuple[str, int]]]] = {}
    entries = {entry.id: entry for runs in all_runs for entry in runs.entries}
    for runs in all_runs:
        for at, entry in enumerate(runs.entries):
            named = tuple(axis for axis in rulebook.subject.axes if entry.value(axis) is not None or axis in defaults)
            taking.setdefault(named, {}).setdefault(entry.id, []).append((runs.quantity.name, at))
    for named, ids in taking.items():
        chosen = [entries[one] for one in ids]
        questions = [{axis: str(entry.value(axis) or defaults.get(axis)) for axis in named} for entry in chosen]
        inputs = {
            name: np.array([np.nan if (value := entry.value(name)) is None else float(value) for entry in chosen])
            for name in rulebook.subject.inputs
            if any(entry.value(name) is not None for entry in chosen)
        }
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for row, places in enumerate(ids.values()):
            for quantity, at in places:
                mine = rows.setdefault(quantity, ([], []))
                mine[0].append(row)
                mine[1].append(at)
        asked = QuestionList.of(rulebook.subject, rulebook.catalogs, questions)
        yield _Group(asked, inputs, {name: (np.array(of[0]), np.array(of[1])) for name, of in rows.items()})
