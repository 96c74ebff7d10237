"""Resolving names: every name of every definition is found, none hides another, none depends on itself.

What comes out is a `RuleSet` in dependency order; what is wrong comes out as problems at the place of the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import (
    CONDITION_UNIT,
    Constant,
    Count,
    Definition,
    Formula,
    Table,
    TableMixedResults,
    row_references,
)
from fitcard.language.functions import FUNCTIONS
from fitcard.language.question_fields import CURRENT, QUESTION, QuestionFields, entry_field
from fitcard.language.rule_set import RuleSet, describe, field_names, possible_words
from fitcard.language.tables import Knots, Lookup
from fitcard.language.types import ExpressionKind, infer_kind
from fitcard.problems import Problem, ProblemCode, Severity, errors
from fitcard.source.document import Path
from fitcard.suggest import closest, did_you_mean
from fitcard.values import Kind


class NameUnknown(ProblemCode):
    """A name stands for nothing: no rule, no figure of a catalog, no input of a question is called so.

    Why: what reads it would have no value.
    Avoid: `expr: distance / town_sped`
    Prefer: `expr: question.distance / town_speed`
    """


class NameReserved(ProblemCode):
    """A name is already a function, or the word before the dot of figures.

    Why: a formula that reads it could mean either.
    Avoid: `min: {value: 1, ...}`, `van: {value: 1, ...}`
    Prefer: `least_fee: {value: 1, ...}`
    """


class NameCycle(ProblemCode):
    """A name depends on itself, through the names that are listed.

    Why: there is no place to begin.
    Avoid: `a: {expr: b + 1}` with `b: {expr: a - 1}`
    Prefer: a third name that both read.
    """


class UnitKind(ProblemCode):
    """A formula gives true or false and its unit is not `condition`, or the other way round.

    Why: the unit is what tells a reader, and a page, how to show it.
    Avoid: `goes_in: {unit: m3, expr: room_share <= 1}`
    Prefer: `goes_in: {unit: condition, expr: room_share <= 1}`
    """


class TableInput(ProblemCode):
    """A table goes by a word where it needs a number, or the other way round.

    Why: words have no order, so bands and knots need a number; a lookup needs words.
    Avoid: `kind: bands` with `input: van.name`
    Prefer: `kind: lookup` with `input: van.name`
    """


class TableIncomplete(ProblemCode):
    """A lookup has no row for a word that its input can be, and no `otherwise`.

    Why: a question that meets that word could not be answered.
    Avoid: `rows: {small: 20}` where there is a `large` too
    Prefer: `rows: {small: 20}` with `otherwise: 35`
    """


class TableUnusedKey(ProblemCode):
    """A lookup has a row for a word that its input never is.

    Why: most such words are misspelt, and the row that was meant is missing.
    Avoid: `rows: {smal: 20}`
    Prefer: `rows: {small: 20}`
    """


def resolve(
    profile: str,
    title: str,
    definitions: Mapping[str, Definition],
    subject: QuestionFields,
    catalogs: Mapping[str, Catalog],
    broken: frozenset[str] = frozenset(),
    incomplete: frozenset[str] = frozenset(),
) -> tuple[RuleSet | None, list[Problem]]:
    """The rule set of one profile, and all problems of its names; None where a number could come out wrong.

    `broken` are names whose definition could not be read, and `incomplete` the kinds of catalogs of which some entries
    could not: nobody is told that these do not exist.
    """
    resolver = _Resolver(definitions, subject, catalogs, broken, incomplete)
    problems = [problem for definition in definitions.values() for problem in resolver.unknown_names(definition)]
    order, cycles = _in_dependency_order(definitions, subject)
    problems += cycles
    if not errors(problems) and not broken:
        for name in order:
            problems += resolver.learn_kind(definitions[name])
    if errors(problems) or broken:
        return None, problems
    ordered = {name: definitions[name] for name in order}
    return RuleSet(profile, title, ordered, resolver.kinds, subject, catalogs), problems


class _Resolver:
    def __init__(
        self,
        definitions: Mapping[str, Definition],
        subject: QuestionFields,
        catalogs: Mapping[str, Catalog],
        broken: frozenset[str],
        incomplete: frozenset[str],
    ) -> None:
        self.definitions, self.subject, self.catalogs = definitions, subject, catalogs
        self.broken, self.incomplete = broken, incomplete
        self.kinds: dict[str, Kind] = {}

    def exists(self, name: str) -> bool:
        space, _, rest = name.partition(".")
        if not rest:
            return name in self.definitions or name in self.broken
        if space == CURRENT:
            return CURRENT not in rest.split(".") and self.exists(rest)
        return describe(name, {}, {}, self.subject, self.catalogs) is not None

    def known_like(self, name: str) -> list[str]:
        """Names that `name` may have been meant to be."""
        space, dot, _ = name.partition(".")
        if dot and space in self.subject.axes:
            return [f"{space}.{field}" for field in self.catalogs[self.subject.axes[space].catalog].fields]
        if dot and space == QUESTION:
            return [f"{QUESTION}.{asked}" for asked in self.subject.inputs]
        if dot and space == CURRENT:
            return [f"{CURRENT}.{known}" for known in self.definitions]
        return [*self.definitions, *FUNCTIONS, *(field_names(self.subject, self.catalogs) if dot else [])]

    def unknown_names(self, definition: Definition) -> Iterator[Problem]:
        for name, path, offset in _mentions(definition):
            if not self.exists(name):
                near = closest(name, self.known_like(name))
                yield definition.document.problem(
                    NameUnknown,
                    f"there is no name `{name}`",
                    path,
                    offset=offset,
                    closest=near,
                )

    def kind_of_name(self, name: str) -> Kind | None:
        found = describe(name, self.definitions, self.kinds, self.subject, self.catalogs)
        if name.startswith(CURRENT + ".") and found is None:  # `current` may name what comes later in the order
            return _declared_kind(self.definitions[name.partition(".")[2]])
        return found.kind if found else None

    def learn_kind(self, definition: Definition) -> Iterator[Problem]:
        """Notes what the definition gives, and yields what does not fit about it."""
        if isinstance(definition, Constant):
            self.kinds[definition.name] = Kind.NUMBER
        elif isinstance(definition, Formula):
            yield from self._formula(definition)
        elif isinstance(definition, Table):
            self.kinds[definition.name] = definition.kind
            yield from self._table(definition)
        elif isinstance(definition, Count):
            self.kinds[definition.name] = Kind.NUMBER
            yield from self._count(definition)

    def _formula(self, formula: Formula) -> Iterator[Problem]:
        kind, faults = infer_kind(formula.expression, self.kind_of_name)
        path = (*formula.path, "expr")
        for fault in faults:
            yield fault.problem(formula.document, path)
        if kind is Kind.WORD:
            hint = "name the table itself where the word is wanted"
            yield formula.document.problem(
                ExpressionKind, "a formula gives a number or a condition, not a word", path, hint=hint
            )
            return
        self.kinds[formula.name] = kind or Kind.NUMBER
        if kind is not None and (kind is Kind.CONDITION) != (formula.unit == CONDITION_UNIT):
            hint = f"write `unit: {CONDITION_UNIT}`" if kind is Kind.CONDITION else "write the unit of the number"
            message = f"the formula gives a {kind}, and its unit is `{formula.unit}`"
            yield formula.document.problem(UnitKind, message, (*formula.path, "unit"), hint=hint)

    def _count(self, count: Count) -> Iterator[Problem]:
        """A catalog, axes and a figure of it that are not there; `exists` has already told of unknown axes."""
        catalog = self.catalogs.get(count.catalog)
        if catalog is None:
            message, near = f"there is no kind of catalog `{count.catalog}`", closest(count.catalog, self.catalogs)
            yield count.document.problem(NameUnknown, message, (*count.path, "catalog"), closest=near)
            return
        for at, word in enumerate(count.same):
            name = entry_field(word)
            field, axis = catalog.fields.get(name), self.subject.axes.get(word)
            if field is None or (field.entry_of != axis.catalog if axis else field.kind is not Kind.NUMBER):
                message = f"the entries of `{count.catalog}` do not " + (f"name a {word}" if axis else f"say `{name}`")
                others = [one.name for one in catalog.fields.values() if bool(one.entry_of) == bool(axis)]
                near = closest(name, others)
                yield count.document.problem(NameUnknown, message, (*count.path, "same", at), closest=near)
        if count.having is not None and count.having not in catalog.fields:
            message, near = f"`{count.catalog}` have no `{count.having}`", closest(count.having, catalog.fields)
            yield count.document.problem(NameUnknown, message, (*count.path, "having"), closest=near)

    def _table(self, table: Table) -> Iterator[Problem]:
        found = self.kind_of_name(table.input)
        wanted = Kind.WORD if isinstance(table.rows, Lookup) else Kind.NUMBER
        if found is not wanted:
            shape = "a lookup" if wanted is Kind.WORD else "knots" if isinstance(table.rows, Knots) else "bands"
            message = f"{shape} must have a {wanted} as input, and `{table.input}` is a {found}"
            hint = "use a lookup for words, bands or knots for numbers"
            yield table.document.problem(TableInput, message, (*table.path, "input"), hint=hint)
        elif isinstance(table.rows, Lookup):
            yield from self._lookup(table, table.rows)
        for name, path in row_references(table):
            if self.kind_of_name(name) is not table.kind:
                message = f"the rows give {table.kind}s, and `{name}` is not a {table.kind}"
                hint = f"take the value of something that gives {table.kind}s"
                yield table.document.problem(TableMixedResults, message, path, hint=hint)

    def _lookup(self, table: Table, lookup: Lookup) -> Iterator[Problem]:
        axis = self.subject.axes.get(table.input.partition(".")[0])
        if axis and (axis.catalog in self.incomplete or not self.catalogs[axis.catalog].entries):
            return
        words, may_be_absent = possible_words(table.input, self.definitions, self.subject, self.catalogs)
        if lookup.otherwise is None:
            missing = [word for word in words if word not in lookup.rows]
            if missing or may_be_absent:
                what = (
                    f"there is no row for {', '.join(f'`{word}`' for word in missing)}"
                    if missing
                    else f"`{table.input}` may be absent"
                )
                hint = "add the rows, or `otherwise:`"
                yield table.document.problem(TableIncomplete, what, (*table.path, "rows"), key=True, hint=hint)
        for word in lookup.rows:
            if word not in words:
                near = closest(word, words)
                yield table.document.problem(
                    TableUnusedKey,
                    f"`{table.input}` is never `{word}`",
                    (*table.path, "rows", word),
                    key=True,
                    severity=Severity.WARNING,
                    hint=did_you_mean(near) or "remove the row, or add the entry",
                    closest=near,
                )


def _declared_kind(definition: Definition) -> Kind:
    """What a definition says that it gives."""
    if isinstance(definition, Table):
        return definition.kind
    return Kind.CONDITION if definition.unit == CONDITION_UNIT else Kind.NUMBER


def reserved_names(definitions: Mapping[str, Definition], subject: QuestionFields) -> Iterator[Problem]:
    """Definitions whose name already means something else in an expression."""
    for definition in definitions.values():
        if definition.name in FUNCTIONS or definition.name in subject.reserved:
            what = "a function" if definition.name in FUNCTIONS else "the start of a dotted name"
            message = f"`{definition.name}` is already {what}"
            yield definition.document.problem(
                NameReserved, message, definition.path, key=True, hint="choose another name"
            )


def _mentions(definition: Definition) -> Iterator[tuple[str, Path, int | None]]:
    """Each name that a definition reads, with the place where it stands."""
    if isinstance(definition, Formula):
        for name in definition.expression.names:
            yield name, (*definition.path, "expr"), definition.expression.offset_of(name)
    elif isinstance(definition, Table):
        yield definition.input, (*definition.path, "input"), None
        yield from ((name, path, None) for name, path in row_references(definition))
    elif isinstance(definition, Count):
        yield from ((name, (*definition.path, "same", at), None) for at, name in enumerate(definition.reads))


def _in_dependency_order(
    definitions: Mapping[str, Definition], subject: QuestionFields
) -> tuple[list[str], list[Problem]]:
    """Names so that each comes after all that it reads, and one problem for each cycle.

    What reads a figure of an entry that a table chooses comes after that table.
    """
    order: list[str] = []
    done: set[str] = set()
    problems: list[Problem] = []

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            cycle = [*trail[trail.index(name) :], name]
            problems.append(_cycle_problem(definitions[cycle[-2]], cycle, subject))
            return
        if name in done:
            return
        reads = definitions[name].reads
        for needed in (*reads, *(chooser for read in reads if (chooser := subject.chooser_of(read)))):
            if needed in definitions:
                visit(needed, [*trail, name])
        if name not in done:
            done.add(name)
            order.append(name)

    for name in definitions:
        visit(name, [])
    return order, problems


def _cycle_problem(definition: Definition, cycle: list[str], subject: QuestionFields) -> Problem:
    path, offset = next(
        (path, offset) for name, path, offset in _mentions(definition) if cycle[-1] in (name, subject.chooser_of(name))
    )
    message = f"`{cycle[-1]}` depends on itself: {' -> '.join(cycle)}"
    return definition.document.problem(
        NameCycle, message, path, offset=offset, hint="break the circle at one of these names"
    )
