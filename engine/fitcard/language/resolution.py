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
from fitcard.language.unit_system import UnitSystem
from fitcard.problems import Problem, ProblemCode, Severity, errors
from fitcard.source.document import Path
from fitcard.suggest import closest, did_you_mean
from fitcard.values import Kind


class NameUnknown(ProblemCode):
    """A name is not defined: no rule, catalog field or input is called that.

    Why: rules that use it would have no value.
    Avoid: `expr: device.bandwith * weights_efficiency`
    Prefer: `expr: device.bandwidth * weights_efficiency`
    """


class NameReserved(ProblemCode):
    """A rule has the name of a function or of an axis.

    Why: expressions that use the name would be ambiguous.
    Avoid: `min: {value: 1, ...}`, `device: {value: 1, ...}`
    Prefer: `min_decode_tok_s: {value: 1, ...}`
    """


class NameCycle(ProblemCode):
    """A name depends on itself, directly or through the listed names.

    Why: there is no order in which to compute these values.
    Avoid: `headroom: {expr: needed_memory * headroom_share}` with `needed_memory: {expr: used_memory + headroom}`
    Prefer: `headroom: {expr: usable_memory * headroom_share}`, which depends on neither.
    """


class UnitKind(ProblemCode):
    """A formula gives a condition and its unit is not `condition`, or the reverse.

    Why: readers and pages use the unit to display the value.
    Avoid: `fits_whole: {unit: GB, expr: needed_memory <= usable_memory}`
    Prefer: `fits_whole: {unit: condition, expr: needed_memory <= usable_memory}`
    """


class TableInput(ProblemCode):
    """The input of a table has the wrong kind: lookups need a word, bands and knots need a number.

    Why: words have no order, and numbers have too many values to list.
    Avoid: `kind: bands` with `input: quant.family`
    Prefer: `kind: lookup` with `input: quant.family`
    """


class TableIncomplete(ProblemCode):
    """A lookup has neither a row for every word of its input nor `otherwise`.

    Why: questions with a missing word could not be answered.
    Avoid: `rows: {float: 0, block: 0.83}` for `input: quant.family`, which can also be `k-quant`
    Prefer: a row for each family, or `otherwise: 1`.
    """


class TableUnusedKey(ProblemCode):
    """A lookup has a row for a word that its input never takes.

    Why: the word is usually misspelt, and the intended row is missing.
    Avoid: `rows: {apple-silcon: 0.75}`
    Prefer: `rows: {apple-silicon: 0.75}`
    """


def resolve(
    profile: str,
    title: str,
    definitions: Mapping[str, Definition],
    question_fields: QuestionFields,
    catalogs: Mapping[str, Catalog],
    units: UnitSystem,
    broken: frozenset[str] = frozenset(),
    incomplete: frozenset[str] = frozenset(),
) -> tuple[RuleSet | None, list[Problem]]:
    """The rule set of one profile, and all problems of its names; None where a number could come out wrong.

    `broken` are names whose definition could not be read, and `incomplete` the kinds of catalogs of which some entries
    could not: nobody is told that these do not exist.
    """
    resolver = _Resolver(definitions, question_fields, catalogs, units, broken, incomplete)
    problems = [problem for definition in definitions.values() for problem in resolver.unknown_names(definition)]
    order, cycles = _in_dependency_order(definitions, question_fields)
    problems += cycles
    if not errors(problems) and not broken:
        for name in order:
            problems += resolver.learn_kind(definitions[name])
    if errors(problems) or broken:
        return None, problems
    ordered = {name: definitions[name] for name in order}
    return RuleSet(profile, title, ordered, resolver.kinds, question_fields, catalogs), problems


class _Resolver:
    def __init__(
        self,
        definitions: Mapping[str, Definition],
        question_fields: QuestionFields,
        catalogs: Mapping[str, Catalog],
        units: UnitSystem,
        broken: frozenset[str],
        incomplete: frozenset[str],
    ) -> None:
        self.definitions, self.question_fields, self.catalogs = definitions, question_fields, catalogs
        self.units = units
        self.broken, self.incomplete = broken, incomplete
        self.kinds: dict[str, Kind] = {}

    def exists(self, name: str) -> bool:
        space, _, rest = name.partition(".")
        if not rest:
            return name in self.definitions or name in self.broken
        if space == CURRENT:
            return CURRENT not in rest.split(".") and self.exists(rest)
        return describe(name, {}, {}, self.question_fields, self.catalogs) is not None

    def known_like(self, name: str) -> list[str]:
        """Names that `name` may have been meant to be."""
        space, dot, _ = name.partition(".")
        if dot and space in self.question_fields.axes:
            return [f"{space}.{field}" for field in self.catalogs[self.question_fields.axes[space].catalog].fields]
        if dot and space == QUESTION:
            return [f"{QUESTION}.{asked}" for asked in self.question_fields.inputs]
        if dot and space == CURRENT:
            return [f"{CURRENT}.{known}" for known in self.definitions]
        return [*self.definitions, *FUNCTIONS, *(field_names(self.question_fields, self.catalogs) if dot else [])]

    def unknown_names(self, definition: Definition) -> Iterator[Problem]:
        may_be_units = isinstance(definition, Formula)
        for name, path, offset in _mentions(definition):
            if not self.exists(name) and not (may_be_units and self.units.named(name)):
                units = self.units.names if may_be_units and "." not in name else ()
                near = closest(name, [*self.known_like(name), *units])
                yield definition.document.problem(
                    NameUnknown,
                    f"undefined name `{name}`",
                    path,
                    offset=offset,
                    closest=near,
                )

    def kind_of_name(self, name: str) -> Kind | None:
        found = describe(name, self.definitions, self.kinds, self.question_fields, self.catalogs)
        if name.startswith(CURRENT + ".") and found is None:  # `current` may name what comes later in the order
            return _declared_kind(self.definitions[name.partition(".")[2]])
        if found is None and self.units.named(name):
            return Kind.NUMBER
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
            hint = "use the table directly where the word is needed"
            yield formula.document.problem(
                ExpressionKind, "a formula must give a number or a condition, not a word", path, hint=hint
            )
            return
        self.kinds[formula.name] = kind or Kind.NUMBER
        if kind is not None and (kind is Kind.CONDITION) != (formula.unit == CONDITION_UNIT):
            hint = f"write `unit: {CONDITION_UNIT}`" if kind is Kind.CONDITION else "write the unit of the number"
            message = f"the formula gives a {kind}, but its unit is `{formula.unit}`"
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
            field, axis = catalog.fields.get(name), self.question_fields.axes.get(word)
            if field is None or (field.entry_of != axis.catalog if axis else field.kind is not Kind.NUMBER):
                message = f"entries of `{count.catalog}` have no " + (f"{word}" if axis else f"number `{name}`")
                others = [one.name for one in catalog.fields.values() if bool(one.entry_of) == bool(axis)]
                near = closest(name, others)
                yield count.document.problem(NameUnknown, message, (*count.path, "same", at), closest=near)
        if count.having is not None and count.having not in catalog.fields:
            message, near = (
                f"entries of `{count.catalog}` have no field `{count.having}`",
                closest(count.having, catalog.fields),
            )
            yield count.document.problem(NameUnknown, message, (*count.path, "having"), closest=near)

    def _table(self, table: Table) -> Iterator[Problem]:
        found = self.kind_of_name(table.input)
        wanted = Kind.WORD if isinstance(table.rows, Lookup) else Kind.NUMBER
        if found is not wanted:
            shape = "a lookup" if wanted is Kind.WORD else "knots" if isinstance(table.rows, Knots) else "bands"
            message = f"the input of {shape} must be a {wanted}, but `{table.input}` is a {found}"
            hint = "use a lookup for words, bands or knots for numbers"
            yield table.document.problem(TableInput, message, (*table.path, "input"), hint=hint)
        elif isinstance(table.rows, Lookup):
            yield from self._lookup(table, table.rows)
        for name, path in row_references(table):
            if self.kind_of_name(name) is not table.kind:
                message = f"the rows give {table.kind}s, but `{name}` is not a {table.kind}"
                hint = f"use a name that gives a {table.kind}"
                yield table.document.problem(TableMixedResults, message, path, hint=hint)

    def _lookup(self, table: Table, lookup: Lookup) -> Iterator[Problem]:
        axis = self.question_fields.axes.get(table.input.partition(".")[0])
        if axis and (axis.catalog in self.incomplete or not self.catalogs[axis.catalog].entries):
            return
        words, may_be_absent = possible_words(table.input, self.definitions, self.question_fields, self.catalogs)
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


def reserved_names(definitions: Mapping[str, Definition], question_fields: QuestionFields) -> Iterator[Problem]:
    """Definitions whose name already means something else in an expression."""
    for definition in definitions.values():
        if definition.name in FUNCTIONS or definition.name in question_fields.reserved:
            what = "a function" if definition.name in FUNCTIONS else "a namespace"
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
    definitions: Mapping[str, Definition], question_fields: QuestionFields
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
            problems.append(_cycle_problem(definitions[cycle[-2]], cycle, question_fields))
            return
        if name in done:
            return
        reads = definitions[name].reads
        for needed in (*reads, *(chooser for read in reads if (chooser := question_fields.default_table(read)))):
            if needed in definitions:
                visit(needed, [*trail, name])
        if name not in done:
            done.add(name)
            order.append(name)

    for name in definitions:
        visit(name, [])
    return order, problems


def _cycle_problem(definition: Definition, cycle: list[str], question_fields: QuestionFields) -> Problem:
    path, offset = next(
        (path, offset)
        for name, path, offset in _mentions(definition)
        if cycle[-1] in (name, question_fields.default_table(name))
    )
    message = f"`{cycle[-1]}` depends on itself: {' -> '.join(cycle)}"
    return definition.document.problem(
        NameCycle, message, path, offset=offset, hint="break the cycle at one of these names"
    )
