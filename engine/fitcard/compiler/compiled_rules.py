"""The compiled rules of one profile: values, columns of the catalogs, and cached plans and programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Catalog
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.compile import (
    BATCH,
    NO_NAMES,
    CompiledPlan,
    Plan,
    compile_plan,
    plan_outputs,
    precomputed_column,
)
from fitcard.compiler.counts import CompiledCount
from fitcard.compiler.tables import compile_table
from fitcard.language.definitions import Constant, Count, Definition, Table
from fitcard.language.question_fields import QuestionFields
from fitcard.language.rule_set import Dependencies, NameInfo, RuleSet
from fitcard.values import Column, Kind, WordColumn

MAX_PLANS = 2048  # questions can override any combination of names
ProgramKey = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]


@dataclass(frozen=True, eq=False, repr=False)
class CompiledRules:
    """A rule set with the columns of its catalogs, by kind; the rules that `evaluate` runs.

    `values` are the arguments of programs by name: constants as numbers, tables and counts as callables. `precomputed`
    definitions are columns of the catalog of an axis, which is their value here.
    """

    rule_set: RuleSet
    columns: Mapping[str, CatalogColumns]
    values: Mapping[str, Any]
    dependencies: Dependencies
    precomputed: Mapping[str, str] = field(default_factory=dict)
    _plans: dict[frozenset[str], Plan] = field(default_factory=dict)
    _programs: dict[ProgramKey, CompiledPlan] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<CompiledRules {self.profile}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process compiles the rules itself, since caches are keyed by object identity."""
        return compile_rules, (self.rule_set,)

    @property
    def profile(self) -> str:
        """The name of the profile."""
        return self.rule_set.profile

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """The definitions, in dependency order."""
        return self.rule_set.definitions

    @property
    def question_fields(self) -> QuestionFields:
        """The fields of a question."""
        return self.rule_set.question_fields

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of value of each definition."""
        return self.rule_set.kinds

    @property
    def catalogs(self) -> Mapping[str, Catalog]:
        """The catalogs by kind."""
        return self.rule_set.catalogs

    def describe(self, name: str) -> NameInfo | None:
        """The kind, unit and description of `name`; None for an unknown name."""
        return self.rule_set.describe(name)

    def plan(self, outputs: Iterable[str]) -> Plan:
        """The plan for these outputs of questions that name no entries, see `plan_outputs`."""
        names = frozenset(outputs)
        plan = self._plans.get(names)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[names] = plan_outputs(self.rule_set, names)
        return plan

    def compiled(
        self,
        outputs: Iterable[str],
        overridden: frozenset[str],
        named: frozenset[str],
        known: frozenset[str] = NO_NAMES,
    ) -> CompiledPlan:
        """The program for these outputs of questions that name entries of the axes `named`.

        It does not compute names that are `overridden`, or `known` from another evaluation. Raises ProblemsError where
        it needs a field of an axis that is neither named nor chosen by a table.
        """
        key = (frozenset(outputs), overridden, named, known)
        program = self._programs.get(key)
        if program is None:
            if len(self._programs) >= MAX_PLANS:
                self._programs.clear()
            plan = plan_outputs(self.rule_set, key[0], overridden | known, named)
            program = self._programs[key] = compile_plan(self.rule_set, plan, named, self.precomputed)
        return program

    def with_definitions(self, definitions: Mapping[str, Definition]) -> CompiledRules:
        """The rules with other values of constants and rows, sharing plans and programs."""
        changed = {name: new for name, new in definitions.items() if new is not self.definitions[name]}
        rule_set = replace(self.rule_set, definitions=definitions)
        return replace(self, rule_set=rule_set, values={**self.values, **_values(changed)})

    def with_columns(self, columns: Mapping[str, CatalogColumns]) -> CompiledRules:
        """The rules with other catalog entries, sharing plans and programs."""
        assert not self.precomputed, "other entries have no precomputed columns"
        catalogs = {kind: of_kind.catalog for kind, of_kind in columns.items()}
        return replace(self, rule_set=replace(self.rule_set, catalogs=catalogs), columns=columns)

    def with_precomputed(self) -> CompiledRules:
        """The rules with each definition that depends on one axis alone computed for its whole catalog.

        Non-finite values in it are reported for questions about that entry.
        """
        axes = self.question_fields.axes
        by_axis = {axis: [name for name in self.definitions if self._depends_on_alone(name, axis)] for axis in axes}
        columns = dict(self.columns)
        for axis, names in by_axis.items():
            kind = axes[axis].catalog
            columns[kind] = columns[kind].with_computed(self._compute_for_all(axis, names))
        precomputed = {name: axis for axis, names in by_axis.items() for name in names}
        return replace(self, columns=columns, precomputed=precomputed, _plans={}, _programs={})

    def _depends_on_alone(self, name: str, axis: str) -> bool:
        return self.dependencies.varies_by(name) == {axis}

    def _compute_for_all(self, axis: str, names: list[str]) -> dict[str, Column]:
        """The values of these definitions for all entries of the axis, by the name of their column."""
        ids = self.columns[self.question_fields.axes[axis].catalog].ids
        program = self.compiled(names, NO_NAMES, frozenset([axis]))
        batch = QuestionGrid.of(self.question_fields, self.columns, {axis: ids})
        with np.errstate(all="ignore"):
            registers = program.run({BATCH: batch}, self.values)
        computed = dict(zip(program.names, program.results(registers), strict=True))
        return {precomputed_column(name): _broadcast(computed[name], len(ids)) for name in names}


def compile_rules(rule_set: RuleSet, columns: Mapping[str, CatalogColumns] | None = None) -> CompiledRules:
    """The rule set, compiled, with the columns of its catalogs; by default new ones."""
    if columns is None:
        columns = {kind: CatalogColumns(catalog) for kind, catalog in rule_set.catalogs.items()}
    return CompiledRules(rule_set, columns, _values(rule_set.definitions), Dependencies(rule_set))


def _values(definitions: Mapping[str, Definition]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, definition in definitions.items():
        if isinstance(definition, Constant):
            values[name] = np.float64(definition.value)
        elif isinstance(definition, Table):
            values[name] = compile_table(definition)
        elif isinstance(definition, Count):
            values[name] = CompiledCount(definition)
    return values


def _broadcast(column: Any, length: int) -> Column:
    if isinstance(column, WordColumn):
        return WordColumn(np.broadcast_to(column.codes, length), column.words)
    array: Column = np.broadcast_to(column, length)
    return array
