"""The OpenAPI 3.1 document, generated from the routes, the rulebook, and the schemas of bodies and responses."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fitcard.answer.question import LANGUAGE
from fitcard.answer.schema import Schema, as_plain_number, in_unit, parameter_schema
from fitcard.language.definitions import Constant
from fitcard.language.question_fields import PROFILE
from fitcard.rulebook.rankings import LIMIT, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.web.parameters import LANGUAGE_ABOUT, LIMIT_ABOUT, PROFILE_ABOUT, Query, RulebookParameters
from fitcard.web.responses import JSON, OK, PROBLEM_MEDIA
from fitcard.web.routing import Route

VERSION = "3.1.0"
PROBLEM, QUESTION = "problem", "question"
SUFFIX = ".schema.json"
COMPONENTS = "#/components"
OF_FILES = ("$id", "$schema")  # keys that have no meaning inside of the document
TYPES = {str: "string", bool: "boolean", int: "integer"}
DESCRIPTIONS = {LANGUAGE: LANGUAGE_ABOUT, PROFILE: PROFILE_ABOUT, LIMIT: LIMIT_ABOUT}  # which the rulebook lacks


def openapi(rulebook: Rulebook, routes: Sequence[Route], site: str) -> dict[str, Any]:
    """The document of a service at that address."""
    return _Document(rulebook).build(routes, site)


def service_description() -> tuple[str, str]:
    """The title and the description of the API."""
    from fitcard.web import api  # noqa: PLC0415 - whose docstring it is; its routes are described here

    title, _, description = inspect.cleandoc(api.__doc__ or "").partition("\n\n")
    return title.removesuffix("."), " ".join(description.split())


class _Document:
    """Collects the parameters and schemas that operations refer to, while they are built."""

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.parameters: Schema = {}
        self.schemas: Schema = {}
        self.filters: dict[str, Filter] = {}
        for ranking in rulebook.rankings.values():
            self.filters |= ranking.filters

    def build(self, routes: Sequence[Route], site: str) -> dict[str, Any]:
        paths: Schema = {}
        for route in routes:
            paths.setdefault(route.path, {})[route.method] = self._operation(route)
        title, description = service_description()
        return {
            "openapi": VERSION,
            "info": {"title": title, "description": description, "version": self.rulebook.version},
            "servers": [{"url": site}],
            "paths": paths,
            "components": {"parameters": self.parameters, "schemas": self.schemas},
        }

    def _operation(self, route: Route) -> Schema:
        operation: Schema = {
            "operationId": operation_id(route),
            "summary": route.title,
            "description": route.description,
            "parameters": [*self._path_parameters(route), *self._query_parameters(route)],
        }
        if route.body:
            content: Schema = {"schema": self._reference(route.body)}
            bodies = [example.json for example in route.examples if example.status == OK]
            content["examples"] = {f"{number}": {"value": body} for number, body in enumerate(bodies, 1)}
            operation["requestBody"] = {"required": True, "content": {JSON: content}}
        operation["responses"] = self._responses(route)
        return operation

    def _responses(self, route: Route) -> Schema:
        schema: Schema = {"schema": self._reference(route.returns)} if route.returns else {}
        responses: Schema = {f"{OK}": {"description": route.title, "content": {route.media: schema}}}
        for status in sorted({example.status for example in route.examples} - {OK}):
            if status == HTTPStatus.FOUND:
                responses = {f"{status.value}": {"description": route.title}}
            elif route.media != JSON:  # a page of its own, not a problem document
                responses[f"{status.value}"] = {"description": route.title, "content": {route.media: {}}}
        about = str(self.rulebook.schemas.by_kind.get(PROBLEM, {}).get("description", PROBLEM))
        problem = {PROBLEM_MEDIA: {"schema": self._reference(PROBLEM)}}
        return {**responses, "default": {"description": about, "content": problem}}

    def _path_parameters(self, route: Route) -> Iterator[Schema]:
        for name, about in route.segments.items():
            example = route.values(route.examples[0].address)[name]
            schema = {"type": "string", "minLength": 1}
            yield {
                "name": name, "in": "path", "required": True, "description": about, "schema": schema, "example": example
            }  # fmt: skip

    def _query_parameters(self, route: Route) -> Iterator[Schema]:
        """References to the parameters, which many routes share."""
        declared = self._declared(route.query) if route.query is not None else {}
        if route.localized:
            declared[LANGUAGE] = {"type": "string"}, LANGUAGE_ABOUT
        for name, (schema, about) in declared.items():
            self.parameters.setdefault(name, {"name": name, "in": "query", "description": about, "schema": schema})
            yield {"$ref": f"{COMPONENTS}/parameters/{name}"}

    def _declared(self, query: type[Query]) -> dict[str, tuple[Schema, str]]:
        """The schema and the description of each parameter by name."""
        declared: dict[str, tuple[Schema, str]] = {}
        for name, hint in get_type_hints(query, include_extras=True).items():
            assert get_origin(hint) is Annotated, f"{query.__name__}.{name} has no description"
            kind, about = get_args(hint)[:2]
            if isinstance(about, RulebookParameters):
                declared |= {parameter: self._of_rulebook(parameter) for parameter in self._names(about)}
            elif name == PROFILE:
                declared[name] = self._of_rulebook(name)
            elif get_origin(kind) is tuple:
                declared[name] = {"type": "array", "items": {"type": TYPES[get_args(kind)[0]]}}, about
            else:
                declared[name] = {"type": TYPES[kind]}, about
        return declared

    def _names(self, group: RulebookParameters) -> Iterator[str]:
        fields = self.rulebook.question_fields
        required = [axis.name for axis in fields.axes.values() if axis.required]
        match group:
            case RulebookParameters.REQUIRED_AXES:
                yield from required
            case RulebookParameters.QUESTION:
                yield from (axis for axis in fields.axes if axis not in required)
                yield from (*fields.inputs, PROFILE)
                yield from (f"{axis.name}.{field}" for axis in fields.axes.values() for field in axis.custom_fields)
            case RulebookParameters.RANKING:
                yield from (*fields.axes, *fields.inputs, PROFILE, *self.filters, LIMIT)

    def _of_rulebook(self, name: str) -> tuple[Schema, str]:
        schema, about = parameter_schema(self.rulebook, name, self.filters)
        return schema, about or DESCRIPTIONS[name]

    def _reference(self, schema: str) -> Schema:
        """A reference to a schema of the folder, or to a definition of one, which is copied into the document."""
        kind, _, part = schema.partition("/")
        if kind not in self.rulebook.schemas.by_kind:
            return {}
        if kind not in self.schemas:
            self.schemas[kind] = {}  # ends recursion
            original = self._question() if kind == QUESTION else self.rulebook.schemas.by_kind[kind]
            content = {key: value for key, value in original.items() if key not in OF_FILES}
            self.schemas[kind] = self._copy(content, kind)
        return {"$ref": f"{COMPONENTS}/schemas/{kind}" + (f"/$defs/{part}" if part else "")}

    def _copy(self, part: Any, kind: str) -> Any:
        """A part of the schema of `kind`, with references to where their targets are in the document."""
        if isinstance(part, list):
            return [self._copy(item, kind) for item in part]
        if not isinstance(part, dict):
            return part
        copied = {key: self._copy(value, kind) for key, value in part.items()}
        if isinstance(reference := part.get("$ref"), str):
            file, _, pointer = reference.partition("#")
            target = file.removesuffix(SUFFIX) or kind
            self._reference(target)
            copied["$ref"] = f"{COMPONENTS}/schemas/{target}{pointer}"
        return copied

    def _question(self) -> Schema:
        """The schema of a question, with the fields and the constants of this rulebook."""
        general, fields = self.rulebook.schemas.by_kind[QUESTION], self.rulebook.question_fields
        properties: Schema = {}
        for name in (*fields.axes, *fields.inputs, PROFILE):
            schema, about = parameter_schema(self.rulebook, name, {})
            if name in fields.axes and fields.axes[name].custom_fields:
                schema = {**schema, "type": [schema["type"], "object"]}
            properties[name] = {**schema, **({"description": about} if about else {})}
        constants = {
            definition.name: _constant(definition)
            for definition in self.rulebook.rule_set.definitions.values()
            if isinstance(definition, Constant)
        }
        properties["overrides"] = {**general["properties"]["overrides"], "properties": constants}
        properties["explain"] = general["properties"]["explain"]
        custom = "|".join(axis.name for axis in fields.axes.values() if axis.custom_fields)
        pattern = {rf"^({custom})\.": {"type": ["string", "number", "boolean"]}} if custom else {}
        return {
            **{key: general[key] for key in ("title", "description", "type")},
            "required": [axis.name for axis in fields.axes.values() if axis.required],
            "properties": properties,
            **({"patternProperties": pattern} if pattern else {}),
            "additionalProperties": False,
        }


def operation_id(route: Route) -> str:
    """The identifier of a route in the document, and of its section in /docs."""
    return "_".join([route.method, *route.path.replace("{", "").replace("}", "").split("/")]).strip("_")


def _constant(constant: Constant) -> Schema:
    bounds = {"minimum": constant.minimum, "maximum": constant.maximum}
    finite = {key: as_plain_number(bound) for key, bound in bounds.items() if abs(bound) != float("inf")}
    about = in_unit(constant.about, constant.unit)
    return {"type": "number", **finite, "default": as_plain_number(constant.value), "description": about}
