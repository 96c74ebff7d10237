"""The page about the service itself: each address with what it takes and gives, and requests to copy."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from fitcard.rulebook.service import GET, OK, Route, Service
from fitcard.web.pages.address import Address
from fitcard.web.pages.drawing import PageRenderer


def docs_page(drawing: PageRenderer, document: Mapping[str, Any], service: Service) -> str:
    """The page; `document` is the OpenAPI document of the service."""
    site = document["servers"][0]["url"]
    routes = [
        (route, document["paths"][route.at][route.method], list(_requests(route, site))) for route in service.routes
    ]
    return drawing.draw(
        "docs.html", service=service, routes=routes, parameters=document["components"]["parameters"], bounds=_bounds
    )


def _requests(route: Route, site: str) -> Iterator[tuple[str, str]]:
    """The address and the command line of each example that is answered; the address is empty where it takes a body."""
    for example in route.examples:
        if example.status != OK:
            continue
        query = {name: str(value) for name, value in example.query.items()}
        address = str(Address(route.address(example), query))
        body = ["--json", json.dumps(example.body, ensure_ascii=False)] if example.body is not None else []
        yield (address if route.method == GET else ""), shlex.join(["curl", site.rstrip("/") + address, *body])


def _bounds(schema: Mapping[str, Any]) -> str:
    """What a parameter may be, as far as its schema says."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']} ... {schema['maximum']}"
    return str(schema["type"])
