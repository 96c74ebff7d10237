"""All that can be said against a rulebook, from the first byte of its files to the last question over its catalogs."""

from __future__ import annotations

from fitcard.calibrate.parameters import bounds_problems
from fitcard.check.answer_shape import answer_problems
from fitcard.check.catalogs import catalog_problems
from fitcard.check.finite import finite_problems
from fitcard.check.invariants import invariant_problems
from fitcard.check.pinned import pinned_problems
from fitcard.check.service import service_problems
from fitcard.check.tools import tool_problems
from fitcard.check.trial import Trial, trials_of, trials_of_all
from fitcard.check.units import unit_problems
from fitcard.check.unreachable import unreachable_problems
from fitcard.check.unused import unused_problems
from fitcard.problems import Problem, ProblemsFound, errors
from fitcard.read.folders import Folders
from fitcard.rule_tests import misuse, rule_tests
from fitcard.rulebook.files import KeptFiles
from fitcard.rulebook.load import check
from fitcard.rulebook.rulebook import Rulebook

MOST = 40_000  # questions of one trial
MOST_TO_ANSWER = 10_000  # before anything is answered: somebody waits for it


def check_everything(
    folders: Folders, *, thorough: bool = False, kept: KeptFiles | None = None, most: int = MOST
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
        problems += [problem for test in rule_tests(rulebook) for problem in misuse(rulebook, test)]
        if computed:
            problems += [*invariant_problems(rulebook, trials), *unreachable_problems(rulebook, trials, most)]
        problems += _given_problems(rulebook) if computed else _described_problems(rulebook)
        if computed and thorough:
            for rule_set in rulebook.rule_sets.values():
                for trial in trials_of_all(rule_set, most):
                    problems += finite_problems([trial]) or invariant_problems(rulebook, [trial])
    return rulebook, sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key)


def load_checked(folders: Folders, kept: KeptFiles | None = None) -> Rulebook:
    """The rulebook, fit to answer: names, tables, units, numbers, texts, tools and the shape of answers are proven.

    Raises ProblemsFound with all problems where one is an error. Invariants and tests are for whoever changes the
    rules, and are left to `check_everything`.
    """
    rulebook, problems, _ = _prove(folders, kept, MOST_TO_ANSWER)
    if rulebook is not None and not errors(problems):
        problems += _given_problems(rulebook)
    if rulebook is None or errors(problems):
        raise ProblemsFound(problems)
    return rulebook


def _prove(folders: Folders, kept: KeptFiles | None, most: int) -> tuple[Rulebook | None, list[Problem], list[Trial]]:
    """Names, tables, units, and that every number of the trials, which are given back too, is finite."""
    rulebook, problems = check(folders, kept)
    if rulebook is None:
        return None, problems, []
    trials = trials_of(rulebook.rule_sets.values(), most)
    return rulebook, [*problems, *unit_problems(rulebook), *finite_problems(trials)], trials


def _given_problems(rulebook: Rulebook) -> list[Problem]:
    """What is wrong with answers; else with tools, of which a key that answers lack is not said again."""
    return list(answer_problems(rulebook)) or _described_problems(rulebook)


def _described_problems(rulebook: Rulebook) -> list[Problem]:
    """What tools, addresses and sweeps name that is not there."""
    return [*tool_problems(rulebook), *service_problems(rulebook), *rulebook.swept.problems]
