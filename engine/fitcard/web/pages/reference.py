"""Pages for reference: the methodology, the rules, the kinds of problems, and the API."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask import Response, g

from fitcard.answer.catalog_api import rule_detail, rule_list
from fitcard.answer.problem_documents import problem_codes, problem_page
from fitcard.calibration.comparison import compare
from fitcard.calibration.report import backtest_data
from fitcard.language.definitions import Definition
from fitcard.web.openapi import openapi, operation_id
from fitcard.web.pages.renderer import PageRenderer
from fitcard.web.parameters import CodeOfProblem, ProfileQuery, RuleName
from fitcard.web.responses import HTML, OK, TEXT, rules_response, tagged_response
from fitcard.web.routing import GET, Route, Routes

routes = Routes()


@routes.get("/methodology", "/methodology", media=HTML)
def methodology() -> Response:
    """Page about the computation.

    All formulas with their units and references, and the errors of estimates against measured runs.
    """
    renderer = PageRenderer.of_request()
    rulebook, files = renderer.rulebook, dict[str, list[Definition]]()
    for definition in rulebook.rule_set.definitions.values():
        files.setdefault(definition.position.file, []).append(definition)
    chapters = [
        (definitions[0].document.data, sorted(definitions, key=lambda definition: definition.position.line))
        for _, definitions in sorted(files.items())
    ]
    backtest = None
    if rulebook.backtest:
        backtest = backtest_data(rulebook, {name: compare(renderer.engine, name) for name in rulebook.rule_sets})
    return rules_response(renderer.render("methodology.html", chapters=chapters, backtest=backtest))


@routes.get("/rules", "/rules", media=HTML)
def rules(query: ProfileQuery) -> Response:
    """Page of all rules.

    The rules of a profile, each with a link to its page.
    """
    listed = rule_list(g.rulebook, query.profile)
    return rules_response(PageRenderer.of_request().render("rules.html", listed=listed))


@routes.get("/rules/<name>", "/rules/decode_tok_s", media=HTML)
def rule(name: RuleName, query: ProfileQuery) -> Response:
    """Page about a rule.

    Its definition, with a graph of the names that it reads and those that read it.
    """
    detail = rule_detail(g.rulebook, name, query.profile)
    return rules_response(PageRenderer.of_request().render("rule.html", rule=detail))


@routes.get("/problems", "/problems", media=TEXT)
def problems() -> Response:
    """Codes of problems.

    One per line.
    """
    return Response("\n".join(problem_codes()) + "\n", mimetype=TEXT)


@routes.get("/problems/<code>", "/problems/unknown-entry", media=TEXT)
def problem(code: CodeOfProblem) -> Response:
    """Manual page of a problem.

    What is wrong, why it matters, what to avoid and what to write instead.
    """
    return Response(problem_page(code), mimetype=TEXT)


@routes.get("/docs", "/docs", media=HTML)
def docs() -> Response:
    """Documentation of the API.

    The OpenAPI document as a page, with requests to copy.
    """
    site = g.service.site or g.rulebook.site
    document = openapi(g.rulebook, g.service.routes, site)
    operations = [
        (route, document["paths"][route.path][route.method], operation_id(route), _requests(route, site))
        for route in g.service.routes
    ]
    page = PageRenderer.of_request().render(
        "docs.html",
        description=document["info"]["description"],
        operations=operations,
        parameters=document["components"]["parameters"],
        bounds=_bounds,
    )
    return tagged_response(page, HTML, sha256(page.encode()).hexdigest())


def _requests(route: Route, site: str) -> list[tuple[str, str]]:
    """The address, empty for POST, and the command line of each example that is answered."""
    requests = []
    for example in [example for example in route.examples if example.status == OK]:
        body = ["--json", example.body] if example.body else []
        command = shlex.join(["curl", site.rstrip("/") + example.address, *body])
        requests.append((example.address if route.method == GET else "", command))
    return requests


def _bounds(schema: Mapping[str, Any]) -> str:
    """The values of a parameter, as far as its schema restricts them."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "minimum" in schema and "maximum" in schema:
        return f"{schema['minimum']} ... {schema['maximum']}"
    return str(schema["type"])
