"""Tools as typed functions: their schemas, derived from type hints, and their calls.

Schemas are derived by `typed_schema` and not by pydantic, for two reasons. Clients pass them to a language model, so
they are short: nested types are inlined, without titles and without alternatives for null. And every command can import
the tools without the extra `mcp`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

from fitcard.answer.problems import UnknownParameter, question_problem
from fitcard.answer.question import SHORT_LIST
from fitcard.answer.schema import parameter_schema
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.rulebook.rankings import WORD
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.schemas import Schema
from fitcard.suggest import closest
from fitcard.typed_schema import MaxItems, fields_of, schema_of
from fitcard.values import round_significant, whole_as_int

DIGITS = 4  # significant digits of numbers that are not integers
CONSTRAINTS = ("enum", "minimum", "maximum", "default")  # keywords of a schema that come from the rulebook
T = TypeVar("T")


@dataclass(frozen=True)
class NoDefault:
    """Metadata of an argument to which the default of the rulebook does not apply."""


@dataclass(frozen=True)
class Tool:
    """A function that a language model can call; its docstring is the description.

    The first parameter of the function is the engine, all others are arguments. A double underscore in the name of a
    parameter stands for a dot: `device__memory` is the argument `device.memory`.
    """

    title: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name of the tool."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """The docstring as one paragraph."""
        return " ".join((self.function.__doc__ or "").split())

    @cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The parameters of the function, by argument name, with evaluated annotations."""
        _, *parameters = inspect.signature(self.function, eval_str=True).parameters.values()
        return {parameter.name.replace("__", "."): parameter for parameter in parameters}

    @property
    def required(self) -> list[str]:
        """The names of the arguments without a default."""
        return [name for name, parameter in self.parameters.items() if parameter.default is inspect.Parameter.empty]

    def input_schema(self, rulebook: Rulebook) -> Schema:
        """JSON Schema of the arguments, with choices, bounds and defaults from the rulebook."""
        properties = {name: _argument_schema(rulebook, name, parameter) for name, parameter in self.parameters.items()}
        return {"type": "object", "properties": properties, "required": self.required, "additionalProperties": False}

    @property
    def output_schema(self) -> Schema:
        """JSON Schema of the result. No key is required, because unknown values are left out."""
        return schema_of(get_type_hints(self.function, include_extras=True)["return"])


def call(engine: Engine, tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The result of a tool as plain data, rounded; None and empty text count as absent arguments.

    Raises ProblemsError with one problem for each argument that is unknown, missing or invalid.
    """
    present = {name: value for name, value in arguments.items() if value is not None and value != ""}
    unknown = [name for name in present if name not in tool.parameters]
    problems = [
        question_problem(UnknownParameter, name, name, closest(name, tool.parameters) or tool.parameters)
        for name in unknown
    ]
    # The function itself reports an empty required argument, together with all other problems.
    known = dict.fromkeys(tool.required, "") | {name: value for name, value in present.items() if name not in unknown}
    result: Mapping[str, Any] = {}
    try:
        result = tool.function(engine, **{tool.parameters[name].name: value for name, value in known.items()})
    except ProblemsError as error:
        problems += error.problems
    if problems:
        raise ProblemsError(problems)
    return cast(dict[str, Any], _round(result))


def project(data: Mapping[str, Any], shape: type[T]) -> T:
    """The part of `data` that a TypedDict declares, recursively and in its order, without what is empty."""
    return cast(T, _project(data, shape))


def _project(data: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        limits = [extra.count for extra in arguments[1:] if isinstance(extra, MaxItems)]
        return _project(data[: min(limits)] if limits else data, arguments[0])
    if origin is list:
        return [_project(item, arguments[0]) for item in data]
    if origin is dict:
        return {key: _project(item, arguments[1]) for key, item in data.items() if item is not None}
    if isinstance(data, Mapping):
        fields = fields_of(hint) if is_typeddict(hint) else dict.fromkeys(data)
        return {key: _project(data[key], field) for key, field in fields.items() if data.get(key) not in (None, {})}
    return data


def _argument_schema(rulebook: Rulebook, name: str, parameter: inspect.Parameter) -> Schema:
    schema = schema_of(parameter.annotation)
    if parameter.default not in (None, inspect.Parameter.empty):
        schema["default"] = parameter.default
    filters = {key: condition for ranking in rulebook.rankings.values() for key, condition in ranking.filters.items()}
    if name in filters and filters[name].operator == WORD:
        words, _ = rulebook.rule_set.possible_words(filters[name].value.name)
        return schema | {"description": f"{schema['description']}{_choices(words)}"}
    if name in rulebook.question_fields.axes or name in rulebook.question_fields.inputs:
        declared, _ = parameter_schema(rulebook, name, {})
        schema |= {key: declared[key] for key in CONSTRAINTS if key in declared and key not in schema}
    if _has_no_default(parameter.annotation):
        schema.pop("default", None)
    return schema


def _has_no_default(annotation: Any) -> bool:
    """Whether a type is annotated with NoDefault, possibly within a union."""
    options = [annotation] if get_origin(annotation) is Annotated else get_args(annotation)
    return any(NoDefault() in getattr(option, "__metadata__", ()) for option in options)


def _choices(words: tuple[str, ...]) -> str:
    """The words that a filter accepts, if they are few."""
    return f" One or more of: {', '.join(words)}." if len(words) <= SHORT_LIST else ""


def _round(data: Any) -> Any:
    """The data with numbers other than integers rounded to DIGITS significant digits."""
    if isinstance(data, Mapping):
        return {key: _round(part) for key, part in data.items()}
    if isinstance(data, list):
        return [_round(part) for part in data]
    return whole_as_int(round_significant(data, DIGITS)) if isinstance(data, float) else data
