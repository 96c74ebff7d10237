"""All that can be said against a rulebook, from the first byte of its files to the last question over its catalogs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.answer.question import read_question
from fitcard.calibration.parameters import bounds_problems
from fitcard.language.resolution import NameUnknown
from fitcard.language.units import unit_problems
from fitcard.lint.answer_shape import answer_problems
from fitcard.lint.catalog_checks import catalog_problems
from fitcard.lint.invariants import invariant_problems
from fitcard.lint.sample import Sample, exhaustive_samples, samples_of
from fitcard.lint.service import service_problems
from fitcard.lint.tools import tool_problems
from fitcard.lint.unused import unreachable_problems, unused_problems
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.loader import load_with_problems
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.suggest import closest
from fitcard.testing.rule_tests import misuse_problems, rule_tests


def finite_problems(trials: Iterable[Sample]) -> list[Problem]:
    """The first number of each trial that is not finite; what is wrong in several is said once."""
    problems: dict[tuple[object, ...], Problem] = {}
    for trial in trials:
        try:
            _ = trial.whole
        except ProblemsError as found:
            for problem in found.problems:
                problems.setdefault((problem.position, problem.code), problem)
    return list(problems.values())


def pinned_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Pinned questions that cannot be asked, and pinned names that no rule has."""
    document, rules = rulebook.document, rulebook.rule_set
    for number, question in enumerate(rulebook.pinned.questions):
        try:
            read_question(rulebook, question)
        except ProblemsError as found:
            for problem in found.problems:
                place = ("pinned", "questions", number, problem.field)
                yield document.problem(problem.kind, problem.message, place, closest=problem.closest)
    for number, name in enumerate(rulebook.pinned.names):
        if name not in rules.definitions:
            near = closest(name, rules.definitions)
            path = ("pinned", "names", number)
            yield document.problem(NameUnknown, f"there is no rule `{name}`", path, closest=near)


MAX_QUESTIONS = 40_000  # questions of one trial
MAX_QUESTIONS_TO_LOAD = 10_000  # before anything is answered: somebody waits for it


def run_checks(
    folders: Folders, *, thorough: bool = False, kept: FileCache | None = None, most: int = MAX_QUESTIONS
) -> tuple[Rulebook | None, list[Problem]]:
    """The rulebook, None where its files hold an error, and all problems in the order of files and lines.

    What must hold for every question is tried on about `most` of them, and, to be `thorough`, on all. Files that have
    been `kept` from an earlier time are not read again where they are the same.
    """
    rulebook, problems, trials = _prove(folders, kept, most)
    if rulebook is not None:
        computed = not errors(problems)  # else neither an invariant nor an answer can be tried
        problems += unused_problems(rulebook)
        problems += pinned_problems(rulebook)
        problems += catalog_problems(rulebook)
        problems += [problem for rules in rulebook.rule_sets.values() for problem in bounds_problems(rules)]
        problems += [problem for test in rule_tests(rulebook) for problem in misuse_problems(rulebook, test)]
        if computed:
            problems += [*invariant_problems(rulebook, trials), *unreachable_problems(rulebook, trials, most)]
        problems += _given_problems(rulebook) if computed else _described_problems(rulebook)
        if computed and thorough:
            for rule_set in rulebook.rule_sets.values():
                for trial in exhaustive_samples(rule_set, most):
                    problems += finite_problems([trial]) or invariant_problems(rulebook, [trial])
    return rulebook, sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key)


def load_checked(folders: Folders, kept: FileCache | None = None) -> Rulebook:
    """The rulebook, fit to answer: names, tables, units, numbers, texts, tools and the shape of answers are proven.

    Raises ProblemsFound with all problems where one is an error. Invariants and tests are for whoever changes the
    rules, and are left to `run_checks`.
    """
    rulebook, problems, _ = _prove(folders, kept, MAX_QUESTIONS_TO_LOAD)
    if rulebook is not None and not errors(problems):
        problems += _given_problems(rulebook)
    if rulebook is None or errors(problems):
        raise ProblemsError(problems)
    return rulebook


def _prove(folders: Folders, kept: FileCache | None, most: int) -> tuple[Rulebook | None, list[Problem], list[Sample]]:
    """Names, tables, units, and that every number of the trials, which are given back too, is finite."""
    rulebook, problems = load_with_problems(folders, kept)
    if rulebook is None:
        return None, problems, []
    trials = samples_of(rulebook.rule_sets.values(), most)
    units = unit_problems(rulebook.document, rulebook.units, rulebook.rule_sets.values())
    return rulebook, [*problems, *units, *finite_problems(trials)], trials


def _given_problems(rulebook: Rulebook) -> list[Problem]:
    """What is wrong with answers; else with tools, of which a key that answers lack is not said again."""
    return list(answer_problems(rulebook)) or _described_problems(rulebook)


def _described_problems(rulebook: Rulebook) -> list[Problem]:
    """What tools, addresses and sweeps name that is not there."""
    return [*tool_problems(rulebook), *service_problems(rulebook), *rulebook.swept.problems]
