"""What is swept: the entries of each axis, the columns of each answer, and which answers are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fitcard.answer.question import read_entry, read_question
from fitcard.compiler.batch import Chunks
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.language.expression import Expression, ExpressionError, parse
from fitcard.language.kinds import ExpressionKind, infer_kind
from fitcard.language.question_fields import Axis
from fitcard.language.resolution import NameUnknown
from fitcard.language.rule_set import field_names
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.yaml_reader import read_text
from fitcard.suggest import closest, did_you_mean
from fitcard.sweep.columns import OF_RULES, SweepColumn, default_columns, layout_columns
from fitcard.values import Kind

MAX_CHUNK = 1 << 17  # questions of one part: more of them lie too far apart in memory, fewer cost as much each
SEPARATOR = ","
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
class Sweep:
    """All that is needed to compute any part of a sweep, here or elsewhere.

    `ids` are the entries of each axis that questions name, in the order of the catalogs, and `chosen` those of the
    axes that were named by whoever asked; of the others every entry, or what answers by default, is taken. `about` says
    which rules answer: their title, version, hash and profile.
    """

    rules: CompiledRules
    ids: Mapping[str, tuple[str, ...]]
    chosen: tuple[str, ...]
    inputs: Mapping[str, float]
    overrides: Mapping[str, float]
    columns: tuple[SweepColumn, ...]
    where: Expression | None
    about: Mapping[str, str]
    most: int = MAX_CHUNK

    @cached_property
    def parts(self) -> Chunks:
        """The questions, in parts of bounded size."""
        return Chunks(self.ids, self.most)

    @cached_property
    def names(self) -> frozenset[str]:
        """What the rules have to compute."""
        names = {name for column in self.columns for name in (column.name, *column.when)}
        names.update(self.where.names if self.where else ())
        return frozenset(name for name in names if name not in self.rulebook_values)

    @cached_property
    def rulebook_values(self) -> Mapping[str, str]:
        """Names that no rule computes: what the rulebook says of itself."""
        return {f"{OF_RULES}{key}": value for key, value in self.about.items()}

    def kind(self, column: SweepColumn) -> Kind:
        """What a column holds."""
        found = self.rules.describe(column.name)
        return found.kind if found else Kind.WORD

    @property
    def question(self) -> dict[str, Any]:
        """What was asked, as plain data: entries where some were named, numbers, constants set, and the condition."""
        asked: dict[str, Any] = {axis: list(self.ids[axis]) for axis in self.chosen}
        asked |= self.inputs
        asked |= {"set": dict(self.overrides)} if self.overrides else {}
        return asked | ({WHERE: " ".join(self.where.source.split())} if self.where else {})


def read_sweep(
    engine: Engine,
    parameters: Mapping[str, Any],
    columns: Sequence[str] = (),
    where: str = "",
    overrides: Mapping[str, str | float] | None = None,
) -> Sweep:
    """The sweep that these parameters ask for: those of a question, each axis with as many entries as one likes.

    `columns` are keys of an answer with dots between, or names of the rules; where there are none, those of the
    rulebook. `where` is an expression over names of the rules that keeps the answers for which it holds.
    Raises ProblemsFound with one problem for each parameter, column and name that is unknown or out of range.
    """
    rulebook, problems = engine.rulebook, list[Problem]()
    ids, chosen = {}, []
    for axis in rulebook.question_fields.axes.values():
        words = [*_words(parameters.get(axis.name) or ())]
        try:
            found = _entries(rulebook, axis, words)
        except ProblemsError as unread:
            problems += unread.problems
            continue
        if found:
            ids[axis.name] = found
        if words:
            chosen.append(axis.name)
    rest = {name: value for name, value in parameters.items() if name not in rulebook.question_fields.axes}
    try:
        question = read_question(rulebook, rest, overrides, open_axes=rulebook.question_fields.axes)
    except ProblemsError as unread:
        raise ProblemsError([*unread.problems, *problems]) from None
    reader = _Names(engine.rules[question.profile])
    wanted = [*_columns(rulebook, reader, _words(columns), problems)]
    kept = _where(reader, where, problems) if where else None
    if problems:
        raise ProblemsError(problems)
    about = {
        "title": rulebook.title,
        "version": rulebook.version,
        "sha256": rulebook.sha256,
        "profile": question.profile,
    }
    rules = reader.rules
    return Sweep(rules, ids, tuple(chosen), question.inputs, question.overrides, tuple(wanted), kept, about)


def _words(given: str | Iterable[str]) -> Iterator[str]:
    """Words that stand by themselves or with commas between."""
    for text in [given] if isinstance(given, str) else given:
        yield from (word.strip() for word in text.split(SEPARATOR) if word.strip())


def _entries(rulebook: Rulebook, axis: Axis, words: list[str]) -> tuple[str, ...]:
    """The entries of an axis that are swept; none where the rules choose one for each question."""
    catalog = rulebook.catalog_of(axis.name)
    problems: list[Problem] = []
    named: set[str] = set()
    for word in words:
        try:
            named.add(read_entry(rulebook, axis, word).id)
        except ProblemsError as unread:
            problems += unread.problems
    if problems:
        raise ProblemsError(problems)
    if named:
        return tuple(entry for entry in catalog.ids if entry in named)
    if axis.swept or axis.required:
        return catalog.ids
    return (axis.default,) if axis.default is not None else ()


@dataclass
class _Names:
    """Names that a sweep can show or go by: those that one question by itself gives."""

    rules: CompiledRules
    known: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.known = [*self.rules.definitions, *field_names(self.rules.question_fields, self.rules.catalogs)]

    def compared(self, name: str) -> bool:
        return bool(self.rules.plan([name]).current)


def _columns(rulebook: Rulebook, reader: _Names, keys: Iterable[str], problems: list[Problem]) -> Iterator[SweepColumn]:
    """The columns: the entry of each axis, then those that are named, or else the values of the layout."""
    axes = rulebook.question_fields.axes
    yield from (SweepColumn(axis, f"{axis}.id") for axis in axes)
    rule_set = reader.rules.rule_set
    known = layout_columns(rulebook.layout, rule_set)
    named = [*dict.fromkeys(key for key in keys if key not in axes)]
    for key in named or [column.key for column in default_columns(rulebook.layout, rule_set)]:
        column = known.get(key) or SweepColumn(key, key)
        found = reader.rules.describe(column.name)
        if found is None and not column.name.startswith(OF_RULES):
            near = closest(key, [*known, *reader.known])
            message, hint = f"there is no column `{key}`", did_you_mean(near)
            problems.append(Problem(ColumnUnknown, message, field=COLUMNS, closest=near, hint=hint))
        elif found and reader.compared(column.name):
            message = f"`{key}` depends on another answer"
            problems.append(Problem(ColumnCompared, message, field=COLUMNS))
        else:
            yield column


def _where(reader: _Names, source: str, problems: list[Problem]) -> Expression | None:
    """The condition, checked like any expression of the rules."""
    document, path = _quoted(source), (WHERE,)
    try:
        expression = parse(source)
    except ExpressionError as found:
        problems += [fault.problem(document, path) for fault in found.faults]
        return None
    rules = reader.rules
    for name in expression.names:
        offset = expression.offset_of(name)
        if rules.describe(name) is None:
            message, near = f"undefined name `{name}`", closest(name, reader.known)
            problems.append(document.problem(NameUnknown, message, path, offset=offset, closest=near))
        elif reader.compared(name):
            message = f"`{name}` depends on another answer"
            problems.append(document.problem(ColumnCompared, message, path, offset=offset))

    def kind_of_name(name: str) -> Kind | None:
        info = rules.describe(name)
        return info.kind if info else None

    kind, faults = infer_kind(expression, kind_of_name)
    problems += [fault.problem(document, path) for fault in faults]
    if kind is not Kind.CONDITION and not faults and not problems:
        message, hint = "this must be a condition", "compare it with a number"
        problems.append(document.problem(ExpressionKind, message, path, hint=hint))
    return expression


def _quoted(source: str) -> Document:
    """The expression as a document of its own, so that its problems have a place in it."""
    document, _ = read_text(f"{WHERE}: {json.dumps(source)}", f"--{WHERE}")
    assert document is not None
    return document
