"""What a tool gives a language model: parts of answers, rankings, catalogs and traces, asked as all callers ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from fitcard.answer.build import answer
from fitcard.answer.kept import kept_of, rounded, shortened
from fitcard.answer.question import read_number, read_question
from fitcard.answer.ranking import rank, read_filter, read_ranking
from fitcard.answer.reasons import reasons
from fitcard.answer.search import matches, nearest
from fitcard.answer.told import MissingParameter, NotWhole, UnknownParameter, told
from fitcard.closest import closest
from fitcard.columns import Scalar
from fitcard.problems import Problem, ProblemsFound
from fitcard.rounding import plain_number
from fitcard.rulebook.catalogs import Entry
from fitcard.rulebook.layout import Branch, Node, Value
from fitcard.rulebook.rankings import AT_LEAST, HOLDS, LIMIT, WORD, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.tools import (
    FIGURE,
    TEXT,
    AnswerPart,
    Asked,
    ExplanationPart,
    Part,
    RankingPart,
    SearchPart,
    Tool,
    parameters_of,
    takes_part,
)

NEAREST = "nearest_not_matching"  # the key of what is called most like a text that matches nothing
Parameters = Mapping[str, Any]


def tools_of(rulebook: Rulebook) -> Mapping[str, Tool]:
    """The tools of a rulebook by name; none where it has no file of them."""
    return rulebook.tools.tools if rulebook.tools else {}


def call(rulebook: Rulebook, tool: Tool, arguments: Parameters) -> dict[str, Any]:
    """What the tool gives for these arguments, as plain data; None and empty text count as not given.

    Raises ProblemsFound with one problem for each argument that is unknown, missing or out of range.
    """
    given = {name: value for name, value in arguments.items() if value is not None and value != ""}
    problems = [
        told(rulebook, UnknownParameter, name, name, closest(name, tool.takes) or tool.takes)
        for name in given
        if name not in tool.takes
    ]
    built: dict[str, Any] = {}
    try:
        built = _built(rulebook, tool, {name: value for name, value in given.items() if name in tool.takes})
    except ProblemsFound as found:
        problems += found.problems
    if problems:
        raise ProblemsFound(problems)
    return built


def _built(rulebook: Rulebook, tool: Tool, given: Parameters) -> dict[str, Any]:
    """All parts that the tool gives, and what it assumed for them."""
    assumed = {name: one for name, one in tool.assumes.items() if name not in given}
    asked = {**given, **{name: one.value for name, one in assumed.items()}}
    built: dict[str, Any] = {}
    for part in tool.gives:
        if part.asked.if_given and part.asked.if_given not in given:
            continue
        found = _given(rulebook, part, asked)
        built |= {part.asked.under: found} if part.asked.under else found
    if assumed:
        built["assumed"] = [one.note for one in assumed.values()]
    assert rulebook.tools is not None
    rounded_off: dict[str, Any] = rounded(built, rulebook.tools.digits)
    return rounded_off


def _given(rulebook: Rulebook, part: Part, given: Parameters) -> Any:
    """What one part gives, once, or for each value of what it is asked for one after another."""
    if not part.asked.each:
        return _once(rulebook, part, _parameters(rulebook, part, given))
    return [
        {
            part.asked.each: value,
            **_once(rulebook, part, _parameters(rulebook, part, {**given, part.asked.each: value})),
        }
        for value in _values(rulebook, part.asked)
    ]


def _values(rulebook: Rulebook, asked: Asked) -> Iterable[Scalar]:
    return asked.values or rulebook.catalog_of(asked.each).ids


def _parameters(rulebook: Rulebook, part: Part, given: Parameters) -> dict[str, Any]:
    """Those of the arguments that the part can be asked with, and what it is asked with in any case."""
    known = parameters_of(part, rulebook.subject, rulebook.rankings)
    own = {name: value for name, value in given.items() if takes_part(name, known)}
    return {**part.asked.otherwise, **own, **part.asked.fixed}


def _once(rulebook: Rulebook, part: Part, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any]
    match part:
        case AnswerPart():
            whole = answer(rulebook, read_question(rulebook, asked))
            for path, most in part.first.items():
                whole = shortened(whole, path, most)
            found = kept_of(whole, part.kept)
        case RankingPart():
            found = kept_of(rank(rulebook, read_ranking(rulebook, part.ranking, asked)), part.kept)
        case SearchPart():
            found = _found(rulebook, part, asked)
        case ExplanationPart():
            found = _explained(rulebook, part, asked)
    return found


def _found(rulebook: Rulebook, part: SearchPart, asked: Parameters) -> dict[str, Any]:
    """How many entries match, those that are shown, and how many are left off; the nearest where none matches."""
    catalog = rulebook.catalog_of(part.axis)
    problems: list[Problem] = []
    found = matches(catalog, text := str(asked.get(TEXT, "")))
    for name, one in part.filters.items():
        wanted = read_filter(rulebook, one, asked.get(name))
        if isinstance(wanted, Problem):
            problems.append(wanted)
        elif wanted is not None:
            found = [entry for entry in found if _holds(one, wanted, entry)]
    limit = read_number(rulebook, LIMIT, asked.get(LIMIT, part.most), 1, len(catalog.ids))
    if not isinstance(limit, Problem) and not limit.is_integer():
        limit = told(rulebook, NotWhole, LIMIT, asked[LIMIT])
    if isinstance(limit, Problem):
        problems.append(limit)
    if problems or isinstance(limit, Problem):
        raise ProblemsFound(problems)
    shown = found[: int(limit)]
    built = {"found": len(found), "left_off": len(found) - len(shown), "entries": _items(part, shown)}
    return built if found else built | {NEAREST: _items(part, nearest(catalog, text))}


def _holds(asked: Filter, wanted: Any, entry: Entry) -> bool:
    """Whether a filter holds for an entry; a figure that is not known is neither at least nor at most."""
    value = entry.value(asked.value.name.partition(".")[2])
    if asked.how == HOLDS:
        return bool(value)
    if value is None:
        return False
    if asked.how == WORD:
        return value in wanted
    return bool(value >= wanted if asked.how == AT_LEAST else value <= wanted)


def _items(part: SearchPart, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    shown = [{key: entry.value(field) for key, field in part.item.items()} for entry in entries]
    return [{key: value for key, value in item.items() if value is not None} for item in shown]


def _explained(rulebook: Rulebook, part: ExplanationPart, asked: dict[str, Any]) -> dict[str, Any]:
    """The steps behind a figure, itself first, and how many more there are farther from it."""
    if FIGURE not in asked:
        raise ProblemsFound([told(rulebook, MissingParameter, FIGURE)])
    name = figure_meant(rulebook, str(asked.pop(FIGURE)))
    steps = {step["name"]: step for step in reasons(rulebook, read_question(rulebook, asked), [name])}
    near, ahead = {name: None}, [name]
    for _ in range(part.levels):
        ahead = [other for step in ahead for other in steps[step].get("inputs", ()) if other not in near]
        near |= dict.fromkeys(ahead)
    shown = [kept_of(_plain(steps[step]), part.kept) for step in islice(near, part.most)]
    return {"steps": shown, "left_off": len(steps) - len(shown)}


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a trace with whole numbers as they are read."""
    inputs = {name: plain_number(value) for name, value in step.get("inputs", {}).items()}
    return {**step, "value": plain_number(step["value"]), **({"inputs": inputs} if inputs else {})}


def figure_meant(rulebook: Rulebook, word: str) -> str:
    """The rule that a word means: its own name, or the key, or keys with dots between, where an answer shows it."""
    if word in rulebook.rule_set.definitions:
        return word
    shown = dict(_shown(rulebook.layout.root))
    by_last_key = {path.rpartition(".")[2]: name for path, name in reversed(shown.items())}
    return shown.get(word) or by_last_key.get(word) or word


def _shown(node: Node, before: str = "") -> Iterator[tuple[str, str]]:
    """Where an answer shows which name, outside of its lists."""
    for key, part in node.parts.items() if isinstance(node, Branch) else ():
        if isinstance(part, Value):
            yield before + key, part.name
        yield from _shown(part, f"{before}{key}.")
