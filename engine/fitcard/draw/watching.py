"""What a save did, in a few lines: what is wrong now, which tests fail, and which pinned figures moved, and how far."""

from __future__ import annotations

from collections.abc import Iterator

from fitcard.columns import SAME, Scalar
from fitcard.draw.problem_text import problem_text, summary_text, with_unit
from fitcard.rule_tests import Outcome
from fitcard.watching import Look

PERCENT = 100
MOST_TESTS = 5


def first_lines(look: Look) -> Iterator[str]:
    """The state in which watching begins."""
    yield from _state(look, None)
    for question in dict.fromkeys(question for question, _ in look.figures):
        values = ", ".join(
            f"{name} {_shown(look, name, value)}" for (asked, name), value in look.figures.items() if asked == question
        )
        yield f"{question}: {values}"


def change_lines(first: Look, before: Look, now: Look) -> Iterator[str]:
    """What is different `now` from `before` and, where that is more, from the `first` state."""
    yield from _state(now, before)
    if not now.runs:
        yield "nothing is answered until the errors are gone"
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


def _state(look: Look, before: Look | None) -> Iterator[str]:
    """What is wrong, and which tests fail or pass that did not `before`."""
    yield from (problem_text(problem) for problem in look.problems)
    failing = {outcome.test.name: outcome for outcome in look.failed}
    passed = len(look.outcomes) - len(failing)
    tests = f"; {passed} of {len(look.outcomes)} tests pass" if look.outcomes else ""
    yield summary_text(look.problems) + tests
    known = {outcome.test.name for outcome in before.failed} if before else set()
    yield from _first_few([_failure(outcome) for name, outcome in failing.items() if name not in known])
    if look.outcomes:
        yield from _first_few([f"passes again: {name}" for name in known if name not in failing])


def _failure(outcome: Outcome) -> str:
    return "\n    ".join([f"FAILED {outcome.test.name}", *(problem.message for problem in outcome.problems)])


def _first_few(texts: list[str]) -> Iterator[str]:
    yield from texts[:MOST_TESTS]
    if len(texts) > MOST_TESTS:
        yield f"and {len(texts) - MOST_TESTS} more"


def _differs(one: Scalar, other: Scalar) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) > SAME * max(abs(one), abs(other))
    return one != other


def _step(old: Scalar, new: Scalar) -> str:
    """How far it is from one figure to the other, in percent; nothing where there is no such thing."""
    if not isinstance(old, float) or not isinstance(new, float) or not old:
        return ""
    return f"{(new - old) / abs(old) * PERCENT:+.3g} %"


def _shown(look: Look, name: str, value: Scalar) -> str:
    return with_unit({"value": value, "unit": look.units.get(name, "")})
