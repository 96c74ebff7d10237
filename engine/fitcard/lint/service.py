"""Checks of the service's own description: every parameter, schema and part of a path that it names is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fitcard.problems import Problem
from fitcard.rulebook.rulebook import Rulebook
from fitcard.rulebook.service import GROUPS, Route, Service, ServiceUnknown
from fitcard.source.document import Path
from fitcard.suggest import closest


def service_problems(rulebook: Rulebook) -> Iterator[Problem]:
    """What routes name that is not there; nothing where there is no description."""
    if rulebook.service is not None:
        for route in rulebook.service.routes:
            yield from _of_route(rulebook, rulebook.service, route)


def _of_route(rulebook: Rulebook, service: Service, route: Route) -> Iterator[Problem]:
    known = (*GROUPS, *service.parameters)
    for at, name in enumerate(route.takes):
        if name not in known:
            yield _unknown(service, "parameter", name, (*route.path, "takes", at), known)
    kinds = rulebook.schemas.by_kind
    if route.body and route.body not in kinds:
        yield _unknown(service, "schema", route.body, (*route.path, "body"), kinds)
    kind, _, part = route.gives.partition("/")
    parts = [f"{kind}/{name}" for name in kinds.get(kind, {}).get("$defs", {})]
    if route.gives and (kind not in kinds or (part and route.gives not in parts)):
        yield _unknown(service, "schema", route.gives, (*route.path, "gives"), parts or kinds)
    for name in route.parts:
        if name not in route.names:
            yield _unknown(service, "part of the path", name, (*route.path, "parts", name), route.names, key=True)
    for at, example in enumerate(route.examples):
        missing = [name for name in route.names if name not in example.parts]
        if missing:
            message = f"the example has no value for {', '.join(f'`{name}`' for name in missing)}"
            yield service.document.problem(ServiceUnknown, message, (*route.path, "examples", at))


def _unknown(service: Service, what: str, word: str, path: Path, known: Iterable[str], *, key: bool = False) -> Problem:
    near = closest(word, known)
    return service.document.problem(ServiceUnknown, f"there is no {what} `{word}`", path, key=key, closest=near)
