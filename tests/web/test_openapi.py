"""The service describes itself: every address once, with examples that hold, for programs and for people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Constant
from fitcard.rulebook.service import Example, Route
from fitcard.source.folders import find_folders
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.routes import create_app
from helpers.workplace import Workplace

LIVE = ReloadingRulebook(find_folders())
APP = create_app(LIVE, "https://cards.example")
CLIENT = APP.test_client()
DOCUMENT: dict[str, Any] = CLIENT.get("/openapi.json").get_json()
ROUTES = LIVE.rulebook.service.routes if LIVE.rulebook.service else ()
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


@pytest.mark.parametrize(("route", "example"), EXAMPLES, ids=lambda one: one.at if isinstance(one, Route) else "")
def test_each_example_gets_what_is_described(route: Route, example: Example) -> None:
    response = CLIENT.open(
        route.address(example), method=route.method, query_string=dict(example.query), json=example.body
    )
    assert response.status_code == example.status
    refused = example.status >= 400 and route.media != "text/html"
    assert response.mimetype == ("application/problem+json" if refused else route.media)
    if refused or route.gives:
        kind, _, part = ("problem" if refused else route.gives).partition("/")
        validator = LIVE.rulebook.schemas.validator(kind)
        schema = {"$ref": f"{kind}.schema.json" + (f"#/$defs/{part}" if part else "")}
        validator.evolve(schema=schema).validate(response.get_json())


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=lambda route: route.at)
def test_bodies_of_examples_that_are_answered_are_as_described(route: Route) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    operation = DOCUMENT["paths"][route.at][route.method]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    for example in route.examples:
        assert validator.is_valid(example.body) is (example.status == 200)


def test_a_question_is_described_as_the_rulebook_lets_it_be_asked(engine: Engine) -> None:
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


def test_a_change_of_the_rules_changes_what_is_described(copy: Workplace) -> None:
    live = ReloadingRulebook(copy.folders)
    client = create_app(live).test_client()
    before = client.get("/openapi.json")
    assert client.get("/openapi.json", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    copy.edit("rules/service.yaml", "Ask about one model on one device", "Ask about one of each")
    assert live.poll()
    after = client.get("/openapi.json", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["paths"]["/v1/can-run/{pair}"]["get"]["summary"] == "Ask about one of each"
    assert "Ask about one of each" in client.get("/docs").get_data(as_text=True)


def test_rules_without_a_description_serve_without_one(small: Workplace) -> None:
    client = create_app(ReloadingRulebook(small.folders)).test_client()
    for path in ("/openapi.json", "/docs"):
        response = client.get(path)
        assert (response.status_code, response.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_the_page_shows_every_address_and_parameter_and_fetches_nothing(language: str) -> None:
    text = CLIENT.get(f"/docs?lang={language}").get_data(as_text=True)
    for route in ROUTES:
        assert f"{route.method.upper()} {route.at}" in text
        assert route.about.split("'")[0] in text
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
