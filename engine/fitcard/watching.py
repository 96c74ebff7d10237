"""What a state of the files gives: what is wrong, which tests fail, and what the pinned questions come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fitcard.answer.asking import Asker
from fitcard.answer.question import read_question
from fitcard.check.everything import check_everything
from fitcard.columns import Scalar
from fitcard.problems import Problem, ProblemsFound, errors
from fitcard.read.folders import Folders
from fitcard.rule_tests import Outcome, rule_tests, run
from fitcard.rulebook.files import KeptFiles
from fitcard.rulebook.pinned import Asked
from fitcard.rulebook.rulebook import Rulebook

MOST = 10_000  # questions that what must hold is tried on: few enough to be done before one looks up from a save


@dataclass(frozen=True)
class Look:
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
    pins: tuple[Asked, ...] = ()
    _kept: KeptFiles = field(default_factory=KeptFiles)

    def look(self) -> Look:
        """The state of the files now. Raises ProblemsFound for a pin that cannot be asked."""
        rulebook, problems = check_everything(self.folders, kept=self._kept, most=MOST)
        if rulebook is None or any(problem.code == "not-finite" for problem in errors(problems)):
            return Look(tuple(problems))
        outcomes = tuple(run(rulebook, test) for test in rule_tests(rulebook))
        names = rulebook.pinned.names
        units = {name: rulebook.rule_set.definitions[name].unit for name in names if name in rulebook.rule_set.kinds}
        return Look(tuple(problems), outcomes, dict(_figures(rulebook, self.pins)), units)


def _figures(rulebook: Rulebook, pins: tuple[Asked, ...]) -> Iterator[tuple[tuple[str, str], Scalar]]:
    for asked in (*rulebook.pinned.questions, *pins):
        try:
            asker = Asker(rulebook, read_question(rulebook, asked))
        except ProblemsFound:
            if asked in pins:
                raise
            continue  # told among the problems
        names = [name for name in rulebook.pinned.names if name in asker.rules.definitions]
        asker.ask(set(names))
        yield from (((" ".join(map(str, asked.values())), name), asker.value(name)) for name in names)
