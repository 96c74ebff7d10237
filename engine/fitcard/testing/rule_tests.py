"""Rule tests: YAML files beside the rules with questions, or names set to values, and the expected figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fitcard.answer.evaluator import QuestionEvaluator, Row
from fitcard.answer.problems import word_problems
from fitcard.answer.question import Question, read_question
from fitcard.compiler.compiled_rules import CompiledRules
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Table
from fitcard.language.question_fields import PROFILE
from fitcard.language.resolution import NameUnknown
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Path
from fitcard.suggest import closest, did_you_mean, enumerated
from fitcard.values import Kind, Scalar, format_decimals


class TestFailed(ProblemCode):
    """A rule test expects another value than the rules give. The trace below shows how the value is computed.

    Why: either the rules or the expectation is wrong.
    Avoid: widening `within` until the test passes
    Prefer: fixing the rule, or `fitcard test --update` if the new value is correct.
    """


class TestAgrees(ProblemCode):
    """A figure that is listed as a known difference now agrees.

    Why: a list of known differences is useful only while all of them are real.
    Avoid: leaving the figure under `differs`
    Prefer: moving it to `expect`.
    """


class TestKind(ProblemCode):
    """A test sets a name to a value of the wrong kind, such as a word for a number.

    Why: the rules never encounter such a value.
    Avoid: `given: {memory_ratio: tight_fit}`
    Prefer: `given: {memory_ratio: 0.9}`
    """


EXACT = 1e-9  # tolerance where a test has none
EXACT_SHARE = f"{EXACT * 100:.7f} %"
PRINTED = "printed"  # as tolerance: equal when rounded to the decimals of the expectation


@dataclass(frozen=True)
class RuleTest:
    """A test of a file. `given` is a question, names set to values, or both; `differs` lists known differences."""

    document: Document
    number: int
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the test, a sentence."""
        return str(self.data["name"])

    @property
    def path(self) -> Path:
        """The path of the test in its document."""
        return ("tests", self.number)

    @property
    def given(self) -> dict[str, Any]:
        """The question and values of the test, with those of its file as defaults."""
        return {**self.document.data.get("given", {}), **self.data["given"]}

    @property
    def contract(self) -> bool:
        """Whether its figures are a contract, whose changes require a reason."""
        return bool(self.data.get("contract", self.document.data.get("contract", False)))

    @property
    def figures(self) -> dict[str, Path]:
        """The names with a stated figure, each with the path of that figure."""
        differs = {name: (*self.path, "differs", name, PRINTED) for name in self.data.get("differs", {})}
        return {name: (*self.path, "expect", name) for name in self.data.get("expect", {})} | differs

    def written(self, path: Path) -> str:
        """The text of a figure in the file."""
        return self.document.spans[path].written or ""

    def within(self, name: str) -> float | str:
        """The tolerance of a name: absolute, relative such as `2 %`, or PRINTED."""
        within = self.data.get("within", EXACT_SHARE)
        tolerance: float | str = within.get(name, EXACT_SHARE) if isinstance(within, dict) else within
        return tolerance


@dataclass(frozen=True)
class Outcome:
    """The result of a test: a problem for each wrong figure, and a trace of how these were computed.

    `rows` are the evaluated rows, `actual` the values in place of each failed expectation.
    """

    test: RuleTest
    problems: tuple[Problem, ...]
    trace: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Row, ...] = ()
    actual: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether all figures agree."""
        return not self.problems


def rule_tests(rulebook: Rulebook, containing: str = "") -> Iterator[RuleTest]:
    """The tests whose name or file contains the text, ignoring case."""
    for document in rulebook.tests:
        for number, data in enumerate(document.data["tests"]):
            if containing.casefold() in f"{document.path} {data['name']}".casefold():
                yield RuleTest(document, number, data)


def misuse_problems(engine: Engine, test: RuleTest) -> list[Problem]:
    """The problems of the test itself, without running it: unknown names and entries, values of the wrong kind."""
    names = {*test.data.get("expect", {}), *test.data.get("differs", {})}
    try:
        return list(_misused_names(_evaluator(engine, test), test, names))
    except ProblemsError as error:
        return _at_test(engine, test, error.problems)


def computed_values(engine: Engine, test: RuleTest, names: Iterable[str]) -> dict[str, Scalar]:
    """The values of these names for the question of the test. Raises ProblemsError if a number is not finite."""
    return _evaluator(engine, test).values(names)


def run_test(engine: Engine, test: RuleTest) -> Outcome:
    """Runs a test; problems of its question are part of the outcome."""
    expected: Mapping[str, Any] = test.data.get("expect", {})
    differs: Mapping[str, Any] = test.data.get("differs", {})
    names = {*expected, *differs}
    try:
        evaluator = _evaluator(engine, test)
        problems = list(_misused_names(evaluator, test, names))
        if problems:
            return Outcome(test, tuple(problems))
        rows = evaluator.rows_of(names)
    except ProblemsError as error:
        return Outcome(test, tuple(_at_test(engine, test, error.problems)))
    values = {name: rows.value(name, engine.rulebook.layout) for name in names}
    wrong = {name: problem for name, value in values.items() if (problem := _compare(value, test, name))}
    trace = rows.own.trace(wrong) if wrong else []
    problems = [wrong[name] for name in [*expected, *differs] if name in wrong]
    actual = {name: value for name in expected if name in wrong and (value := values[name]) is not None}
    return Outcome(test, tuple(problems), tuple(trace), (rows.own, *rows.picks.values()), actual)


def _evaluator(engine: Engine, test: RuleTest) -> QuestionEvaluator:
    given, rulebook = test.given, engine.rulebook
    axes, inputs = rulebook.question_fields.axes, rulebook.question_fields.inputs
    parameters = {name: value for name, value in given.items() if name in axes or name in inputs or name == PROFILE}
    values = {
        name: float(value) if type(value) is int else value for name, value in given.items() if name not in parameters
    }
    required = [name for name, axis in axes.items() if axis.required]
    if all(name in given for name in required):
        return QuestionEvaluator(engine, (read_question(rulebook, parameters),), values)
    # Without a whole question: any entries let the parameters be read, and are dropped again.
    question = read_question(rulebook, {**{name: rulebook.catalog_of(name).ids[0] for name in required}, **parameters})
    entries = {axis: entry for axis, entry in question.entries.items() if axis in parameters or axes[axis].default}
    return QuestionEvaluator(engine, (Question(entries, question.inputs, question.profile),), values)


def _misused_names(evaluator: QuestionEvaluator, test: RuleTest, names: set[str]) -> Iterator[Problem]:
    """Unknown names, and names set to a value of the wrong kind."""
    picks, rules = evaluator.engine.rulebook.layout.picks, evaluator.rules
    known = [*rules.definitions, *rules.question_fields.axes, *rules.question_fields.inputs]
    for section, section_names in (("given", evaluator.fixed), ("expect", names)):
        for name in section_names:
            if rules.describe(name) is None and name.partition(".")[0] not in picks:
                path, near = (*test.path, section, name), closest(name, known)
                yield test.document.problem(NameUnknown, f"undefined name `{name}`", path, key=True, closest=near)
    for name, value in evaluator.fixed.items():
        info = rules.describe(name)
        if info is not None and info.kind is not _kind(value):
            message = f"`{name}` is a {info.kind}, but is set to a {_kind(value)}"
            yield test.document.problem(TestKind, message, (*test.path, "given", name), hint=f"set it to a {info.kind}")
    yield from _misused_expectations(rules, test)


def _misused_expectations(rules: CompiledRules, test: RuleTest) -> Iterator[Problem]:
    """Expected values that a name never has: of another kind, or a word that its table does not give."""
    for name, value in test.data.get("expect", {}).items():
        info, definition = rules.describe(name), rules.definitions.get(name)
        if info is None or value is None:
            continue
        path = (*test.path, "expect", name)
        if info.kind is not _kind(value):
            message = f"`{name}` is a {info.kind}, but a {_kind(value)} is expected"
            yield test.document.problem(TestKind, message, path, hint=f"expect a {info.kind}")
        elif info.kind is Kind.WORD and isinstance(definition, Table):
            words = rules.rule_set.possible_words(name)[0]
            if words and value not in words:
                message, near = f"`{name}` is never `{value}`", closest(value, words)
                hint = did_you_mean(near) or f"the words are: {enumerated(words)}"
                yield test.document.problem(TestKind, message, path, hint=hint, closest=near)


def _kind(value: Scalar) -> Kind:
    return Kind.WORD if isinstance(value, str) else Kind.CONDITION if isinstance(value, bool) else Kind.NUMBER


def _compare(value: Scalar, test: RuleTest, name: str) -> Problem | None:
    """The problem of a value that does not agree with its expectation, or that agrees with a known difference."""
    if name in test.data.get("differs", {}):
        path = (*test.path, "differs", name, PRINTED)
        printed = test.data["differs"][name][PRINTED]
        if _agrees(value, printed, PRINTED, test.written(path)):
            message = f"`{name}` is listed as different, but now agrees: {format_value(value)}"
            return test.document.problem(TestAgrees, message, path, hint="move it to `expect`")
        return None
    path = (*test.path, "expect", name)
    expected = test.data["expect"][name]
    if _agrees(value, expected, test.within(name), test.written(path)):
        return None
    message = f"`{name}` is {format_value(value)}, expected {test.written(path)}"
    return test.document.problem(TestFailed, message, path)


def _agrees(value: Scalar, expected: Scalar, within: float | str, written: str) -> bool:
    if value is None or expected is None or isinstance(expected, str | bool) or isinstance(value, str | bool):
        return value == expected
    if within == PRINTED:
        decimals = len(written.partition(".")[2])
        return format_decimals(value, decimals) == format_decimals(expected, decimals)
    if isinstance(within, str):
        return math.isclose(value, expected, rel_tol=float(within.rstrip("% ")) / 100, abs_tol=EXACT)
    return abs(value - expected) <= within + EXACT


def format_value(value: Scalar) -> str:
    """A value in the notation of a test."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _at_test(engine: Engine, test: RuleTest, problems: Iterable[Problem]) -> list[Problem]:
    """Problems of the question or of its evaluation, with the position of the test."""
    located = []
    for problem in word_problems(problems, engine.rulebook.messages):
        path = (*test.path, "given", problem.field) if problem.field in test.data["given"] else (*test.path, "name")
        located.append(
            test.document.problem(problem.kind, problem.message, path, hint=problem.hint, closest=problem.closest)
        )
    return located
