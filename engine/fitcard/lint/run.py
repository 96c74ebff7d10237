"""All checks of a rulebook, from the syntax of its files to invariants over its catalogs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_question
from fitcard.calibration.parameters import bounds_problems
from fitcard.compiler.coverage import CoveragePart
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.language.resolution import NameUnknown
from fitcard.lint.budget import affordable_questions
from fitcard.lint.catalog_checks import catalog_problems
from fitcard.lint.generated_schemas import outdated_schemas
from fitcard.lint.invariants import invariant_problems
from fitcard.lint.messages import text_problems
from fitcard.lint.sample import Sample, exhaustive_samples, samples_of
from fitcard.lint.unused import (
    unreachable_problems,
    unreached_problems,
    untested_parts,
    unused_problems,
    without_reached,
)
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.loader import load_with_problems
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.suggest import closest, limited_suggestions
from fitcard.testing.rule_tests import misuse_problems, rule_tests

MAX_QUESTIONS = 40_000  # of a sample
MAX_QUESTIONS_TO_LOAD = 10_000  # fewer, because a service or a command waits for it


def run_checks(
    folders: Folders, *, thorough: bool = False, cache: FileCache | None = None, max_questions: int = MAX_QUESTIONS
) -> tuple[Engine | None, list[Problem]]:
    """The engine, None if the files have errors that prevent loading, and all problems by file and line.

    Numbers and invariants are checked with a sample of at most `max_questions`, with `thorough` also with all questions
    over the catalogs. Files in the `cache` are not read again unless they changed.
    """
    with limited_suggestions():
        engine, problems = _run_checks(folders, thorough, cache, max_questions)
    return engine, sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key)


def _run_checks(
    folders: Folders, thorough: bool, cache: FileCache | None, max_questions: int
) -> tuple[Engine | None, list[Problem]]:
    engine, problems, samples = _load(folders, cache, max_questions, with_invariants=True)
    if engine is not None:
        computable = not errors(problems)
        rulebook = engine.rulebook
        problems += unused_problems(engine)
        problems += pinned_problems(rulebook)
        problems += catalog_problems(rulebook)
        problems += [problem for rule_set in rulebook.rule_sets.values() for problem in bounds_problems(rule_set)]
        problems += [problem for test in rule_tests(rulebook) for problem in misuse_problems(engine, test)]
        if computable:
            problems += invariant_problems(rulebook, samples)
            parts = untested_parts(engine, samples)
            if thorough:
                problems += _grid_problems(engine, parts, max_questions)
            else:
                problems += unreachable_problems(engine, parts, max_questions)
        problems += text_problems(rulebook)
        if not errors(problems):
            problems += outdated_schemas(rulebook, folders)
    return engine, problems


def _grid_problems(engine: Engine, parts: list[CoveragePart], max_questions: int) -> list[Problem]:
    """The problems of all questions over the catalogs; of these parts, those that no question reaches."""
    problems: list[Problem] = []
    for rules in engine.rules.values():
        for sample in exhaustive_samples(rules, max_questions):
            not_finite = finite_problems([sample])
            problems += not_finite or invariant_problems(engine.rulebook, [sample])
            parts = parts if not_finite else without_reached(sample, parts)
    return problems if errors(problems) else [*problems, *unreached_problems(parts)]


def load_checked(folders: Folders, cache: FileCache | None = None) -> Engine:
    """The engine of rules without errors: names, tables, units, numbers, texts and the shape of answers are checked.

    Invariants and tests are left to `run_checks`. Raises ProblemsError with all problems if one is an error.
    """
    with limited_suggestions():
        engine, problems, _ = _load(folders, cache, MAX_QUESTIONS_TO_LOAD)
    if engine is not None and not errors(problems):
        problems += text_problems(engine.rulebook)
    if engine is None or errors(problems):
        raise ProblemsError(problems)
    return engine


def _load(
    folders: Folders, cache: FileCache | None, max_questions: int, *, with_invariants: bool = False
) -> tuple[Engine | None, list[Problem], list[Sample]]:
    """The engine, the problems of loading it and of numbers that are not finite, and the samples for further checks.

    The samples are no larger than what can be evaluated in time, also `with_invariants`; none if that is too few.
    """
    rulebook, problems = load_with_problems(folders, cache)
    if rulebook is None:
        return None, problems, []
    engine = compile_rulebook(rulebook)
    size, too_costly = affordable_questions(engine, max_questions, rulebook.invariants if with_invariants else ())
    if too_costly:
        return engine, [*problems, *too_costly], []
    samples = samples_of(engine.rules.values(), size)
    return engine, [*problems, *finite_problems(samples)], samples


def finite_problems(samples: Iterable[Sample]) -> list[Problem]:
    """The first number of each sample that is not finite; the same problem of several samples only once."""
    problems: dict[tuple[object, ...], Problem] = {}
    for sample in samples:
        try:
            _ = sample.evaluation
        except ProblemsError as error:
            for problem in error.problems:
                problems.setdefault((problem.position, problem.code), problem)
    return list(problems.values())


def pinned_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """Invalid pinned questions, and pinned names that no rule has."""
    document, definitions = rulebook.document, rulebook.rule_set.definitions
    for number, question in enumerate(rulebook.pinned.questions):
        try:
            read_question(rulebook, question)
        except ProblemsError as error:
            for problem in word_problems(error.problems, rulebook.messages):
                at = ("pinned", "questions", number, problem.field)
                yield document.problem(problem.kind, problem.message, at, closest=problem.closest)
    for number, name in enumerate(rulebook.pinned.names):
        if name not in definitions:
            path, near = ("pinned", "names", number), closest(name, definitions)
            yield document.problem(NameUnknown, f"there is no rule `{name}`", path, closest=near)


def problems_after_edit(folders: Folders, file: Path, text: str) -> list[Problem]:
    """The problems that `run_checks` would report in addition if `file`, in one of the folders, contained `text`."""
    with tempfile.TemporaryDirectory() as directory:
        copies = {}
        for folder in folders.all:
            copies[folder] = Path(directory) / folder.resolve().name
            shutil.copytree(folder, copies[folder])
        folder = next(folder for folder in folders.all if file.resolve().is_relative_to(folder.resolve()))
        edited = copies[folder] / file.resolve().relative_to(folder.resolve())
        edited.parent.mkdir(parents=True, exist_ok=True)
        edited.write_text(text, "utf-8")
        _, after = run_checks(Folders(*copies.values()))
    if not after:
        return []
    before = {(problem.kind, problem.message) for problem in run_checks(folders)[1]}
    return [problem for problem in after if (problem.kind, problem.message) not in before]
