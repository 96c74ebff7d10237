"""What a tool takes and gives, as JSON Schema: read from the rulebook, its catalogs and the schemas of answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from fitcard.answer.answer import answer_question
from fitcard.answer.explain import explain
from fitcard.answer.fields import project, round_numbers, truncate
from fitcard.answer.parameter_schemas import TYPES, Schema, in_unit, parameter_schema
from fitcard.answer.problems import MissingParameter, NotWhole, UnknownParameter, question_problem
from fitcard.answer.question import read_number, read_question
from fitcard.answer.ranking import rank, read_filter, read_ranking
from fitcard.catalog.catalog import Entry, search_all, search_nearest
from fitcard.catalog.fields import Field
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.layout import Node, ObjectNode, ValueNode
from fitcard.rulebook.rankings import AT_LEAST, HOLDS, LIMIT, WORD, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.tools import (
    FIGURE,
    TEXT,
    AnswerPart,
    Asked,
    ExplanationPart,
    Kept,
    Part,
    RankingPart,
    SearchPart,
    Tool,
    parameters_of,
    takes_part,
)
from fitcard.suggest import closest
from fitcard.values import Scalar, whole_as_int

NEAREST = "nearest_not_matching"  # the key of what is called most like a text that matches nothing
Parameters = Mapping[str, Any]


def tools_of(rulebook: Rulebook) -> Mapping[str, Tool]:
    """The tools of a rulebook by name; none where it has no file of them."""
    return rulebook.tools.tools if rulebook.tools else {}


def call(engine: Engine, tool: Tool, arguments: Parameters) -> dict[str, Any]:
    """What the tool gives for these arguments, as plain data; None and empty text count as not given.

    Raises ProblemsFound with one problem for each argument that is unknown, missing or out of range.
    """
    given = {name: value for name, value in arguments.items() if value is not None and value != ""}
    problems = [
        question_problem(UnknownParameter, name, name, closest(name, tool.takes) or tool.takes)
        for name in given
        if name not in tool.takes
    ]
    built: dict[str, Any] = {}
    try:
        built = _built(engine, tool, {name: value for name, value in given.items() if name in tool.takes})
    except ProblemsError as found:
        problems += found.problems
    if problems:
        raise ProblemsError(problems)
    return built


def _built(engine: Engine, tool: Tool, given: Parameters) -> dict[str, Any]:
    """All parts that the tool gives, and what it assumed for them."""
    assumed = {name: one for name, one in tool.assumes.items() if name not in given}
    asked = {**given, **{name: one.value for name, one in assumed.items()}}
    built: dict[str, Any] = {}
    for part in tool.gives:
        if part.asked.if_given and part.asked.if_given not in given:
            continue
        found = _given(engine, part, asked)
        built |= {part.asked.under: found} if part.asked.under else found
    if assumed:
        built["assumed"] = [one.note for one in assumed.values()]
    assert engine.rulebook.tools is not None
    rounded_off: dict[str, Any] = round_numbers(built, engine.rulebook.tools.digits)
    return rounded_off


def _given(engine: Engine, part: Part, given: Parameters) -> Any:
    """What one part gives, once, or for each value of what it is asked for one after another."""
    rulebook = engine.rulebook
    if not part.asked.each:
        return _once(engine, part, _parameters(rulebook, part, given))
    return [
        {
            part.asked.each: value,
            **_once(engine, part, _parameters(rulebook, part, {**given, part.asked.each: value})),
        }
        for value in _values(rulebook, part.asked)
    ]


def _values(rulebook: Rulebook, asked: Asked) -> Iterable[Scalar]:
    return asked.values or rulebook.catalog_of(asked.each).ids


def _parameters(rulebook: Rulebook, part: Part, given: Parameters) -> dict[str, Any]:
    """Those of the arguments that the part can be asked with, and what it is asked with in any case."""
    known = parameters_of(part, rulebook.question_fields, rulebook.rankings)
    own = {name: value for name, value in given.items() if takes_part(name, known)}
    return {**part.asked.otherwise, **own, **part.asked.fixed}


def _once(engine: Engine, part: Part, asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any]
    rulebook = engine.rulebook
    match part:
        case AnswerPart():
            whole = answer_question(engine, read_question(rulebook, asked)).to_dict()
            for path, most in part.first.items():
                whole = truncate(whole, path, most)
            found = project(whole, part.kept)
        case RankingPart():
            found = project(rank(engine, read_ranking(rulebook, part.ranking, asked)), part.kept)
        case SearchPart():
            found = _found(rulebook, part, asked)
        case ExplanationPart():
            found = _explained(engine, part, asked)
    return found


def _found(rulebook: Rulebook, part: SearchPart, asked: Parameters) -> dict[str, Any]:
    """How many entries match, those that are shown, and how many are left off; the nearest where none matches."""
    catalog = rulebook.catalog_of(part.axis)
    problems: list[Problem] = []
    found = search_all(catalog, text := str(asked.get(TEXT, "")))
    for name, one in part.filters.items():
        wanted = read_filter(rulebook, one, asked.get(name))
        if isinstance(wanted, Problem):
            problems.append(wanted)
        elif wanted is not None:
            found = [entry for entry in found if _holds(one, wanted, entry)]
    limit = read_number(LIMIT, asked.get(LIMIT, part.most), 1, len(catalog.ids))
    if not isinstance(limit, Problem) and not limit.is_integer():
        limit = question_problem(NotWhole, LIMIT, asked[LIMIT])
    if isinstance(limit, Problem):
        problems.append(limit)
    if problems or isinstance(limit, Problem):
        raise ProblemsError(problems)
    shown = found[: int(limit)]
    built = {"found": len(found), "left_off": len(found) - len(shown), "entries": _items(part, shown)}
    return built if found else built | {NEAREST: _items(part, search_nearest(catalog, text))}


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


def _explained(engine: Engine, part: ExplanationPart, asked: dict[str, Any]) -> dict[str, Any]:
    """The steps behind a figure, itself first, and how many more there are farther from it."""
    rulebook = engine.rulebook
    if FIGURE not in asked:
        raise ProblemsError([question_problem(MissingParameter, FIGURE)])
    name = figure_meant(rulebook, str(asked.pop(FIGURE)))
    steps = {step["name"]: step for step in explain(engine, read_question(rulebook, asked), [name])}
    near, ahead = {name: None}, [name]
    for _ in range(part.levels):
        ahead = [other for step in ahead for other in steps[step].get("inputs", ()) if other not in near]
        near |= dict.fromkeys(ahead)
    shown = [project(_plain(steps[step]), part.kept) for step in islice(near, part.most)]
    return {"steps": shown, "left_off": len(steps) - len(shown)}


def _plain(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of a trace with whole numbers as they are read."""
    inputs = {name: whole_as_int(value) for name, value in step.get("inputs", {}).items()}
    return {**step, "value": whole_as_int(step["value"]), **({"inputs": inputs} if inputs else {})}


def figure_meant(rulebook: Rulebook, word: str) -> str:
    """The rule that a word means: its own name, or the key, or keys with dots between, where an answer shows it."""
    if word in rulebook.rule_set.definitions:
        return word
    shown = dict(_shown(rulebook.layout.root))
    by_last_key = {path.rpartition(".")[2]: name for path, name in reversed(shown.items())}
    return shown.get(word) or by_last_key.get(word) or word


def _shown(node: Node, before: str = "") -> Iterator[tuple[str, str]]:
    """Where an answer shows which name, outside of its lists."""
    for key, part in node.parts.items() if isinstance(node, ObjectNode) else ():
        if isinstance(part, ValueNode):
            yield before + key, part.name
        yield from _shown(part, f"{before}{key}.")


ANSWER, RANKING = "answer", "ranking-answer"  # the schemas of what is kept
SAID = ("type", "description", "enum")  # what is taken over of them; bounds hold for numbers that are not rounded


def input_schema(rulebook: Rulebook, tool: Tool) -> Schema:
    """The arguments of a tool, each with its type, its bounds or its words, and what it means."""
    properties = {name: _argument(rulebook, tool, name) for name in tool.takes}
    axes = rulebook.question_fields.axes
    needed = [name for name in tool.takes if name == FIGURE or (name in axes and axes[name].required)]
    required = [name for name in needed if name not in tool.assumes]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def output_schema(rulebook: Rulebook, tool: Tool) -> Schema:
    """The shape of what a tool gives; nothing in it is required, since what is absent is left out."""
    properties: Schema = {}
    for part in tool.gives:
        found = _given_schema(rulebook, part)
        if part.asked.each:
            each = {part.asked.each: {"type": ["string", "number", "boolean"]}}
            items = _object({**each, **found})
            properties[part.asked.under] = {"type": "array", "items": items}
        elif part.asked.under:
            properties[part.asked.under] = _object(found)
        else:
            properties |= found
    if tool.assumes:
        properties["assumed"] = {"type": "array", "items": {"type": "string"}}
    return _object(properties)


def _argument(rulebook: Rulebook, tool: Tool, name: str) -> Schema:
    schema, about = _form(rulebook, tool, name)
    assert rulebook.tools is not None
    about = rulebook.tools.arguments.get(name, about)
    return {**schema, "description": about} if about else schema


def _form(rulebook: Rulebook, tool: Tool, name: str) -> tuple[Schema, str]:
    """The type of an argument, and what the rulebook says of it."""
    if name in (TEXT, FIGURE):
        return {"type": "string"}, ""
    return parameter_schema(rulebook, name, _filters(rulebook, tool))


def _filters(rulebook: Rulebook, tool: Tool) -> dict[str, Filter]:
    found: dict[str, Filter] = {}
    for part in tool.gives:
        if isinstance(part, RankingPart):
            found |= rulebook.rankings[part.ranking].filters
        elif isinstance(part, SearchPart):
            found |= part.filters
    return found


def _given_schema(rulebook: Rulebook, part: Part) -> Schema:
    """The keys of what one part gives."""
    found: Schema
    match part:
        case AnswerPart():
            found = _kept(rulebook, part.kept, rulebook.schemas.by_kind.get(ANSWER, {}), ANSWER)["properties"]
        case RankingPart():
            found = _kept(rulebook, part.kept, rulebook.schemas.by_kind.get(RANKING, {}), RANKING)["properties"]
        case SearchPart():
            fields = rulebook.catalog_of(part.axis).fields
            items = {"type": "array", "items": _object({key: _field(fields[name]) for key, name in part.item.items()})}
            counted = {"type": "integer", "minimum": 0}
            found = {"found": counted, "left_off": counted, "entries": items, NEAREST: items}
        case ExplanationPart():
            steps = {"type": "array", "items": _object({key: {} for key in part.kept.parts})}
            found = {"steps": steps, "left_off": {"type": "integer", "minimum": 0}}
    return found


def _kept(rulebook: Rulebook, kept: Kept, schema: Mapping[str, Any], kind: str) -> Schema:
    """The part of a schema that describes what is kept."""
    schema, kind = rulebook.schemas.follow(schema, kind) if kind in rulebook.schemas.by_kind else (schema, kind)
    for option in schema.get("oneOf", ()):
        if "properties" in option:
            schema = option
    if "items" in schema:
        return {"type": "array", "items": _kept(rulebook, kept, schema["items"], kind)}
    declared = schema.get("properties", {})
    keys = kept.parts or (dict.fromkeys(declared, Kept({})) if declared else {})
    if keys:
        return _object({key: _kept(rulebook, part, declared.get(key, {}), kind) for key, part in keys.items()})
    return {key: schema[key] for key in SAID if key in schema}


def _field(field: Field) -> Schema:
    return {"type": TYPES[field.kind], "description": in_unit(field.about, field.unit)}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}
