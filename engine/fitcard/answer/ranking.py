"""Rankings of all entries of an axis for a question, evaluated as one grid, best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.answer.contradictions import refuse_all
from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import AnswerRows, QuestionEvaluator, Row, blame_question
from fitcard.answer.problems import NotAChoice, NotWhole, UnknownRanking, as_text, is_given, question_problem
from fitcard.answer.question import NO, YES, Question, read_number, read_question, unknown_choice
from fitcard.answer.render import AnswerRenderer, Values, overridden_values
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.layout import MessageNode, ShownNames
from fitcard.rulebook.rankings import AT_LEAST, HOLDS, LIMIT, WORD, Filter, RankingDefinition, ScorePart
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest, normalize
from fitcard.values import WordColumn, whole_as_int

MAX_NUMBER = 1e12  # upper bound of numeric filters
SEPARATOR = ","  # between the words of a filter
FilterValue = bool | float | tuple[str, ...]


@dataclass(frozen=True)
class RankingQuestion:
    """A ranking for a question, the values of filters by name, and the maximum number of rows.

    `picks_best` if each row is shown with its best entry on the axis of `ranking.best`: the question names none.
    """

    ranking: RankingDefinition
    question: Question
    filters: Mapping[str, FilterValue]
    limit: int
    picks_best: bool


def read_ranking(
    rulebook: Rulebook, name: str, parameters: Mapping[str, Any], overrides: Mapping[str, str | float] | None = None
) -> RankingQuestion:
    """The ranking `name` for these parameters: those of a question without the ranked axis, filters, and `limit`.

    Raises ProblemsError with a problem for each unknown, missing or invalid parameter, or an unknown ranking.
    """
    ranking = find_ranking(rulebook, name)
    present = {key: value for key, value in parameters.items() if is_given(value)}
    names = (*ranking.filters, LIMIT)
    of_ranking = {key: present.pop(key) for key in names if key in present}
    picks_best = ranking.best is not None and not any(key.partition(".")[0] == ranking.best.axis for key in present)
    problems: list[Problem] = []
    filters: dict[str, FilterValue] = {}
    for condition in ranking.filters.values():
        value = read_filter(rulebook, condition, of_ranking.get(condition.name))
        if isinstance(value, Problem):
            problems.append(value)
        elif value is not None:
            filters[condition.name] = value
    limit = _read_limit(rulebook, ranking, of_ranking.get(LIMIT))
    problems += [limit] if isinstance(limit, Problem) else []
    try:
        question = read_question(rulebook, present, overrides, open_axes=(ranking.over,), other_parameters=names)
    except ProblemsError as error:
        raise ProblemsError([*error.problems, *problems]) from None
    if problems or isinstance(limit, Problem):
        raise ProblemsError(problems)
    return RankingQuestion(ranking, question, filters, limit, picks_best)


def find_ranking(rulebook: Rulebook, name: str) -> RankingDefinition:
    """The ranking `name`. Raises ProblemsError if it does not exist."""
    if name not in rulebook.rankings:
        names = tuple(rulebook.rankings)
        raise ProblemsError([question_problem(UnknownRanking, "ranking", name, closest(name, names) or names)])
    return rulebook.rankings[name]


def rank(engine: Engine, ranking_question: RankingQuestion, *, site: str = "") -> dict[str, Any]:
    """The ranking as plain data, in the shape of `ranking-answer.schema.json`.

    Entries with which the question contradicts itself are not ranked. Raises ProblemsError if that are all of them, or
    a rule gives no finite number.
    """
    question = ranking_question.question
    with blame_question(question):
        engine = with_custom_entries(engine, question.custom_entries)
        evaluator = QuestionEvaluator(engine, (question,))
        rows = _evaluate(evaluator, ranking_question)
        own = Row(rows.evaluation, (0,) * len(rows.grid.shape))
        answer_rows = AnswerRows(own, evaluator.facts)
        renderer = AnswerRenderer(engine, engine.layout_plans[question.profile], answer_rows, site=site)
        ranking = _RankingRenderer(ranking_question, rows, renderer, evaluator.facts).render()
        overridden = overridden_values(engine, question)
    return {**ranking, "set": overridden} if overridden else ranking


@dataclass(frozen=True)
class RankedRows:
    """All entries of the ranked axis, each with one entry of `best_axis`.

    `best` are the rows of the latter in their catalog, 0 for all if there is no such axis. `refused` are the questions
    that contradict themselves.
    """

    grid: QuestionGrid
    evaluation: Evaluation
    shown: ShownNames
    ranked_axis: str
    best_axis: str | None
    best: NDArray[np.int64]
    refused: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """The number of entries."""
        return len(self.grid.ids[self.ranked_axis])

    def column(self, name: str) -> NDArray[Any]:
        """The value of each entry, codes for words."""
        return self._of_best(self.table(name))

    @property
    def admitted(self) -> NDArray[np.bool_]:
        """The entries with which the question does not contradict itself."""
        return ~self._of_best(self._as_table(self.refused))

    def table(self, name: str) -> NDArray[Any]:
        """The values, shape (entries, entries of `best_axis`)."""
        column = self.evaluation.columns[name]
        return self._as_table(column.codes if isinstance(column, WordColumn) else column)

    def _of_best(self, table: NDArray[Any]) -> NDArray[Any]:
        values: NDArray[Any] = table[np.arange(self.count), self.best]
        return values

    def _as_table(self, column: Any) -> NDArray[Any]:
        values = np.broadcast_to(column, self.grid.shape)
        table: NDArray[Any] = np.moveaxis(values, list(self.grid.ids).index(self.ranked_axis), 0)
        return table.reshape(self.count, -1)

    def with_best(self, by: str) -> RankedRows:
        """The rows with the entry of `best_axis` that has the largest value of `by`, of those that are not refused."""
        points = np.where(self._as_table(self.refused), -np.inf, self.table(by))
        return replace(self, best=points.argmax(axis=1))

    def cell(self, at: int) -> Index:
        """The cell of an entry."""
        index = {self.ranked_axis: at}
        if self.best_axis:
            index[self.best_axis] = int(self.best[at])
        return tuple(index.get(axis, 0) for axis in self.grid.ids)


def _evaluate(evaluator: QuestionEvaluator, ranking_question: RankingQuestion) -> RankedRows:
    """A grid over the ranked axis, and the axis whose best entry is picked."""
    question, ranking, rules = ranking_question.question, ranking_question.ranking, evaluator.rules
    best = ranking.best if ranking_question.picks_best else None
    entries: dict[str, tuple[str, ...]] = {axis: (entry,) for axis, entry in question.entries.items()}
    for axis in (ranking.over, *([best.axis] if best else [])):
        entries[axis] = evaluator.engine.rulebook.catalog_of(axis).ids
    grid = QuestionGrid.of(rules.question_fields, rules.columns, entries)
    shown = ranking.names(evaluator.engine.rulebook.message_names, rules.rule_set)
    names = shown.computed | evaluator.engine.layout_plans[question.profile].contradictions
    evaluation = evaluate(rules, grid, names, question.inputs, evaluator.fixed_values)
    refused = refuse_all(evaluator, question, evaluation)
    first = np.zeros(len(grid.ids[ranking.over]), dtype=np.int64)
    rows = RankedRows(grid, evaluation, shown, ranking.over, best.axis if best else None, first, refused)
    return rows.with_best(best.by.name) if best else rows


class _RankingRenderer:
    def __init__(
        self, question: RankingQuestion, rows: RankedRows, renderer: AnswerRenderer, facts: Mapping[str, Any]
    ) -> None:
        self.ranking, self.question, self.rows = question.ranking, question, rows
        self.renderer, self.facts = renderer, facts

    def render(self) -> dict[str, Any]:
        """The head of the ranking, and the rows that pass its filters, best first."""
        passing = self._passing_rows()
        by, ties = self.ranking.by, self.ranking.ties
        keys = (*([self.rows.column(ties.name)] if ties else []), -self.rows.column(by.name))
        order = passing[np.lexsort([key[passing] for key in keys])]
        cells = [self.rows.cell(int(at)) for at in order[: self.question.limit]]
        first = (0,) * len(self.rows.grid.shape)
        rows = self.renderer.values(self.rows.evaluation, cells or [first], self.rows.shown)
        ahead = {part.name: self._points_ahead(part, passing) for part in self.ranking.parts}
        return {
            "ranking": self.ranking.name,
            "title": self.renderer.render(self.ranking.title, rows[0]),
            **self.renderer.render(self.ranking.head, rows[0]),
            "filters": {name: _filter_as_data(value) for name, value in self.question.filters.items()},
            "entries": self.rows.count,
            "ranked": len(passing),
            "columns": [self.renderer.render(title, rows[0]) for title, _ in self.ranking.columns],
            "rows": [
                {"rank": at + 1, **self._row(row, {name: float(of_part[order[at]]) for name, of_part in ahead.items()})}
                for at, row in enumerate(rows[: len(cells)])
            ],
            "rules": {key: self.facts[f"rules.{key}"] for key in ("version", "sha256", "profile")},
        }

    def _row(self, row: Values, ahead: Mapping[str, float]) -> dict[str, Any]:
        """A row as data; `ahead` are the points of each part above average."""
        parts = {part.name: part for part in self.ranking.parts}
        item: dict[str, Any] = self.renderer.render(self.ranking.item, row)
        item["parts"] = [self._part(part, row, ahead[part.name]) for part in parts.values()]
        strongest, weakest = (choose(ahead, key=ahead.__getitem__, default="") for choose in (max, min))
        item["praise"] = self._remark(strongest, parts[strongest].praise, row) if ahead and ahead[strongest] > 0 else {}
        item["blame"] = self._remark(weakest, parts[weakest].blame, row) if ahead and ahead[weakest] < 0 else {}
        item["cells"] = [str(self.renderer.render(cell, row) or "") for _, cell in self.ranking.columns]
        return item

    def _remark(self, part: str, sentence: MessageNode, row: Values) -> dict[str, Any]:
        return {"part": part, "sentence": self.renderer.render(sentence, row)}

    def _part(self, part: ScorePart, row: Values, ahead: float) -> dict[str, Any]:
        points, weight = (float(row[value.name] or 0) for value in (part.points, part.weight))
        figures = {"points": points, "weight": weight, "gained": weight * points, "ahead": ahead}
        numbers = {key: whole_as_int(figure) for key, figure in figures.items()}
        return {"part": part.name, "label": self.renderer.render(part.label, row), **numbers}

    def _points_ahead(self, part: ScorePart, passing: NDArray[np.int64]) -> NDArray[np.float64]:
        """The weighted points of each row above the average of the rows that pass the filters."""
        points = self.rows.column(part.points.name)
        average = points[passing].mean() if len(passing) else 0.0
        ahead: NDArray[np.float64] = self.rows.column(part.weight.name) * (points - average)
        return ahead

    def _passing_rows(self) -> NDArray[np.int64]:
        """The rows that pass all filters, in the order of the catalog. Absent numbers (NaN) pass no bound."""
        passes = self.rows.admitted
        for name, value in self.question.filters.items():
            condition = self.ranking.filters[name]
            column = self.rows.column(condition.value.name)
            if condition.operator == HOLDS:
                passes &= column.astype(bool)
            elif condition.operator == WORD:
                words = self.rows.evaluation.columns[condition.value.name]
                assert isinstance(words, WordColumn)
                assert isinstance(value, tuple)
                passes &= np.isin(column, [code for code, word in enumerate(words.words) if word in value])
            else:
                passes &= column >= value if condition.operator == AT_LEAST else column <= value
        return np.flatnonzero(passes)


def read_filter(rulebook: Rulebook, condition: Filter, value: object) -> FilterValue | Problem | None:
    """The value of a filter; None if it does not apply."""
    if condition.operator == HOLDS:
        word = as_text(value).casefold() if value is not None else YES[0] if condition.default else NO[0]
        if word not in (*YES, *NO):
            return question_problem(NotAChoice, condition.name, value)
        return True if word in YES else None
    if value is None:
        return None
    if condition.operator == WORD:
        return _read_words(rulebook, condition, as_text(value))
    return read_number(condition.name, value, 0, MAX_NUMBER)


def _read_words(rulebook: Rulebook, condition: Filter, text: str) -> tuple[str, ...] | Problem:
    """Comma-separated words, as rules and catalogs write them."""
    choices, _ = rulebook.rule_set.possible_words(condition.value.name)
    by_spelling = {normalize(word): word for word in choices}
    words: list[str] = []
    for word in (part.strip() for part in text.split(SEPARATOR)):
        if normalize(word) not in by_spelling:
            return unknown_choice(condition.name, word, choices)
        words.append(by_spelling[normalize(word)])
    return tuple(words)


def _read_limit(rulebook: Rulebook, ranking: RankingDefinition, value: object) -> int | Problem:
    if value is None:
        return ranking.default_limit
    limit = read_number(LIMIT, value, 1, len(rulebook.catalog_of(ranking.over).ids))
    if isinstance(limit, Problem):
        return limit
    return int(limit) if limit.is_integer() else question_problem(NotWhole, LIMIT, value)


def ranking_list(rulebook: Rulebook) -> dict[str, Any]:
    """All rankings with their descriptions and filters."""
    return {
        "rankings": [
            {
                "name": ranking.name,
                "about": ranking.about,
                "over": ranking.over,
                "filters": [{"name": each.name, "about": each.about} for each in ranking.filters.values()],
            }
            for ranking in rulebook.rankings.values()
        ]
    }


def _filter_as_data(value: FilterValue) -> Any:
    return list(value) if isinstance(value, tuple) else whole_as_int(value)
