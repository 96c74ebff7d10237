"""The functions of `import fitcard`: ask, rank and explain, and load and check rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from fitcard.answer.answer import Answer, answer_question, answer_questions
from fitcard.answer.evaluator import explain as explain_question
from fitcard.answer.problems import word_problems
from fitcard.answer.question import Question, in_language, read_question
from fitcard.answer.ranking import rank as rank_entries
from fitcard.answer.ranking import read_ranking
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.lint.run import load_checked, run_checks
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, find_folders
from fitcard.sweep.in_memory import sweep_in_memory
from fitcard.sweep.selection import read_sweep
from fitcard.table import Table, table_of

if TYPE_CHECKING:
    import pandas
    import polars

Overrides = Mapping[str, str | float]
Folder = str | Path | None
MAX_ENGINES = 8  # rulebooks that were loaded or asked lately


class Answers(Sequence[Answer]):
    """The answers to many questions, in their order; single values as a frame of polars or pandas."""

    def __init__(self, answers: Iterable[Answer]) -> None:
        self._answers = tuple(answers)

    def __len__(self) -> int:
        return len(self._answers)

    @overload
    def __getitem__(self, index: int) -> Answer: ...

    @overload
    def __getitem__(self, index: slice) -> Answers: ...

    def __getitem__(self, index: int | slice) -> Answer | Answers:
        """The answer at a place, or those of a slice."""
        return Answers(self._answers[index]) if isinstance(index, slice) else self._answers[index]

    def __repr__(self) -> str:
        return f"<Answers {len(self)}>"

    def table(self) -> Table:
        """One row for each answer, one column for each of its single values, such as `memory.needed_gb`."""
        return table_of([answer.to_dict() for answer in self._answers])

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame. Raises ImportError where polars is not installed."""
        return self.table().to_polars()

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame. Raises ImportError where pandas is not installed."""
        return self.table().to_pandas()


class Ranking:
    """The entries of a catalog for a question, best first."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def __repr__(self) -> str:
        return f"<Ranking {self._data['title']}: {len(self.rows)} of {self._data['ranked']}>"

    @property
    def title(self) -> str:
        """What is ranked, in a sentence."""
        return str(self._data["title"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows, best first, in the shape of `ranking-answer.schema.json`."""
        return list(self._data["rows"])

    def to_dict(self) -> dict[str, Any]:
        """All of the ranking as plain data."""
        return dict(self._data)

    def table(self) -> Table:
        """One row for each entry, one column for each of its single values."""
        return table_of(self.rows)

    def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame. Raises ImportError where polars is not installed."""
        return self.table().to_polars()

    def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame. Raises ImportError where pandas is not installed."""
        return self.table().to_pandas()


def load(rules: Folder = None, catalogs: Folder = None, schemas: Folder = None) -> Rulebook:
    """The rulebook in these folders, checked: names, units, tables and numbers are proven.

    Without folders it is that of FITCARD_RULES, of the project that one stands in, or the installed one. Files are read
    once: load again after an edit. Raises ProblemsError with all problems where one is an error.
    """
    engine = load_checked(find_folders(rules, catalogs, schemas))
    _ENGINES[engine.rulebook] = engine
    return engine.rulebook


def check(rules: Folder = None, catalogs: Folder = None, schemas: Folder = None) -> list[Problem]:
    """All errors and warnings of the rules and catalogs in these folders, as `fitcard check` finds them."""
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
    """Whether and how a model runs on a device.

    Both are ids, names or aliases, or mappings of the fields of a custom entry. `parameters` are those of
    `/v1/can-run`, such as `quant`, `workload`, `users`, `context` (tokens) or `profile`; `overrides` set constants and
    catalog figures by name for this question alone.
    Raises ProblemsError with one problem for each name or number that is unknown, missing or out of range.
    """
    engine = _engine(rulebook, language)
    with _worded(engine):
        asked = {"model": model, "device": device, **parameters}
        return answer_question(engine, read_question(engine.rulebook, asked, overrides))


def ask_many(
    questions: Iterable[Mapping[str, Any] | Question], *, rulebook: Rulebook | None = None, language: str = ""
) -> Answers:
    """The answers to many questions, evaluated together, which takes about a third of the time of one after another.

    Each question is a mapping of the parameters of `ask`, `overrides` among them, or the `question` of an answer.
    Raises ProblemsError with all problems of all questions; `questions.3.model` is a field of the fourth.
    """
    engine = _engine(rulebook, language)
    with _worded(engine):
        read, problems = [], []
        for at, asked in enumerate(questions):
            try:
                read.append(asked if isinstance(asked, Question) else _read(engine, asked))
            except ProblemsError as found:
                problems += [replace(problem, field=f"questions.{at}.{problem.field}") for problem in found.problems]
        if problems:
            raise ProblemsError(problems)
        return Answers(answer_questions(engine, read))


def rank(
    ranking: str,
    *,
    rulebook: Rulebook | None = None,
    language: str = "",
    overrides: Overrides | None = None,
    **parameters: Any,
) -> Ranking:
    """The entries of a catalog for a question, best first: `rank("models", device="m1-16gb", limit=10)`.

    `parameters` are those of a question without what is ranked, the filters of the ranking, and `limit`.
    Raises ProblemsError as `ask` does.
    """
    engine = _engine(rulebook, language)
    with _worded(engine):
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

    Each axis takes one entry or several; one that is not named takes all of its catalog. `columns` are keys of an
    answer with dots between, or names of rules; `where` is an expression over names of rules that keeps rows.
    Raises ProblemsError as `ask` does. All rows are held in memory; `fitcard sweep` writes them to a file.
    """
    engine = _engine(rulebook, "")
    with _worded(engine):
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

    `names` are those of rules, such as `decode_tok_s`; all that the answer shows without any. Raises as `ask` does.
    """
    engine = _engine(rulebook, "")
    with _worded(engine):
        question = read_question(engine.rulebook, {"model": model, "device": device, **parameters}, overrides)
        return explain_question(engine, question, names)


def _read(engine: Engine, asked: Mapping[str, Any]) -> Question:
    parameters = dict(asked)
    overrides = parameters.pop("overrides", None)
    return read_question(engine.rulebook, parameters, overrides)


class _Engines:
    """The engines of the rulebooks that were used lately."""

    def __init__(self) -> None:
        self._engines: dict[int, Engine] = {}

    def __setitem__(self, rulebook: Rulebook, engine: Engine) -> None:
        self._engines.pop(id(rulebook), None)
        while len(self._engines) >= MAX_ENGINES:
            self._engines.pop(next(iter(self._engines)))
        self._engines[id(rulebook)] = engine  # which holds on to its rulebook, so that no other gets its identity

    def __getitem__(self, rulebook: Rulebook) -> Engine:
        if id(rulebook) not in self._engines:
            self[rulebook] = compile_rulebook(rulebook)
        return self._engines[id(rulebook)]


_ENGINES = _Engines()


@lru_cache(MAX_ENGINES)
def _default(folders: Folders) -> Rulebook:
    engine = load_checked(folders)
    _ENGINES[engine.rulebook] = engine
    return engine.rulebook


def _engine(rulebook: Rulebook | None, language: str) -> Engine:
    engine = _ENGINES[_default(find_folders()) if rulebook is None else rulebook]
    with _worded(engine):
        return in_language(engine, language)


@contextmanager
def _worded(engine: Engine) -> Iterator[None]:
    """Raises problems of questions with their messages."""
    try:
        yield
    except ProblemsError as found:
        raise ProblemsError(word_problems(found.problems, engine.rulebook.messages)) from None
