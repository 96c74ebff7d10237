"""The definition of a sweep: the entries of each axis, the columns, and the filter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fitcard.answer.contradictions import refuse_batch
from fitcard.answer.problems import MissingParameter, as_text, is_given, question_problem
from fitcard.answer.question import read_entry, read_question
from fitcard.compiler.batch import Chunks, QuestionGrid
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.kinds import ExpressionKind, infer_kind
from fitcard.language.question_fields import Axis
from fitcard.language.resolution import NameUnknown
from fitcard.language.rule_set import RuleSet, field_names
from fitcard.language.unit_system import UnitSystem
from fitcard.language.units import convert_condition
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.layout import Layout, Node, ObjectNode, ValueNode
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.yaml_reader import read_text
from fitcard.suggest import closest, did_you_mean
from fitcard.values import Kind

MAX_QUESTIONS = 1 << 17  # of a part: larger ones exceed the CPU caches, smaller ones have more overhead per question
SEPARATOR = ","
RULES_PREFIX = "rules."  # of names with values of the rulebook itself
RULES_HASH = f"{RULES_PREFIX}sha256"
WHERE, COLUMNS = "where", "columns"


class ColumnUnknown(ProblemCode):
    """A column is neither a single value of an answer nor a name in the rules or catalogs.

    Why: there would be nothing to write to it.
    Avoid: `fitcard sweep --columns decode_toks`
    Prefer: `fitcard sweep --columns decode_tok_s,device.bandwidth`
    """


class ColumnCompared(ProblemCode):
    """A column or filter depends on the comparison with another answer.

    Why: in a sweep every answer stands on its own.
    Avoid: `--columns decode_gain`, which uses `current.decode_tok_s`
    Prefer: a value that depends on a single question, such as `decode_tok_s`.
    """


@dataclass(frozen=True)
class SweepColumn:
    """The column `key` with the values of `name`, absent where one of the conditions `when` does not hold."""

    key: str
    name: str
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sweep:
    """All that is needed to compute any part of a sweep, in this process or another.

    `ids` are the entries of each axis, in catalog order; axes whose entry the rules choose are missing. `named_axes`
    are those with entries named by the caller. `about` holds title, version, hash and profile of the rules.
    """

    rules: CompiledRules
    ids: Mapping[str, tuple[str, ...]]
    named_axes: tuple[str, ...]
    inputs: Mapping[str, float]
    overrides: Mapping[str, float]
    columns: tuple[SweepColumn, ...]
    where: Expression | None
    about: Mapping[str, str]
    part_size: int = MAX_QUESTIONS

    @cached_property
    def parts(self) -> Chunks:
        """The questions, in parts of at most `part_size`."""
        return Chunks(self.ids, self.part_size)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names to evaluate."""
        names = {name for column in self.columns for name in (column.name, *column.when)}
        names.update(self.where.names if self.where else ())
        return frozenset(name for name in names if name not in self.rulebook_values)

    @cached_property
    def rulebook_values(self) -> Mapping[str, str]:
        """The values of names that are properties of the rulebook, such as `rules.version`."""
        return {f"{RULES_PREFIX}{key}": value for key, value in self.about.items()}

    def kind(self, column: SweepColumn) -> Kind:
        """The kind of values of a column."""
        info = self.rules.describe(column.name)
        return info.kind if info else Kind.WORD

    @property
    def question(self) -> dict[str, Any]:
        """The parameters as plain data: named entries, inputs, overrides and the filter."""
        parameters: dict[str, Any] = {axis: list(self.ids[axis]) for axis in self.named_axes}
        parameters |= self.inputs
        parameters |= {"set": dict(self.overrides)} if self.overrides else {}
        return parameters | ({WHERE: " ".join(self.where.source.split())} if self.where else {})


def layout_columns(layout: Layout, rule_set: RuleSet) -> dict[str, SweepColumn]:
    """A column for each scalar of an answer that depends on its question only, by its keys joined with dots."""
    columns = [column for column in _scalars(layout.root, (), ()) if column.name.partition(".")[0] not in layout.picks]
    for figure in rule_set.figures:
        when = (figure.shown,) if isinstance(figure.shown, str) else ()
        columns.append(SweepColumn(f"figures.{figure.name}", figure.name, when))
    return {column.key: column for column in columns}


def _scalars(node: Node, keys: tuple[str, ...], when: tuple[str, ...]) -> Iterator[SweepColumn]:
    if isinstance(node, ValueNode):
        yield SweepColumn(".".join(keys), node.name, when)
    elif isinstance(node, ObjectNode):
        inner = (*when, node.when.name) if node.when else when
        for key, part in node.parts.items():
            yield from _scalars(part, (*keys, key), inner)


def default_columns(layout: Layout, rule_set: RuleSet) -> tuple[SweepColumn, ...]:
    """The columns of the layout that rules compute, and the hash of the rules."""
    axes = rule_set.question_fields.axes
    columns = layout_columns(layout, rule_set).values()
    return tuple(
        column for column in columns if ("." not in column.name or column.name == RULES_HASH) and column.key not in axes
    )


def read_sweep(
    engine: Engine,
    parameters: Mapping[str, Any],
    columns: Sequence[str] = (),
    where: str = "",
    overrides: Mapping[str, str | float] | None = None,
) -> Sweep:
    """The sweep of these parameters: those of a question, with one or more entries per axis; None stands for all.

    `columns` are keys of an answer joined with dots, or names of rules; by default those of the layout. `where` is an
    expression over names of rules; only answers for which it holds are rows. Units are converted; a number without a
    unit is in the unit of the other side of its comparison.
    Raises ProblemsError with one problem for each parameter, column and name that is unknown or out of range, and if
    every question contradicts itself; where some do, they have rows like the others.
    """
    rulebook, problems = engine.rulebook, list[Problem]()
    axes = rulebook.question_fields.axes
    ids, named_axes = {}, []
    for axis in axes.values():
        value = parameters.get(axis.name)
        words = [*_split(value)] if is_given(value) else []
        if not words and is_given(value):
            problems.append(question_problem(MissingParameter, axis.name))
            continue
        try:
            entries = _entries(rulebook, axis, words)
        except ProblemsError as error:
            problems += error.problems
            continue
        if entries:
            ids[axis.name] = entries
        if words:
            named_axes.append(axis.name)
    rest = {name: value for name, value in parameters.items() if name not in axes}
    try:
        question = read_question(rulebook, rest, overrides, open_axes=axes)
    except ProblemsError as error:
        raise ProblemsError([*error.problems, *problems]) from None
    scope = _Scope(engine.rules[question.profile])
    selected = [*_columns(rulebook, scope, _split(columns), problems)]
    condition, wrong = _where(rulebook.units, scope, where) if where else (None, [])
    problems += wrong
    if problems:
        raise ProblemsError(problems)
    about = {
        "title": rulebook.title,
        "version": rulebook.version,
        "sha256": rulebook.sha256,
        "profile": question.profile,
    }
    rules = scope.rules
    refuse_batch(engine, question, QuestionGrid.of(rules.question_fields, rules.columns, ids))
    return Sweep(rules, ids, tuple(named_axes), question.inputs, question.overrides, tuple(selected), condition, about)


def _split(texts: Any) -> Iterator[str]:
    """The words of one or several comma-separated lists. A mapping is one word, since it is no custom entry here."""
    several = isinstance(texts, Iterable) and not isinstance(texts, str | Mapping)
    for text in texts if several else [texts]:
        yield from (word.strip() for word in as_text(text).split(SEPARATOR) if word.strip())


def _entries(rulebook: Rulebook, axis: Axis, words: list[str]) -> tuple[str, ...]:
    """The ids of the entries of an axis to sweep; empty if the rules choose one for each question."""
    catalog = rulebook.catalog_of(axis.name)
    problems: list[Problem] = []
    named: set[str] = set()
    for word in words:
        try:
            named.add(read_entry(rulebook, axis, word).id)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(problems)
    if named:
        return tuple(entry for entry in catalog.ids if entry in named)
    if axis.swept or axis.required:
        return catalog.ids
    return (axis.default,) if axis.default is not None else ()


@dataclass
class _Scope:
    """The names available to columns and the filter."""

    rules: CompiledRules
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.names = [*self.rules.definitions, *field_names(self.rules.question_fields, self.rules.catalogs)]

    def is_compared(self, name: str) -> bool:
        """Whether the value of a name depends on another answer."""
        return bool(self.rules.plan([name]).current)


def _columns(rulebook: Rulebook, scope: _Scope, keys: Iterable[str], problems: list[Problem]) -> Iterator[SweepColumn]:
    """The entry of each axis, then the named columns or the default ones. Appends to `problems`."""
    axes = rulebook.question_fields.axes
    yield from (SweepColumn(axis, f"{axis}.id") for axis in axes)
    rule_set = scope.rules.rule_set
    known = layout_columns(rulebook.layout, rule_set)
    named = [*dict.fromkeys(key for key in keys if key not in axes)]
    for key in named or [column.key for column in default_columns(rulebook.layout, rule_set)]:
        column = known.get(key) or SweepColumn(key, key)
        info = scope.rules.describe(column.name)
        if info is None and not column.name.startswith(RULES_PREFIX):
            near = closest(key, [*known, *scope.names])
            message, hint = f"there is no column `{key}`", did_you_mean(near)
            problems.append(Problem(ColumnUnknown, message, field=COLUMNS, closest=near, hint=hint))
        elif info and scope.is_compared(column.name):
            message = f"`{key}` depends on another answer"
            problems.append(Problem(ColumnCompared, message, field=COLUMNS))
        else:
            yield column


def _where(units: UnitSystem, scope: _Scope, source: str) -> tuple[Expression | None, list[Problem]]:
    """The filter as an expression with converted units, and its problems."""
    document, problems = _as_document(source)
    if document is None:
        return None, problems
    path = (WHERE,)
    try:
        expression = parse(source)
    except ExpressionError as error:
        return None, [fault.problem(document, path) for fault in error.faults]
    rules = scope.rules
    for name in expression.names:
        offset = expression.offset_of(name)
        if rules.describe(name) is None:
            if units.named(name) is None:
                message, near = f"undefined name `{name}`", closest(name, [*scope.names, *units.closest(name)])
                problems.append(document.problem(NameUnknown, message, path, offset=offset, closest=near))
        elif scope.is_compared(name):
            message = f"`{name}` depends on another answer"
            problems.append(document.problem(ColumnCompared, message, path, offset=offset))

    def kind_of_name(name: str) -> Kind | None:
        info = rules.describe(name)
        return info.kind if info else Kind.NUMBER if units.named(name) else None

    kind, faults = infer_kind(expression, kind_of_name)
    problems += [fault.problem(document, path) for fault in faults]
    if kind is not Kind.CONDITION and not problems:
        message, hint = "this must be a condition", "compare it with a number"
        problems.append(document.problem(ExpressionKind, message, path, hint=hint))
    if problems:
        return None, problems
    return convert_condition(expression, rules.rule_set, units, document, path, compares_bare_numbers=True)


def _as_document(source: str) -> tuple[Document | None, list[Problem]]:
    """A document with the expression, so that its problems have positions; None for text that YAML cannot hold."""
    return read_text(f"{WHERE}: {json.dumps(source)}", f"--{WHERE}")
