"""From the names that are wanted to the program that computes them.

A plan is the definitions in dependency order; its program reads catalog figures, traces formulas, and calls compiled
tables and counts. Constants and tables are read anew each time it runs, so rules that differ in values alone share it.
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
from fitcard.compiler.program import Program, Taker, build_program, taker
from fitcard.compiler.tracer import Tracer
from fitcard.language.definitions import Constant, Count, Formula, Table
from fitcard.language.question_fields import CURRENT
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.values import Codes, Column, Kind, WordColumn

BATCH = "batch"  # what a program reads beside names: the questions themselves; the name of no rule
NO_NAMES: frozenset[str] = frozenset()


class AxisMissing(ProblemCode):
    """A value depends on an axis for which the question has no entry.

    Why: the value differs between entries.
    Avoid: a test with `given: {model: qwen-3-14b}` that expects `decode_tok_s`
    Prefer: `given: {model: qwen-3-14b, device: m1-16gb}`, or a value for the missing name itself.
    """


@dataclass(frozen=True)
class Plan:
    """What must be computed for some outputs: `steps` are definitions in dependency order, `fields` the catalog figures
    that they read, and `current` the names that are compared with the values of the question's own row."""

    steps: tuple[str, ...]
    fields: tuple[str, ...]
    current: tuple[str, ...]


def plan_outputs(
    rule_set: RuleSet,
    outputs: frozenset[str],
    given: frozenset[str] = NO_NAMES,
    named: frozenset[str] = NO_NAMES,
) -> Plan:
    """The plan for these outputs: definitions, `axis.field`, `question.input` or `current.name`.

    What is `given` is neither computed nor followed any further. The figures of an axis that is not `named`, and whose
    entry a table chooses, need that table.
    """
    definitions, question_fields = rule_set.definitions, rule_set.question_fields
    needed: dict[str, None] = {}
    stack = sorted(outputs - given)
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
        stack += [read for read in reads if read not in given]
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

    `read` takes what the program reads of a batch, its inputs and what was given, and `read_rules` the values of rules
    after it. `names` are those of all that is computed, and `computed` takes their columns once the program has run.
    `numbers` are the definitions that must be finite, with their registers; `checked` takes those of them that no
    other carries. `independent` keeps, for axes and inputs, which of the names do not vary by them.
    """

    plan: Plan
    program: Program
    read: Taker
    read_rules: Taker
    names: tuple[str, ...]
    computed: Taker
    numbers: tuple[tuple[str, int], ...]
    checked: Taker
    independent: dict[frozenset[str], tuple[frozenset[str], Taker]] = field(default_factory=dict, repr=False)

    def run(self, values: Mapping[str, Any], rule_values: Mapping[str, Any]) -> list[Any]:
        """The column in each register of the program."""
        return self.program.run([*self.read(values), *self.read_rules(rule_values)])


def compile_plan(
    rule_set: RuleSet, plan: Plan, named: frozenset[str], precomputed: Mapping[str, str] | None = None
) -> CompiledPlan:
    """The program of a plan for questions that name an entry of each of these axes.

    Definitions that are `precomputed` stand in the catalog of their axis. Raises ProblemsError where a figure is needed
    of an axis that is not named, and whose entry no table chooses.
    """
    return _Compiler(rule_set, plan, named, precomputed or {}).compile()


def precomputed_column(name: str) -> str:
    """The column of a catalog in which a precomputed definition stands; no field is called so."""
    return f"rules.{name}"


class _Compiler:
    def __init__(self, rule_set: RuleSet, plan: Plan, named: frozenset[str], precomputed: Mapping[str, str]) -> None:
        self.rule_set, self.plan, self.named, self.precomputed = rule_set, plan, named, precomputed
        self.tracer = Tracer()
        self.batch = self.tracer.new_register()
        self.registers: dict[str, int] = {}
        self.read: dict[str, int] = {BATCH: self.batch}
        self.rules: dict[str, int] = {}

    def compile(self) -> CompiledPlan:
        missing = [name for name in self.plan.fields if not self._is_named(name) and not self._chooser(name)]
        if missing:
            raise ProblemsError(_missing_axis(name) for name in missing)
        for name in self.plan.steps:
            if name not in self.registers:
                self.registers[name] = self._step(name)
        for name in self.plan.fields:
            self._register(name)
        kinds, computed = self.rule_set.kinds, {n: place for n, place in self.registers.items() if n not in self.read}
        program, places = build_program(self.tracer, {**self.read, **self.rules}, computed.values())
        numbers = tuple((name, places[computed[name]]) for name in self.plan.steps if kinds[name] is Kind.NUMBER)
        shown = implied_finite((name for name, _ in numbers), self.rule_set.definitions)
        return CompiledPlan(
            self.plan,
            program,
            taker(tuple(self.read)),
            taker(tuple(self.rules)),
            tuple(computed),
            taker([places[place] for place in computed.values()]),
            numbers,
            taker([place for name, place in numbers if name not in shown]),
        )

    def _register(self, name: str) -> int:
        """The register of a name: of what was computed, of a catalog figure, or of what is given."""
        if name not in self.registers:
            if name in self.plan.fields:
                self._read_entries(name.partition(".")[0])
            else:
                self.registers[name] = self.read[name] = self.tracer.new_register()
        return self.registers[name]

    def _read_entries(self, axis: str) -> None:
        """Reads all fields of the entries of an axis in one operation, each into a register of its own."""
        columns = {name: name.partition(".")[2] for name in self.plan.fields if name.partition(".")[0] == axis}
        columns |= {name: precomputed_column(name) for name in self.plan.steps if self.precomputed.get(name) == axis}
        reads = self.tracer.emit(partial(_columns_of, axis), self.batch), self._rows(axis)
        found = self.tracer.emit_many(partial(_figures, tuple(columns.values())), *reads, gives=len(columns))
        self.registers |= zip(columns, found, strict=True)

    def _rows(self, axis: str) -> int:
        """The register of the rows of the entries that are named or chosen on an axis."""
        chooser = self._chooser(axis)
        if axis in self.named or chooser is None:
            return self.tracer.emit(partial(_named, axis), self.batch)
        return self.tracer.emit(partial(_chosen, axis), self.batch, self._register(chooser))

    def _step(self, name: str) -> int:
        definition = self.rule_set.definitions[name]
        if name in self.precomputed:
            self._read_entries(self.precomputed[name])
            return self.registers[name]
        if isinstance(definition, Formula):
            places = {read: self._register(read) for read in definition.reads}
            return self.tracer.trace(definition.expression, places)
        own = self.rules[name] = self.tracer.new_register()
        if isinstance(definition, Constant):
            return own
        batch = (self.batch,) if isinstance(definition, Count) else ()
        conversions = definition.conversions if isinstance(definition, Table) else {}
        reads = {read: self._register(read) for read in definition.reads}
        reads |= {read: self.tracer.convert(reads[read], conversion) for read, conversion in conversions.items()}
        return self.tracer.emit(operator.call, own, *batch, *reads.values())

    def _is_named(self, name: str) -> bool:
        return name.partition(".")[0] in self.named

    def _chooser(self, name: str) -> str | None:
        return self.rule_set.question_fields.default_table(name)


def _columns_of(axis: str, batch: QuestionBatch) -> CatalogColumns:
    return batch.columns_of(axis)


def _named(axis: str, batch: QuestionBatch) -> Codes:
    return batch.codes(axis)


def _figures(fields: tuple[str, ...], columns: CatalogColumns, rows: Codes) -> list[Column]:
    return columns.at(fields, rows)


def _chosen(axis: str, batch: QuestionBatch, entries: WordColumn) -> Codes:
    """The rows of the entries of an axis. Raises ProblemsError where an entry was given that is not there."""
    try:
        return batch.chosen(axis, entries)
    except KeyError as unknown:
        word = str(unknown.args[0])
        message, near = f"there is no {axis} `{word}`", batch.columns_of(axis).catalog.nearest(word)
        raise ProblemsError([Problem(AxisMissing, message, field=axis, closest=near)]) from None


def _missing_axis(name: str) -> Problem:
    axis = name.partition(".")[0]
    return Problem(AxisMissing, f"this depends on `{name}`", field=axis, hint=f"set `{axis}`, or `{name}` itself")
