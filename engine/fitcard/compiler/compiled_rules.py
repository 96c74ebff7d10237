"""The rules of one profile, compiled: catalogs as columns, plans and programs, each made once and kept."""

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

MAX_PLANS = 2048  # a question may override what it likes, each time something else
PlanKey = tuple[frozenset[str], frozenset[str], frozenset[str]]


@dataclass(frozen=True, eq=False, repr=False)
class CompiledRules:
    """What `evaluate` runs: a rule set over the columns of its catalogs, by kind.

    `values` are what programs read of the rules: constants as numbers, tables and counts as callables. Definitions that
    are `precomputed` are read from the catalog of the axis that is named with them.
    """

    rule_set: RuleSet
    columns: Mapping[str, CatalogColumns]
    values: Mapping[str, Any]
    dependencies: Dependencies
    precomputed: Mapping[str, str] = field(default_factory=dict)
    _plans: dict[PlanKey, Plan] = field(default_factory=dict)
    _programs: dict[tuple[PlanKey, frozenset[str]], CompiledPlan] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<CompiledRules {self.profile}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process compiles the rules anew: what is kept here goes by the identity of objects."""
        return compile_rules, (self.rule_set,)

    @property
    def profile(self) -> str:
        """The profile whose rules these are."""
        return self.rule_set.profile

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """The definitions, in dependency order."""
        return self.rule_set.definitions

    @property
    def question_fields(self) -> QuestionFields:
        """What a question can name and say."""
        return self.rule_set.question_fields

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kind of value of each definition."""
        return self.rule_set.kinds

    @property
    def catalogs(self) -> Mapping[str, Catalog]:
        """The catalogs that the columns are of."""
        return self.rule_set.catalogs

    def describe(self, name: str) -> NameInfo | None:
        """What `name` stands for; None for an unknown name."""
        return self.rule_set.describe(name)

    def plan(self, outputs: Iterable[str], given: frozenset[str] = NO_NAMES, named: frozenset[str] = NO_NAMES) -> Plan:
        """What must be computed for these outputs, as `plan_outputs` finds it."""
        key = (frozenset(outputs), given, named)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[key] = plan_outputs(self.rule_set, *key)
        return plan

    def compiled(
        self, outputs: Iterable[str], given: frozenset[str], named: frozenset[str], known: frozenset[str] = NO_NAMES
    ) -> CompiledPlan:
        """The program for these outputs of questions that name an entry of the axes `named`.

        What is `given` or `known` from another evaluation is not computed. Raises ProblemsError where a figure is
        needed of an axis that is not named.
        """
        key = ((frozenset(outputs), given, named), known)
        program = self._programs.get(key)
        if program is None:
            if len(self._programs) >= MAX_PLANS:
                self._programs.clear()
            plan = plan_outputs(self.rule_set, key[0][0], given | known, named)
            program = self._programs[key] = compile_plan(self.rule_set, plan, named, self.precomputed)
        return program

    def with_definitions(self, definitions: Mapping[str, Definition]) -> CompiledRules:
        """The same with other values of constants and rows: plans and programs stay as they are."""
        changed = {name: one for name, one in definitions.items() if one is not self.definitions[name]}
        rule_set = replace(self.rule_set, definitions=definitions)
        return replace(self, rule_set=rule_set, values={**self.values, **_values(changed)})

    def with_columns(self, columns: Mapping[str, CatalogColumns]) -> CompiledRules:
        """The same over catalogs with other entries; plans and programs stay as they are."""
        assert not self.precomputed, "what was computed for all entries would be missing for others"
        catalogs = {kind: one.catalog for kind, one in columns.items()}
        return replace(self, rule_set=replace(self.rule_set, catalogs=catalogs), columns=columns)

    def with_precomputed(self) -> CompiledRules:
        """The same, with what depends on the entry of one axis alone computed for its whole catalog.

        A number that is not finite there is found where a question asks about that entry.
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
        found = dict(zip(program.names, program.computed(registers), strict=True))
        return {precomputed_column(name): _whole(found[name], len(ids)) for name in names}


def compile_rules(rule_set: RuleSet, columns: Mapping[str, CatalogColumns] | None = None) -> CompiledRules:
    """A rule set over the columns of its catalogs, which are built where none are given."""
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


def _whole(column: Any, length: int) -> Column:
    """The column as long as the catalog."""
    if isinstance(column, WordColumn):
        return WordColumn(np.broadcast_to(column.codes, length), column.words)
    whole: Column = np.broadcast_to(column, length)
    return whole
