"""The kinds of values: whether an expression, a table or its input is a number, a condition or a word."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping

from fitcard.catalog.catalog import Catalog
from fitcard.language.definitions import (
    CONDITION_UNIT,
    Definition,
    Formula,
    Table,
    TableMixedResults,
    row_references,
)
from fitcard.language.expression import Expression, Fault, offset_of_node
from fitcard.language.functions import FUNCTIONS
from fitcard.language.question_fields import CURRENT, QuestionFields
from fitcard.language.rule_set import Words, describe, possible_words
from fitcard.language.tables import Knots, Lookup
from fitcard.language.unit_system import UnitSystem
from fitcard.problems import Problem, ProblemCode, Severity
from fitcard.suggest import closest, did_you_mean, enumerated
from fitcard.values import Kind


class ExpressionKind(ProblemCode):
    """An expression has a number, a condition or a word where another kind is required.

    Why: true is not 1 in rules, and a word has no numeric value.
    Avoid: `(question.users > 1) * headroom_share`, `device.family + 1`
    Prefer: `headroom_share if question.users > 1 else 0`; a lookup table maps a word to a number.
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


def infer_kind(expression: Expression, kind_of_name: Callable[[str], Kind | None]) -> tuple[Kind | None, list[Fault]]:
    """The kind of the value of an expression, and a fault for each operand of the wrong kind.

    `kind_of_name` returns None for an unknown name, which is not a fault here.
    """
    faults: list[Fault] = []

    def require(node: ast.expr, required: Kind, what: str) -> None:
        actual = kind(node)
        if actual is not None and actual is not required:
            hint = "compare it with a number" if required is Kind.CONDITION else "write `a if condition else b`"
            if actual is Kind.WORD:
                hint = "map the word to a number with a lookup table"
            message = f"{what} must be a {required}, but is a {actual}"
            faults.append(Fault(ExpressionKind, message, offset_of_node(expression.source, node), hint))

    def kind(node: ast.expr) -> Kind | None:
        match node:
            case ast.Constant(value=bool()):
                return Kind.CONDITION
            case ast.Constant():
                return Kind.NUMBER
            case ast.Name():
                return kind_of_name(node.id)
            case ast.BinOp():
                require(node.left, Kind.NUMBER, "the left side")
                require(node.right, Kind.NUMBER, "the right side")
                return Kind.NUMBER
            case ast.UnaryOp(op=ast.Not()):
                require(node.operand, Kind.CONDITION, "the operand of `not`")
                return Kind.CONDITION
            case ast.UnaryOp():
                require(node.operand, Kind.NUMBER, "the operand of the sign")
                return Kind.NUMBER
            case ast.BoolOp():
                for value in node.values:
                    require(value, Kind.CONDITION, "each side of `and` and `or`")
                return Kind.CONDITION
            case ast.Compare():
                for value in (node.left, *node.comparators):
                    require(value, Kind.NUMBER, "each side of a comparison")
                return Kind.CONDITION
            case ast.IfExp():
                require(node.test, Kind.CONDITION, "the condition between `if` and `else`")
                result = kind(node.body)
                if result is not None:
                    require(node.orelse, result, "the value after `else`")
                return result
            case ast.Call(func=ast.Name(id=name)):
                function = FUNCTIONS[name]
                for argument, required in zip(node.args, function.argument_kinds(len(node.args)), strict=True):
                    if function.accepts_words and kind(argument) is Kind.WORD:
                        continue
                    require(argument, required, f"the argument of `{name}`")
                return function.returns
        raise AssertionError(f"{type(node).__name__} passed the allow-list")

    return kind(expression.tree), faults


class KindResolver:
    """Infers the kinds of definitions one by one, in dependency order.

    `incomplete` are the kinds of catalogs of which some entries could not be read: lookups by their words are not
    checked.
    """

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        question_fields: QuestionFields,
        catalogs: Mapping[str, Catalog],
        units: UnitSystem,
        incomplete: frozenset[str],
    ) -> None:
        self.kinds: dict[str, Kind] = {}
        self._definitions, self._question_fields, self._catalogs = definitions, question_fields, catalogs
        self._units, self._incomplete = units, incomplete
        self._words: dict[str, Words] = {}

    def kind_of_name(self, name: str) -> Kind | None:
        """The kind of a name in an expression; None if it is unknown."""
        info = describe(name, self._definitions, self.kinds, self._question_fields, self._catalogs)
        if info is not None:
            return info.kind
        if name.startswith(CURRENT + "."):  # may name a definition later in the order
            return _declared_kind(self._definitions[name.partition(".")[2]])
        return Kind.NUMBER if self._units.named(name) else None

    def add(self, definition: Definition) -> Iterator[Problem]:
        """Adds the kind of a definition, and yields the problems of kinds in it."""
        if isinstance(definition, Formula):
            yield from self._formula(definition)
        elif isinstance(definition, Table):
            self.kinds[definition.name] = definition.kind
            yield from self._table(definition)
        else:
            self.kinds[definition.name] = Kind.NUMBER

    def _formula(self, formula: Formula) -> Iterator[Problem]:
        kind, faults = infer_kind(formula.expression, self.kind_of_name)
        path = (*formula.path, "expr")
        for fault in faults:
            yield fault.problem(formula.document, path)
        if kind is Kind.WORD:
            message, hint = "a formula must give a number or a condition, not a word", "use the table directly"
            yield formula.document.problem(ExpressionKind, message, path, hint=f"{hint} where the word is needed")
            return
        self.kinds[formula.name] = kind or Kind.NUMBER
        if kind is not None and (kind is Kind.CONDITION) != (formula.unit == CONDITION_UNIT):
            hint = f"write `unit: {CONDITION_UNIT}`" if kind is Kind.CONDITION else "write the unit of the number"
            message = f"the formula gives a {kind}, but its unit is `{formula.unit}`"
            yield formula.document.problem(UnitKind, message, (*formula.path, "unit"), hint=hint)

    def _table(self, table: Table) -> Iterator[Problem]:
        actual = self.kind_of_name(table.input)
        required = Kind.WORD if isinstance(table.rows, Lookup) else Kind.NUMBER
        if actual is not required:
            shape = "a lookup" if required is Kind.WORD else "knots" if isinstance(table.rows, Knots) else "bands"
            message = f"the input of {shape} must be a {required}, but `{table.input}` is a {actual}"
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
        axis = self._question_fields.axes.get(table.input.partition(".")[0])
        if axis and (axis.catalog in self._incomplete or not self._catalogs[axis.catalog].entries):
            return
        words, may_be_absent = possible_words(
            table.input, self._definitions, self._question_fields, self._catalogs, self._words
        )
        missing, possible = [word for word in words if word not in lookup.rows], frozenset(words)
        if lookup.otherwise is None and (missing or may_be_absent):
            message, hint = f"`{table.input}` may be absent", "add the rows, or `otherwise:`"
            if missing:
                message = f"there is no row for {enumerated(missing)}"
            yield table.document.problem(TableIncomplete, message, (*table.path, "rows"), key=True, hint=hint)
        for word in lookup.rows:
            if word not in possible:
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
    """The kind of a definition by its unit, or by the rows of a table."""
    if isinstance(definition, Table):
        return definition.kind
    return Kind.CONDITION if definition.unit == CONDITION_UNIT else Kind.NUMBER
