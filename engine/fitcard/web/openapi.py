"""The service as an OpenAPI 3.1 document, made of its own file, the schemas of what it gives, and the rulebook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fitcard.answer.parameter_schemas import Schema, as_plain_number, in_unit, parameter_schema
from fitcard.language.definitions import Constant
from fitcard.language.question_fields import PROFILE
from fitcard.rulebook.rankings import LIMIT, Filter
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.service import NAMES, OK, QUESTION, RANKING, Route, Service

VERSION = "3.1.0"
PROBLEM, PROBLEM_MEDIA = "problem", "application/problem+json"
MEDIA = "application/json"
SUFFIX = ".schema.json"
COMPONENTS = "#/components"
MOVED = ("$id", "$schema")  # what a schema has as a file of its own
FOUND = 302


def openapi(rulebook: Rulebook, service: Service, site: str) -> dict[str, Any]:
    """The document; `site` is where the service is reached."""
    return _Describing(rulebook, service).document(site)


class _Describing:
    """Gathers the parameters and schemas that routes need, while it describes them."""

    def __init__(self, rulebook: Rulebook, service: Service) -> None:
        self.rulebook, self.service = rulebook, service
        self.parameters: Schema = {}
        self.schemas: Schema = {}
        self.filters: dict[str, Filter] = {}
        for ranking in rulebook.rankings.values():
            self.filters |= ranking.filters

    def document(self, site: str) -> dict[str, Any]:
        paths: Schema = {}
        for route in self.service.routes:
            paths.setdefault(route.at, {})[route.method] = self._operation(route)
        return {
            "openapi": VERSION,
            "info": {
                "title": self.service.title,
                "description": self.service.about,
                "version": self.rulebook.version,
            },
            "servers": [{"url": site}],
            "paths": paths,
            "components": {"parameters": self.parameters, "schemas": self.schemas},
        }

    def _operation(self, route: Route) -> Schema:
        described: Schema = {
            "operationId": "_".join([route.method, *route.at.replace("{", "").replace("}", "").split("/")]).strip("_"),
            "summary": route.title,
            "description": route.about,
            "parameters": [*self._in_path(route), *map(self._in_query, self._names(route))],
        }
        if route.body:
            content: Schema = {"schema": self._schema(route.body)}
            examples = [one.body for one in route.examples if one.body is not None and one.status == OK]
            content["examples"] = {f"{at + 1}": {"value": body} for at, body in enumerate(examples)}
            described["requestBody"] = {"required": True, "content": {MEDIA: content}}
        given: Schema = {"schema": self._schema(route.gives)} if route.gives else {}
        responses: Schema = {f"{OK}": {"description": route.title, "content": {route.media: given}}}
        for status in sorted({one.status for one in route.examples} - {OK}):
            if status == FOUND:
                responses = {f"{FOUND}": {"description": route.title}}
            elif route.media != MEDIA:  # what is not found there is told on the page itself
                responses[f"{status}"] = {"description": route.title, "content": {route.media: {}}}
        problem = {PROBLEM_MEDIA: {"schema": self._schema(PROBLEM)}}
        described["responses"] = {**responses, "default": {"description": self._about(PROBLEM), "content": problem}}
        return described

    def _in_path(self, route: Route) -> Iterator[Schema]:
        for name in route.names:
            example = next(one.parts[name] for one in route.examples)
            about = {"description": route.parts[name]} if name in route.parts else {}
            schema = {"type": "string", "minLength": 1}
            yield {"name": name, "in": "path", "required": True, **about, "schema": schema, "example": example}

    def _names(self, route: Route) -> Iterator[str]:
        """The parameters that a route takes, words for many taken apart."""
        subject = self.rulebook.subject
        required = [axis.name for axis in subject.axes.values() if axis.required]
        for name in route.takes:
            if name == NAMES:
                yield from required
            elif name == QUESTION:
                yield from (axis for axis in subject.axes if axis not in required)
                yield from (*subject.inputs, PROFILE)
                yield from (f"{axis.name}.{field}" for axis in subject.axes.values() for field in axis.own)
            elif name == RANKING:
                yield from (*subject.axes, *subject.inputs, PROFILE, *self.filters, LIMIT)
            else:
                yield name

    def _in_query(self, name: str) -> Schema:
        if name not in self.parameters:
            self.parameters[name] = self._parameter(name)
        return {"$ref": f"{COMPONENTS}/parameters/{name}"}

    def _parameter(self, name: str) -> Schema:
        own = self.service.parameters.get(name)
        try:
            schema, about = parameter_schema(self.rulebook, name, self.filters)
        except KeyError:  # it asks no question, and only the file of the service knows it
            assert own is not None
            schema, about = {"type": own.type}, own.about
            schema = {"type": "array", "items": schema} if own.several else schema
        return {"name": name, "in": "query", "description": own.about if own else about, "schema": schema}

    def _schema(self, wanted: str) -> Schema:
        """Where a schema of the folder, or one of its parts, stands in the document."""
        kind, _, part = wanted.partition("/")
        if kind not in self.schemas:
            self.schemas[kind] = {}  # one that comes back to itself is not moved again
            whole = self._question() if kind == QUESTION else self.rulebook.schemas.by_kind[kind]
            self.schemas[kind] = self._moved({key: one for key, one in whole.items() if key not in MOVED}, kind)
        return {"$ref": f"{COMPONENTS}/schemas/{kind}" + (f"/$defs/{part}" if part else "")}

    def _moved(self, part: Any, kind: str) -> Any:
        """A part of the schema of `kind` with what it points to at its new place."""
        if isinstance(part, list):
            return [self._moved(one, kind) for one in part]
        if not isinstance(part, dict):
            return part
        moved = {key: self._moved(one, kind) for key, one in part.items()}
        if isinstance(ref := part.get("$ref"), str):
            file, _, place = ref.partition("#")
            there = file.removesuffix(SUFFIX) or kind
            self._schema(there)
            moved["$ref"] = f"{COMPONENTS}/schemas/{there}{place}"
        return moved

    def _about(self, kind: str) -> str:
        return str(self.rulebook.schemas.by_kind[kind].get("description", kind))

    def _question(self) -> Schema:
        """The schema of a body with what this rulebook can be asked and set."""
        general, subject = self.rulebook.schemas.by_kind[QUESTION], self.rulebook.subject
        properties: Schema = {}
        for name in (*subject.axes, *subject.inputs, PROFILE):
            schema, about = parameter_schema(self.rulebook, name, {})
            if name in subject.axes and subject.axes[name].own:
                schema = {**schema, "type": [schema["type"], "object"]}
            properties[name] = {**schema, **({"description": about} if about else {})}
        constants = {
            one.name: _constant(one) for one in self.rulebook.rule_set.definitions.values() if isinstance(one, Constant)
        }
        properties["overrides"] = {**general["properties"]["overrides"], "properties": constants}
        properties["explain"] = general["properties"]["explain"]
        own = "|".join(axis.name for axis in subject.axes.values() if axis.own)
        return {
            **{key: general[key] for key in ("title", "description", "type")},
            "required": [axis.name for axis in subject.axes.values() if axis.required],
            "properties": properties,
            **({"patternProperties": {rf"^({own})\.": {"type": ["string", "number", "boolean"]}}} if own else {}),
            "additionalProperties": False,
        }


def _constant(constant: Constant) -> Schema:
    bounds = {"minimum": constant.minimum, "maximum": constant.maximum}
    finite = {key: as_plain_number(bound) for key, bound in bounds.items() if abs(bound) != float("inf")}
    about = in_unit(constant.about, constant.unit)
    return {"type": "number", **finite, "default": as_plain_number(constant.value), "description": about}
