"""The definitions of one profile with every name resolved: what the evaluator runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import Constant, Definition, Formula, Table
from fitcard.language.question_fields import CURRENT, QUESTION, QuestionFields
from fitcard.language.tables import ValueOf, results_of
from fitcard.values import ABSENT, Kind, WordColumn

NO_NAMES: frozenset[str] = frozenset()
MAX_PLANS = 2048


@dataclass(frozen=True, eq=False)
class Plan:
    """What to evaluate, in order, for some outputs; which catalog fields and inputs that reads.

    `current` are the names that are compared with the asked-for row's values. What is `made` of a plan, by whoever
    evaluates it, is kept with it.
    """

    steps: tuple[str, ...]
    fields: tuple[str, ...]
    current: tuple[str, ...]
    made: dict[Any, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class NameInfo:
    """What a name in a formula, a message or the layout of the answer stands for."""

    kind: Kind
    unit: str
    about: str


@dataclass(frozen=True)
class RuleSet:
    """`definitions` in dependency order; `kinds` says what each gives.

    Those that are `settled` stand in the catalog of an axis and need not be computed.
    """

    profile: str
    title: str
    definitions: Mapping[str, Definition]
    kinds: Mapping[str, Kind]
    subject: QuestionFields
    catalogs: Mapping[str, Catalog]
    settled: Mapping[str, str] = field(default_factory=dict)
    _plans: dict[tuple[frozenset[str], ...], Plan] = field(default_factory=dict, repr=False, compare=False)
    _made_of: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _roots: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _unmoved: dict[frozenset[str], frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    _readers: dict[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def own_values(self) -> Mapping[str, Any]:
        """The numbers of constants, and tables and counts as they are: what a program reads of the rules."""
        return {
            name: np.float64(one.value) if isinstance(one, Constant) else one
            for name, one in self.definitions.items()
            if not isinstance(one, Formula)
        }

    def describe(self, name: str) -> NameInfo | None:
        """What `name` stands for; None where there is no such name."""
        return describe(name, self.definitions, self.kinds, self.subject, self.catalogs)

    def made_of(self, name: str) -> frozenset[str]:
        """The definitions that a definition is made of directly, those that choose the entry of a figure among them."""
        if name not in self._made_of:
            reads = self.definitions[name].reads
            choosers = [chooser for read in reads if (chooser := self.subject.chooser_of(read))]
            self._made_of[name] = frozenset(part for part in (*reads, *choosers) if part in self.definitions)
        return self._made_of[name]

    def roots(self, name: str) -> frozenset[str]:
        """What a value can differ by: axes, inputs as `question.name`, and `current` where it is compared with that."""
        if name not in self._roots:
            reads = self.definitions[name].reads if name in self.definitions else (name,)
            self._roots[name] = frozenset().union(*map(self._roots_of, reads))
        return self._roots[name]

    def unmoved(self, others: frozenset[str]) -> frozenset[str]:
        """All names whose values are the same whatever these roots are: rules, figures of catalogs and inputs."""
        if others not in self._unmoved:
            fields = field_names(self.subject, self.catalogs)
            every = (*self.definitions, *fields, *(f"{QUESTION}.{name}" for name in self.subject.inputs))
            self._unmoved[others] = frozenset(name for name in every if others.isdisjoint(self.roots(name)))
        return self._unmoved[others]

    def _roots_of(self, read: str) -> frozenset[str]:
        space = read.partition(".")[0]
        if read in self.definitions:
            return self.roots(read)
        if space in self.subject.axes:
            chooser = self.subject.chooser_of(read)
            return frozenset({space}) | (self.roots(chooser) if chooser else frozenset())
        return frozenset({CURRENT if space == CURRENT else read})

    def readers(self, name: str) -> frozenset[str]:
        """All definitions whose value is made of `name`, whatever lies between, and `name` itself."""
        if name not in self._readers:
            found = {name}
            for other, definition in self.definitions.items():  # each comes after all that it is made of
                if not (found.isdisjoint(definition.reads) and found.isdisjoint(self.made_of(other))):
                    found.add(other)
            self._readers[name] = frozenset(found)
        return self._readers[name]

    def plan(
        self,
        outputs: Iterable[str],
        given: frozenset[str] = NO_NAMES,
        named: frozenset[str] = NO_NAMES,
        known: frozenset[str] = NO_NAMES,
    ) -> Plan:
        """The plan for these outputs: definitions, `axis.field`, `question.input` or `current.name`.

        What is `given` or `known` is neither computed nor followed any further. Figures of an axis that is not `named`,
        and whose entry a table chooses, need that table. Rule sets that differ in values alone share their plans.
        """
        wanted = (frozenset(outputs), given, named, known)
        plan = self._plans.get(wanted)
        if plan is None:
            plan = self._make_plan(*wanted)
            if len(self._plans) >= MAX_PLANS:  # questions may set what they like, each time something else
                self._plans.clear()
            self._plans[wanted] = plan
        return plan

    def _make_plan(
        self, outputs: frozenset[str], given: frozenset[str], named: frozenset[str], known: frozenset[str]
    ) -> Plan:
        given = given | known
        needed: dict[str, None] = {}
        stack = sorted(outputs - given)
        while stack:
            name = stack.pop()
            if name in needed:
                continue
            needed[name] = None
            reads: tuple[str, ...] = ()
            if name in self.definitions:
                reads = self.definitions[name].reads
            elif (chooser := self.subject.chooser_of(name)) and name.partition(".")[0] not in named:
                reads = (chooser,)
            stack += [read for read in reads if read not in given]
        others = [name for name in needed if name not in self.definitions]
        current = [name.partition(".")[2] for name in others if name.startswith(CURRENT + ".")]
        return Plan(
            tuple(name for name in self.definitions if name in needed),
            tuple(sorted(name for name in others if name.partition(".")[0] in self.subject.axes)),
            tuple(sorted(current)),
        )


def precomputed_column(name: str) -> str:
    """The column of a catalog in which a settled definition stands; no field is called so."""
    return f"rules.{name}"


def describe(
    name: str,
    definitions: Mapping[str, Definition],
    kinds: Mapping[str, Kind],
    subject: QuestionFields,
    catalogs: Mapping[str, Catalog],
) -> NameInfo | None:
    """What `name` stands for, where its kind is already known; None where there is no such name."""
    space, _, rest = name.partition(".")
    if not rest:
        definition = definitions.get(name)
        kind = kinds.get(name)
        return NameInfo(kind, definition.unit, definition.about) if definition and kind else None
    if space == QUESTION and rest in subject.inputs:
        asked = subject.inputs[rest]
        return NameInfo(Kind.NUMBER, asked.unit, asked.about)
    if space == CURRENT:
        return describe(rest, definitions, kinds, subject, catalogs)
    if space in subject.axes:
        found = catalogs[subject.axes[space].catalog].fields.get(rest)
        return NameInfo(found.kind, found.unit, found.about) if found else None
    return None


def field_names(subject: QuestionFields, catalogs: Mapping[str, Catalog]) -> list[str]:
    """Every figure and word of the catalogs as a formula names it: `device.bandwidth`."""
    return [f"{axis.name}.{field}" for axis in subject.axes.values() for field in catalogs[axis.catalog].fields]


def possible_words(
    name: str, definitions: Mapping[str, Definition], subject: QuestionFields, catalogs: Mapping[str, Catalog]
) -> tuple[tuple[str, ...], bool]:
    """Every word that a table or a field of a catalog can be, and whether it can be absent."""
    if name in definitions:
        table = definitions[name]
        words: dict[str, None] = {}
        may_be_absent = False
        for result in results_of(table.rows) if isinstance(table, Table) else ():
            if isinstance(result, ValueOf):
                taken, absent = possible_words(result.name, definitions, subject, catalogs)
                words |= dict.fromkeys(taken)
                may_be_absent = may_be_absent or absent
            else:
                words[str(result)] = None
        return tuple(words), may_be_absent
    axis, _, field_name = name.partition(".")
    catalog = catalogs[subject.axes[axis].catalog]
    column = catalog.column(field_name)
    if isinstance(column, WordColumn):
        return column.words, bool((column.codes == ABSENT).any())
    values = [entry.value(field_name) for entry in catalog.entries.values()]
    return tuple(dict.fromkeys(str(value) for value in values if value is not None)), None in values
