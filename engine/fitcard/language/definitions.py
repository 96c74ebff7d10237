"""What a rule file defines: constants, formulas, tables and counts, each with its unit, its sentence and its place."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.question_fields import question_name
from fitcard.language.tables import Lookup, Rows, ValueOf, read_rows, result_kinds, results_of
from fitcard.language.unit_system import Conversion
from fitcard.problems import Position, Problem, ProblemCode
from fitcard.source.document import Document, Path
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


CONDITION_UNIT, WORD_UNIT = "condition", "word"
UNITS_OF_KINDS = {Kind.CONDITION: CONDITION_UNIT, Kind.WORD: WORD_UNIT}
DIMENSIONLESS = ("1", *UNITS_OF_KINDS.values())  # units of what is counted in nothing


@dataclass(frozen=True)
class Definition:
    """What all definitions share. `path` is the place of the definition in `document`.

    A figure that is `shown` stands in answers under its `label`: always, or where the condition of that name holds.
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
        """It as it is written."""
        found: Mapping[str, Any] = self.document.at(self.path)
        return found

    @property
    def position(self) -> Position:
        """Where its name is written."""
        return self.document.position(self.path, key=True)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names that its value is made of."""
        return ()


@dataclass(frozen=True)
class Constant(Definition):
    """A number that is believed, and between which bounds it makes sense."""

    value: float
    minimum: float = -math.inf
    maximum: float = math.inf


@dataclass(frozen=True)
class Formula(Definition):
    """An expression over other names. It comes to the unit `computed_in` where its result is converted from that."""

    expression: Expression
    computed_in: str = ""

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The names in its expression."""
        return self.expression.names


@dataclass(frozen=True)
class Table(Definition):
    """Rows that turn the value of `input` into another."""

    input: str
    rows: Rows

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Its input, and names whose value a row takes."""
        taken = (result.name for result in results_of(self.rows) if isinstance(result, ValueOf))
        return tuple(dict.fromkeys([self.input, *taken]))

    @cached_property
    def conversions(self) -> Mapping[str, Conversion]:
        """How values that rows take are converted, by the name that they are taken from."""
        taken = (result for result in results_of(self.rows) if isinstance(result, ValueOf))
        return {result.name: result.conversion for result in taken if result.conversion}

    @cached_property
    def kind(self) -> Kind:
        """What it gives; its unit says so where all results are taken from other names."""
        return _table_kind(self.rows, self.unit)


@dataclass(frozen=True)
class Count(Definition):
    """How many entries of a catalog say what the question says by the axes and inputs `same`, and have `having`."""

    catalog: str
    same: tuple[str, ...]
    having: str | None

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The ids on these axes, and these inputs."""
        return tuple(map(question_name, self.same))


def row_references(table: Table) -> Iterator[tuple[str, Path]]:
    """The names whose value a row takes, each with the place where it stands."""
    if isinstance(table.rows, Lookup):
        places = [*((("rows", word), result) for word, result in table.rows.rows.items())]
        for place, result in [*places, (("otherwise",), table.rows.otherwise)]:
            if isinstance(result, ValueOf):
                yield result.name, (*table.path, *place, "value_of")


def _table_kind(rows: Rows, unit: str) -> Kind:
    kinds = result_kinds(rows)
    by_unit = next((kind for kind, name in UNITS_OF_KINDS.items() if name == unit), Kind.NUMBER)
    return kinds.pop() if len(kinds) == 1 else by_unit


SECTIONS = ("constants", "formulas", "tables", "counts")
ADDS = ("adds",)  # where a profile defines what the rules have no name for


def read_definitions(document: Document, within: Path = ()) -> tuple[list[Definition], list[Problem]]:
    """All definitions of a rule file or profile that has passed its schema, and what is wrong with the others.

    Those that stand `within` a part of the file, where one is named. A definition without a reference of its own has
    that of the file.
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
            definition, found = read(document, data, {**common, "document": document, "path": path})
            problems += found
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
    except ExpressionError as found:
        return None, [fault.problem(document, path) for fault in found.faults]


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
