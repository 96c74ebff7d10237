"""All that can be said against a rulebook, from the first byte of its files to the last question over its catalogs."""

from __future__ import annotations

from engine.check.answer_shape import answer_problems
from engine.check.invariants import invariant_problems
from engine.check.units import unit_problems
from engine.check.whole_catalog import whole_catalog_problems
from engine.problems import Problem, ProblemsFound, errors
from engine.read.folders import Folders
from engine.read.schemas import Schemas
from engine.rule_tests import misuse, rule_tests
from engine.rulebook.load import check
from engine.rulebook.rulebook import Rulebook


def check_everything(folders: Folders) -> tuple[Rulebook | None, list[Problem]]:
    """The rulebook, None where its files hold an error, and all problems in the order of files and lines."""
    rulebook, problems = check(folders)
    if rulebook is not None:
        problems = [*problems, *unit_problems(rulebook), *whole_catalog_problems(rulebook)]
        problems += [problem for test in rule_tests(rulebook) for problem in misuse(rulebook, test)]
    if rulebook is not None and not errors(problems):
        problems += invariant_problems(rulebook)
        problems += answer_problems(rulebook, Schemas.load(folders.schemas))
    return rulebook, sorted(problems, key=lambda problem: problem.sort_key)


def load_checked(folders: Folders) -> Rulebook:
    """The rulebook, with names, tables and units proven, and every number over its catalogs finite.

    Raises ProblemsFound with all problems where one is an error. What else `check_everything` tries, invariants and the
    shape of answers, is for whoever changes the rules.
    """
    rulebook, problems = check(folders)
    if rulebook is not None:
        problems = [*problems, *unit_problems(rulebook), *whole_catalog_problems(rulebook)]
    if rulebook is None or errors(problems):
        raise ProblemsFound(problems)
    return rulebook
