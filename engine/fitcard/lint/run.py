"""All that can be said against a rulebook, from the first byte of its files to the last question over its catalogs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_question
from fitcard.calibration.parameters import bounds_problems
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.language.resolution import NameUnknown
from fitcard.lint.catalog_checks import catalog_problems
from fitcard.lint.generated_schemas import outdated_schemas
from fitcard.lint.invariants import invariant_problems
from fitcard.lint.messages import text_problems
from fitcard.lint.sample import Sample, exhaustive_samples, samples_of
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
            for problem in word_problems(found.problems, rulebook.messages):
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
) -> tuple[Engine | None, list[Problem]]:
    """The engine, None where the files hold an error, and all problems in the order of files and lines.

    What must hold for every question is tried on about `most` of them, and, to be `thorough`, on all. Files that have
    been `kept` from an earlier time are not read again where they are the same.
    """
    engine, problems, trials = _prove(folders, kept, most)
    if engine is not None:
        computed = not errors(problems)  # else neither an invariant nor an answer can be tried
        problems += unused_problems(engine)
        rulebook = engine.rulebook
        problems += pinned_problems(rulebook)
        problems += catalog_problems(rulebook)
        problems += [problem for rules in rulebook.rule_sets.values() for problem in bounds_problems(rules)]
        problems += [problem for test in rule_tests(rulebook) for problem in misuse_problems(engine, test)]
        if computed:
            problems += [*invariant_problems(rulebook, trials), *unreachable_problems(engine, trials, most)]
        problems += [*text_problems(rulebook), *outdated_schemas(rulebook, folders)]
        if computed and thorough:
            for rules in engine.rules.values():
                for trial in exhaustive_samples(rules, most):
                    problems += finite_problems([trial]) or invariant_problems(rulebook, [trial])
    return engine, sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key)


def load_checked(folders: Folders, kept: FileCache | None = None) -> Engine:
    """The engine, fit to answer: names, tables, units, numbers, texts and the shape of answers are proven.

    Raises ProblemsFound with all problems where one is an error. Invariants and tests are for whoever changes the
    rules, and are left to `run_checks`.
    """
    engine, problems, _ = _prove(folders, kept, MAX_QUESTIONS_TO_LOAD)
    if engine is not None and not errors(problems):
        problems += text_problems(engine.rulebook)
    if engine is None or errors(problems):
        raise ProblemsError(problems)
    return engine


def _prove(folders: Folders, kept: FileCache | None, most: int) -> tuple[Engine | None, list[Problem], list[Sample]]:
    """Names, tables and units, and that every number of the trials, which are given back too, is finite."""
    rulebook, problems = load_with_problems(folders, kept)
    if rulebook is None:
        return None, problems, []
    engine = compile_rulebook(rulebook)
    trials = samples_of(engine.rules.values(), most)
    return engine, [*problems, *finite_problems(trials)], trials
