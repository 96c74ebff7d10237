"""Declaration of routes: a view function with its parameters, its schemas and example requests.

The signature of the function declares its parameters: path segments as annotated strings, and query parameters as a
dataclass of `parameters.py`, which the function receives already read. Its docstring holds the title and, below it, the
description. /openapi.json and /docs are generated from the declarations, and the tests send every example.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit

from flask import Flask, request
from werkzeug.wrappers import Response

from fitcard.web.parameters import Query, reject_undeclared
from fitcard.web.responses import JSON

View = Callable[..., Response]
V = TypeVar("V", bound=View)

GET, POST = "get", "post"
QUERY = "query"  # the argument of a view that holds its query parameters
SEGMENT = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Example:
    """A request: its address, its JSON body as text, empty for none, and the status of the response."""

    address: str
    body: str = ""
    status: HTTPStatus = HTTPStatus.OK

    @property
    def json(self) -> Any:
        """The body; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Route:
    """`path` is in the notation of OpenAPI; `segments` are the descriptions of its parameters by name.

    `body` and `returns` name schemas, with `/` before a definition of one, as in `responses/rules`; empty for none.
    `media` is the media type of the response. A `localized` route takes the parameter `lang`.
    """

    path: str
    method: str
    title: str
    description: str
    segments: Mapping[str, str]
    query: type[Query] | None
    body: str
    returns: str
    media: str
    localized: bool
    examples: Sequence[Example]

    def values(self, address: str) -> dict[str, str]:
        """The path parameters of an address of this route."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        matched = re.fullmatch(pattern, unquote(urlsplit(address).path))
        assert matched, f"{address} is not an address of {self.path}"
        return matched.groupdict()


class Routes:
    """The routes of a module, in the order in which they are documented.

    Those of a `strict` table reject query parameters that they do not declare.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.declared: list[Route] = []
        self._strict = strict
        self._views: list[tuple[str, str, View]] = []

    def get(
        self, path: str, *examples: str | Example, returns: str = "", media: str = JSON, localized: bool = True
    ) -> Callable[[V], V]:
        """Declares a GET route; an example without a status is an address that is answered with 200."""
        return self._declare(GET, path, examples, "", returns, media, localized)

    def post(self, path: str, *examples: Example, body: str, returns: str) -> Callable[[V], V]:
        """Declares a POST route that takes a JSON body."""
        return self._declare(POST, path, examples, body, returns, JSON, localized=True)

    def register(self, app: Flask) -> None:
        """Adds the routes to an application."""
        for method, path, view in self._views:
            app.add_url_rule(path, f"{method} {path}", view, methods=[method.upper()])

    def _declare(
        self,
        method: str,
        path: str,
        examples: Sequence[str | Example],
        body: str,
        returns: str,
        media: str,
        localized: bool,
    ) -> Callable[[V], V]:
        def declare(view: V) -> V:
            title, _, description = inspect.getdoc(view).partition("\n\n")  # type: ignore[union-attr]
            hints = get_type_hints(view, include_extras=True)
            segments = {name: hint.__metadata__[0] for name, hint in hints.items() if get_origin(hint) is Annotated}
            assert list(segments) == SEGMENT.findall(path), f"the arguments of {view.__name__} are not those of {path}"
            route = Route(
                path=SEGMENT.sub(r"{\1}", path),
                method=method,
                title=title.removesuffix("."),
                description=" ".join(description.split()),
                segments=segments,
                query=hints.get(QUERY),
                body=body,
                returns=returns,
                media=media,
                localized=localized,
                examples=[Example(each) if isinstance(each, str) else each for each in examples],
            )
            self.declared.append(route)
            self._views.append((method, path, self._reading(view, route.query)))
            return view

        return declare

    def _reading(self, view: View, query: type[Query] | None) -> View:
        """The view as it is registered: called with its query parameters."""
        strict = self._strict
        if query is not None:

            def with_query(**segments: str) -> Response:
                return view(**segments, query=query.read(request.args, strict=strict))

            return with_query
        if not strict:
            return view

        def without_query(**segments: str) -> Response:
            reject_undeclared(request.args, ())
            return view(**segments)

        return without_query
