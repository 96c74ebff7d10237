"""Understanding a question: words and numbers from an address, a command line or a body, checked one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fitcard.answer.problems import BodyWrong, question_problem
from fitcard.problems import Problem
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.schema_problems import schema_problems
from fitcard.source.schemas import Schemas

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from fitcard.answer.custom_entry import BASE, CUSTOM, CustomEntry, custom_entry, entry_from_parameters
from fitcard.answer.language import LANGUAGE
from fitcard.answer.problems import (
    MissingParameter,
    NoOwnEntry,
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
)
from fitcard.catalog.catalog import Entry
from fitcard.language.definitions import Constant
from fitcard.language.question_fields import PROFILE, Axis
from fitcard.language.rule_set import RuleSet
from fitcard.problems import ProblemsError
from fitcard.suggest import closest

BODY = "body"  # the field of a problem with all of it
MAX_TEXT = 200  # characters of what is told of one part


def body_problems(schemas: Schemas, kind: str, body: Any) -> Iterator[Problem]:
    """A problem for each part of the body that is not as the schema of `kind` says; none where there is no such schema.

    The field of each is the way to the part, as in `questions.3.overrides`.
    """
    if kind not in schemas.by_kind or schemas.is_valid(body, kind):
        return
    document = Document(BODY, "", body, {})
    for error in schemas.validator(kind).iter_errors(body):
        for problem in schema_problems(document, error, lambda part: schemas.resolve(part, kind)):
            what = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            what = what if len(what) <= MAX_TEXT else what[:MAX_TEXT] + "..."
            yield question_problem(BodyWrong, _way(error), "", problem.closest, what=" ".join(what.split()))


def _way(error: ValidationError) -> str:
    """The keys and numbers on the way to what is wrong; of alternatives those of the nearest."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - imported only once something is wrong

    nearest = best_match([error]) or error
    return ".".join(map(str, nearest.absolute_path)) or BODY


YES, NO = ("1", "true", "yes"), ("0", "false", "no", "")
QUESTION_BODY = "question"  # the schema of a body
MAX_SPLITS = 16  # places at which a pair is tried: no name has so many
SHORT_LIST = 12  # choices so few that all of them are told


@dataclass(frozen=True)
class Question:
    """One entry on each axis, the numbers that were given, and the profile that answers.

    An axis that is not there is left for the rules to choose. `overrides` are constants that are set to another value
    for this question alone; `custom_entries` are the entries that it brings along, by axis.
    """

    entries: Mapping[str, str]
    inputs: Mapping[str, float]
    profile: str
    overrides: Mapping[str, float] = field(default_factory=dict)
    custom_entries: Mapping[str, CustomEntry] = field(default_factory=dict)


def read_question(
    rulebook: Rulebook,
    parameters: Mapping[str, Any],
    overrides: Mapping[str, str | float] | None = None,
    *,
    left_open: Container[str] = (),
    beside: Iterable[str] = (),
) -> Question:
    """The question that these parameters ask; None and empty text count as not given.

    A parameter `axis.field` changes a figure of the entry on that axis, or says one of an entry of one's own, as the
    fields in a mapping do in place of a name. On axes that are `left_open` nothing can be named, since all of their
    entries are asked about; `beside` are parameters that are told as near ones, and that somebody else has read.
    Raises ProblemsFound with one problem for each parameter and override that is unknown, missing or out of range.
    """
    reader = _Reader(rulebook, left_open, tuple(beside))
    figures = {name: value for name, value in (overrides or {}).items() if "." in name}
    every = {name: value for name, value in {**parameters, **figures}.items() if value is not None and value != ""}
    given, fields = _apart(every)
    problems = list(reader.unknown_parameters(every))
    entries, inputs, own = {}, {}, {}
    for axis in rulebook.question_fields.axes.values():
        if axis.name in left_open:
            continue
        if axis.default_by and axis.name not in given and axis.name not in fields:
            continue  # the rules choose
        try:
            if axis.name in fields:
                own[axis.name] = reader.own(axis, given.get(axis.name), fields[axis.name])
                entries[axis.name] = own[axis.name].entry.id
            else:
                entries[axis.name] = read_entry(rulebook, axis, given.get(axis.name)).id
        except ProblemsError as found:
            problems += found.problems
    problems += reader.not_entries(fields)
    for asked in rulebook.question_fields.inputs.values():
        if asked.name in given:
            number = read_number(asked.name, given[asked.name], asked.minimum, asked.maximum)
            if isinstance(number, Problem):
                problems.append(number)
            elif asked.whole and not number.is_integer():
                problems.append(question_problem(NotWhole, asked.name, given[asked.name]))
            else:
                inputs[asked.name] = number
    profile = str(given.get(PROFILE, rulebook.default_profile))
    if profile not in rulebook.rule_sets:
        problems.append(unknown_choice(PROFILE, profile, tuple(rulebook.rule_sets)))
        raise ProblemsError(problems)
    constants = {}
    for name, value in (overrides or {}).items():
        if name in figures:
            continue
        constant = reader.constant(rulebook.rule_sets[profile], name, value)
        if isinstance(constant, Problem):
            problems.append(constant)
        else:
            constants[name] = constant
    if problems:
        raise ProblemsError(problems)
    return Question(entries, inputs, profile, constants, own)


def read_body(rulebook: Rulebook, body: object) -> tuple[Question, bool]:
    """The question in a JSON body, and whether to explain: the parameters, `overrides` by name, and `explain`.

    In place of the name of an entry may stand the fields of one, and `like` with the name of one for all others.

    Raises ProblemsFound like `read_question`, and where the body is no object or its parts are not what they must be.
    """
    if wrong := list(body_problems(rulebook.schemas, QUESTION_BODY, body)):
        raise ProblemsError(wrong)
    parameters = dict(body) if isinstance(body, dict) else {}
    overrides, explain = parameters.pop("overrides", {}), parameters.pop("explain", False)
    plain = all(isinstance(value, str | int | float | dict | None) for value in parameters.values())
    if not parameters or not plain or not isinstance(overrides, dict) or not isinstance(explain, bool):
        raise ProblemsError([question_problem(NotABody, "body")])
    return read_question(rulebook, parameters, overrides), explain


def read_query(query: Iterable[tuple[str, list[str]]]) -> tuple[dict[str, str], bool]:
    """The parameters of an address, and whether to explain. Raises ProblemsFound where one is given twice."""
    values = dict(query)
    problems = [question_problem(RepeatedParameter, name) for name, given in values.items() if len(given) > 1]
    values.pop(LANGUAGE, None)  # the rulebook already speaks it
    explain = values.pop("explain", ["0"])[0].casefold()
    if explain not in (*YES, *NO):
        problems.append(question_problem(NotAChoice, "explain", explain))
    if problems:
        raise ProblemsError(problems)
    return {name: given[0] for name, given in values.items()}, explain in YES


def split_pair(rulebook: Rulebook, pair: str, separator: str, first: str, second: str) -> dict[str, str]:
    """`a<separator>b` as the words for two axes, split where both sides are known if there is such a place."""
    cuts = [at for at in range(len(pair)) if pair.startswith(separator, at)][:MAX_SPLITS]
    halves = [(pair[:at], pair[at + len(separator) :]) for at in cuts] or [(pair, "")]
    catalogs = rulebook.catalog_of(first), rulebook.catalog_of(second)
    known = [half for half in halves if all(catalog.find(word) for catalog, word in zip(catalogs, half, strict=True))]
    chosen = (known or halves)[0]
    return {first: chosen[0], second: chosen[1]}


def read_number(field: str, given: object, minimum: float, maximum: float) -> float | Problem:
    """The number that was given, or what is wrong with it."""
    try:
        number = float(str(given))
    except ValueError:
        number = math.nan
    if isinstance(given, bool) or not math.isfinite(number):
        return question_problem(NotANumber, field, given)
    if not minimum <= number <= maximum:
        return question_problem(OutOfRange, field, given, least=_limit(minimum), most=_limit(maximum))
    return number


def unknown_choice(field: str, given: str, choices: tuple[str, ...]) -> Problem:
    """What a caller is told who gives a word that is none of the choices."""
    near = closest(given, choices) or (choices if len(choices) <= SHORT_LIST else ())
    return question_problem(UnknownEntry if near else UnknownEntryFar, field, given, near)


def unknown_rule(name: str, rule_set: RuleSet) -> Problem:
    """What a caller is told who names a rule that is not there."""
    return question_problem(UnknownRule, "name", name, closest(name, rule_set.definitions))


def _apart(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Plain parameters, and by axis the fields of an entry: those of a mapping, and those under `axis.field`."""
    plain: dict[str, Any] = {}
    fields: dict[str, dict[str, Any]] = {}
    for name, value in given.items():
        axis, dot, field = name.partition(".")
        if dot:
            fields.setdefault(axis, {})[field] = value
        elif isinstance(value, Mapping):
            fields.setdefault(name, {}).update(value)
        else:
            plain[name] = value
    return plain, fields


def read_entry(rulebook: Rulebook, axis: Axis, given: object, field: str = "") -> Entry:
    """The entry that a word means on an axis, its default where none is given; a problem calls it `field`.

    Raises ProblemsFound with the closest where there is none, and where one must be given.
    """
    catalog = rulebook.catalog_of(axis.name)
    word = axis.default if given is None else str(given)
    if word is None:
        raise ProblemsError([question_problem(MissingParameter, axis.name)])
    found = catalog.find(word)
    if found is None:
        near = catalog.nearest(word)
        if near:
            raise ProblemsError([question_problem(UnknownEntry, field or axis.name, word, near)])
        raise ProblemsError([unknown_choice(field or axis.name, word, catalog.ids)])
    return found


class _Reader:
    def __init__(self, rulebook: Rulebook, left_open: Container[str], beside: tuple[str, ...]) -> None:
        self.rulebook, self.beside = rulebook, beside
        self.axes = [axis for axis in rulebook.question_fields.axes if axis not in left_open]

    def unknown_parameters(self, given: Mapping[str, object]) -> Iterator[Problem]:
        known = [*self.axes, *self.rulebook.question_fields.inputs, PROFILE]
        for name in given:
            head, dot, _ = name.partition(".")
            if head not in known or (dot and head not in self.axes):
                near = closest(head, [*known, *self.beside])
                yield question_problem(UnknownParameter, name, name, near or [*self.beside, *known])

    def not_entries(self, fields: Mapping[str, object]) -> Iterator[Problem]:
        """Numbers, and the profile, in whose place fields of an entry stand."""
        for name in fields:
            if name in self.rulebook.question_fields.inputs:
                yield question_problem(NotANumber, name, "{}")
            elif name == PROFILE:
                yield unknown_choice(PROFILE, "{}", tuple(self.rulebook.rule_sets))

    def own(self, axis: Axis, named: object, fields: Mapping[str, Any]) -> CustomEntry:
        """The entry that these fields make, with all others as of the one that is named, or that they are `like`."""
        if not axis.custom_fields:
            raise ProblemsError([question_problem(NoOwnEntry, axis.name, axis.name, axis.custom_fields)])
        figures = {name: value for name, value in fields.items() if name != BASE}
        word, field = (fields[BASE], f"{axis.name}.{BASE}") if BASE in fields else (named, axis.name)
        like = None if word in (None, CUSTOM) else read_entry(self.rulebook, axis, word, field)
        catalog = self.rulebook.catalog_of(axis.name)
        return custom_entry(self.rulebook, axis, entry_from_parameters(catalog, figures), like)

    def constant(self, rule_set: RuleSet, name: str, given: object) -> float | Problem:
        definition = rule_set.definitions.get(name)
        if not isinstance(definition, Constant):
            constants = [known.name for known in rule_set.definitions.values() if isinstance(known, Constant)]
            kind = UnknownConstant if definition is None else NotAConstant
            return question_problem(kind, name, name, closest(name, constants))
        return read_number(name, given, definition.minimum, definition.maximum)


def _limit(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"
