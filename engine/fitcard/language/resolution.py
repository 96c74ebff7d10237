"""Name resolution: unknown and reserved names, cycles, and the order of definitions.

Builds the `RuleSet` of a profile in dependency order; each problem is at the position of the name.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import Count, Definition, Formula, Table, row_references
from fitcard.language.functions import FUNCTIONS
from fitcard.language.kinds import KindResolver
from fitcard.language.question_fields import CURRENT, QUESTION, QuestionFields, entry_field
from fitcard.language.rule_set import RuleSet, describe, field_names
from fitcard.language.unit_system import UnitSystem
from fitcard.problems import Problem, ProblemCode, errors
from fitcard.source.document import Path
from fitcard.suggest import closest
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


class CurrentNested(ProblemCode):
    """A rule reads `current.` of a value that reads `current.` itself.

    Why: the original question has no other that its value could be compared with.
    Avoid: `lead: {expr: gain - current.gain}` where `gain` is `decode_tok_s - current.decode_tok_s`
    Prefer: `current.` of a value of a single question, such as `current.decode_tok_s`
    """


MAX_CYCLE = 20  # names of a cycle that are listed


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
    """The rule set of one profile, None if it has errors, and its problems.

    `broken` are the names of definitions that could not be read, and `incomplete` the kinds of catalogs of which some
    entries could not be read; neither is reported as unknown.
    """
    names = _Names(definitions, question_fields, catalogs, units, broken)
    problems = [problem for definition in definitions.values() for problem in names.unknown(definition)]
    order, cycles = _in_dependency_order(definitions, question_fields)
    problems += cycles or _nested_current(order, definitions, question_fields)
    if errors(problems) or broken:
        return None, problems
    resolver = KindResolver(definitions, question_fields, catalogs, units, incomplete)
    for name in order:
        problems += resolver.add(definitions[name])
        problems += names.unknown_in_count(definitions[name])
    if errors(problems):
        return None, problems
    ordered = {name: definitions[name] for name in order}
    return RuleSet(profile, title, ordered, resolver.kinds, question_fields, catalogs), problems


class _Names:
    """All names that definitions may read."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        question_fields: QuestionFields,
        catalogs: Mapping[str, Catalog],
        units: UnitSystem,
        broken: frozenset[str],
    ) -> None:
        self.definitions, self.question_fields, self.catalogs = definitions, question_fields, catalogs
        self.units, self.broken = units, broken

    def unknown(self, definition: Definition) -> Iterator[Problem]:
        """A problem for each unknown name that a definition reads."""
        may_be_units = isinstance(definition, Formula)
        for name, path, offset in _references(definition):
            if not self._exists(name) and not (may_be_units and self.units.named(name)):
                units = self.units.closest(name) if may_be_units and "." not in name else ()
                near = closest(name, [*self._candidates(name), *units])
                message = f"undefined name `{name}`"
                yield definition.document.problem(NameUnknown, message, path, offset=offset, closest=near)

    def unknown_in_count(self, definition: Definition) -> Iterator[Problem]:
        """A problem for an unknown catalog of a count, or for each unknown field; `unknown` reports unknown axes."""
        if not isinstance(definition, Count):
            return
        document, path = definition.document, definition.path
        catalog = self.catalogs.get(definition.catalog)
        if catalog is None:
            message, near = (
                f"there is no kind of catalog `{definition.catalog}`",
                closest(definition.catalog, self.catalogs),
            )
            yield document.problem(NameUnknown, message, (*path, "catalog"), closest=near)
            return
        for at, word in enumerate(definition.same):
            name = entry_field(word)
            field, axis = catalog.fields.get(name), self.question_fields.axes.get(word)
            if field is None or (field.entry_of != axis.catalog if axis else field.kind is not Kind.NUMBER):
                message = f"entries of `{definition.catalog}` have no " + (f"{word}" if axis else f"number `{name}`")
                near = closest(
                    name, [each.name for each in catalog.fields.values() if bool(each.entry_of) == bool(axis)]
                )
                yield document.problem(NameUnknown, message, (*path, "same", at), closest=near)
        having = definition.having
        if having is not None and having not in catalog.fields:
            message, near = (
                f"entries of `{definition.catalog}` have no field `{having}`",
                closest(having, catalog.fields),
            )
            yield document.problem(NameUnknown, message, (*path, "having"), closest=near)

    def _exists(self, name: str) -> bool:
        space, _, rest = name.partition(".")
        if not rest:
            return name in self.definitions or name in self.broken
        if space == CURRENT:
            return CURRENT not in rest.split(".") and self._exists(rest)
        return describe(name, {}, {}, self.question_fields, self.catalogs) is not None

    def _candidates(self, name: str) -> list[str]:
        """The names that an unknown name could be a misspelling of."""
        space, dot, _ = name.partition(".")
        if dot and space in self.question_fields.axes:
            return [f"{space}.{field}" for field in self.catalogs[self.question_fields.axes[space].catalog].fields]
        if dot and space == QUESTION:
            return [f"{QUESTION}.{number}" for number in self.question_fields.inputs]
        if dot and space == CURRENT:
            return [f"{CURRENT}.{definition}" for definition in self.definitions]
        return [*self.definitions, *FUNCTIONS, *(field_names(self.question_fields, self.catalogs) if dot else [])]


def reserved_names(definitions: Mapping[str, Definition], question_fields: QuestionFields) -> Iterator[Problem]:
    """A problem for each definition that has the name of a function or a namespace, or a word of the language."""
    for definition in definitions.values():
        name = definition.name
        if name in FUNCTIONS or name in question_fields.reserved or keyword.iskeyword(name):
            what = "a function" if name in FUNCTIONS else "a namespace" if name in question_fields.reserved else ""
            message = f"`{name}` is already {what}" if what else f"`{name}` is a word of expressions"
            yield definition.document.problem(
                NameReserved, message, definition.path, key=True, hint="choose another name"
            )


def _references(definition: Definition) -> Iterator[tuple[str, Path, int | None]]:
    """Each name that a definition reads, with its path in the document, and its offset in an expression."""
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
    """The names in dependency order, and a problem for each cycle.

    A definition that reads a field of an entry that a table chooses depends on that table.
    """
    order: dict[str, None] = {}
    problems: list[Problem] = []

    def needed_by(name: str) -> Iterator[str]:
        reads = definitions[name].reads
        choosers = (chooser for read in reads if (chooser := question_fields.default_table(read)))
        return (needed for needed in (*reads, *choosers) if needed in definitions)

    for start in definitions:
        trail = {start: needed_by(start)} if start not in order else {}
        while trail:  # no recursion: a chain may be longer than the stack
            name, remaining = next(reversed(trail.items()))
            needed = next((needed for needed in remaining if needed not in order), None)
            if needed is None:
                del trail[name]
                order[name] = None
            elif needed in trail:
                names = list(trail)
                cycle = [*names[names.index(needed) :], needed]
                problems.append(_cycle_problem(definitions[name], cycle, question_fields))
            else:
                trail[needed] = needed_by(needed)
    return list(order), problems


def _nested_current(
    order: Iterable[str], definitions: Mapping[str, Definition], question_fields: QuestionFields
) -> Iterator[Problem]:
    """A problem for each `current.name` of a value that depends on `current.` itself."""
    comparing: set[str] = set()  # the names that do
    for name in order:
        reads = definitions[name].reads
        choosers = (question_fields.default_table(read) for read in reads)
        if any(read in comparing or (read or "").startswith(f"{CURRENT}.") for read in (*reads, *choosers)):
            comparing.add(name)
    for name in comparing:
        for read, path, offset in _references(definitions[name]):
            if read.startswith(f"{CURRENT}.") and read.partition(".")[2] in comparing:
                message, hint = f"`{read}` depends on `{CURRENT}.` itself", "read a value of a single question"
                yield definitions[name].document.problem(CurrentNested, message, path, offset=offset, hint=hint)


def _cycle_problem(definition: Definition, cycle: list[str], question_fields: QuestionFields) -> Problem:
    path, offset = next(
        (path, offset)
        for name, path, offset in _references(definition)
        if cycle[-1] in (name, question_fields.default_table(name))
    )
    shown = cycle if len(cycle) <= MAX_CYCLE else [*cycle[: MAX_CYCLE // 2], "...", *cycle[-MAX_CYCLE // 2 :]]
    message = f"`{cycle[-1]}` depends on itself: {' -> '.join(shown)}"
    return definition.document.problem(
        NameCycle, message, path, offset=offset, hint="break the cycle at one of these names"
    )
