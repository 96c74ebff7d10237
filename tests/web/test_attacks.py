"""Hostile requests: no file is exposed, no script runs in a page, and no request fails."""

from __future__ import annotations

import json
import time
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from fitcard.web.app import create_app
from helpers.hostile_texts import CONTROLS, RAW_CONTROL
from helpers.project import project_rules

CLIENT = create_app(project_rules()).test_client()
PAIR = "qwen-3-14b-on-m1-16gb"
MARK = "alert(1)"
SCRIPTS = [
    f"<script>{MARK}</script>", f'"><svg onload={MARK}>', f"' onmouseover='{MARK}", f"</title><script>{MARK}</script>",
    f"</script><script>{MARK}</script>",
]  # fmt: skip
OPENED = [f"<script>{MARK}", f"<svg onload={MARK}", f"' onmouseover='{MARK}"]
SAID_BACK = [  # every place of an address where a caller can put words
    "/can-run/{}-on-m1-16gb", "/can-run/qwen-3-14b-on-{}", "/can-run/{}", f"/can-run/{PAIR}/why/{{}}",
    "/embed/{}-on-m1-16gb", "/card/qwen-3-14b-on-{}.svg", "/badge/{}-on-m1-16gb.svg", "/devices/{}", "/models/{}",
    "/rules/{}", "/problems/{}", "/assets/{}", "/{}", "/find?model={}", "/find?model=qwen-3-14b&device={}",
    "/tiers?device={}", "/compare?pair={}", "/compare?pair=qwen-3-14b on {}", "/rules?profile={}",
    "/rules/decode_tok_s?profile={}", "/?lang={}", "/docs?lang={}", "/models/qwen-3-14b?context={}",
    "/devices/m1-16gb?workload={}", "/v1/catalog/{}", "/v1/search/{}?q=m1", "/v1/rank/{}?device=m1-16gb",
    *(f"/can-run/{PAIR}?{name}={{}}" for name in (
        "quant", "workload", "mode", "profile", "context", "gpus", "host", "runtime", "kv", "users", "lang", "explain",
        "device.name", "device.memory", "device.like", "model.name", "model.layers", "{}",
    )),
    *(f"/{page}?device.like=m1-16gb&device.name={{}}" for page in (
        "can-run/qwen-3-14b-on-own", "can-run/qwen-3-14b-on-own/why/decode_tok_s", "embed/qwen-3-14b-on-own",
        "card/qwen-3-14b-on-own.svg", "badge/qwen-3-14b-on-own.svg",
    )),
]  # fmt: skip
OUTSIDE = [
    "/../../etc/passwd", "/assets/../server.py", "/assets/..%2f..%2fserver.py", "/assets/%2e%2e/%2e%2e/server.py",
    "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/assets/....//....//etc/passwd", "/assets//etc/passwd",
    "/assets/..%5c..%5cserver.py", "/assets/%252e%252e%252fserver.py", "/assets/style.css%00.js", "/assets/%00",
    "/%00", "/assets/..%c0%af..%c0%afetc/passwd", "/%ff%fe", "/v1/catalog/../../rules/rulebook.yaml",
    "/v1/catalog/devices/..%2f..%2f..%2fetc%2fpasswd", "/v1/rules/..%2frulebook.yaml", "/problems/..%2f..%2fREADME.md",
    "/devices/..%2f..%2fetc%2fpasswd", "/static/server.py", "/.git/config", "/rules/../rulebook.yaml", "/.env",
]  # fmt: skip
NUMBERS = [
    "NaN", "-NaN", "inf", "-Infinity", "1e999", "-1e999", "1e308", "5e-324", "-1", "-0", "9" * 400, "0." + "9" * 400,
    "0x10", "1_000", "\u0661", "\u00bd", "1,5", "--1", "1e", ".", "+", "1" + "0" * 40, "\u22121", "\x00", "1;2", "{}",
]  # fmt: skip
ASKED = ["context", "users", "gpus", "device.memory", "device.bandwidth", "model.layers", "model.params"]
BODIES = [
    '{{"model": "qwen-3-14b", "device": "m1-16gb", "context": {}}}',
    '{{"model": "qwen-3-14b", "device": "m1-16gb", "users": {}}}',
    '{{"model": "qwen-3-14b", "device": {{"like": "m1-16gb", "memory": {}}}}}',
    '{{"model": "qwen-3-14b", "device": {{"like": "m1-16gb", "bandwidth": {}}}}}',
    '{{"model": {{"like": "qwen-3-14b", "layers": {}}}, "device": "m1-16gb"}}',
    '{{"model": "qwen-3-14b", "device": {{"like": "m1-16gb", "name": {}}}}}',
    '{{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {{"headroom_share": {}}}}}',
    '{{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {{"activation_bytes": {}}}}}',
]
VALUES = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "-1e308", "5e-324", "0", "-0", "9" * 300, "9" * 5000,
    '"NaN"', '"1e999"', r'"\u0000"', r'"\ud800"', r'"\ud83d\ude00"', "true", "null", "[]", "{}",
]  # fmt: skip


def is_refused_or_answered(response: TestResponse) -> bool:
    return response.status_code < 500


@pytest.mark.parametrize("place", SAID_BACK)
def test_no_input_becomes_markup_of_a_page(place: str) -> None:
    for script in SCRIPTS:
        response = CLIENT.get(place.replace("{}", quote(script, safe="")))
        assert is_refused_or_answered(response)
        if response.mimetype in ("text/html", "image/svg+xml"):
            text = response.get_data(as_text=True)
            assert [opened for opened in OPENED if opened in text] == []
        else:
            assert response.mimetype in ("application/json", "application/problem+json", "text/plain")


@pytest.mark.parametrize("place", SAID_BACK)
def test_no_input_puts_control_characters_on_a_page(place: str) -> None:
    for text in CONTROLS:
        response = CLIENT.get(place.replace("{}", quote(text.encode("utf-8", "surrogatepass"), safe="")))
        assert is_refused_or_answered(response)
        if response.mimetype in ("text/html", "image/svg+xml"):
            assert not RAW_CONTROL.search(response.get_data(as_text=True)), text


@pytest.mark.parametrize("address", OUTSIDE)
def test_no_path_leads_out_of_the_service(address: str) -> None:
    response = CLIENT.get(address)
    text = response.get_data(as_text=True)
    assert response.status_code in (400, 404)
    assert "root:" not in text
    assert "create_app" not in text
    assert "kind: rulebook" not in text


@pytest.mark.parametrize(
    "broken", ["%0d%0aX-Evil:%201", "%0d%0a%0d%0a<html>", "%0aSet-Cookie:%20a=b", "%E5%98%8A%E5%98%8DX:1"]
)
def test_no_line_end_in_an_address_begins_a_header(broken: str) -> None:
    for place in (*SAID_BACK, "/find?model=qwen-3-14b&device=m1-16gb&workload=chat&x={}"):
        response = CLIENT.get(place.replace("{}", broken))
        assert is_refused_or_answered(response)
        assert {"X-Evil", "Set-Cookie"}.isdisjoint(response.headers.keys())
        assert all("\r" not in value and "\n" not in value for value in response.headers.values())


@pytest.mark.parametrize("word", ["//evil.example", "https://evil.example", "/\\evil.example", "own", ".."])
def test_no_page_sends_a_caller_to_another_site(word: str) -> None:
    for model, device in ((word, "m1-16gb"), ("qwen-3-14b", word)):
        query = {"model": model, "device": device, "device.like": "m1-16gb", "x": word}
        location = CLIENT.get("/find", query_string=query).headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "FOO", "G\u00c9T", "A" * 500]
)
def test_no_strange_method_does_anything(method: str) -> None:
    for path in ("/", f"/v1/can-run/{PAIR}", "/v1/can-run", "/v1/batch", "/health", "/metrics", "/nowhere"):
        assert CLIENT.open(path, method=method).status_code in (404, 405)


@pytest.mark.parametrize("header", ["Accept-Language", "If-None-Match", "Range", "Authorization", "Origin", "Cookie",
    "Accept", "X-Forwarded-For", "X-Request-Id", "Host", "Access-Control-Request-Headers"])  # fmt: skip
def test_no_header_makes_it_fail_or_is_repeated(header: str) -> None:
    odd = ["", "x", f"<script>{MARK}</script>", "\u00e9", "*", "de;q=NaN", "de;q=1e999", "zh-" * 2000, "a," * 2000,
        "bytes=0-1", 'W/"x', "\\", "Basic !!!", "Bearer", "9" * 400, "evil.example:99999"]  # fmt: skip
    for value, path in product(odd, ("/", f"/v1/can-run/{PAIR}", "/nowhere")):
        response = CLIENT.get(path, headers={header: value})
        assert is_refused_or_answered(response)
        assert MARK not in str(response.headers)
        assert MARK not in response.get_data(as_text=True)


@pytest.mark.parametrize("name", ASKED)
def test_no_number_in_an_address_makes_it_fail(name: str) -> None:
    for number in NUMBERS:
        for page in ("/v1/can-run/", "/can-run/"):
            assert is_refused_or_answered(CLIENT.get(page + PAIR, query_string={name: number})), number


@pytest.mark.parametrize("body", BODIES)
def test_no_number_in_a_body_makes_it_fail_and_a_batch_answers_the_others(body: str) -> None:
    good = '{"model": "qwen-3-14b", "device": "m1-16gb"}'
    for value in VALUES:
        asked = body.format(value)
        alone = CLIENT.post("/v1/can-run", data=asked, content_type="application/json")
        assert is_refused_or_answered(alone), value
        assert not alone.is_json or _strict(alone.get_data(as_text=True)) is not None
        batch = CLIENT.post("/v1/batch", data=f'{{"questions": [{asked}, {good}]}}', content_type="application/json")
        assert is_refused_or_answered(batch), value
        if batch.status_code == 200:
            statuses = [one["status"] for one in batch.get_json()["answers"]]
            assert statuses == [alone.status_code, 200], value


def test_overrides_that_overflow_are_a_problem_of_the_question() -> None:
    asked: dict[str, Any] = {"model": "qwen-3-14b", "device": {"like": "m1-16gb", "memory": 5e-324}}
    for path, sent in (("/v1/can-run", asked), ("/v1/can-run", {**asked, "device": "m1-16gb", "overrides": HUGE})):
        response = CLIENT.post(path, json=sent)
        assert response.status_code == 400
        assert [problem["code"] for problem in response.get_json()["problems"]] == ["beyond-numbers"]
    for path in ("/v1/can-run/", "/can-run/", "/badge/"):
        suffix = ".svg" if path == "/badge/" else ""
        assert CLIENT.get(f"{path}{PAIR}{suffix}?device.memory=5e-324").status_code == 400
    assert CLIENT.get(f"/can-run/{PAIR}/why/memory_ratio?device.memory=5e-324").status_code == 400


HUGE = {"activation_bytes": 1e308}


@pytest.mark.parametrize("word", ["a" * 90_000, "m1" * 45_000, "-on-" * 20_000, "4090 " * 18_000, "\u00e9" * 15_000])
def test_the_search_for_close_names_of_long_input_is_fast(word: str) -> None:
    for asked in ({"model": word, "device": "m1-16gb"}, {"model": "qwen-3-14b", "device": {"like": word}}):
        started = time.process_time()
        assert CLIENT.post("/v1/can-run", json=asked).status_code in (200, 404)
        assert time.process_time() - started < 30  # a hang, not a figure: it took minutes, and takes a moment


def test_a_body_full_of_mistakes_does_not_come_back_many_times_as_large() -> None:
    body = json.dumps({"model": "qwen-3-14b", "device": "m1-16gb", **{f"x{number}": 1 for number in range(5000)}})
    response = CLIENT.post("/v1/can-run", data=body, content_type="application/json")
    assert response.status_code == 400
    assert len(response.data) < len(body)


def _strict(text: str) -> Any:
    """The data of a JSON text that has no NaN or Infinity, which are none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)
