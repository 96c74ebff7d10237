"""Least-squares fit of parameters to measured runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fitcard.calibration.parameters import OTHERWISE, Parameter, with_values
from fitcard.calibration.runs import Floats, Runs, input_columns, named_entries
from fitcard.compiler.batch import QuestionList
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.evaluation import evaluate

Values = Any  # a numpy array of floats, one for each parameter

STEP = 0.05  # relative change of a parameter by which sensitivities are estimated
MIN_SENSITIVITY = 0.01  # of an estimate, relative to the change of the parameter, to count as dependent on it
DEVIATION = 0.1  # larger residuals count less than by their square
POOLING = 0.3  # weight of the distance of a row of a table to `otherwise`, relative to one run
TOLERANCE = 1e-6
MAX_EVALUATIONS = 60


@dataclass(frozen=True)
class _Group:
    """Runs that name the same axes, evaluated as one batch. `rows` has by quantity the rows of the batch that measure
    it, and the rows of the runs of that quantity.
    """

    questions: QuestionList
    inputs: Mapping[str, Floats]
    rows: Mapping[str, tuple[Floats, Floats]]


class Residuals:
    """For each run and quantity the logarithm of computed over measured, times the square root of the weight."""

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
        """The logarithm of each estimate with these values."""
        rules = with_values(self.rules, parameters, values)
        names = {runs.quantity.name: runs.quantity.computed for runs in self.all_runs}
        computed = {name: np.full(len(runs), np.nan) for name, runs in zip(names, self.all_runs, strict=True)}
        for group in self._groups:
            outputs = {names[quantity] for quantity in group.rows}
            columns = evaluate(rules, group.questions, outputs, group.inputs).columns
            for quantity, (batch_rows, run_rows) in group.rows.items():
                column = np.asarray(columns[names[quantity]], dtype=float)
                computed[quantity][run_rows] = np.broadcast_to(column, group.questions.shape)[batch_rows]
        return np.log(np.concatenate(list(computed.values())))

    def __call__(self, parameters: Sequence[Parameter], values: Values) -> Floats:
        """The residuals with these values."""
        return (self.computed(parameters, values) - self.measured) * self.roots


def _groups(rules: CompiledRules, all_runs: Sequence[Runs]) -> Iterator[_Group]:
    """The runs of all quantities, each once, grouped by the axes that they name."""
    entries = {entry.id: entry for runs in all_runs for entry in runs.entries}
    quantities: dict[tuple[str, ...], dict[str, list[tuple[str, int]]]] = {}  # by axes and run; row by quantity
    for runs in all_runs:
        for row, entry in enumerate(runs.entries):
            axes = tuple(named_entries(rules, entry))
            quantities.setdefault(axes, {}).setdefault(entry.id, []).append((runs.quantity.name, row))
    for by_run in quantities.values():
        group = [entries[run] for run in by_run]
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for batch_row, measured in enumerate(by_run.values()):
            for quantity, run_row in measured:
                batch_rows, run_rows = rows.setdefault(quantity, ([], []))
                batch_rows.append(batch_row)
                run_rows.append(run_row)
        yield _Group(
            QuestionList.of(rules.question_fields, rules.columns, [named_entries(rules, run) for run in group]),
            input_columns(rules, group),
            {name: (np.array(batch_rows), np.array(run_rows)) for name, (batch_rows, run_rows) in rows.items()},
        )


@dataclass(frozen=True)
class Sensitivity:
    """The change of each residual (row) with each parameter (column), both as logarithms.

    `reaches` is true where a residual depends on a parameter anywhere within its bounds.
    """

    parameters: tuple[Parameter, ...]
    changes: Floats
    reaches: Floats

    def runs(self, rows: Floats | None = None) -> list[int]:
        """The number of residuals, or of those `rows`, that depend on each parameter."""
        depends = np.abs(self.changes) >= MIN_SENSITIVITY
        return [int(count) for count in (depends if rows is None else depends[rows]).sum(axis=0)]


def sensitivity(residuals: Residuals, parameters: Sequence[Parameter]) -> Sensitivity:
    """The sensitivity of all residuals at the current values of the parameters."""
    start = np.array([parameter.value for parameter in parameters])
    base = residuals.computed(parameters, start)
    changes, reaches = [], []
    for number, parameter in enumerate(parameters):
        values = (parameter.value * (1 + STEP), parameter.minimum, parameter.maximum)
        stepped, lowest, highest = (residuals.computed(parameters, _with(start, number, value)) for value in values)
        changes.append((stepped - base) / np.log1p(STEP))
        reaches.append((stepped != base) | (lowest != highest))
    shape = (len(residuals), len(parameters))
    return Sensitivity(tuple(parameters), np.array(changes).T.reshape(shape), np.array(reaches).T.reshape(shape))


def _with(values: Values, number: int, value: float) -> Values:
    changed = values.copy()
    changed[number] = value
    return changed


def fit(
    residuals: Residuals,
    sensitivities: Sensitivity,
    rows: Floats,
    min_runs: int,
    start: Values | None = None,
) -> Values:
    """The fitted value of each parameter from these rows of the residuals. `start` is by default the current values.

    A parameter on which fewer than `min_runs` residuals depend is not fitted: a row of a table then has the value of
    `otherwise`, towards which all rows are pulled, and a constant keeps its value. Raises ImportError without the extra
    `tune`.
    """
    parameters, counts = sensitivities.parameters, sensitivities.runs(rows)
    tables = {parameters[number].definition.name for number, count in enumerate(counts) if count >= min_runs}
    free = [
        number
        for number, count in enumerate(counts)
        if count >= min_runs or (parameters[number].row == OTHERWISE and parameters[number].definition.name in tables)
    ]
    values = np.array([parameter.value for parameter in parameters])
    if free:
        values[free] = (values if start is None else start)[free]
        values[free] = _solve(residuals, sensitivities, rows, free, values)
    return _with_otherwise(parameters, values, set(free))


def _solve(residuals: Residuals, sensitivities: Sensitivity, rows: Floats, free: list[int], values: Values) -> Values:
    """The values of the `free` parameters with all others fixed."""
    from scipy.optimize import least_squares  # noqa: PLC0415 - an extra, and slow to import

    parameters = sensitivities.parameters
    bounds = np.log([[parameters[number].minimum for number in free], [parameters[number].maximum for number in free]])
    pooling = _pooling([parameters[number] for number in free])

    def weighted_residuals(logarithms: Floats) -> Floats:
        trial = values.copy()
        trial[free] = np.exp(logarithms)
        return np.concatenate([residuals(parameters, trial)[rows], pooling @ logarithms])

    sparsity = np.concatenate([sensitivities.reaches[np.ix_(rows, free)], pooling != 0])
    solution = least_squares(
        weighted_residuals,
        np.clip(np.log(values[free]), *bounds),
        bounds=(bounds[0] - TOLERANCE, bounds[1] + TOLERANCE),
        loss="soft_l1",
        f_scale=DEVIATION,
        jac_sparsity=sparsity.astype(int) if len(free) > 1 else None,  # scipy rejects it for a single parameter
        xtol=TOLERANCE,
        ftol=TOLERANCE,
        max_nfev=MAX_EVALUATIONS,
    )
    return np.exp(np.clip(solution.x, *bounds))


def _pooling(parameters: Sequence[Parameter]) -> Floats:
    """A matrix that gives further residuals: for each row of a table its weighted distance to `otherwise`."""
    columns = {parameter.definition.name: at for at, parameter in enumerate(parameters) if parameter.row == OTHERWISE}
    rows = [
        (at, columns[parameter.definition.name])
        for at, parameter in enumerate(parameters)
        if parameter.row not in (None, OTHERWISE) and parameter.definition.name in columns
    ]
    weights = np.zeros((len(rows), len(parameters)))
    for number, (row, otherwise) in enumerate(rows):
        weights[number, row] = POOLING
        weights[number, otherwise] = -POOLING
    return weights


def _with_otherwise(parameters: Sequence[Parameter], values: Values, fitted: set[int]) -> Values:
    """The values, with that of `otherwise` for rows that were not fitted, if it was."""
    otherwise = {
        parameters[number].definition.name: values[number] for number in fitted if parameters[number].row == OTHERWISE
    }
    for number, parameter in enumerate(parameters):
        if parameter.row is not None and number not in fitted and parameter.definition.name in otherwise:
            values[number] = otherwise[parameter.definition.name]
    return values
