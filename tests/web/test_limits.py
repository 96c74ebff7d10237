"""Limits of requests, each with a problem document that says what to do."""

from __future__ import annotations

import hashlib

import pytest
from flask import Flask
from flask.testing import FlaskClient

from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from fitcard.web.access import read_keys
from fitcard.web.app import create_app
from fitcard.web.options import Limits, Options
from fitcard.web.questions import EXPLAINED_COST
from helpers.project import project_rules
from helpers.workplace import Workplace

LIVE = project_rules()
SCHEMAS = Schemas.load(find_folders().schemas)
ADDRESS = "/v1/can-run/qwen-3-14b-on-m1-16gb"
QUESTION = {"model": "qwen-3-14b", "device": "m1-16gb"}
SMALL = Limits(body=2_000, address=300, questions=3, seconds=60)
LANGUAGES = ("en", "zh", "es", "de", "ja", "pt-BR")
KEYS = f"# who may ask\nann  secret-of-ann\nben  sha256:{hashlib.sha256(b'secret-of-ben').hexdigest()}\n"


def app_with(**options: object) -> Flask:
    return create_app(LIVE, options=Options(**{"limits": SMALL, **options}))  # type: ignore[arg-type]


CLIENT = app_with().test_client()


def document(response: object, status: int, code: str | None = None) -> dict[str, object]:
    """The problem document of a response, which must be one."""
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")  # type: ignore[attr-defined]
    found: dict[str, object] = response.get_json()  # type: ignore[attr-defined]
    SCHEMAS.validator("problem").validate(found)
    assert found["status"] == status
    assert code is None or found["problems"][0]["code"] == code  # type: ignore[index]
    return found


def test_an_address_that_is_too_long_is_refused() -> None:
    assert CLIENT.get(ADDRESS, query_string={"context": "1" * 200}).status_code == 400
    found = document(CLIENT.get(ADDRESS, query_string={"context": "1" * 300}), 414, "address-too-long")
    assert "300" in str(found["detail"])


def test_a_body_that_is_too_large_is_refused_with_the_largest_that_is_taken() -> None:
    found = document(CLIENT.post("/v1/can-run", json={**QUESTION, "quant": "x" * 3000}), 413, "body-too-large")
    assert "2000" in str(found["detail"])


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize("path", ["/v1/can-run", "/v1/batch"])
def test_a_body_without_the_json_content_type_is_refused(path: str, kind: str) -> None:
    document(CLIENT.post(path, data=b'{"model": "qwen-3-14b"}', content_type=kind), 415, "not-json")


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1,}', b"\xff", b'{"context": ' + b"9" * 1900, b"[" * 1900])
@pytest.mark.parametrize("path", ["/v1/can-run", "/v1/batch"])
def test_a_body_that_is_no_json_is_refused(path: str, body: bytes) -> None:
    document(CLIENT.post(path, data=body, content_type="application/json"), 400, "body-unreadable")


def test_a_body_that_is_nested_without_end_is_refused() -> None:
    deep = create_app(LIVE).test_client().post("/v1/can-run", data=b"[" * 99_000, content_type="application/json")
    document(deep, 400, "body-unreadable")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([1], "body"),
        ("model", "body"),
        ({}, "body"),
        ({**QUESTION, "overrides": [1]}, "overrides"),
        ({**QUESTION, "overrides": {"headroom_share": None}}, "overrides.headroom_share"),
        ({**QUESTION, "explain": "yes"}, "explain"),
        ({**QUESTION, "context": [1]}, "context"),
        ({**QUESTION, "context": True}, "context"),
        ({**QUESTION, "context": {"tokens": 9}}, "context"),
        ({**QUESTION, "profile": {"name": "own"}}, "profile"),
        ({**QUESTION, "contxt": 9}, "contxt"),
    ],
)
def test_a_part_of_a_body_that_is_of_the_wrong_shape_is_named(body: object, field: str) -> None:
    found = document(CLIENT.post("/v1/can-run", json=body), 404 if field == "profile" else 400)
    assert [problem["field"] for problem in found["problems"]] == [field]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/v1/catalog?kind=devices", "kind"),
        ("/v1/catalog/devices?q=m1", "q"),
        ("/v1/catalog/devices/m1-16gb?unit=GB", "unit"),
        ("/v1/search/device?query=m1", "query"),
        ("/v1/search/device?q=m1&q=m2", "q"),
        ("/v1/rules?profle=reference", "profle"),
        ("/v1/rules/decode_tok_s?explain=1", "explain"),
        ("/v1/rank?over=model", "over"),
        ("/v1/rank/models?device=m1-16gb&limt=3", "limt"),
    ],
)
def test_a_parameter_that_an_address_does_not_take_is_named(address: str, field: str) -> None:
    found = document(CLIENT.get(address), 400)
    assert found["problems"][0]["field"] == field  # type: ignore[index]


@pytest.mark.parametrize("path", ["/v1/can-run", "/v1/batch"])
def test_a_question_in_a_body_ignores_query_parameters_except_the_language(path: str) -> None:
    body = QUESTION if path.endswith("run") else {"questions": [QUESTION]}
    assert CLIENT.post(f"{path}?lang=de", json=body).status_code == 200
    document(CLIENT.post(f"{path}?context=9000", json=body), 400, "unknown-parameter")


def test_a_wrong_method_is_refused_with_those_allowed() -> None:
    response = CLIENT.delete("/v1/rules")
    found = document(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert "DELETE" in str(found["detail"])


REFUSALS = {
    401: lambda language: app_with(api_keys={"0" * 64: "ann"}).test_client().get(f"{ADDRESS}?lang={language}"),
    404: lambda language: CLIENT.get(f"/nowhere?lang={language}"),
    405: lambda language: CLIENT.delete(f"{ADDRESS}?lang={language}"),
    413: lambda language: CLIENT.post(f"/v1/can-run?lang={language}", json={"model": "x" * 3000}),
    414: lambda language: CLIENT.get(f"{ADDRESS}?lang={language}&quant={'x' * 300}"),
    415: lambda language: CLIENT.post(f"/v1/can-run?lang={language}", data="{}"),
    429: lambda language: used_up().get(f"{ADDRESS}?lang={language}"),
    503: lambda language: stopping().get(f"/ready?lang={language}"),
}


def used_up() -> FlaskClient:
    client = app_with(rate_limit="1/hour").test_client()
    client.get("/v1/rank")
    return client


def stopping() -> FlaskClient:
    app = app_with()
    app.extensions["fitcard"].stopping.set()
    return app.test_client()


@pytest.mark.parametrize("status", REFUSALS)
def test_each_refusal_has_a_text_in_each_language(status: int) -> None:
    by_language = {language: document(REFUSALS[status](language), status) for language in LANGUAGES}
    assert len({str(found["detail"]) for found in by_language.values()}) == len(LANGUAGES)
    assert len({str(found["title"]) for found in by_language.values()}) == len(LANGUAGES)


def test_beyond_the_rate_limit_a_caller_gets_retry_after() -> None:
    client = app_with(rate_limit="2/minute").test_client()
    assert [client.get(ADDRESS).status_code for _ in range(2)] == [200, 200]
    response = client.get(ADDRESS)
    found = document(response, 429, "too-many-requests")
    seconds = int(response.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert f"{seconds} s" in str(found["detail"])


def test_each_caller_has_a_rate_limit_of_their_own_and_health_checks_have_none() -> None:
    client = app_with(rate_limit="1/minute").test_client()
    one, other = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}
    assert client.get(ADDRESS, environ_overrides=one).status_code == 200
    assert client.get(ADDRESS, environ_overrides=one).status_code == 429
    assert client.get(ADDRESS, environ_overrides=other).status_code == 200
    assert {client.get(path, environ_overrides=one).status_code for path in ("/health", "/ready", "/metrics")} == {200}


def test_addresses_of_one_ipv6_network_are_one_caller() -> None:
    client = app_with(rate_limit="1/minute").test_client()
    asked = [
        client.get(ADDRESS, environ_overrides={"REMOTE_ADDR": address}).status_code
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    ]
    assert asked == [200, 429, 200]


def test_a_question_of_a_batch_counts_as_one_request() -> None:
    client = app_with(rate_limit="4/minute").test_client()
    batch = {"questions": [QUESTION] * 3}
    assert [client.post("/v1/batch", json=batch).status_code for _ in range(2)] == [200, 429]


def test_without_a_key_the_api_is_refused_and_pages_are_served() -> None:
    client = app_with(api_keys={"0" * 64: "ann"}).test_client()
    response = client.get(ADDRESS)
    document(response, 401, "key-needed")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    document(client.post("/v1/batch", json={"questions": [QUESTION]}), 401)
    pages = ("/", "/can-run/qwen-3-14b-on-m1-16gb", "/v1/search/device?q=m1", "/health", "/assets/style.css")
    assert {client.get(path).status_code for path in pages} == {200}


def test_a_response_cached_for_a_key_is_not_served_without_one() -> None:
    client = app_with(api_keys={hashlib.sha256(b"secret").hexdigest(): "ann"}).test_client()
    key = {"X-Api-Key": "secret"}
    assert [client.get(ADDRESS, headers=headers).status_code for headers in (key, key, {})] == [200, 200, 401]


def test_keys_of_a_file_open_the_api(copy: Workplace) -> None:
    copy.write("rules/keys.txt", KEYS)
    client = app_with(api_keys=read_keys(copy.path("rules/keys.txt"))).test_client()
    for headers in ({"Authorization": "Bearer secret-of-ann"}, {"X-Api-Key": "secret-of-ben"}):
        assert client.get(ADDRESS, headers=headers).status_code == 200
    for headers in ({"Authorization": "Bearer secret"}, {"Authorization": "Basic secret-of-ann"}, {"X-Api-Key": "é"}):
        document(client.get(ADDRESS, headers=headers), 401)


@pytest.mark.parametrize(
    ("text", "where"),
    [("ann\n", ":1:"), ("a b\nc d e\n", ":2:"), ("# none\n", "no key"), ("a sha256:0\n", ":1:"), ("a k\nb k\n", ":2:")],
)
def test_an_invalid_key_file_is_reported_with_its_line(copy: Workplace, text: str, where: str) -> None:
    copy.write("rules/keys.txt", text)
    with pytest.raises(ValueError, match=where):
        read_keys(copy.path("rules/keys.txt"))


def test_the_caller_behind_trusted_proxies_is_whom_the_last_of_them_names() -> None:
    forwarded = {"X-Forwarded-For": "198.51.100.9, 192.0.2.1"}
    behind = app_with(rate_limit="1/minute", trusted_proxies=1).test_client()
    alone = app_with(rate_limit="1/minute").test_client()
    assert behind.get(ADDRESS, headers=forwarded).status_code == 200
    assert behind.get(ADDRESS, headers={"X-Forwarded-For": "198.51.100.8, 192.0.2.1"}).status_code == 429
    assert behind.get(ADDRESS, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 200
    assert alone.get(ADDRESS, headers=forwarded).status_code == 200
    assert alone.get(ADDRESS, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 429


@pytest.mark.parametrize(
    "address",
    [ADDRESS, "/can-run/qwen-3-14b-on-m1-16gb", "/find?model=qwen-3-14b&device=m1-16gb", "//v1/rules", "/v1//rules",
     "/devices/", "/nowhere", "/status", "/", "/embed/qwen-3-14b-on-m1-16gb"],
)  # fmt: skip
def test_no_answer_repeats_the_host_that_a_caller_names(address: str) -> None:
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}):
        response = app_with(trusted_proxies=1).test_client().get(address, headers=headers)
        assert "evil.example" not in response.get_data(as_text=True)
        assert "evil.example" not in str(response.headers)


class Clock:
    """A clock in place of that of the rate limit, at the start of a window of a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_800_000_000.0
        monkeypatch.setattr("limits.storage.memory.time.time", lambda: self.now)


def batch_of(number: int, **question: object) -> dict[str, object]:
    return {"questions": [{**QUESTION, **question}] * number}


@pytest.mark.parametrize(("questions", "before"), [(1, 4), (2, 4), (4, 1), (4, 3), (3, 2)])
@pytest.mark.parametrize("since", [0.0, 13.4, 59.5])
def test_after_the_time_of_retry_after_the_request_is_answered(
    monkeypatch: pytest.MonkeyPatch, questions: int, before: int, since: float
) -> None:
    clock = Clock(monkeypatch)
    client = app_with(limits=Limits(), rate_limit="4/minute").test_client()
    clock.now += since
    assert [client.get("/v1/rank").status_code for _ in range(before)] == [200] * before
    refused = client.post("/v1/batch", json=batch_of(questions))
    document(refused, 429, "too-many-requests")
    seconds = int(refused.headers["Retry-After"])
    clock.now += seconds
    assert client.post("/v1/batch", json=batch_of(questions)).status_code == 200


def test_before_the_time_of_retry_after_the_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    client = app_with(rate_limit="4/minute").test_client()
    assert [client.get("/v1/rank").status_code for _ in range(5)] == [200] * 4 + [429]
    seconds = int(client.get("/v1/rank").headers["Retry-After"])
    clock.now += seconds - 1.5
    assert client.get("/v1/rank").status_code == 429


def test_a_batch_above_the_rate_is_refused_for_good_with_what_the_rate_allows() -> None:
    client = app_with(limits=Limits(), rate_limit="3/minute").test_client()
    response = client.post("/v1/batch", json=batch_of(4))
    found = document(response, 400, "batch-above-rate")
    assert "Retry-After" not in response.headers
    assert {"4", "3", "60"} <= set(str(found["detail"]).split())


def test_a_batch_as_large_as_the_rate_is_answered() -> None:
    client = app_with(limits=Limits(), rate_limit="3/minute").test_client()
    assert client.post("/v1/batch", json=batch_of(3)).status_code == 200


def test_explained_questions_count_as_several_requests() -> None:
    def client(rate: int) -> FlaskClient:
        return app_with(limits=Limits(), rate_limit=f"{rate}/minute").test_client()

    explained = batch_of(2, explain=True)
    document(client(2 * EXPLAINED_COST - 1).post("/v1/batch", json=explained), 400, "batch-above-rate")
    assert client(2 * EXPLAINED_COST).post("/v1/batch", json=explained).status_code == 200
    alone = client(EXPLAINED_COST + 1)
    asked = [alone.post("/v1/can-run", json={**QUESTION, "explain": True}).status_code for _ in range(2)]
    assert asked == [200, 429]


def test_an_explained_question_alone_is_never_above_the_rate() -> None:
    client = app_with(rate_limit="2/minute").test_client()
    assert client.get(f"{ADDRESS}?explain=1").status_code == 200


KEY, OTHER_KEY, WRONG_KEY = ({"X-Api-Key": key} for key in ("secret", "another", "guess"))
TWO_KEYS = {hashlib.sha256(key.encode()).hexdigest(): name for key, name in (("secret", "ann"), ("another", "ben"))}


def test_wrong_keys_count_as_requests_of_their_address() -> None:
    client = app_with(api_keys=TWO_KEYS, rate_limit="3/minute").test_client()
    asked = [client.get(ADDRESS, headers=WRONG_KEY) for _ in range(4)]
    assert [response.status_code for response in asked] == [401, 401, 401, 429]
    assert int(asked[-1].headers["Retry-After"]) >= 1
    assert client.get("/").status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get(ADDRESS, headers=KEY, environ_overrides=elsewhere).status_code == 200


def test_a_key_that_was_right_before_is_right_while_others_guess_at_its_address() -> None:
    client = app_with(api_keys=TWO_KEYS, rate_limit="3/minute").test_client()
    assert client.get(ADDRESS, headers=KEY).status_code == 200
    assert [client.get(ADDRESS, headers=WRONG_KEY).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert client.get(ADDRESS, headers=KEY).status_code == 200


def test_a_right_key_is_not_found_by_guessing_on() -> None:
    client = app_with(api_keys=TWO_KEYS, rate_limit="3/minute").test_client()
    assert client.get(ADDRESS, headers=KEY).status_code == 200  # cached from here on
    assert [client.get(ADDRESS, headers=WRONG_KEY).status_code for _ in range(3)] == [401] * 3
    for path in (ADDRESS, "/v1/rank", "/v1/search/device?q=m1"):
        wrong, right = (client.get(path, headers=key) for key in (WRONG_KEY, OTHER_KEY))
        assert (wrong.status_code, right.status_code) == (429, 429)


def test_wrong_keys_count_where_no_key_is_needed() -> None:
    client = app_with(api_keys=TWO_KEYS, rate_limit="2/minute").test_client()
    search = "/v1/search/device?q=m1"
    assert [client.get(search, headers=WRONG_KEY).status_code for _ in range(3)] == [200, 200, 429]
    assert client.get(search, headers=OTHER_KEY).status_code == 429
