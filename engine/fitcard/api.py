"""The functions of `import fitcard`: ask, rank, explain, load and check."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

from fitcard.answer.answer import Answer, answer_question, answer_questions
from fitcard.answer.explain import explain as explain_question
from fitcard.answer.problems import word_problems
from fitcard.answer.question import Question, in_language, read_question
from fitcard.answer.ranking import rank as rank_entries
from fitcard.answer.ranking import read_ranking
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.lint.run import load_checked, run_checks
from fitcard.problems import Problem, ProblemsError
from fitcard.results import Answers, Ranking, Table
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import find_folders
from fitcard.suggest import limited_suggestions
from fitcard.sweep.rows import sweep_in_memory
from fitcard.sweep.selection import read_sweep

Overrides = Mapping[str, str | float]
Folder = str | Path | None
MAX_ENGINES = 8  # compiled rulebooks in memory


def load(rules: Folder = None, catalogs: Folder = None, schemas: Folder = None) -> Rulebook:
    """Loads and checks the rulebook in these folders.

    Defaults: FITCARD_RULES, FITCARD_CATALOGS and FITCARD_SCHEMAS; else the project around the working directory; else
    the installed rulebook. Later edits of the files need another `load`. Raises ProblemsError with all problems if one
    is an error, and TypeError for a folder that is neither text nor a path.
    """
    _check_folders(rules, catalogs, schemas)
    return _cache(load_checked(find_folders(rules, catalogs, schemas))).rulebook


def check(rules: Folder = None, catalogs: Folder = None, schemas: Folder = None) -> list[Problem]:
    """All errors and warnings of the rules and catalogs in these folders, as reported by `fitcard check`."""
    _check_folders(rules, catalogs, schemas)
    return run_checks(find_folders(rules, catalogs, schemas))[1]


def ask(
    model: str | Mapping[str, Any],
    device: str | Mapping[str, Any],
    *,
    rulebook: Rulebook | None = None,
    language: str = "",
    overrides: Overrides | None = None,
    **parameters: Any,
) -> Answer:
    """Whether a model runs on a device, how fast and how well.

    `model` and `device` are ids, names or aliases, or mappings with the fields of a custom entry. `parameters` are
    those of `/v1/can-run`, such as `quant`, `workload`, `users`, `context` (tokens) or `profile`. `overrides` set
    constants and catalog figures by name for this question only.
    Raises ProblemsError with one problem for each name or number that is unknown, missing or out of range, and
    TypeError for arguments of the wrong type.
    """
    engine = _engine(rulebook, language)
    with _worded_problems(engine):
        return answer_question(engine, _read(engine, {"model": model, "device": device, **parameters}, overrides))


def ask_many(
    questions: Iterable[Mapping[str, Any] | Question], *, rulebook: Rulebook | None = None, language: str = ""
) -> Answers:
    """The answers to several questions, evaluated together in about a third of the time of separate calls.

    Each question is a mapping of the parameters of `ask`, including `overrides`, or the `question` of an answer.
    Raises ProblemsError with all problems of all questions; the field `questions.3.model` is that of the fourth.
    """
    _check_type("questions", questions, Iterable)
    engine = _engine(rulebook, language)
    with _worded_problems(engine), limited_suggestions():
        batch, problems = [], []
        for at, question in enumerate(questions):
            _check_type(f"questions[{at}]", question, Question, Mapping)
            try:
                batch.append(question if isinstance(question, Question) else _read(engine, question))
            except ProblemsError as error:
                problems += _of_question(at, error)
        if problems:
            raise ProblemsError(problems)
        try:
            return Answers(answer_questions(engine, batch))
        except ProblemsError:  # of some of the questions, which it does not name
            return Answers(_answer_each(engine, batch))


def _answer_each(engine: Engine, questions: Sequence[Question]) -> list[Answer]:
    """The answers one by one. Raises ProblemsError with the problems of all questions, and their numbers in fields."""
    answers, problems = list[Answer](), list[Problem]()
    for at, question in enumerate(questions):
        try:
            answers.append(answer_question(engine, question))
        except ProblemsError as error:
            problems += _of_question(at, error)
    if problems:
        raise ProblemsError(problems)
    return answers


def _of_question(at: int, error: ProblemsError) -> list[Problem]:
    return [replace(problem, field=f"questions.{at}.{problem.field}") for problem in error.problems]


def rank(
    ranking: str,
    *,
    rulebook: Rulebook | None = None,
    language: str = "",
    overrides: Overrides | None = None,
    **parameters: Any,
) -> Ranking:
    """The entries of a catalog for a question, best first: `rank("models", device="m1-16gb", limit=10)`.

    `parameters` are those of a question except the ranked axis, the filters of the ranking, and `limit`.
    Raises ProblemsError as `ask` does.
    """
    _check_type("ranking", ranking, str)
    _check_mapping("overrides", overrides)
    engine = _engine(rulebook, language)
    with _worded_problems(engine):
        return Ranking(rank_entries(engine, read_ranking(engine.rulebook, ranking, parameters, overrides)))


def ask_all(
    *,
    rulebook: Rulebook | None = None,
    columns: Sequence[str] = (),
    where: str = "",
    overrides: Overrides | None = None,
    **parameters: Any,
) -> Table:
    """The answers for all combinations of entries: `ask_all(model="qwen-3-14b", columns=["grade"])`.

    Each axis takes one entry or several, by default all entries of its catalog; an empty list is a problem. `columns`
    are keys of an answer joined with dots, or names of rules; `where` is an expression over names of rules that filters
    rows: `where="needed_memory > 12000 * MB"`. A number without a unit is in the unit of the other side of its
    comparison.
    Raises ProblemsError as `ask` does. All rows are held in memory; `fitcard sweep` writes them to a file.
    """
    _check_type("columns", columns, str, Iterable)
    _check_type("where", where, str)
    _check_mapping("overrides", overrides)
    engine = _engine(rulebook, "")
    with _worded_problems(engine):
        return Table(sweep_in_memory(read_sweep(engine, parameters, columns, where, overrides)))


def explain(
    model: str | Mapping[str, Any],
    device: str | Mapping[str, Any],
    *names: str,
    rulebook: Rulebook | None = None,
    overrides: Overrides | None = None,
    **parameters: Any,
) -> list[dict[str, Any]]:
    """How figures are computed for a question: one step for each rule and catalog figure, in dependency order.

    `names` are those of rules, such as `decode_tok_s`; by default all that the answer shows. Raises as `ask` does.
    """
    engine = _engine(rulebook, "")
    for name in names:
        _check_type("names", name, str)
    with _worded_problems(engine):
        question = _read(engine, {"model": model, "device": device, **parameters}, overrides)
        return explain_question(engine, question, names)


def _read(engine: Engine, parameters: Mapping[str, Any], overrides: Overrides | None = None) -> Question:
    """The question of these parameters, which may include `overrides`."""
    _check_mapping("parameters", parameters)
    fields = dict(parameters)
    overrides = fields.pop("overrides", overrides)
    _check_mapping("overrides", overrides)
    return read_question(engine.rulebook, fields, overrides)


def _check_type(name: str, value: object, *types: type) -> None:
    """Raises TypeError for an argument that is of none of these types."""
    if not isinstance(value, types):
        expected = " or ".join(kind.__name__ for kind in types)
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def _check_folders(*folders: object) -> None:
    """Raises TypeError for a folder that is neither None, text nor a path."""
    for name, folder in zip(("rules", "catalogs", "schemas"), folders, strict=True):
        if folder is not None:
            _check_type(name, folder, str, PathLike)


def _check_mapping(name: str, value: Any) -> None:
    """Raises TypeError for a value that is neither None nor a mapping with texts as keys."""
    if value is not None:
        _check_type(name, value, Mapping)
        for key in value:
            _check_type(f"keys of {name}", key, str)


_ENGINES: dict[int, Engine] = {}  # by the identity of their rulebook, to which they hold a reference


def _cache(engine: Engine) -> Engine:
    _ENGINES.pop(id(engine.rulebook), None)
    while len(_ENGINES) >= MAX_ENGINES:
        _ENGINES.pop(next(iter(_ENGINES)))
    _ENGINES[id(engine.rulebook)] = engine
    return engine


@lru_cache(MAX_ENGINES)
def _default_rulebook(*folders: Path) -> Rulebook:
    return load(*folders)


def _engine(rulebook: Rulebook | None, language: str) -> Engine:
    if language is not None:
        _check_type("language", language, str)
    if rulebook is None:
        rulebook = _default_rulebook(*(folder.absolute() for folder in find_folders().all))
    _check_type("rulebook", rulebook, Rulebook)
    engine = _ENGINES.get(id(rulebook)) or _cache(compile_rulebook(rulebook))
    with _worded_problems(engine):
        return in_language(engine, language)


@contextmanager
def _worded_problems(engine: Engine) -> Iterator[None]:
    """Adds the messages of the rulebook to problems of questions."""
    try:
        yield
    except ProblemsError as error:
        raise ProblemsError(word_problems(error.problems, engine.rulebook.messages)) from None
