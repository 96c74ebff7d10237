"""Rankings: all entries of an axis, asked in one grid, the best first, each with what speaks for and against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitcard.answer.custom_entry import with_custom_entries
from fitcard.answer.evaluator import Row
from fitcard.answer.explain import blame_question
from fitcard.answer.problems import NotAChoice, NotWhole, UnknownRanking, question_problem
from fitcard.answer.question import NO, YES, Question, read_number, read_question, unknown_choice
from fitcard.answer.render import AnswerRenderer, Values
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import Index, evaluate
from fitcard.language.rule_set import possible_words
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.rankings import AT_LEAST, HOLDS, LIMIT, WORD, Filter, Ranking, ScorePart
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest, normalised
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
        raise ProblemsError(
            [question_problem(rulebook, UnknownRanking, "ranking", name, closest(name, names) or names)]
        )
    return rulebook.rankings[name]


def rank(rulebook: Rulebook, asked: RankingQuestion, *, site: str = "") -> dict[str, Any]:
    """The ranking as plain data, in the shape of `ranking-answer.schema.json`.

    Raises ProblemsFound where a number comes out that is not finite.
    """
    with blame_question(rulebook, asked.question):
        return _Ranked(with_custom_entries(rulebook, asked.question.own), asked, site).build()


class _Ranked(AnswerRenderer):
    """One grid over the ranked axis, and the axis whose best entry each row is shown with."""

    def __init__(self, rulebook: Rulebook, asked: RankingQuestion, site: str) -> None:
        super().__init__(rulebook, asked.question, site=site)
        self.ranking, self.wanted = asked.ranking, asked
        best = self.ranking.best
        self.open_axes = (self.ranking.over, *([best.axis] if best and asked.best_open else []))
        self.shown = self.ranking.names(rulebook.said, self.rules)
        entries: dict[str, tuple[str, ...]] = {axis: (entry,) for axis, entry in self.question.entries.items()}
        opened = {axis: rulebook.catalog_of(axis).ids for axis in self.open_axes}
        self.grid = QuestionGrid.of(self.rules.subject, self.rules.catalogs, entries | opened)
        evaluation = evaluate(self.rules, self.grid, self.shown.computed, self.question.inputs, self.fixed)
        self.asked = Row(evaluation, (0,) * len(self.grid.shape))
        self.count = len(self.grid.ids[self.ranking.over])
        self.chosen = np.zeros(self.count, dtype=np.int64)
        if best and asked.best_open:
            self.chosen = self._table(best.by.name).argmax(axis=1)

    def build(self) -> dict[str, Any]:
        """The ranking: its head, and the rows that pass its filters, the best first."""
        kept = self._kept()
        by, ties = self.ranking.by, self.ranking.ties
        keys = (*([self._figures(ties.name)] if ties else []), -self._figures(by.name))
        order = kept[np.lexsort([key[kept] for key in keys])]
        cells = [self._cell_of(int(at)) for at in order[: self.wanted.limit]]
        rows = self.rows(self.asked.evaluation, cells or [self.asked.index], self.shown)
        ahead = {part.name: self._ahead(part, kept) for part in self.ranking.parts}
        built: dict[str, Any] = {
            "ranking": self.ranking.name,
            "title": self.fill(self.ranking.title, rows[0]),
            **self.fill(self.ranking.head, rows[0]),
            "filters": {name: _shown(given) for name, given in self.wanted.filters.items()},
            "entries": self.count,
            "ranked": len(kept),
            "columns": [self.fill(title, rows[0]) for title, _ in self.ranking.columns],
            "rows": [
                {"rank": at + 1, **self._shown_row(row, {name: float(one[order[at]]) for name, one in ahead.items()})}
                for at, row in enumerate(rows[: len(cells)])
            ],
            "rules": {key: self.own_value(f"rules.{key}") for key in ("version", "sha256", "profile")},
        }
        if set_here := self.set_here():
            built["set"] = set_here
        return built

    def _shown_row(self, row: Values, ahead: Mapping[str, float]) -> dict[str, Any]:
        """What a row shows and says; `ahead` are the points by which each part lifts it above the others."""
        parts = {part.name: part for part in self.ranking.parts}
        item: dict[str, Any] = self.fill(self.ranking.item, row)
        item["parts"] = [self._part_of(part, row, ahead[part.name]) for part in parts.values()]
        most, least = (choose(ahead, key=lambda name: ahead[name], default="") for choose in (max, min))
        good, bad = parts.get(most), parts.get(least)
        item["praise"] = {"part": most, "sentence": self.fill(good.praise, row)} if good and ahead[most] > 0 else None
        item["blame"] = {"part": least, "sentence": self.fill(bad.blame, row)} if bad and ahead[least] < 0 else None
        item["cells"] = [str(self.fill(cell, row) or "") for _, cell in self.ranking.columns]
        return item

    def _part_of(self, part: ScorePart, row: Values, ahead: float) -> dict[str, Any]:
        points, weight = (float(row[value.name] or 0) for value in (part.points, part.weight))
        figures = {"points": points, "weight": weight, "gained": weight * points, "ahead": ahead}
        shown = {key: whole_as_int(figure) for key, figure in figures.items()}
        return {"part": part.name, "label": self.fill(part.label, row), **shown}

    def _ahead(self, part: ScorePart, kept: NDArray[np.int64]) -> NDArray[np.float64]:
        """Weighted points of each row beyond those of the rows that are ranked, in the middle."""
        points = self._figures(part.points.name)
        middle = points[kept].mean() if len(kept) else 0.0
        ahead: NDArray[np.float64] = self._figures(part.weight.name) * (points - middle)
        return ahead

    def _kept(self) -> NDArray[np.int64]:
        """The rows, by their place in the catalog, for which all filters hold."""
        holds = np.ones(self.count, dtype=bool)
        for name, given in self.wanted.filters.items():
            asked = self.ranking.filters[name]
            figures = self._figures(asked.value.name)
            if asked.how == HOLDS:
                holds &= figures.astype(bool)
            elif asked.how == WORD:
                column = self.asked.evaluation.columns[asked.value.name]
                assert isinstance(column, WordColumn)
                assert isinstance(given, tuple)
                holds &= np.isin(figures, [code for code, word in enumerate(column.words) if word in given])
            else:  # a figure that is not known is neither
                holds &= figures >= given if asked.how == AT_LEAST else figures <= given
        return np.flatnonzero(holds)

    def _figures(self, name: str) -> NDArray[Any]:
        """The value of each row, with the entry that it is shown with; of words their codes."""
        figures: NDArray[Any] = self._table(name)[np.arange(self.count), self.chosen]
        return figures

    def _table(self, name: str) -> NDArray[Any]:
        """A column with a row for each ranked entry, and a place for each entry that it could be shown with."""
        column = self.asked.evaluation.columns[name]
        whole = np.broadcast_to(column.codes if isinstance(column, WordColumn) else column, self.grid.shape)
        table: NDArray[Any] = np.moveaxis(whole, list(self.grid.ids).index(self.ranking.over), 0)
        return table.reshape(self.count, -1)

    def _cell_of(self, at: int) -> Index:
        """The cell of a ranked entry, with the entry that it is shown with."""
        best = self.ranking.best
        place = {self.ranking.over: at, **({best.axis: int(self.chosen[at])} if best and self.wanted.best_open else {})}
        return tuple(place.get(axis, 0) for axis in self.grid.ids)


def read_filter(rulebook: Rulebook, asked: Filter, given: object) -> Given | Problem | None:
    """What the filter is to hold for; None where it is not asked for."""
    if asked.how == HOLDS:
        word = str(given).casefold() if given is not None else YES[0] if asked.usual else NO[0]
        if word not in (*YES, *NO):
            return question_problem(rulebook, NotAChoice, asked.name, given)
        return True if word in YES else None
    if given is None:
        return None
    if asked.how == WORD:
        return _read_words(rulebook, asked, str(given))
    return read_number(rulebook, asked.name, given, 0, MAX_NUMBER)


def _read_words(rulebook: Rulebook, asked: Filter, given: str) -> tuple[str, ...] | Problem:
    """The words as the rules and catalogs write them, of those that stand between commas."""
    rules = rulebook.rule_set
    words, _ = possible_words(asked.value.name, rules.definitions, rules.subject, rules.catalogs)
    by_spelling = {normalised(word): word for word in words}
    found: list[str] = []
    for word in (part.strip() for part in given.split(SEPARATOR)):
        if normalised(word) not in by_spelling:
            return unknown_choice(rulebook, asked.name, word, words)
        found.append(by_spelling[normalised(word)])
    return tuple(found)


def _read_limit(rulebook: Rulebook, ranking: Ranking, given: object) -> int | Problem:
    if given is None:
        return ranking.most
    limit = read_number(rulebook, LIMIT, given, 1, len(rulebook.catalog_of(ranking.over).ids))
    if isinstance(limit, Problem):
        return limit
    return int(limit) if limit.is_integer() else question_problem(rulebook, NotWhole, LIMIT, given)


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
