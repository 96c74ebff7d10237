"""The service: answers with the hash of their rules, and problem documents instead of tracebacks."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from fitcard.answer.answer import Answer, answer_question
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.reload import ReloadingEngine
from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from fitcard.web import questions
from fitcard.web.app import create_app
from fitcard.web.responses import to_json
from helpers.project import project_rules
from helpers.workplace import Workplace

LIVE = project_rules()
APP = create_app(LIVE, site_address="https://cards.example")
NOT_ASKED = dict.fromkeys(("prompt", "depth", "file_size", "gpu_layers", "expert_layers_on_host", "host_bandwidth"))
NOT_ASKED |= {"cached": 0}
SCHEMAS = Schemas.load(find_folders().schemas)


@pytest.fixture
def client() -> FlaskClient:
    return APP.test_client()


def test_a_question_is_answered_with_the_rules_that_answered(client: FlaskClient, engine: Engine) -> None:
    response = client.get(
        "/v1/can-run/llama-3.1-405b-on-h20-96gb?quant=Q2_K&workload=rag&mode=interactive&profile=reference"
    )
    assert response.status_code == 200
    body = response.get_json()
    SCHEMAS.validator("answer").validate(body)
    assert body["question"] == {
        "quant": "Q2_K",
        "workload": "rag",
        "mode": "interactive",
        "profile": "reference",
        "context": 32000,
        "kv": "f16",
        "users": 1,
        "gpus": 1,
        "host": "server-12-channel",
        "runtime": "llama.cpp",
        **NOT_ASKED,
    }
    assert body["rules"]["sha256"] == engine.rulebook.sha256
    assert engine.rulebook.sha256 in response.headers["ETag"]
    assert body["embed"]["url"] == "https://cards.example/embed/llama-3.1-405b-on-h20-96gb"
    assert "trace" not in body


def test_explain_adds_the_trace(client: FlaskClient) -> None:
    body = client.get("/v1/can-run/yi-1.5-9b-on-l4-24gb?explain=1").get_json()
    assert {"decode_tok_s", "ttft", "score", "grade"} <= {step["name"] for step in body["trace"]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    )
)
def test_data_is_written_so_that_who_reads_it_has_the_same(data: object) -> None:
    assert json.loads(to_json(data)) == data


@pytest.mark.parametrize("data", [{"count": 2**70}, {"half": "\ud800"}, {"letters": "küçük 小"}])
def test_numbers_of_any_size_and_any_letters_are_written(data: object) -> None:
    assert json.loads(to_json(data)) == data


def test_the_same_rules_answer_304(client: FlaskClient) -> None:
    address = "/v1/can-run/yi-1.5-9b-on-l4-24gb"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other", {tag}'}, 304),
        ({"If-None-Match": "W/{tag}"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": "{tag}"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": '"other"', "If-None-Match": "{tag}"}, 412),
    ],
)
def test_conditional_requests_hold_for_cached_and_new_responses(
    header: dict[str, str], status: int, kept: bool
) -> None:
    tag = APP.test_client().get("/v1/rules").headers["ETag"]
    client, address = create_app(LIVE).test_client(), "/v1/can-run/yi-1.5-9b-on-l4-24gb"
    if kept:
        client.get(address)
    found = client.get(address, headers={name: value.format(tag=tag) for name, value in header.items()})
    assert (found.status_code, found.data == b"") == (status, status == 304)
    assert client.get(address).get_json()["model"]["id"] == "yi-1.5-9b"


@pytest.mark.parametrize(
    ("address", "status", "field", "closest"),
    [
        ("/v1/can-run/lama-3.1-405b-on-h20-96gb", 404, "model", "llama-3.1-405b"),
        ("/v1/can-run/llama-3.1-405b-on-h2O-96gb", 404, "device", "h20-96gb"),
        ("/v1/can-run/llama-3.1-405b", 400, "device", None),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?quant=Q4_KMM", 400, "quant", "Q4_K_M"),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?workload=code", 400, "workload", "coding"),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?mode=interactiv", 400, "mode", "interactive"),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?profile=referenze", 400, "profile", "reference"),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?context=many", 400, "context", None),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?context=1e400", 400, "context", None),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?contxt=8000", 400, "contxt", "context"),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?workload=chat&workload=rag", 400, "workload", None),
        ("/v1/can-run/yi-1.5-9b-on-l4-24gb?explain=maybe", 400, "explain", None),
        ("/v1/catalog/device", 404, "catalog", "devices"),
        ("/v1/catalog/devices/h20-69gb", 404, "devices", "h20-96gb"),
        ("/v1/rules/decode_toks", 404, "name", "decode_tok_s"),
    ],
)
def test_an_unknown_name_is_refused_with_the_closest(
    client: FlaskClient, address: str, status: int, field: str, closest: str | None
) -> None:
    response = client.get(address)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    document = response.get_json()
    SCHEMAS.validator("problem").validate(document)
    assert document["status"] == status
    problem = document["problems"][0]
    assert problem["field"] == field
    assert problem.get("closest", [None])[0] == closest


@pytest.mark.parametrize(
    ("method", "address", "status"), [("GET", "/nowhere", 404), ("POST", "/health", 405), ("GET", "/v1", 404)]
)
def test_an_address_that_is_not_there_is_a_problem_document(
    client: FlaskClient, method: str, address: str, status: int
) -> None:
    response = client.open(address, method=method)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    SCHEMAS.validator("problem").validate(response.get_json())


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_question_ends_in_a_traceback(pair: str, name: str, value: str) -> None:
    response = APP.test_client().get(f"/v1/can-run/{quote(pair)}", query_string={name: value})
    assert response.status_code < 500


def test_catalogs_can_be_read(client: FlaskClient, engine: Engine) -> None:
    kinds = {catalog["kind"]: catalog["entries"] for catalog in client.get("/v1/catalog").get_json()["catalogs"]}
    assert kinds == {kind: len(catalog.ids) for kind, catalog in engine.rulebook.catalogs.items()}
    assert len(client.get("/v1/catalog/devices").get_json()["entries"]) == kinds["devices"]
    device = client.get("/v1/catalog/devices/H20").get_json()
    assert (device["id"], device["memory"], device["units"]["memory"]) == ("h20-96gb", 96, "GB")
    assert device["source"]


def test_a_rule_is_served_with_its_readers(client: FlaskClient, engine: Engine) -> None:
    rules = client.get("/v1/rules").get_json()
    assert rules["sha256"] == engine.rulebook.sha256
    for rule in rules["rules"]:
        detail = client.get(f"/v1/rules/{rule['name']}").get_json()
        assert detail["about"] == rule["about"]
        for read in detail["reads"]:
            if "." not in read:
                assert rule["name"] in client.get(f"/v1/rules/{read}").get_json()["read_by"]


def test_answers_are_computed_one_at_a_time(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most = 0, 0

    def slow(*asked: Any, **how: Any) -> Answer:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.01)  # others would begin now
        under_way -= 1
        return answer_question(*asked, **how)

    monkeypatch.setattr(questions, "answer_question", slow)
    with ThreadPoolExecutor(4) as pool:
        addresses = [f"/v1/can-run/yi-1.5-9b-on-l4-24gb?context={context}" for context in range(3000, 3016)]
        codes = list(pool.map(lambda address: client.application.test_client().get(address).status_code, addresses))
    assert (codes, most) == ([200] * len(addresses), 1)


def test_it_is_healthy(client: FlaskClient) -> None:
    assert client.get("/health").get_json()["status"] == "ok"


def test_wrong_rules_never_start_a_service(copy: Workplace) -> None:
    copy.edit("rules/judgement/score.yaml", "model_quality * quant_quality", "model_quality * quant_qualty")
    with pytest.raises(ProblemsError) as found:
        create_app(ReloadingEngine(copy.folders))
    assert str(found.value.problems[0].position).startswith("rules/judgement/score.yaml:")


def test_a_refused_value_is_repeated_short_and_on_one_line(client: FlaskClient) -> None:
    document = client.get(f"/v1/can-run/{'x' * 5000}%0Ay-on-l4-24gb").get_json()
    assert len(document["detail"]) < 300
    assert "\n" not in document["detail"]


def test_a_method_that_is_not_allowed_is_refused_with_those_that_are(client: FlaskClient) -> None:
    assert "POST" in client.get("/v1/can-run").headers["Allow"]
