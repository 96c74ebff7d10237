"""The definitions of rule files: constants, formulas, tables and counts, each with unit, description and position.

A profile overrides definitions of the rules by name, and adds new ones under `adds`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.question_fields import question_name
from fitcard.language.tables import Lookup, Rows, ValueOf, read_rows, result_kinds, results_of
from fitcard.language.unit_system import Conversion
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean
from fitcard.values import Kind


class ReferenceMissing(ProblemCode):
    """A rule does not cite a source.

    Why: a number that cannot be traced can neither be trusted nor corrected.
    Avoid: `usable_share: {value: 0.75, unit: "1", about: Share of unified memory for the GPU.}` in a file without
        `reference`
    Prefer: `reference: {title: Apple developer documentation}` on the rule, or once for the whole file.
    """


class ConstantRange(ProblemCode):
    """The value of a constant is outside its own bounds.

    Why: the bounds state what is plausible: either they or the value is wrong.
    Avoid: `headroom_share: {value: 2, minimum: 0, maximum: 1, ...}`
    Prefer: `headroom_share: {value: 0.02, minimum: 0, maximum: 1, ...}`
    """


class TableMixedResults(ProblemCode):
    """The rows of a table give different kinds of results: words, numbers, or conditions.

    Why: rules that use the table must know which kind they get.
    Avoid: `rows: {apple-silicon: 0.75, nvidia-unified: most}`
    Prefer: `rows: {apple-silicon: 0.75, nvidia-unified: 0.95}`
    """


class TableUnit(ProblemCode):
    """The unit of a table does not match its results: words need `word`, conditions need `condition`, numbers a unit.

    Why: readers and pages use the unit to display the value.
    Avoid: `unit: GB` over `rows: {too_heavy: none, otherwise: all}`
    Prefer: `unit: word`
    """


class ProfileUnknownName(ProblemCode):
    """A profile overrides a name that the rules do not define.

    Why: it would have no effect, although it looks as if it had.
    Avoid: `hedroom_share: {value: 0.1, ...}` in a profile
    Prefer: `headroom_share: {value: 0.1, ...}`, or a new name under `adds`.
    """


class ProfileKnownName(ProblemCode):
    """A profile adds a name that the rules already define.

    Why: readers of the profile would not see that it overrides something.
    Avoid: `adds: {constants: {headroom_share: {value: 0.1, ...}}}`
    Prefer: `constants: {headroom_share: {value: 0.1, ...}}`
    """


CONDITION_UNIT, WORD_UNIT = "condition", "word"
UNITS_OF_KINDS = {Kind.CONDITION: CONDITION_UNIT, Kind.WORD: WORD_UNIT}
DIMENSIONLESS = ("1", *UNITS_OF_KINDS.values())


@dataclass(frozen=True)
class Definition:
    """The fields of all definitions. `path` is the path of the definition in `document`.

    A definition that is `shown` is a figure of answers under its `label`. If `shown` is the name of a condition, it is
    a figure where that condition holds.
    """

    name: str
    unit: str
    about: str
    document: Document
    path: Path
    reference: Mapping[str, str]
    label: str = field(default="", kw_only=True)
    shown: bool | str = field(default=False, kw_only=True)

    @property
    def data(self) -> Mapping[str, Any]:
        """Its data in the document."""
        data: Mapping[str, Any] = self.document.at(self.path)
        return data

    @property
    def position(self) -> Position:
        """The position of its name."""
        return self.document.position(self.path, key=True)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that it reads."""
        return ()


@dataclass(frozen=True)
class Constant(Definition):
    """A number with its plausible range."""

    value: float
    minimum: float = -math.inf
    maximum: float = math.inf


@dataclass(frozen=True)
class Formula(Definition):
    """An expression. `computed_in` is the unit from which its result is converted; empty if it is not converted."""

    expression: Expression
    computed_in: str = ""

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names in its expression."""
        return self.expression.names


@dataclass(frozen=True)
class Table(Definition):
    """Rows that map the value of `input` to a result."""

    input: str
    rows: Rows

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Its input, and the names in `value_of`."""
        names = (result.name for result in results_of(self.rows) if isinstance(result, ValueOf))
        return tuple(dict.fromkeys([self.input, *names]))

    @cached_property
    def conversions(self) -> Mapping[str, Conversion]:
        """The conversions of the names in `value_of`, without those that need none."""
        references = (result for result in results_of(self.rows) if isinstance(result, ValueOf))
        return {result.name: result.conversion for result in references if result.conversion}

    @cached_property
    def kind(self) -> Kind:
        """The kind of its results; by its unit where all are the values of other names."""
        return _table_kind(self.rows, self.unit)


@dataclass(frozen=True)
class Count(Definition):
    """The number of entries of a catalog that agree with the question in the axes and inputs `same`.

    Only entries that have the field `having` count, if one is named.
    """

    catalog: str
    same: tuple[str, ...]
    having: str | None

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The ids of these axes, and these inputs."""
        return tuple(map(question_name, self.same))


def row_references(table: Table) -> Iterator[tuple[str, Path]]:
    """The names in `value_of`, each with its path in the document."""
    if isinstance(table.rows, Lookup):
        rows = [*((("rows", word), result) for word, result in table.rows.rows.items())]
        for path, result in [*rows, (("otherwise",), table.rows.otherwise)]:
            if isinstance(result, ValueOf):
                yield result.name, (*table.path, *path, "value_of")


def _table_kind(rows: Rows, unit: str) -> Kind:
    kinds = result_kinds(rows)
    by_unit = next((kind for kind, name in UNITS_OF_KINDS.items() if name == unit), Kind.NUMBER)
    return kinds.pop() if len(kinds) == 1 else by_unit


SECTIONS = ("constants", "formulas", "tables", "counts")
ADDS = ("adds",)  # the path of new definitions in a profile


def read_definitions(document: Document, within: Path = ()) -> tuple[list[Definition], list[Problem]]:
    """The definitions of a rule file or profile that conforms to its schema, and the problems of the others.

    `within` is the path of the part to read, by default the whole file. A definition without a `reference` has that of
    the file.
    """
    problems: list[Problem] = []
    definitions: list[Definition] = []
    part = document.at(within) if not within or within[0] in document.data else {}
    for section, read in zip(SECTIONS, (_constant, _formula, _table, _count), strict=True):
        for name, data in (part.get(section) or {}).items():
            path = (*within, section, name)
            reference = data.get("reference", document.data.get("reference"))
            if reference is None:
                problems.append(_reference_problem(document, path))
            common = {"name": name, "unit": data["unit"], "about": data["about"], "reference": reference}
            common |= {key: data[key] for key in ("label", "shown") if key in data}
            definition, own_problems = read(document, data, {**common, "document": document, "path": path})
            problems += own_problems
            if definition is not None:
                definitions.append(definition)
    return definitions, problems


def _reference_problem(document: Document, path: Path) -> Problem:
    hint = "add `reference: {title: ...}` here, or once for the whole file"
    message = f"`{path[-1]}` has no reference"
    return document.problem(ReferenceMissing, message, path, key=True, hint=hint)


def _constant(document: Document, data: Mapping[str, Any], common: Any) -> tuple[Definition | None, list[Problem]]:
    bounds: Any = {bound: float(data[bound]) for bound in ("minimum", "maximum") if bound in data}
    constant = Constant(**common, value=float(data["value"]), **bounds)
    if constant.minimum <= constant.value <= constant.maximum:
        return constant, []
    message = f"{constant.value:g} is outside {constant.minimum:g} to {constant.maximum:g}"
    return constant, [
        document.problem(ConstantRange, message, (*constant.path, "value"), hint="change the value, or its bounds")
    ]


def _count(document: Document, data: Mapping[str, Any], common: Any) -> tuple[Definition | None, list[Problem]]:
    return Count(**common, catalog=data["catalog"], same=tuple(data["same"]), having=data.get("having")), []


def _formula(document: Document, data: Mapping[str, Any], common: Any) -> tuple[Definition | None, list[Problem]]:
    path = (*common["path"], "expr")
    try:
        return Formula(**common, expression=parse(data["expr"])), []
    except ExpressionError as error:
        return None, [fault.problem(document, path) for fault in error.faults]


def _table(document: Document, data: Mapping[str, Any], common: Any) -> tuple[Definition | None, list[Problem]]:
    path: Path = common["path"]
    rows, problems = read_rows(document, path, data)
    if rows is None:
        return None, problems
    problems += list(_table_kind_problems(document, path, data, rows))
    return Table(**common, input=data["input"], rows=rows), problems


def _table_kind_problems(document: Document, path: Path, data: Mapping[str, Any], rows: Rows) -> Iterator[Problem]:
    kind = _table_kind(rows, data["unit"])
    if len(result_kinds(rows)) > 1:
        both = " and ".join(f"{kind}s" for kind in Kind if kind in result_kinds(rows))
        message, hint = f"the rows give both {both}", "use one kind of result"
        yield document.problem(TableMixedResults, message, (*path, "rows"), key=True, hint=hint)
    elif (kind is not Kind.NUMBER or data["unit"] in UNITS_OF_KINDS.values()) and (
        data["unit"] != UNITS_OF_KINDS.get(kind)
    ):
        hint = f"write `unit: {UNITS_OF_KINDS[kind]}`" if kind in UNITS_OF_KINDS else "write the unit of the numbers"
        yield document.problem(
            TableUnit, f"the rows give {kind}s, but the unit is `{data['unit']}`", (*path, "unit"), hint=hint
        )


def apply_profile(
    base: Mapping[str, Definition], profile: Document, broken: frozenset[str] = frozenset()
) -> tuple[dict[str, Definition], list[Problem]]:
    """The definitions of `base` with the overrides and additions of a profile, and the problems of the profile.

    An override of a name that is neither in `base` nor `broken` (unreadable) is a problem; so is the addition of a name
    in `base`.
    """
    definitions, problems = read_definitions(profile)
    added, own_problems = read_definitions(profile, ADDS)
    problems += own_problems
    for definition in added:
        if definition.name in base:
            message, first = f"`{definition.name}` is already defined by the rules", base[definition.name].position
            hint = "override it outside `adds`, or choose another name"
            problems.append(
                profile.problem(ProfileKnownName, message, definition.path, key=True, hint=hint, first=first)
            )
    for definition in definitions:
        if definition.name not in base and definition.name not in broken:
            near = closest(definition.name, base)
            hint = did_you_mean(near) or "a profile overrides names of the rules; new names belong under `adds`"
            message = f"the rules define no `{definition.name}` to override"
            problems.append(
                profile.problem(ProfileUnknownName, message, definition.path, key=True, hint=hint, closest=near)
            )
    overrides = {new.name: _inherit_shown(new, base[new.name]) for new in definitions if new.name in base}
    return {**base, **overrides, **{definition.name: definition for definition in added}}, problems


def _inherit_shown(definition: Definition, overridden: Definition) -> Definition:
    """The definition with `shown` and `label` of the one that it overrides, unless it sets `shown` itself."""
    if "shown" in definition.data or not overridden.shown:
        return definition
    return replace(definition, label=definition.label or overridden.label, shown=overridden.shown)
