"""Compiles plans: from the names to compute to the program that computes them.

A plan is the definitions in dependency order. Its program reads catalog fields, runs traced formulas, and calls
compiled tables and counts. Constants and tables are arguments of the program, so that rule sets that differ only in
values share it.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.finite import implied_finite
from fitcard.compiler.program import Getter, Program, build_program, getter
from fitcard.compiler.tracer import Tracer
from fitcard.language.definitions import Constant, Count, Formula, Table
from fitcard.language.question_fields import CURRENT
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.values import Codes, Column, Kind, WordColumn

BATCH = "batch"  # the argument of a program that is the batch itself; no rule has this name
NO_NAMES: frozenset[str] = frozenset()


class AxisMissing(ProblemCode):
    """A value depends on an axis for which the question has no entry.

    Why: the value differs between entries.
    Avoid: a test with `given: {model: qwen-3-14b}` that expects `decode_tok_s`
    Prefer: `given: {model: qwen-3-14b, device: m1-16gb}`, or a value for the missing name itself.
    """


@dataclass(frozen=True)
class Plan:
    """The names to compute for some outputs.

    `steps` are definitions in dependency order, `fields` the catalog fields that they read, and `current` the names
    that they compare with the values of the original question.
    """

    steps: tuple[str, ...]
    fields: tuple[str, ...]
    current: tuple[str, ...]


def plan_outputs(
    rule_set: RuleSet,
    outputs: frozenset[str],
    known: frozenset[str] = NO_NAMES,
    named: frozenset[str] = NO_NAMES,
) -> Plan:
    """The plan for these outputs: definitions, `axis.field`, `question.input` or `current.name`.

    Names that are `known` are not computed, nor is what they depend on. Fields of an axis that is not `named` depend on
    the table that chooses its entry.
    """
    definitions, question_fields = rule_set.definitions, rule_set.question_fields
    needed: dict[str, None] = {}
    stack = sorted(outputs - known)
    while stack:
        name = stack.pop()
        if name in needed:
            continue
        needed[name] = None
        reads: tuple[str, ...] = ()
        if name in definitions:
            reads = definitions[name].reads
        elif (chooser := question_fields.default_table(name)) and name.partition(".")[0] not in named:
            reads = (chooser,)
        stack += [read for read in reads if read not in known]
    others = [name for name in needed if name not in definitions]
    current = [name.partition(".")[2] for name in others if name.startswith(CURRENT + ".")]
    return Plan(
        tuple(name for name in definitions if name in needed),
        tuple(sorted(name for name in others if name.partition(".")[0] in question_fields.axes)),
        tuple(sorted(current)),
    )


@dataclass(frozen=True)
class CompiledPlan:
    """A plan and its program.

    The arguments of the program are those that `batch_arguments` gets from columns by name, then those that
    `rule_arguments` gets from the values of rules. `results` gets the columns of the computed `names` from the
    registers. `numbers` are the definitions that must be finite, with their registers; `checked` gets those that are
    not implied by others. `independent` caches, by axes and inputs, the names that do not depend on them.
    """

    plan: Plan
    program: Program
    batch_arguments: Getter
    rule_arguments: Getter
    names: tuple[str, ...]
    results: Getter
    numbers: tuple[tuple[str, int], ...]
    checked: Getter
    independent: dict[frozenset[str], tuple[frozenset[str], Getter]] = field(default_factory=dict, repr=False)

    def run(self, columns: Mapping[str, Any], rule_values: Mapping[str, Any]) -> list[Any]:
        """The registers of the program after it ran."""
        return self.program.run([*self.batch_arguments(columns), *self.rule_arguments(rule_values)])


def compile_plan(
    rule_set: RuleSet, plan: Plan, named: frozenset[str], precomputed: Mapping[str, str] | None = None
) -> CompiledPlan:
    """The program of a plan, for questions that name an entry of each of these axes.

    Definitions that are `precomputed` are columns of the catalog of their axis. Raises ProblemsError where the plan has
    a field of an axis that is neither named nor chosen by a table.
    """
    return _Compiler(rule_set, plan, named, precomputed or {}).compile()


def precomputed_column(name: str) -> str:
    """The name of the catalog column of a precomputed definition; no field has such a name."""
    return f"rules.{name}"


class _Compiler:
    """`arguments` and `rule_arguments` are the registers of the arguments, `registers` those of all names."""

    def __init__(self, rule_set: RuleSet, plan: Plan, named: frozenset[str], precomputed: Mapping[str, str]) -> None:
        self.rule_set, self.plan, self.named, self.precomputed = rule_set, plan, named, precomputed
        self.tracer = Tracer()
        self.batch = self.tracer.new_register()
        self.registers: dict[str, int] = {}
        self.arguments: dict[str, int] = {BATCH: self.batch}
        self.rule_arguments: dict[str, int] = {}

    def compile(self) -> CompiledPlan:
        missing = [name for name in self.plan.fields if not self._is_named(name) and not self._chooser(name)]
        if missing:
            raise ProblemsError(_missing_axis(name) for name in missing)
        for name in self.plan.steps:
            if name not in self.registers:
                self.registers[name] = self._step(name)
        for name in self.plan.fields:
            self._register(name)
        kinds = self.rule_set.kinds
        computed = {name: register for name, register in self.registers.items() if name not in self.arguments}
        arguments = {**self.arguments, **self.rule_arguments}
        program, registers = build_program(self.tracer, arguments, computed.values())
        numbers = tuple((name, registers[computed[name]]) for name in self.plan.steps if kinds[name] is Kind.NUMBER)
        implied = implied_finite((name for name, _ in numbers), self.rule_set.definitions)
        return CompiledPlan(
            self.plan,
            program,
            getter(tuple(self.arguments)),
            getter(tuple(self.rule_arguments)),
            tuple(computed),
            getter([registers[register] for register in computed.values()]),
            numbers,
            getter([register for name, register in numbers if name not in implied]),
        )

    def _register(self, name: str) -> int:
        """The register of a computed name, a catalog field or an argument."""
        if name not in self.registers:
            if name in self.plan.fields:
                self._read_entries(name.partition(".")[0])
            else:
                self.registers[name] = self.arguments[name] = self.tracer.new_register()
        return self.registers[name]

    def _read_entries(self, axis: str) -> None:
        """Reads all fields of the entries of an axis in one operation, each into its own register."""
        columns = {name: name.partition(".")[2] for name in self.plan.fields if name.partition(".")[0] == axis}
        columns |= {name: precomputed_column(name) for name in self.plan.steps if self.precomputed.get(name) == axis}
        reads = self.tracer.emit(partial(_catalog_columns, axis), self.batch), self._rows(axis)
        registers = self.tracer.emit_many(partial(_take_fields, tuple(columns.values())), *reads, results=len(columns))
        self.registers |= zip(columns, registers, strict=True)

    def _rows(self, axis: str) -> int:
        """The register of the catalog rows of the entries that are named, or chosen by a table."""
        chooser = self._chooser(axis)
        if axis in self.named or chooser is None:
            return self.tracer.emit(partial(_named_rows, axis), self.batch)
        return self.tracer.emit(partial(_chosen_rows, axis), self.batch, self._register(chooser))

    def _step(self, name: str) -> int:
        definition = self.rule_set.definitions[name]
        if name in self.precomputed:
            self._read_entries(self.precomputed[name])
            return self.registers[name]
        if isinstance(definition, Formula):
            return self.tracer.trace(definition.expression, {read: self._register(read) for read in definition.reads})
        value = self.rule_arguments[name] = self.tracer.new_register()
        if isinstance(definition, Constant):
            return value
        batch = (self.batch,) if isinstance(definition, Count) else ()
        conversions = definition.conversions if isinstance(definition, Table) else {}
        reads = {read: self._register(read) for read in definition.reads}
        reads |= {read: self.tracer.convert(reads[read], conversion) for read, conversion in conversions.items()}
        return self.tracer.emit(operator.call, value, *batch, *reads.values())

    def _is_named(self, name: str) -> bool:
        return name.partition(".")[0] in self.named

    def _chooser(self, name: str) -> str | None:
        return self.rule_set.question_fields.default_table(name)


def _catalog_columns(axis: str, batch: QuestionBatch) -> CatalogColumns:
    return batch.columns_of(axis)


def _named_rows(axis: str, batch: QuestionBatch) -> Codes:
    return batch.codes(axis)


def _take_fields(fields: tuple[str, ...], columns: CatalogColumns, rows: Codes) -> list[Column]:
    return columns.at(fields, rows)


def _chosen_rows(axis: str, batch: QuestionBatch, entries: WordColumn) -> Codes:
    """The catalog rows of named or chosen entries. Raises ProblemsError for an unknown entry of an override."""
    try:
        return batch.codes_or_default(axis, entries)
    except KeyError as unknown:
        word = str(unknown.args[0])
        message, near = f"there is no {axis} `{word}`", batch.columns_of(axis).catalog.nearest(word)
        raise ProblemsError([Problem(AxisMissing, message, field=axis, closest=near)]) from None


def _missing_axis(name: str) -> Problem:
    axis = name.partition(".")[0]
    return Problem(AxisMissing, f"this depends on `{name}`", field=axis, hint=f"set `{axis}`, or `{name}` itself")
