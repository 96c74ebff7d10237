"""Least-squares fit of parameters to measured runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.calibration.parameters import OTHERWISE, Parameter, with_values
from fitcard.calibration.runs import Floats, Runs
from fitcard.compiler.batch import QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import evaluate

Values = Any  # a numpy array of floats, one for each parameter


@dataclass(frozen=True)
class _Group:
    """Runs that name the same axes, so that they are asked as one list; which of its rows each quantity takes."""

    asked: QuestionList
    inputs: Mapping[str, Floats]
    rows: Mapping[str, Floats]


class Residuals:
    """One number for each run and quantity: the logarithm of computed over measured, times the root of its weight."""

    def __init__(self, rules: CompiledRules, all_runs: Sequence[Runs]) -> None:
        self.rules, self.all_runs = rules, [runs for runs in all_runs if len(runs)]
        self.measured = np.log(np.concatenate([runs.measured for runs in self.all_runs]))
        self.roots = np.sqrt(np.concatenate([runs.weights for runs in self.all_runs]))
        self.quantities = [runs.quantity.name for runs in self.all_runs for _ in runs.entries]
        self.entries = [entry for runs in self.all_runs for entry in runs.entries]
        self._groups = list(_groups(rules, self.all_runs))

    def __len__(self) -> int:
        return len(self.entries)

    def computed(self, parameters: Sequence[Parameter], values: Values) -> Floats:
        """The logarithm of what comes out for each run and quantity."""
        rules = with_values(self.rules, parameters, values)
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


def _groups(rules: CompiledRules, all_runs: Sequence[Runs]) -> Any:
    """The runs of all quantities, each once, by the axes that they name."""
    defaults = {axis.name: axis.default for axis in rules.question_fields.axes.values() if axis.default is not None}
    taking: dict[tuple[str, ...], dict[str, list[tuple[str, int]]]] = {}
    entries = {entry.id: entry for runs in all_runs for entry in runs.entries}
    for runs in all_runs:
        for at, entry in enumerate(runs.entries):
            named = tuple(
                axis for axis in rules.question_fields.axes if entry.value(axis) is not None or axis in defaults
            )
            taking.setdefault(named, {}).setdefault(entry.id, []).append((runs.quantity.name, at))
    for named, ids in taking.items():
        chosen = [entries[one] for one in ids]
        questions = [{axis: str(entry.value(axis) or defaults.get(axis)) for axis in named} for entry in chosen]
        inputs = {
            name: np.array([np.nan if (value := entry.value(name)) is None else float(value) for entry in chosen])
            for name in rules.question_fields.inputs
            if any(entry.value(name) is not None for entry in chosen)
        }
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for row, places in enumerate(ids.values()):
            for quantity, at in places:
                mine = rows.setdefault(quantity, ([], []))
                mine[0].append(row)
                mine[1].append(at)
        asked = QuestionList.of(rules.question_fields, rules.columns, questions)
        yield _Group(asked, inputs, {name: (np.array(of[0]), np.array(of[1])) for name, of in rows.items()})


STEP = 0.05  # of a parameter, to see which runs tell of it
MIN_SENSITIVITY = 0.01  # a run tells of a parameter where the estimate moves by so much of what the parameter does
DEVIATION = 0.1  # residuals beyond it count less than by their square
POOLING = 0.3  # how much a row of a table weighs towards the others, beside one run
TOLERANCE = 1e-6
MAX_EVALUATIONS = 60


@dataclass(frozen=True)
class Sensitivity:
    """For each residual, a row, and each parameter, a column, how much one moves with the other; both as logarithms.

    What a parameter `reaches` moves with it at least where it is at one of its bounds.
    """

    parameters: tuple[Parameter, ...]
    moves: Floats
    reaches: Floats

    def tells(self) -> Floats:
        """Where a run tells of a parameter."""
        return np.abs(self.moves) >= MIN_SENSITIVITY

    def runs(self, chosen: Floats | None = None) -> list[int]:
        """How many of the chosen residuals tell of each parameter."""
        told = self.tells() if chosen is None else self.tells()[chosen]
        return [int(count) for count in told.sum(axis=0)]


def sensitivity(residuals: Residuals, parameters: Sequence[Parameter]) -> Sensitivity:
    """How all estimates move with each parameter, around the values that they have."""
    start = np.array([parameter.value for parameter in parameters])
    middle = residuals.computed(parameters, start)
    moves, reaches = [], []
    for at, parameter in enumerate(parameters):
        values = (parameter.value * (1 + STEP), parameter.minimum, parameter.maximum)
        bumped, least, most = (residuals.computed(parameters, _with(start, at, value)) for value in values)
        moves.append((bumped - middle) / np.log1p(STEP))
        reaches.append((bumped != middle) | (least != most))
    shape = (len(residuals), len(parameters))
    return Sensitivity(tuple(parameters), np.array(moves).T.reshape(shape), np.array(reaches).T.reshape(shape))


def _with(values: Values, at: int, value: float) -> Values:
    changed = values.copy()
    changed[at] = value
    return changed


def fit(
    residuals: Residuals,
    seen: Sensitivity,
    chosen: Floats,
    rows_at_least: int,
    begin: Values | None = None,
) -> Values:
    """The fitted value of each parameter, from the chosen residuals alone; what is fitted may `begin` elsewhere.

    A parameter that fewer than `rows_at_least` of them tell of is not fitted: a row of a table takes the value of
    `otherwise`, towards which all rows lean, and a constant stays as it is.
    """
    parameters, counts = seen.parameters, seen.runs(chosen)
    tables = {parameters[at].definition.name for at, count in enumerate(counts) if count >= rows_at_least}
    free = [
        at
        for at, count in enumerate(counts)
        if count >= rows_at_least or (parameters[at].row == OTHERWISE and parameters[at].definition.name in tables)
    ]
    values = np.array([parameter.value for parameter in parameters])
    if free:
        values[free] = (values if begin is None else begin)[free]
        values[free] = _solve(residuals, seen, chosen, free, values)
    return _with_otherwise(parameters, values, set(free))


def _solve(residuals: Residuals, seen: Sensitivity, chosen: Floats, free: list[int], values: Values) -> Values:
    """The values of the free parameters, all others held. Raises ImportError without the extra `tune`."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - an extra, and slow to import

    parameters = seen.parameters
    bounds = np.log([[parameters[at].minimum for at in free], [parameters[at].maximum for at in free]])

    pooled = _pooled(parameters, free)

    def apart(logarithms: Floats) -> Floats:
        tried = values.copy()
        tried[free] = np.exp(logarithms)
        return np.concatenate([residuals(parameters, tried)[chosen], pooled @ logarithms])

    start = np.clip(np.log(values[free]), *bounds)
    told = np.concatenate([seen.reaches[np.ix_(chosen, free)], pooled != 0])
    found = least_squares(
        apart,
        start,
        bounds=(bounds[0] - TOLERANCE, bounds[1] + TOLERANCE),
        loss="soft_l1",
        f_scale=DEVIATION,
        jac_sparsity=told.astype(int) if len(free) > 1 else None,  # of a single one there is nothing to leave out
        xtol=TOLERANCE,
        ftol=TOLERANCE,
        max_nfev=MAX_EVALUATIONS,
    )
    return np.exp(np.clip(found.x, *bounds))


def _pooled(parameters: Sequence[Parameter], free: list[int]) -> Floats:
    """What is added to the residuals for each row of a table: how far it is from `otherwise`, a free value itself."""
    rest = {parameters[at].definition.name: place for place, at in enumerate(free) if parameters[at].row == OTHERWISE}
    rows = [place for place, at in enumerate(free) if parameters[at].row not in (None, OTHERWISE)]
    rows = [place for place in rows if parameters[free[place]].definition.name in rest]
    weights = np.zeros((len(rows), len(free)))
    for number, place in enumerate(rows):
        weights[number, place] = POOLING
        weights[number, rest[parameters[free[place]].definition.name]] = -POOLING
    return weights


def _with_otherwise(parameters: Sequence[Parameter], values: Values, fitted: set[int]) -> Values:
    """Rows that were not fitted take the value of `otherwise`."""
    tables: dict[str, list[int]] = {}
    for at, parameter in enumerate(parameters):
        if parameter.row is not None:
            tables.setdefault(parameter.definition.name, []).append(at)
    for rows in tables.values():
        rest = [at for at in rows if parameters[at].row == OTHERWISE and at in fitted]
        for at in rows if rest else ():
            if at not in fitted:
                values[at] = values[rest[0]]
    return values
