"""Rankings: all entries of an axis, asked in one grid, the best first, each with what speaks for and against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import AnswerRows, QuestionEvaluator, Row
from fitcard.answer.explain import blame_question
from fitcard.answer.problems import NotAChoice, NotWhole, UnknownRanking, question_problem
from fitcard.answer.question import NO, YES, Question, read_number, read_question, unknown_choice
from fitcard.answer.render import AnswerRenderer, Values, overridden_values
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import Evaluation, Index, evaluate
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.layout import ShownNames
from fitcard.rulebook.rankings import AT_LEAST, HOLDS, LIMIT, WORD, Filter, Ranking, ScorePart
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest, normalize
from fitcard.values import WordColumn, whole_as_int

MAX_NUMBER = 1e12  # number that a filter can be given
SEPARATOR = ","  # words of one filter
Given = bool | float | tuple[str, ...]


@dataclass(frozen=True)
class RankingQuestion:
    """What is ranked for which question; the filters that hold, by name, each with what it was given; rows at most."""

    ranking: Ranking
    question: Question
    filters: Mapping[str, Given]
    limit: int
    best_open: bool


def read_ranking(
    rulebook: Rulebook, name: str, parameters: Mapping[str, Any], overrides: Mapping[str, str | float] | None = None
) -> RankingQuestion:
    """The ranking that these parameters ask for: those of a question without the ranked axis, filters, and `limit`.

    Raises ProblemsFound with one problem for each that is unknown, missing or out of range.
    """
    ranking = find_ranking(rulebook, name)
    given = {key: value for key, value in parameters.items() if value is not None and value != ""}
    own = {key: given.pop(key) for key in (*ranking.filters, LIMIT) if key in given}
    best_open = ranking.best is not None and not any(key.partition(".")[0] == ranking.best.axis for key in given)
    problems: list[Problem] = []
    filters: dict[str, Given] = {}
    for asked in ranking.filters.values():
        found = read_filter(rulebook, asked, own.get(asked.name))
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            filters[asked.name] = found
    limit = _read_limit(rulebook, ranking, own.get(LIMIT))
    problems += [limit] if isinstance(limit, Problem) else []
    try:
        question = read_question(
            rulebook, given, overrides, left_open=(ranking.over,), beside=(*ranking.filters, LIMIT)
        )
    except ProblemsError as unread:
        raise ProblemsError([*unread.problems, *problems]) from None
    if problems or isinstance(limit, Problem):
        raise ProblemsError(problems)
    return RankingQuestion(ranking, question, filters, limit, best_open)


def find_ranking(rulebook: Rulebook, name: str) -> Ranking:
    """The ranking of that name. Raises ProblemsFound where there is none."""
    if name not in rulebook.rankings:
        names = tuple(rulebook.rankings)
        raise ProblemsError([question_problem(UnknownRanking, "ranking", name, closest(name, names) or names)])
    return rulebook.rankings[name]


def rank(engine: Engine, asked: RankingQuestion, *, site: str = "") -> dict[str, Any]:
    """The ranking as plain data, in the shape of `ranking-answer.schema.json`.

    Raises ProblemsError where a number comes out that is not finite.
    """
    question = asked.question
    with blame_question(question):
        engine = with_custom_entries(engine, question.custom_entries)
        evaluator = QuestionEvaluator(engine, (question,))
        rows = _evaluate(evaluator, asked)
        own = Row(rows.evaluation, (0,) * len(rows.grid.shape))
        answer_rows = AnswerRows(own, evaluator.facts)
        renderer = AnswerRenderer(engine, engine.layout_plans[question.profile], answer_rows, site=site)
        ranking = _Ranked(asked, rows, renderer, evaluator.facts).render()
        overridden = overridden_values(engine, question)
    return {**ranking, "set": overridden} if overridden else ranking


@dataclass(frozen=True)
class RankedRows:
    """All entries of the ranked axis, each with the entry of the best axis that it is shown with.

    `chosen` are the rows of these in their catalog: 0 for all where the question names one.
    """

    grid: QuestionGrid
    evaluation: Evaluation
    shown: ShownNames
    ranked_axis: str
    best_axis: str | None
    chosen: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.grid.ids[self.ranked_axis])

    def column(self, name: str) -> NDArray[Any]:
        """The value of each entry; of words their codes."""
        values: NDArray[Any] = self.table(name)[np.arange(self.count), self.chosen]
        return values

    def table(self, name: str) -> NDArray[Any]:
        """The values with a row for each entry, and a column for each entry that it could be shown with."""
        column = self.evaluation.columns[name]
        whole = np.broadcast_to(column.codes if isinstance(column, WordColumn) else column, self.grid.shape)
        table: NDArray[Any] = np.moveaxis(whole, list(self.grid.ids).index(self.ranked_axis), 0)
        return table.reshape(self.count, -1)

    def cell(self, at: int) -> Index:
        """The cell of an entry, with the entry that it is shown with."""
        place = {self.ranked_axis: at}
        if self.best_axis:
            place[self.best_axis] = int(self.chosen[at])
        return tuple(place.get(axis, 0) for axis in self.grid.ids)


def _evaluate(evaluator: QuestionEvaluator, asked: RankingQuestion) -> RankedRows:
    """One grid over the ranked axis, and the axis whose best entry each row is shown with."""
    question, ranking, rules = asked.question, asked.ranking, evaluator.rules
    best = ranking.best if asked.best_open else None
    entries: dict[str, tuple[str, ...]] = {axis: (entry,) for axis, entry in question.entries.items()}
    for axis in (ranking.over, *([best.axis] if best else [])):
        entries[axis] = evaluator.engine.rulebook.catalog_of(axis).ids
    grid = QuestionGrid.of(rules.question_fields, rules.columns, entries)
    shown = ranking.names(evaluator.engine.rulebook.message_names, rules.rule_set)
    evaluation = evaluate(rules, grid, shown.computed, question.inputs, evaluator.given_values)
    chosen = np.zeros(len(grid.ids[ranking.over]), dtype=np.int64)
    rows = RankedRows(grid, evaluation, shown, ranking.over, best.axis if best else None, chosen)
    return replace(rows, chosen=rows.table(best.by.name).argmax(axis=1)) if best else rows


class _Ranked:
    def __init__(
        self, asked: RankingQuestion, rows: RankedRows, renderer: AnswerRenderer, facts: Mapping[str, Any]
    ) -> None:
        self.ranking, self.asked, self.rows = asked.ranking, asked, rows
        self.renderer, self.facts = renderer, facts

    def render(self) -> dict[str, Any]:
        """The ranking: its head, and the rows that pass its filters, the best first."""
        kept = self._kept()
        by, ties = self.ranking.by, self.ranking.ties
        keys = (*([self.rows.column(ties.name)] if ties else []), -self.rows.column(by.name))
        order = kept[np.lexsort([key[kept] for key in keys])]
        cells = [self.rows.cell(int(at)) for at in order[: self.asked.limit]]
        first = (0,) * len(self.rows.grid.shape)
        rows = self.renderer.values(self.rows.evaluation, cells or [first], self.rows.shown)
        ahead = {part.name: self._ahead(part, kept) for part in self.ranking.parts}
        return {
            "ranking": self.ranking.name,
            "title": self.renderer.render(self.ranking.title, rows[0]),
            **self.renderer.render(self.ranking.head, rows[0]),
            "filters": {name: _shown(given) for name, given in self.asked.filters.items()},
            "entries": self.rows.count,
            "ranked": len(kept),
            "columns": [self.renderer.render(title, rows[0]) for title, _ in self.ranking.columns],
            "rows": [
                {"rank": at + 1, **self._shown_row(row, {name: float(one[order[at]]) for name, one in ahead.items()})}
                for at, row in enumerate(rows[: len(cells)])
            ],
            "rules": {key: self.facts[f"rules.{key}"] for key in ("version", "sha256", "profile")},
        }

    def _shown_row(self, row: Values, ahead: Mapping[str, float]) -> dict[str, Any]:
        """What a row shows and says; `ahead` are the points by which each part lifts it above the others."""
        parts = {part.name: part for part in self.ranking.parts}
        item: dict[str, Any] = self.renderer.render(self.ranking.item, row)
        item["parts"] = [self._part_of(part, row, ahead[part.name]) for part in parts.values()]
        most, least = (choose(ahead, key=lambda name: ahead[name], default="") for choose in (max, min))
        good, bad = parts.get(most), parts.get(least)
        item["praise"] = (
            {"part": most, "sentence": self.renderer.render(good.praise, row)} if good and ahead[most] > 0 else {}
        )
        item["blame"] = (
            {"part": least, "sentence": self.renderer.render(bad.blame, row)} if bad and ahead[least] < 0 else {}
        )
        item["cells"] = [str(self.renderer.render(cell, row) or "") for _, cell in self.ranking.columns]
        return item

    def _part_of(self, part: ScorePart, row: Values, ahead: float) -> dict[str, Any]:
        points, weight = (float(row[value.name] or 0) for value in (part.points, part.weight))
        figures = {"points": points, "weight": weight, "gained": weight * points, "ahead": ahead}
        shown = {key: whole_as_int(figure) for key, figure in figures.items()}
        return {"part": part.name, "label": self.renderer.render(part.label, row), **shown}

    def _ahead(self, part: ScorePart, kept: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weighted points of each row beyond those of the rows that are ranked, in the middle."""
        points = self.rows.column(part.points.name)
        middle = points[kept].mean() if len(kept) else 0.0
        ahead: NDArray[np.float64] = self.rows.column(part.weight.name) * (points - middle)
        return ahead

    def _kept(self) -> NDArray[np.int64]:
        """The rows, by their place in the catalog, for which all filters hold."""
        holds = np.ones(self.rows.count, dtype=bool)
        for name, given in self.asked.filters.items():
            asked = self.ranking.filters[name]
            figures = self.rows.column(asked.value.name)
            if asked.how == HOLDS:
                holds &= figures.astype(bool)
            elif asked.how == WORD:
                column = self.rows.evaluation.columns[asked.value.name]
                assert isinstance(column, WordColumn)
                assert isinstance(given, tuple)
                holds &= np.isin(figures, [code for code, word in enumerate(column.words) if word in given])
            else:  # a figure that is not known is neither
                holds &= figures >= given if asked.how == AT_LEAST else figures <= given
        return np.flatnonzero(holds)


def read_filter(rulebook: Rulebook, asked: Filter, given: object) -> Given | Problem | None:
    """What the filter is to hold for; None where it is not asked for."""
    if asked.how == HOLDS:
        word = str(given).casefold() if given is not None else YES[0] if asked.usual else NO[0]
        if word not in (*YES, *NO):
            return question_problem(NotAChoice, asked.name, given)
        return True if word in YES else None
    if given is None:
        return None
    if asked.how == WORD:
        return _read_words(rulebook, asked, str(given))
    return read_number(asked.name, given, 0, MAX_NUMBER)


def _read_words(rulebook: Rulebook, asked: Filter, given: str) -> tuple[str, ...] | Problem:
    """The words as the rules and catalogs write them, of those that stand between commas."""
    words, _ = rulebook.rule_set.possible_words(asked.value.name)
    by_spelling = {normalize(word): word for word in words}
    found: list[str] = []
    for word in (part.strip() for part in given.split(SEPARATOR)):
        if normalize(word) not in by_spelling:
            return unknown_choice(asked.name, word, words)
        found.append(by_spelling[normalize(word)])
    return tuple(found)


def _read_limit(rulebook: Rulebook, ranking: Ranking, given: object) -> int | Problem:
    if given is None:
        return ranking.default_limit
    limit = read_number(LIMIT, given, 1, len(rulebook.catalog_of(ranking.over).ids))
    if isinstance(limit, Problem):
        return limit
    return int(limit) if limit.is_integer() else question_problem(NotWhole, LIMIT, given)


def ranking_list(rulebook: Rulebook) -> dict[str, Any]:
    """The rankings that there are, each with what it is about and its filters."""
    return {"rankings": [dict(_described(ranking)) for ranking in rulebook.rankings.values()]}


def _described(ranking: Ranking) -> Iterator[tuple[str, Any]]:
    yield "name", ranking.name
    yield "about", ranking.about
    yield "over", ranking.over
    yield "filters", [{"name": asked.name, "about": asked.about} for asked in ranking.filters.values()]


def _shown(given: Given) -> Any:
    return list(given) if isinstance(given, tuple) else whole_as_int(given)
