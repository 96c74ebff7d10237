"""What each save of the rules did: problems, failing tests, and pinned figures that moved."""

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

MAX_QUESTIONS = (
    10_000  # questions that what must hold is tried on: few enough to be done before one looks up from a save
)


@dataclass(frozen=True)
class Snapshot:
    """One state of the files. `figures` are by question, in words, and name; none where the rules hold an error."""

    problems: tuple[Problem, ...]
    outcomes: tuple[Outcome, ...] = ()
    figures: Mapping[tuple[str, str], Scalar] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The rule tests that do not pass."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def runs(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.figures)


@dataclass
class Watcher:
    """Looks at the same folders again and again; `pins` are questions beside those that the rulebook pins."""

    folders: Folders
    pins: tuple[PinnedQuestion, ...] = ()
    _kept: FileCache = field(default_factory=FileCache)

    def check(self) -> Snapshot:
        """The state of the files now. Raises ProblemsFound for a pin that cannot be asked."""
        engine, problems = run_checks(self.folders, kept=self._kept, most=MAX_QUESTIONS)
        if engine is None or any(problem.code == "not-finite" for problem in errors(problems)):
            return Snapshot(tuple(problems))
        rulebook = engine.rulebook
        outcomes = tuple(run_test(engine, test) for test in rule_tests(rulebook))
        names = rulebook.pinned.names
        units = {name: rulebook.rule_set.definitions[name].unit for name in names if name in rulebook.rule_set.kinds}
        return Snapshot(tuple(problems), outcomes, dict(_figures(engine, self.pins)), units)


def _figures(engine: Engine, pins: tuple[PinnedQuestion, ...]) -> Iterator[tuple[tuple[str, str], Scalar]]:
    rulebook = engine.rulebook
    for asked in (*rulebook.pinned.questions, *pins):
        try:
            evaluator = QuestionEvaluator(engine, (read_question(rulebook, asked),))
        except ProblemsError as found:
            if asked in pins:
                raise ProblemsError(word_problems(found.problems, rulebook.messages)) from None
            continue  # told among the problems
        names = [name for name in rulebook.pinned.names if name in evaluator.rules.definitions]
        values = evaluator.values(names)
        yield from (((" ".join(map(str, asked.values())), name), values[name]) for name in names)


PERCENT = 100
MAX_TESTS = 5


def first_lines(look: Snapshot) -> Iterator[str]:
    """The state in which watching begins."""
    yield from _state(look, None)
    for question in dict.fromkeys(question for question, _ in look.figures):
        values = ", ".join(
            f"{name} {_shown(look, name, value)}" for (asked, name), value in look.figures.items() if asked == question
        )
        yield f"{question}: {values}"


def change_lines(first: Snapshot, before: Snapshot, now: Snapshot) -> Iterator[str]:
    """What is different `now` from `before` and, where that is more, from the `first` state."""
    yield from _state(now, before)
    if not now.runs:
        yield "no answers until the errors are fixed"
        return
    moved: dict[str, list[str]] = {}
    for (question, name), value in now.figures.items():
        old, start = (look.figures.get((question, name)) for look in (before, first))
        if _differs(old, value):
            steps = [_step(old, value)]
            if _differs(start, old) and _differs(start, value):
                steps.append(f"{_step(start, value)} since the start")
            told = f" ({'; '.join(steps)})" if all(steps) else ""
            line = f"{name} {_shown(now, name, old)} -> {_shown(now, name, value)}{told}"
            moved.setdefault(question, []).append(line)
    for question, lines in moved.items():
        yield f"{question}:"
        yield from (f"    {line}" for line in lines)
    still = len({question for question, _ in now.figures}) - len(moved)
    if still:
        yield f"{still} pinned questions unchanged" if moved else "no pinned figure moved"


def _state(look: Snapshot, before: Snapshot | None) -> Iterator[str]:
    """What is wrong, and which tests fail or pass that did not `before`."""
    yield from (format_problem(problem) for problem in look.problems)
    failing = {outcome.test.name: outcome for outcome in look.failed}
    passed = len(look.outcomes) - len(failing)
    tests = f"; {passed} of {len(look.outcomes)} tests pass" if look.outcomes else ""
    yield count_problems(look.problems) + tests
    known = {outcome.test.name for outcome in before.failed} if before else set()
    yield from _first_few([_failure(outcome) for name, outcome in failing.items() if name not in known])
    if look.outcomes:
        yield from _first_few([f"passes again: {name}" for name in known if name not in failing])


def _failure(outcome: Outcome) -> str:
    return "\n    ".join([f"FAILED {outcome.test.name}", *(problem.message for problem in outcome.problems)])


def _first_few(texts: list[str]) -> Iterator[str]:
    yield from texts[:MAX_TESTS]
    if len(texts) > MAX_TESTS:
        yield f"and {len(texts) - MAX_TESTS} more"


def _differs(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > RELATIVE_TOLERANCE * max(abs(one), abs(other))
    return one != other


def _step(old: Scalar, new: Scalar) -> str:
    """How far it is from one figure to the other, in percent; nothing where there is no such thing."""
    if not isinstance(old, float) or not isinstance(new, float) or not old:
        return ""
    return f"{(new - old) / abs(old) * PERCENT:+.3g} %"


def _shown(look: Snapshot, name: str, value: Scalar) -> str:
    return format_step_value({"value": value, "unit": look.units.get(name, "")})
