"""Questions, read from parameters, addresses and request bodies, and the language that they are answered in."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fitcard.answer.custom_entry import BASE, CustomEntry, custom_entry, entry_from_parameters
from fitcard.answer.problems import (
    BodyWrong,
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
    UnknownLanguage,
    UnknownParameter,
    UnknownRule,
    as_text,
    is_given,
    question_problem,
)
from fitcard.catalog.catalog import CUSTOM, Entry
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Constant
from fitcard.language.question_fields import PROFILE, Axis, Input
from fitcard.language.rule_set import RuleSet
from fitcard.problems import Problem, ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.schema_problems import schema_problems
from fitcard.source.schemas import Schemas
from fitcard.suggest import closest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

YES, NO = ("1", "true", "yes"), ("0", "false", "no", "")
BODY = "body"  # the field of problems of a whole request body
EXPLAIN = "explain"  # the parameter of requests that asks for an explanation
QUESTION_BODY = "question"  # the schema of a request body
LANGUAGE = "lang"  # parameter of addresses, and option of commands
MAX_DESCRIPTION = 200  # characters of the description of a schema problem
MAX_SPLITS = 16  # positions at which a pair of names is split; no name has more separators
SHORT_LIST = 12  # choices that a problem or schema lists in full


@dataclass(frozen=True)
class Question:
    """An entry for each axis, inputs, and a profile.

    The rules choose the entry of an axis that is absent. `overrides` are values of constants, `custom_entries` custom
    entries by axis, all for this question only.
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
    open_axes: Container[str] = (),
    other_parameters: Iterable[str] = (),
) -> Question:
    """The question of these parameters. None and empty text count as absent.

    A parameter `axis.field` overrides a field of the entry, or sets one of a custom entry; a mapping in place of the
    name of an entry does the same for several fields. `open_axes` cannot be parameters, because all of their entries
    are evaluated. `other_parameters` are suggested for unknown parameters; the caller reads them.
    Raises ProblemsError with a problem for each unknown, missing or invalid parameter and override.
    """
    reader = _QuestionReader(rulebook, open_axes, tuple(other_parameters))
    field_overrides = {name: value for name, value in (overrides or {}).items() if "." in name}
    present = {name: value for name, value in {**parameters, **field_overrides}.items() if is_given(value)}
    values, fields = _split_fields(present)
    reader.check_names(present)
    entries, custom_entries = reader.read_entries(values, fields)
    reader.check_fields(fields)
    inputs = reader.read_inputs(values)
    profile = as_text(values.get(PROFILE, rulebook.default_profile))
    if profile not in rulebook.rule_sets:
        reader.problems.append(unknown_choice(PROFILE, profile, tuple(rulebook.rule_sets)))
        raise ProblemsError(reader.problems)
    constants = {name: value for name, value in (overrides or {}).items() if name not in field_overrides}
    overridden = reader.read_constants(rulebook.rule_sets[profile], constants)
    if reader.problems:
        raise ProblemsError(reader.problems)
    return Question(entries, inputs, profile, overridden, custom_entries)


def _split_fields(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Plain parameters, and fields by axis: those of mappings, and those of parameters `axis.field`."""
    plain: dict[str, Any] = {}
    fields: dict[str, dict[str, Any]] = {}
    for name, value in parameters.items():
        axis, dot, key = name.partition(".")
        if dot:
            fields.setdefault(axis, {})[key] = value
        elif isinstance(value, Mapping):
            fields.setdefault(name, {}).update(value)
        else:
            plain[name] = value
    return plain, fields


class _QuestionReader:
    """Reads the parts of a question, and collects their problems."""

    def __init__(self, rulebook: Rulebook, open_axes: Container[str], other_parameters: tuple[str, ...]) -> None:
        self.rulebook, self.other_parameters = rulebook, other_parameters
        self.axes = {name: axis for name, axis in rulebook.question_fields.axes.items() if name not in open_axes}
        self.problems: list[Problem] = []

    def check_names(self, parameters: Iterable[str]) -> None:
        """Adds a problem for each unknown parameter."""
        known = [*self.axes, *self.rulebook.question_fields.inputs, PROFILE]
        for name in parameters:
            head, dot, _ = name.partition(".")
            if head not in known or (dot and head not in self.axes):
                near = closest(head, [*known, *self.other_parameters]) or [*self.other_parameters, *known]
                self.problems.append(question_problem(UnknownParameter, name, name, near))

    def check_fields(self, fields: Iterable[str]) -> None:
        """Adds a problem for each input or profile that has fields as if it were an entry."""
        for name in fields:
            if name in self.rulebook.question_fields.inputs:
                self.problems.append(question_problem(NotANumber, name, "{}"))
            elif name == PROFILE:
                self.problems.append(unknown_choice(PROFILE, "{}", tuple(self.rulebook.rule_sets)))

    def read_entries(
        self, values: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]
    ) -> tuple[dict[str, str], dict[str, CustomEntry]]:
        """The id of the entry of each axis, and custom entries by axis."""
        entries: dict[str, str] = {}
        custom_entries: dict[str, CustomEntry] = {}
        for axis in self.axes.values():
            if axis.default_by and axis.name not in values and axis.name not in fields:
                continue  # the rules choose the entry
            try:
                if axis.name in fields:
                    custom_entries[axis.name] = self._custom_entry(axis, values.get(axis.name), fields[axis.name])
                    entries[axis.name] = custom_entries[axis.name].entry.id
                else:
                    entries[axis.name] = read_entry(self.rulebook, axis, values.get(axis.name)).id
            except ProblemsError as error:
                self.problems += error.problems
        return entries, custom_entries

    def _custom_entry(self, axis: Axis, name: object, fields: Mapping[str, Any]) -> CustomEntry:
        """The custom entry with these fields; its base is the entry `name`, or the one in the field `BASE`."""
        if not axis.custom_fields:
            raise ProblemsError([question_problem(NoOwnEntry, axis.name, axis.name, axis.custom_fields)])
        word, parameter = (fields[BASE], f"{axis.name}.{BASE}") if BASE in fields else (name, axis.name)
        base = None if word is None or as_text(word) == CUSTOM else read_entry(self.rulebook, axis, word, parameter)
        own_fields = {key: value for key, value in fields.items() if key != BASE}
        data = entry_from_parameters(self.rulebook.catalog_of(axis.name), axis.name, own_fields)
        return custom_entry(self.rulebook, axis, data, base)

    def read_inputs(self, values: Mapping[str, Any]) -> dict[str, float]:
        """The inputs that have a value."""
        inputs: dict[str, float] = {}
        for name, declared in self.rulebook.question_fields.inputs.items():
            if name in values:
                self._add(inputs, name, _read_input(declared, values[name]))
        return inputs

    def read_constants(self, rule_set: RuleSet, overrides: Mapping[str, object]) -> dict[str, float]:
        """The values of constants."""
        constants: dict[str, float] = {}
        for name, value in overrides.items():
            self._add(constants, name, _read_constant(rule_set, name, value))
        return constants

    def _add(self, numbers: dict[str, float], name: str, number: float | Problem) -> None:
        if isinstance(number, Problem):
            self.problems.append(number)
        else:
            numbers[name] = number


def _read_input(declared: Input, value: object) -> float | Problem:
    number = read_number(declared.name, value, declared.minimum, declared.maximum)
    if declared.whole and isinstance(number, float) and not number.is_integer():
        return question_problem(NotWhole, declared.name, value)
    return number


def _read_constant(rule_set: RuleSet, name: str, value: object) -> float | Problem:
    definition = rule_set.definitions.get(name)
    if not isinstance(definition, Constant):
        constants = [known.name for known in rule_set.definitions.values() if isinstance(known, Constant)]
        kind = UnknownConstant if definition is None else NotAConstant
        return question_problem(kind, name, name, closest(name, constants))
    return read_number(name, value, definition.minimum, definition.maximum)


def read_entry(rulebook: Rulebook, axis: Axis, name: object, parameter: str = "") -> Entry:
    """The entry that `name` refers to; the default of the axis if it is None. `parameter` is named in problems.

    Raises ProblemsError if there is no such entry, and for an axis without a default.
    """
    catalog = rulebook.catalog_of(axis.name)
    word = axis.default if name is None else as_text(name)
    if word is None:
        raise ProblemsError([question_problem(MissingParameter, axis.name)])
    if not isinstance(name, str | int | float | None):  # the text of an array is no name, but may resemble one
        raise ProblemsError([unknown_choice(parameter or axis.name, word, ())])
    entry = catalog.find(word)
    if entry is not None:
        return entry
    if near := catalog.nearest(word):
        raise ProblemsError([question_problem(UnknownEntry, parameter or axis.name, word, near)])
    raise ProblemsError([unknown_choice(parameter or axis.name, word, catalog.ids)])


def read_number(parameter: str, value: object, minimum: float, maximum: float) -> float | Problem:
    """The number; a problem if it is not a finite number within the bounds."""
    try:
        number = float(as_text(value))
    except ValueError:
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number):
        return question_problem(NotANumber, parameter, value)
    if not minimum <= number <= maximum:
        return question_problem(OutOfRange, parameter, value, least=_format_bound(minimum), most=_format_bound(maximum))
    return number


def _format_bound(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"


def unknown_choice(parameter: str, word: str, choices: tuple[str, ...]) -> Problem:
    """The problem of a word that is none of the choices."""
    near = closest(word, choices) or (choices if len(choices) <= SHORT_LIST else ())
    return question_problem(UnknownEntry if near else UnknownEntryFar, parameter, word, near)


def unknown_rule(name: str, rule_set: RuleSet) -> Problem:
    """The problem of a rule that does not exist."""
    return question_problem(UnknownRule, "name", name, closest(name, rule_set.definitions))


def read_query(query: Iterable[tuple[str, list[str]]]) -> tuple[dict[str, str], bool]:
    """The parameters of an address, and whether to explain. Raises ProblemsError for repeated parameters."""
    values = dict(query)
    problems = [question_problem(RepeatedParameter, name) for name, repeated in values.items() if len(repeated) > 1]
    values.pop(LANGUAGE, None)  # the engine is in that language already
    explain = values.pop(EXPLAIN, ["0"])[0].casefold()
    if explain not in (*YES, *NO):
        problems.append(question_problem(NotAChoice, EXPLAIN, explain))
    if problems:
        raise ProblemsError(problems)
    return {name: first for name, (first, *_) in values.items()}, explain in YES


def split_pair(rulebook: Rulebook, pair: str, separator: str, first: str, second: str) -> dict[str, str]:
    """`a<separator>b` as names on two axes, split where both names are known, else at the first separator."""
    cuts = [at for at in range(len(pair)) if pair.startswith(separator, at)][:MAX_SPLITS]
    halves = [(pair[:at], pair[at + len(separator) :]) for at in cuts] or [(pair, "")]
    catalogs = rulebook.catalog_of(first), rulebook.catalog_of(second)
    known = [half for half in halves if all(catalog.find(word) for catalog, word in zip(catalogs, half, strict=True))]
    chosen = (known or halves)[0]
    return {first: chosen[0], second: chosen[1]}


def read_body(rulebook: Rulebook, body: object) -> tuple[Question, bool]:
    """The question in a JSON body, and whether to explain it: parameters, `overrides` by name, and `explain`.

    Raises ProblemsError like `read_question`, and for a body that does not match its schema.
    """
    if problems := list(body_problems(rulebook.schemas, QUESTION_BODY, body)):
        raise ProblemsError(problems)
    parameters = dict(body) if isinstance(body, dict) else {}
    overrides, explain = parameters.pop("overrides", {}), parameters.pop(EXPLAIN, False)
    plain = all(isinstance(value, str | int | float | dict | None) for value in parameters.values())
    if not parameters or not plain or not isinstance(overrides, dict) or not isinstance(explain, bool):
        raise ProblemsError([question_problem(NotABody, "body")])
    return read_question(rulebook, parameters, overrides), explain


def body_problems(schemas: Schemas, kind: str, body: Any) -> Iterator[Problem]:
    """A problem for each part of the body that does not match the schema `kind`; none if there is no such schema.

    The field of each problem is the path of the part, as in `questions.3.overrides`.
    """
    if kind not in schemas.by_kind or schemas.is_valid(body, kind):
        return
    document = Document(BODY, "", body, {})
    for error in schemas.validator(kind).iter_errors(body):
        for problem in schema_problems(document, error, lambda part: schemas.resolve(part, kind)):
            text = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            text = text if len(text) <= MAX_DESCRIPTION else text[:MAX_DESCRIPTION] + "..."
            yield question_problem(BodyWrong, _error_path(error), "", problem.closest, what=" ".join(text.split()))


def _error_path(error: ValidationError) -> str:
    """The path of an error; of alternatives, that of the best match."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - imported only if a body is invalid

    nearest = best_match([error]) or error
    return ".".join(map(str, nearest.absolute_path)) or BODY


def in_language(engine: Engine, tag: str | None) -> Engine:
    """The engine in the language `tag`; in the default language without one. Raises ProblemsError if it is unknown."""
    if not tag:
        return engine
    language = _find_language(engine.rulebook, tag)
    if language is None:
        raise ProblemsError([question_problem(UnknownLanguage, LANGUAGE, tag, engine.rulebook.languages)])
    return engine.in_language(language)


def in_preferred_language(engine: Engine, tags: Iterable[str]) -> Engine:
    """The engine in the first of these languages that it has, else in the default language."""
    languages = (_find_language(engine.rulebook, tag) for tag in tags)
    language = next((known for known in languages if known is not None), None)
    return engine.in_language(language) if language is not None else engine


def _find_language(rulebook: Rulebook, tag: str) -> str | None:
    """The language of a tag by the lookup of RFC 4647: `de-AT` matches `de`; also, `pt` and `pt-PT` match `pt-BR`."""
    subtags = tag.casefold().split("-")
    languages = {language.casefold(): language for language in rulebook.languages}
    for length in range(len(subtags), 0, -1):
        if language := languages.get("-".join(subtags[:length])):
            return language
    return next((language for folded, language in languages.items() if folded.split("-")[0] == subtags[0]), None)
