"""Rule tests: YAML beside the rules that says what they must give for a question, or for names set by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fitcard.answer.evaluator import QuestionEvaluator, Row
from fitcard.answer.problems import word_problems
from fitcard.answer.question import Question, read_question
from fitcard.compiler.engine import Engine
from fitcard.language.question_fields import PROFILE
from fitcard.language.resolution import NameUnknown
from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document, Path
from fitcard.suggest import closest
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


EXACT = 1e-9
PRINTED = "printed"


@dataclass(frozen=True)
class RuleTest:
    """One test of a file. `given` is a question, names set to a value, or both; `differs` holds known differences."""

    document: Document
    number: int
    data: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the test says."""
        return str(self.data["name"])

    @property
    def path(self) -> Path:
        """Where it stands in its document."""
        return ("tests", self.number)

    @property
    def given(self) -> dict[str, Any]:
        """What it is given, and what all tests of its file are."""
        return {**self.document.data.get("given", {}), **self.data["given"]}

    @property
    def contract(self) -> bool:
        """Whether others rely on its figures, so that a change of them must be explained."""
        return bool(self.data.get("contract", self.document.data.get("contract", False)))

    @property
    def figures(self) -> dict[str, Path]:
        """The names whose value it states, each with the place of the figure."""
        differing = {name: (*self.path, "differs", name, PRINTED) for name in self.data.get("differs", {})}
        return {name: (*self.path, "expect", name) for name in self.data.get("expect", {})} | differing

    def written(self, path: Path) -> str:
        """A figure as it is written."""
        return self.document.spans[path].written or ""

    def within(self, name: str) -> float | str:
        """The tolerance for one name: a number, a share such as `2 %`, or `printed`."""
        within = self.data.get("within", EXACT_SHARE)
        found: float | str = within.get(name, EXACT_SHARE) if isinstance(within, dict) else within
        return found


EXACT_SHARE = f"{EXACT * 100:.7f} %"


@dataclass(frozen=True)
class Outcome:
    """What came of one test: nothing wrong, or a problem for each figure, and how the wrong ones came about.

    `rows` are what was evaluated for it, `wrong` what came out in place of each failed expectation.
    """

    test: RuleTest
    problems: tuple[Problem, ...]
    trace: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Row, ...] = ()
    wrong: Mapping[str, Scalar] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every figure came out."""
        return not self.problems


def rule_tests(rulebook: Rulebook, containing: str = "") -> Iterator[RuleTest]:
    """All tests of the rulebook whose name or file contains the text."""
    for document in rulebook.tests:
        for number, data in enumerate(document.data["tests"]):
            if containing.casefold() in f"{document.path} {data['name']}".casefold():
                yield RuleTest(document, number, data)


def misuse_problems(engine: Engine, test: RuleTest) -> list[Problem]:
    """What is wrong with the test itself, before anything is computed: names and entries that are not there."""
    names = {*test.data.get("expect", {}), *test.data.get("differs", {})}
    try:
        return list(_misused_names(_evaluator(engine, test), test, names))
    except ProblemsError as found:
        return _at_test(engine, test, found.problems)


def computed_values(engine: Engine, test: RuleTest, names: Iterable[str]) -> dict[str, Scalar]:
    """What comes out for these names where the test asks, whatever it expects. Raises ProblemsFound as rules do."""
    return _evaluator(engine, test).values(names)


def run_test(engine: Engine, test: RuleTest) -> Outcome:
    """What comes of the test."""
    expected: Mapping[str, Any] = test.data.get("expect", {})
    differing: Mapping[str, Any] = test.data.get("differs", {})
    names = {*expected, *differing}
    try:
        evaluator = _evaluator(engine, test)
        problems = list(_misused_names(evaluator, test, names))
        if problems:
            return Outcome(test, tuple(problems))
        rows = evaluator.rows_of(names)
    except ProblemsError as found:
        return Outcome(test, tuple(_at_test(engine, test, found.problems)))
    values = {name: rows.value(name, engine.rulebook.layout) for name in names}
    wrong = {name: problem for name, value in values.items() if (problem := _compare(value, test, name))}
    trace = rows.own.trace(wrong) if wrong else []
    in_order = tuple(wrong[name] for name in [*expected, *differing] if name in wrong)
    got = {name: value for name in expected if name in wrong and (value := values[name]) is not None}
    return Outcome(test, in_order, tuple(trace), (rows.own, *rows.picks.values()), got)


def _evaluator(engine: Engine, test: RuleTest) -> QuestionEvaluator:
    given, rulebook = test.given, engine.rulebook
    question_fields = rulebook.question_fields
    asked = {
        name: value
        for name, value in given.items()
        if name in question_fields.axes or name in question_fields.inputs or name == PROFILE
    }
    fixed = {name: float(value) if type(value) is int else value for name, value in given.items() if name not in asked}
    if all(name in given for name, axis in question_fields.axes.items() if axis.required):
        return QuestionEvaluator(engine, (read_question(rulebook, asked),), fixed)
    stand_ins = {name: rulebook.catalog_of(name).ids[0] for name, axis in question_fields.axes.items() if axis.required}
    question = read_question(rulebook, {**stand_ins, **asked})
    entries = {
        axis: entry for axis, entry in question.entries.items() if axis in asked or question_fields.axes[axis].default
    }
    return QuestionEvaluator(engine, (Question(entries, question.inputs, question.profile),), fixed)


def _misused_names(evaluator: QuestionEvaluator, test: RuleTest, names: set[str]) -> Iterator[Problem]:
    """Names that are not there, and values given to a name that stands for another kind of value."""
    picks, rules = evaluator.engine.rulebook.layout.picks, evaluator.rules
    for section, mentioned in (("given", evaluator.fixed), ("expect", names)):
        for name in mentioned:
            info, place = rules.describe(name), (*test.path, section, name)
            if info is None and name.partition(".")[0] not in picks:
                near = closest(
                    name,
                    [*rules.definitions, *rules.question_fields.axes, *rules.question_fields.inputs],
                )
                yield test.document.problem(NameUnknown, f"undefined name `{name}`", place, key=True, closest=near)
    for name, value in evaluator.fixed.items():
        info = rules.describe(name)
        if info is not None and info.kind is not _kind(value):
            message = f"`{name}` is a {info.kind}, but is set to a {_kind(value)}"
            yield test.document.problem(TestKind, message, (*test.path, "given", name), hint=f"set it to a {info.kind}")


def _kind(value: Scalar) -> Kind:
    return Kind.WORD if isinstance(value, str) else Kind.CONDITION if isinstance(value, bool) else Kind.NUMBER


def _compare(got: Scalar, test: RuleTest, name: str) -> Problem | None:
    if name in test.data.get("differs", {}):
        path = (*test.path, "differs", name, PRINTED)
        printed = test.data["differs"][name][PRINTED]
        if _agrees(got, printed, PRINTED, test.written(path)):
            message = f"`{name}` is listed as different, but now agrees: {format_value(got)}"
            return test.document.problem(TestAgrees, message, path, hint="move it to `expect`")
        return None
    path = (*test.path, "expect", name)
    expected = test.data["expect"][name]
    if _agrees(got, expected, test.within(name), test.written(path)):
        return None
    message = f"`{name}` is {format_value(got)}, expected {test.written(path)}"
    return test.document.problem(TestFailed, message, path)


def _agrees(got: Scalar, expected: Scalar, within: float | str, written: str) -> bool:
    if got is None or expected is None or isinstance(expected, str | bool) or isinstance(got, str | bool):
        return got == expected
    if within == PRINTED:
        decimals = len(written.partition(".")[2])
        return format_decimals(got, decimals) == format_decimals(expected, decimals)
    if isinstance(within, str):
        return math.isclose(got, expected, rel_tol=float(within.rstrip("% ")) / 100, abs_tol=EXACT)
    return abs(got - expected) <= within + EXACT


def format_value(value: Scalar) -> str:
    """A value as it is written in a test."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _at_test(engine: Engine, test: RuleTest, problems: Iterable[Problem]) -> list[Problem]:
    """Problems of the question, or of a number that is not finite, at the test that met them."""
    found = []
    for problem in word_problems(problems, engine.rulebook.messages):
        path = (*test.path, "given", problem.field) if problem.field in test.data["given"] else (*test.path, "name")
        found.append(
            test.document.problem(problem.kind, problem.message, path, hint=problem.hint, closest=problem.closest)
        )
    return found
