"""Understanding a question: words and numbers from an address, a command line or a body, checked one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.answer.told import (
    MissingParameter,
    NotABody,
    NotAChoice,
    NotAConstant,
    NotANumber,
    NotWhole,
    OutOfRange,
    RepeatedParameter,
    UnknownConstant,
    UnknownEntry,
    UnknownEntryFar,
    UnknownParameter,
    UnknownRule,
    told,
)
from engine.closest import closest
from engine.problems import Problem, ProblemsFound
from engine.rulebook.definitions import Constant
from engine.rulebook.rule_set import RuleSet
from engine.rulebook.rulebook import Rulebook
from engine.rulebook.subject import Axis

PROFILE = "profile"
YES, NO = ("1", "true", "yes"), ("0", "false", "no", "")
SHORT_LIST = 12  # choices so few that all of them are told


@dataclass(frozen=True)
class Question:
    """One entry on each axis, the numbers that were given, and the profile that answers.

    An axis that is not there is left for the rules to choose. `overrides` are constants that are set to another value
    for this question alone.
    """

    entries: Mapping[str, str]
    inputs: Mapping[str, float]
    profile: str
    overrides: Mapping[str, float] = field(default_factory=dict)


def read_question(
    rulebook: Rulebook, parameters: Mapping[str, str | float | None], overrides: Mapping[str, str | float] | None = None
) -> Question:
    """The question that these parameters ask; None and empty text count as not given.

    Raises ProblemsFound with one problem for each parameter and override that is unknown, missing or out of range.
    """
    given = {name: value for name, value in parameters.items() if value is not None and value != ""}
    reader = _Reader(rulebook)
    problems = list(reader.unknown_parameters(given))
    entries, inputs = {}, {}
    for axis in rulebook.subject.axes.values():
        if axis.default_by and axis.name not in given:
            continue  # the rules choose
        entry = reader.entry(axis, given.get(axis.name))
        if isinstance(entry, Problem):
            problems.append(entry)
        else:
            entries[axis.name] = entry
    for asked in rulebook.subject.inputs.values():
        if asked.name in given:
            number = reader.number(asked.name, given[asked.name], asked.minimum, asked.maximum)
            if isinstance(number, Problem):
                problems.append(number)
            elif asked.whole and not number.is_integer():
                problems.append(told(rulebook, NotWhole, asked.name, given[asked.name]))
            else:
                inputs[asked.name] = number
    profile = str(given.get(PROFILE, rulebook.default_profile))
    if profile not in rulebook.rule_sets:
        problems.append(reader.unknown(PROFILE, profile, tuple(rulebook.rule_sets)))
        raise ProblemsFound(problems)
    constants = {}
    for name, value in (overrides or {}).items():
        constant = reader.constant(rulebook.rule_sets[profile], name, value)
        if isinstance(constant, Problem):
            problems.append(constant)
        else:
            constants[name] = constant
    if problems:
        raise ProblemsFound(problems)
    return Question(entries, inputs, profile, constants)


def read_body(rulebook: Rulebook, body: object) -> tuple[Question, bool]:
    """The question in a JSON body, and whether to explain: the parameters, `overrides` by name, and `explain`.

    Raises ProblemsFound like `read_question`, and where the body is no object or its parts are not what they must be.
    """
    parameters = dict(body) if isinstance(body, dict) else {}
    overrides, explain = parameters.pop("overrides", {}), parameters.pop("explain", False)
    plain = all(isinstance(value, str | int | float | None) for value in parameters.values())
    if not parameters or not plain or not isinstance(overrides, dict) or not isinstance(explain, bool):
        raise ProblemsFound([told(rulebook, NotABody, "body")])
    return read_question(rulebook, parameters, overrides), explain


def read_query(rulebook: Rulebook, query: Iterable[tuple[str, list[str]]]) -> tuple[dict[str, str], bool]:
    """The parameters of an address, and whether to explain. Raises ProblemsFound where one is given twice."""
    values = dict(query)
    problems = [told(rulebook, RepeatedParameter, name) for name, given in values.items() if len(given) > 1]
    explain = values.pop("explain", ["0"])[0].casefold()
    if explain not in (*YES, *NO):
        problems.append(told(rulebook, NotAChoice, "explain", explain))
    if problems:
        raise ProblemsFound(problems)
    return {name: given[0] for name, given in values.items()}, explain in YES


def split_pair(rulebook: Rulebook, pair: str, separator: str, first: str, second: str) -> dict[str, str]:
    """`a<separator>b` as the words for two axes, split where both sides are known if there is such a place."""
    cuts = [at for at in range(len(pair)) if pair.startswith(separator, at)]
    halves = [(pair[:at], pair[at + len(separator) :]) for at in cuts] or [(pair, "")]
    catalogs = rulebook.catalog_of(first), rulebook.catalog_of(second)
    known = [half for half in halves if all(catalog.find(word) for catalog, word in zip(catalogs, half, strict=True))]
    chosen = (known or halves)[0]
    return {first: chosen[0], second: chosen[1]}


def unknown_rule(rulebook: Rulebook, name: str, rule_set: RuleSet) -> Problem:
    """What a caller is told who names a rule that is not there."""
    return told(rulebook, UnknownRule, "name", name, closest(name, rule_set.definitions))


class _Reader:
    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook

    def unknown(
        self, field: str, given: str, choices: tuple[str, ...], nearest: tuple[str, ...] | None = None
    ) -> Problem:
        matches = closest(given, choices) if nearest is None else nearest
        if not matches and len(choices) <= SHORT_LIST:
            matches = choices
        return told(self.rulebook, UnknownEntry if matches else UnknownEntryFar, field, given, matches)

    def unknown_parameters(self, given: Mapping[str, object]) -> Iterator[Problem]:
        known = [*self.rulebook.subject.axes, *self.rulebook.subject.inputs, PROFILE]
        for name in given:
            if name not in known:
                yield told(self.rulebook, UnknownParameter, name, name, closest(name, known) or known)

    def entry(self, axis: Axis, given: object) -> str | Problem:
        catalog = self.rulebook.catalog_of(axis.name)
        word = axis.default if given is None else str(given)
        if word is None:
            return told(self.rulebook, MissingParameter, axis.name)
        found = catalog.find(word)
        return found.id if found else self.unknown(axis.name, word, catalog.ids, catalog.nearest(word))

    def constant(self, rule_set: RuleSet, name: str, given: object) -> float | Problem:
        definition = rule_set.definitions.get(name)
        if not isinstance(definition, Constant):
            constants = [known.name for known in rule_set.definitions.values() if isinstance(known, Constant)]
            kind = UnknownConstant if definition is None else NotAConstant
            return told(self.rulebook, kind, name, name, closest(name, constants))
        return self.number(name, given, definition.minimum, definition.maximum)

    def number(self, field: str, given: object, minimum: float, maximum: float) -> float | Problem:
        try:
            number = float(str(given))
        except ValueError:
            number = math.nan
        if isinstance(given, bool) or not math.isfinite(number):
            return told(self.rulebook, NotANumber, field, given)
        if not minimum <= number <= maximum:
            limits = {"least": _limit(minimum), "most": _limit(maximum)}
            return told(self.rulebook, OutOfRange, field, given, **limits)
        return number


def _limit(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"
