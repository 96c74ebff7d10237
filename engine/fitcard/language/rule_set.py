"""The definitions of one profile with all names resolved, and the dependencies between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import Definition, Table
from fitcard.language.question_fields import CURRENT, QUESTION, QuestionFields
from fitcard.language.tables import ValueOf, results_of
from fitcard.values import Kind


@dataclass(frozen=True)
class NameInfo:
    """The kind, unit and description of a name in a formula, a message or the layout."""

    kind: Kind
    unit: str
    about: str


@dataclass(frozen=True, repr=False)
class RuleSet:
    """The rules of one profile: `definitions` in dependency order, and the `kinds` of their values."""

    profile: str
    title: str
    definitions: Mapping[str, Definition]
    kinds: Mapping[str, Kind]
    question_fields: QuestionFields
    catalogs: Mapping[str, Catalog]
    _words: dict[str, Words] = field(default_factory=dict, init=False, compare=False)

    def __repr__(self) -> str:
        return f"<RuleSet {self.profile}>"

    @property
    def figures(self) -> tuple[Definition, ...]:
        """The definitions that answers show under `figures`, in dependency order."""
        return tuple(definition for definition in self.definitions.values() if definition.shown)

    def describe(self, name: str) -> NameInfo | None:
        """The kind, unit and description of `name`; None for an unknown name."""
        return describe(name, self.definitions, self.kinds, self.question_fields, self.catalogs)

    def possible_words(self, name: str) -> Words:
        """All possible values of a table or catalog field of words, and whether it can be absent."""
        return possible_words(name, self.definitions, self.question_fields, self.catalogs, self._words)


def describe(
    name: str,
    definitions: Mapping[str, Definition],
    kinds: Mapping[str, Kind],
    question_fields: QuestionFields,
    catalogs: Mapping[str, Catalog],
) -> NameInfo | None:
    """The kind, unit and description of `name`; None for an unknown name, or one whose kind is not yet known."""
    space, _, rest = name.partition(".")
    if not rest:
        definition = definitions.get(name)
        kind = kinds.get(name)
        return NameInfo(kind, definition.unit, definition.about) if definition and kind else None
    if space == QUESTION and rest in question_fields.inputs:
        number = question_fields.inputs[rest]
        return NameInfo(Kind.NUMBER, number.unit, number.about)
    if space == CURRENT:
        nested = rest.startswith(f"{CURRENT}.")
        return None if nested else describe(rest, definitions, kinds, question_fields, catalogs)
    if space in question_fields.axes:
        field = catalogs[question_fields.axes[space].catalog].fields.get(rest)
        return NameInfo(field.kind, field.unit, field.about) if field else None
    return None


def field_names(question_fields: QuestionFields, catalogs: Mapping[str, Catalog]) -> list[str]:
    """The names of all catalog fields in formulas, such as `device.bandwidth`."""
    return [f"{axis.name}.{field}" for axis in question_fields.axes.values() for field in catalogs[axis.catalog].fields]


Words = tuple[tuple[str, ...], bool]  # all possible values of a name, and whether it can be absent


def possible_words(
    name: str,
    definitions: Mapping[str, Definition],
    question_fields: QuestionFields,
    catalogs: Mapping[str, Catalog],
    known: dict[str, Words],
) -> Words:
    """All possible values of a table or catalog field of words, and whether it can be absent.

    Those of all names that it depends on are added to `known`.
    """
    stack = [name]
    while stack:  # no recursion, and each name once: tables may refer to one another in long chains, on many paths
        table = definitions.get(stack[-1])
        results = results_of(table.rows) if isinstance(table, Table) else ()
        others = {result.name for result in results if isinstance(result, ValueOf)}
        missing = [other for other in others if other not in known]
        stack += missing
        if missing:
            continue
        name = stack.pop()
        if name in known:
            continue
        if table is None:
            axis, _, field_name = name.partition(".")
            entries = catalogs[question_fields.axes[axis].catalog].entries.values()
            values = [entry.value(field_name) for entry in entries]
            known[name] = tuple(dict.fromkeys(str(value) for value in values if value is not None)), None in values
            continue
        words: dict[str, None] = {}
        for result in results:
            words |= dict.fromkeys(known[result.name][0]) if isinstance(result, ValueOf) else {str(result): None}
        known[name] = tuple(words), any(known[other][1] for other in others)
    return known[name]


class Dependencies:
    """The dependency graph of a rule set, evaluated lazily.

    Rule sets that differ only in values of constants and rows share one graph.
    """

    def __init__(self, rule_set: RuleSet) -> None:
        self._definitions, self._question_fields = rule_set.definitions, rule_set.question_fields
        self._fields = tuple(field_names(rule_set.question_fields, rule_set.catalogs))
        self._direct: dict[str, frozenset[str]] = {}
        self._varies_by: dict[str, frozenset[str]] = {}
        self._independent_of: dict[frozenset[str], frozenset[str]] = {}
        self._dependents: dict[str, frozenset[str]] = {}

    def direct(self, name: str) -> frozenset[str]:
        """The definitions that a definition reads, including tables that choose the entry of a field that it reads."""
        if name not in self._direct:
            reads = self._definitions[name].reads
            choosers = [chooser for read in reads if (chooser := self._question_fields.default_table(read))]
            self._direct[name] = frozenset(part for part in (*reads, *choosers) if part in self._definitions)
        return self._direct[name]

    def varies_by(self, name: str) -> frozenset[str]:
        """The axes and inputs that a value depends on: `model`, `question.context`.

        Includes `current` if it is compared with values of the original question.
        """
        stack = [name]
        while stack:  # no recursion: a chain may be longer than the stack
            reads = self._definitions[stack[-1]].reads if stack[-1] in self._definitions else (stack[-1],)
            choosers = (chooser for read in reads if (chooser := self._question_fields.default_table(read)))
            behind = [each for each in (*reads, *choosers) if each in self._definitions]
            missing = [each for each in behind if each not in self._varies_by]
            stack += missing
            if not missing:
                self._varies_by[stack.pop()] = frozenset().union(*map(self._roots_of, reads))
        return self._varies_by[name]

    def independent_of(self, roots: frozenset[str]) -> frozenset[str]:
        """All definitions, catalog fields and inputs that depend on none of these axes and inputs."""
        if roots not in self._independent_of:
            inputs = (f"{QUESTION}.{name}" for name in self._question_fields.inputs)
            names = (*self._definitions, *self._fields, *inputs)
            self._independent_of[roots] = frozenset(name for name in names if roots.isdisjoint(self.varies_by(name)))
        return self._independent_of[roots]

    def dependents(self, name: str) -> frozenset[str]:
        """All definitions whose value depends on `name`, directly or not, and `name` itself."""
        if name not in self._dependents:
            dependents = {name}
            for other, definition in self._definitions.items():  # in dependency order
                if not (dependents.isdisjoint(definition.reads) and dependents.isdisjoint(self.direct(other))):
                    dependents.add(other)
            self._dependents[name] = frozenset(dependents)
        return self._dependents[name]

    def _roots_of(self, read: str) -> frozenset[str]:
        space = read.partition(".")[0]
        if read in self._definitions:
            return self._varies_by[read]
        if space in self._question_fields.axes:
            chooser = self._question_fields.default_table(read)
            return frozenset({space}) | (self._varies_by.get(chooser, frozenset()) if chooser else frozenset())
        return frozenset({CURRENT if space == CURRENT else read})
