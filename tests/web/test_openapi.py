"""OpenAPI: every route is described once, with examples that are valid."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qsl

import pytest
from openapi_spec_validator import validate

from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Constant
from fitcard.reload import ReloadingEngine
from fitcard.web.app import ROUTES, create_app
from fitcard.web.routing import Example, Route
from helpers.project import project_rules
from helpers.workplace import Workplace

LIVE = project_rules()
APP = create_app(LIVE, "https://cards.example")
CLIENT = APP.test_client()
DOCUMENT: dict[str, Any] = CLIENT.get("/openapi.json").get_json()
EXAMPLES = [(route, example) for route in ROUTES for example in route.examples]


def test_it_is_an_openapi_document_about_the_site_and_not_the_host() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["servers"] == [{"url": "https://cards.example"}]


def test_every_address_of_the_service_is_described_and_no_other() -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in APP.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods} == served


def test_every_route_has_a_description_and_an_example() -> None:
    for route in ROUTES:
        assert re.match(r"[A-Z].*\w$", route.title), route.path
        assert route.description.endswith("."), route.path
        assert route.examples, route.path
    operations = [operation for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    described = [parameter for operation in operations for parameter in operation["parameters"]]
    for parameter in (*described, *DOCUMENT["components"]["parameters"].values()):
        assert "$ref" in parameter or re.match(r"[A-Z].{4}", parameter["description"]), parameter


def shared(path: str) -> list[str]:
    """The query parameters of a GET route."""
    parameters = DOCUMENT["paths"][path]["get"]["parameters"]
    return [parameter["$ref"].rpartition("/")[2] for parameter in parameters if "$ref" in parameter]


def test_every_parameter_that_is_described_is_accepted() -> None:
    examples = {"lang": "de", "explain": "1", "q": "m1", "profile": "reference", "pair": "qwen-3-14b on m1-16gb"}
    for route in [route for route in ROUTES if route.method == "get" and route.media == "application/json"]:
        path, _, query = route.examples[0].address.partition("?")
        values = dict(parse_qsl(query)) | {name: examples[name] for name in shared(route.path) if name in examples}
        assert CLIENT.get(path, query_string=values).status_code == 200, route.path
    for name in shared("/v1/can-run/{pair}"):
        response = CLIENT.get("/v1/can-run/qwen-3-14b-on-m1-16gb", query_string={name: "?"})
        problems = response.get_json().get("problems", [])
        assert "unknown-parameter" not in [problem["code"] for problem in problems], name


@pytest.mark.parametrize(("route", "example"), EXAMPLES, ids=lambda one: one.path if isinstance(one, Route) else "")
def test_each_example_gets_the_response_that_is_described(route: Route, example: Example) -> None:
    response = CLIENT.open(example.address, method=route.method, json=example.json)
    assert response.status_code == example.status
    refused = example.status >= 400 and route.media != "text/html"
    assert response.mimetype == ("application/problem+json" if refused else route.media)
    if refused or route.returns:
        kind, _, part = ("problem" if refused else route.returns).partition("/")
        validator = LIVE.rulebook.schemas.validator(kind)
        schema = {"$ref": f"{kind}.schema.json" + (f"#/$defs/{part}" if part else "")}
        validator.evolve(schema=schema).validate(response.get_json())


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.path)
def test_bodies_of_examples_that_are_answered_are_as_described(route: Route) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    operation = DOCUMENT["paths"][route.path][route.method]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    for example in route.examples:
        assert validator.is_valid(example.json) is (example.status == 200)


def test_the_schema_of_a_question_follows_the_rulebook(engine: Engine) -> None:
    parameters = DOCUMENT["components"]["parameters"]
    for name, asked in engine.rulebook.question_fields.inputs.items():
        assert parameters[name]["description"].startswith(asked.about.rstrip("."))
        assert (parameters[name]["schema"]["minimum"], parameters[name]["schema"]["maximum"]) == (
            asked.minimum, asked.maximum,
        )  # fmt: skip
    assert parameters["workload"]["schema"]["enum"] == list(engine.rulebook.catalogs["workloads"].ids)
    assert parameters["profile"]["schema"]["enum"] == list(engine.rulebook.rule_sets)
    taken = {one["$ref"].rpartition("/")[2] for one in DOCUMENT["paths"]["/v1/rank/{name}"]["get"]["parameters"][1:]}
    assert {name for ranking in engine.rulebook.rankings.values() for name in ranking.filters} <= taken


def test_constants_that_can_be_set_are_described_with_their_bounds(engine: Engine) -> None:
    body = DOCUMENT["components"]["schemas"]["question"]["properties"]["overrides"]["properties"]
    constants = {one.name: one for one in engine.rulebook.rule_set.definitions.values() if isinstance(one, Constant)}
    assert set(body) == set(constants)
    for name, constant in constants.items():
        assert body[name]["default"] == constant.value
        assert body[name].get("minimum", constant.minimum) == constant.minimum


def test_a_change_of_the_rules_changes_the_description(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    client = create_app(live).test_client()
    before = client.get("/openapi.json")
    assert client.get("/openapi.json", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    copy.edit("rules/rulebook.yaml", "about: Inference runtime.", "about: Program that serves the model.")
    assert live.poll()
    after = client.get("/openapi.json", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["components"]["parameters"]["runtime"]["description"] == "Program that serves the model."
    assert "Program that serves the model." in client.get("/docs").get_data(as_text=True)


def test_the_description_follows_the_question_fields_of_the_rulebook(small: Workplace) -> None:
    document = create_app(ReloadingEngine(small.folders)).test_client().get("/openapi.json").get_json()
    validate(document)
    assert set(document["paths"]) == set(DOCUMENT["paths"])
    assert {"quant", "context"} <= set(document["components"]["parameters"])


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_the_docs_page_shows_every_address_and_parameter_without_external_resources(language: str) -> None:
    text = CLIENT.get(f"/docs?lang={language}").get_data(as_text=True)
    for route in ROUTES:
        assert f"{route.method.upper()} {route.path}" in text
        assert html.escape(route.description, quote=False) in text.replace("&#39;", "'")
    for name in DOCUMENT["components"]["parameters"]:
        assert f'id="parameter-{name}"' in text
    assert set(re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', text)) == {
        "data:,",
        "/assets/style.css",
        "/assets/page.js",
    }


def test_every_link_of_the_page_leads_somewhere() -> None:
    text = CLIENT.get("/docs").get_data(as_text=True)
    ids = set(re.findall(r'id="([^"]+)"', text))
    links = set(re.findall(r'href="([^"]+)"', text)) - {"data:,"}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    for link in links:
        if link.startswith("/"):
            assert CLIENT.get(link.replace("&amp;", "&")).status_code in (200, 302), link
