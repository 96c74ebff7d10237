"""The program of a plan: catalog figures, constants, formulas, tables and counts, each once all that it reads is there.

Constants and tables are read anew each time it runs, so that rules which differ in nothing else have one program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fitcard.catalog.catalog import Catalog
from fitcard.compiler.batch import QuestionBatch
from fitcard.compiler.counts import count_entries
from fitcard.compiler.finite import implied_finite
from fitcard.compiler.lookups import evaluate_table
from fitcard.compiler.program import Program, build_program
from fitcard.compiler.tracer import Tracer
from fitcard.getter import Taker, taker
from fitcard.language.definitions import Constant, Count, Formula, Table
from fitcard.language.rule_set import Plan, RuleSet, precomputed_column
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.values import Codes, Column, Kind, WordColumn

BATCH = "asked"  # as what is read: the questions themselves; no name of the rules can be that of a namespace
PROGRAM = "program"


class AxisMissing(ProblemCode):
    """A value depends on an axis for which the question has no entry.

    Why: the value differs between entries.
    Avoid: a test with `given: {model: qwen-3-14b}` that expects `decode_tok_s`
    Prefer: `given: {model: qwen-3-14b, device: m1-16gb}`, or a value for the missing name itself.
    """


@dataclass(frozen=True)
class CompiledPlan:
    """`read` takes what the program reads from what is there by name, and `own` after it the rules' own values.

    `names` are those of all that is computed, and `computed` takes their values once the program has run. `numbers` are
    the definitions that must be finite, with their places. They are where those that are `looked_at` are; these are the
    numbers that no other of them carries.
    """

    program: Program
    read: Taker
    own: Taker
    names: tuple[str, ...]
    computed: Taker
    numbers: tuple[tuple[str, int], ...]
    looked_at: Taker

    def run(self, values: Mapping[str, Any], own_values: Mapping[str, Any]) -> list[Any]:
        """The value at each place of the program."""
        return self.program.run([*self.read(values), *self.own(own_values)])


def compile_plan(rule_set: RuleSet, plan: Plan, named: frozenset[str]) -> CompiledPlan:
    """The program of a plan for questions that name an entry of each of these axes, made when it is first asked for.

    Raises ProblemsFound where a figure is needed of an axis that is not named, and whose entry no table chooses.
    """
    if PROGRAM not in plan.made:
        plan.made[PROGRAM] = _Planner(rule_set, plan, named).planned()
    made: CompiledPlan = plan.made[PROGRAM]
    return made


class _Planner:
    def __init__(self, rule_set: RuleSet, plan: Plan, named: frozenset[str]) -> None:
        self.rule_set, self.plan, self.named = rule_set, plan, named
        self.tracer = Tracer()
        self.asked = self.tracer.new_register()
        self.places: dict[str, int] = {}
        self.read: dict[str, int] = {BATCH: self.asked}
        self.definitions: dict[str, int] = {}

    def planned(self) -> CompiledPlan:
        missing = [name for name in self.plan.fields if not self._is_named(name) and not self._chooser(name)]
        if missing:
            raise ProblemsError(_missing_axis(name) for name in missing)
        for name in self.plan.steps:
            if name not in self.places:
                self.places[name] = self._step(name)
        for name in self.plan.fields:
            self._place(name)
        kinds, computed = self.rule_set.kinds, {n: place for n, place in self.places.items() if n not in self.read}
        program, places = build_program(self.tracer, {**self.read, **self.definitions}, computed.values())
        numbers = tuple((name, places[computed[name]]) for name in self.plan.steps if kinds[name] is Kind.NUMBER)
        shown = implied_finite((name for name, _ in numbers), self.rule_set.definitions)
        return CompiledPlan(
            program,
            taker(tuple(self.read)),
            taker(tuple(self.definitions)),
            tuple(computed),
            taker([places[place] for place in computed.values()]),
            numbers,
            taker([place for name, place in numbers if name not in shown]),
        )

    def _place(self, name: str) -> int:
        """The place of a name: of what was computed, of a catalog figure, or of what is put in."""
        if name not in self.places:
            if name in self.plan.fields:
                self._read_entries(name.partition(".")[0])
            else:
                self.places[name] = self.read[name] = self.tracer.new_register()
        return self.places[name]

    def _read_entries(self, axis: str) -> None:
        """All that the plan reads of the entries of an axis gets its place, and is read at once."""
        columns = {name: name.partition(".")[2] for name in self.plan.fields if name.partition(".")[0] == axis}
        columns |= {
            name: precomputed_column(name) for name in self.plan.steps if self.rule_set.precomputed.get(name) == axis
        }
        reads = self.tracer.emit(partial(_catalog, axis), self.asked), self._rows(axis)
        found = self.tracer.emit_many(partial(_figures, tuple(columns.values())), *reads, gives=len(columns))
        self.places |= zip(columns, found, strict=True)

    def _rows(self, axis: str) -> int:
        """The place of the rows of the entries that are named or chosen on an axis."""
        chooser = self._chooser(axis)
        if axis in self.named or chooser is None:
            return self.tracer.emit(partial(_named, axis), self.asked)
        return self.tracer.emit(partial(_chosen, axis), self.asked, self._place(chooser))

    def _step(self, name: str) -> int:
        definition = self.rule_set.definitions[name]
        if name in self.rule_set.precomputed:
            self._read_entries(self.rule_set.precomputed[name])
            return self.places[name]
        if isinstance(definition, Formula):
            places = {read: self._place(read) for read in definition.reads}
            return self.tracer.trace(definition.expression, places)
        own = self.definitions[name] = self.tracer.new_register()
        if isinstance(definition, Table):
            return self.tracer.emit(evaluate_table, own, *map(self._place, definition.reads))
        if isinstance(definition, Count):
            return self.tracer.emit(count_entries, own, self.asked, *map(self._place, definition.reads))
        assert isinstance(definition, Constant)
        return own

    def _is_named(self, name: str) -> bool:
        return name.partition(".")[0] in self.named

    def _chooser(self, name: str) -> str | None:
        return self.rule_set.question_fields.default_table(name)


def _catalog(axis: str, asked: QuestionBatch) -> Catalog:
    return asked.catalog(axis)


def _named(axis: str, asked: QuestionBatch) -> Codes:
    return asked.codes(axis)


def _figures(fields: tuple[str, ...], catalog: Catalog, rows: Codes) -> list[Column]:
    return catalog.at(fields, rows)


def _chosen(axis: str, asked: QuestionBatch, entries: WordColumn) -> Codes:
    """The rows of the entries of an axis. Raises ProblemsFound where an entry was given that is not there."""
    try:
        return asked.chosen(axis, entries)
    except KeyError as unknown:
        word = str(unknown.args[0])
        message, near = f"there is no {axis} `{word}`", asked.catalog(axis).nearest(word)
        raise ProblemsError([Problem(AxisMissing, message, field=axis, closest=near)]) from None


def _missing_axis(name: str) -> Problem:
    axis = name.partition(".")[0]
    return Problem(AxisMissing, f"this depends on `{name}`", field=axis, hint=f"set `{axis}`, or `{name}` itself")
