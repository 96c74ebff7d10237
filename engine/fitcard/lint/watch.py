"""The effect of each save of the rules: problems, failing tests, and changes of pinned figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fitcard.answer.evaluator import QuestionEvaluator
from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine
from fitcard.lint.run import run_checks
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.reports import count_problems, format_problem, format_step_value
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.rulebook import PinnedQuestion
from fitcard.source.folders import Folders
from fitcard.testing.rule_tests import Outcome, rule_tests, run_test
from fitcard.values import RELATIVE_TOLERANCE, Scalar

MAX_QUESTIONS = 10_000  # of the sample for numbers and invariants: a save should take no more than a second or two
MAX_TESTS = 5  # listed, of those that fail and of those that pass again
PERCENT = 100


@dataclass(frozen=True)
class WatchState:
    """The files at one time. `figures` are by question and name, and empty if the rules have errors."""

    problems: tuple[Problem, ...]
    outcomes: tuple[Outcome, ...] = ()
    figures: Mapping[tuple[str, str], Scalar] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The rule tests that fail."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def has_figures(self) -> bool:
        """Whether there are figures to compare."""
        return bool(self.figures)


@dataclass
class Watcher:
    """Checks the same folders repeatedly; `pins` are further pinned questions."""

    folders: Folders
    pins: tuple[PinnedQuestion, ...] = ()
    _cache: FileCache = field(default_factory=FileCache)

    def check(self) -> WatchState:
        """The current state of the files. Raises ProblemsError if one of the `pins` is invalid."""
        engine, problems = run_checks(self.folders, cache=self._cache, max_questions=MAX_QUESTIONS)
        if engine is None or any(problem.code == "not-finite" for problem in errors(problems)):
            return WatchState(tuple(problems))
        rulebook = engine.rulebook
        outcomes = tuple(run_test(engine, test) for test in rule_tests(rulebook))
        names = rulebook.pinned.names
        units = {name: rulebook.rule_set.definitions[name].unit for name in names if name in rulebook.rule_set.kinds}
        return WatchState(tuple(problems), outcomes, dict(_pinned_figures(engine, self.pins)), units)


def _pinned_figures(engine: Engine, pins: tuple[PinnedQuestion, ...]) -> Iterator[tuple[tuple[str, str], Scalar]]:
    """The pinned figures by question and name."""
    rulebook = engine.rulebook
    for question in (*rulebook.pinned.questions, *pins):
        try:
            evaluator = QuestionEvaluator(engine, (read_question(rulebook, question),))
        except ProblemsError as error:
            if question in pins:
                raise ProblemsError(word_problems(error.problems, rulebook.messages)) from None
            continue  # `pinned_problems` reports it
        names = [name for name in rulebook.pinned.names if name in evaluator.rules.definitions]
        values = evaluator.values(names)
        title = " ".join(map(str, question.values()))
        yield from (((title, name), values[name]) for name in names)


def first_lines(state: WatchState) -> Iterator[str]:
    """The state at the start: problems, tests, and all pinned figures."""
    yield from _status_lines(state, None)
    for question in dict.fromkeys(question for question, _ in state.figures):
        values = ", ".join(
            f"{name} {_format(state, name, value)}" for (of, name), value in state.figures.items() if of == question
        )
        yield f"{question}: {values}"


def change_lines(first: WatchState, before: WatchState, now: WatchState) -> Iterator[str]:
    """The differences between the states `before` and `now`, for figures also the total change since `first`."""
    yield from _status_lines(now, before)
    if not now.has_figures:
        yield "no answers until the errors are fixed"
        return
    moved: dict[str, list[str]] = {}
    for (question, name), value in now.figures.items():
        old, start = (state.figures.get((question, name)) for state in (before, first))
        if _differs(old, value):
            steps = [_relative_change(old, value)]
            if _differs(start, old) and _differs(start, value):
                steps.append(f"{_relative_change(start, value)} since the start")
            changes = f" ({'; '.join(steps)})" if all(steps) else ""
            line = f"{name} {_format(now, name, old)} -> {_format(now, name, value)}{changes}"
            moved.setdefault(question, []).append(line)
    for question, lines in moved.items():
        yield f"{question}:"
        yield from (f"    {line}" for line in lines)
    unchanged = len({question for question, _ in now.figures}) - len(moved)
    if unchanged:
        yield f"{unchanged} pinned questions unchanged" if moved else "no pinned figure moved"


def _status_lines(state: WatchState, before: WatchState | None) -> Iterator[str]:
    """The problems, the number of passing tests, and tests with another result than `before`."""
    yield from (format_problem(problem) for problem in state.problems)
    failing = {outcome.test.name: outcome for outcome in state.failed}
    passed = len(state.outcomes) - len(failing)
    tests = f"; {passed} of {len(state.outcomes)} tests pass" if state.outcomes else ""
    yield count_problems(state.problems) + tests
    failed_before = {outcome.test.name for outcome in before.failed} if before else set()
    yield from _truncated([_failure(outcome) for name, outcome in failing.items() if name not in failed_before])
    if state.outcomes:
        yield from _truncated([f"passes again: {name}" for name in failed_before if name not in failing])


def _failure(outcome: Outcome) -> str:
    return "\n    ".join([f"FAILED {outcome.test.name}", *(problem.message for problem in outcome.problems)])


def _truncated(texts: list[str]) -> Iterator[str]:
    yield from texts[:MAX_TESTS]
    if len(texts) > MAX_TESTS:
        yield f"and {len(texts) - MAX_TESTS} more"


def _differs(old: Scalar, new: Scalar) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) > RELATIVE_TOLERANCE * max(abs(old), abs(new))
    return old != new


def _relative_change(old: Scalar, new: Scalar) -> str:
    """The change in percent; empty if it is undefined."""
    if not isinstance(old, float) or not isinstance(new, float) or not old:
        return ""
    return f"{(new - old) / abs(old) * PERCENT:+.3g} %"


def _format(state: WatchState, name: str, value: Scalar) -> str:
    return format_step_value({"value": value, "unit": state.units.get(name, "")})
