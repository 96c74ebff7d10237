"""Security headers: content security policy, framing and CORS of every response."""

from __future__ import annotations

import re

import pytest

from fitcard.web.app import create_app
from helpers.project import project_rules

CLIENT = create_app(project_rules()).test_client()
PAIR = "qwen-3-14b-on-m1-16gb"
FRAMED = [f"/embed/{PAIR}", f"/badge/{PAIR}.svg", f"/card/{PAIR}.svg"]
PAGES = ["/", f"/can-run/{PAIR}", f"/can-run/{PAIR}/why/decode_tok_s", "/rules", "/methodology", "/tiers", "/compare"]
DATA = [f"/v1/can-run/{PAIR}", "/v1/rules", "/nowhere", "/health", "/metrics", "/problems", "/assets/style.css"]


@pytest.mark.parametrize("address", [*FRAMED, *PAGES, *DATA])
def test_every_response_has_a_content_security_policy(address: str) -> None:
    response = CLIENT.get(address)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "*" not in policy.replace("frame-ancestors *", "")


@pytest.mark.parametrize("address", FRAMED)
def test_cards_and_badges_may_stand_in_any_page(address: str) -> None:
    assert "frame-ancestors *" in CLIENT.get(address).headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", [*PAGES, *DATA])
def test_no_other_page_may_be_framed(address: str) -> None:
    assert "frame-ancestors 'none'" in CLIENT.get(address).headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", PAGES)
def test_no_page_holds_a_script_or_a_style_of_its_own(address: str) -> None:
    text = re.sub(r"<code[^>]*>.*?</code>", "", CLIENT.get(address).get_data(as_text=True), flags=re.DOTALL)
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text) == []


def test_a_cached_response_has_the_same_headers() -> None:
    first, again = CLIENT.get(DATA[0]), CLIENT.get(DATA[0])
    same = CLIENT.get(DATA[0], headers={"If-None-Match": first.headers["ETag"]})
    of_body = {"Content-Type", "Content-Length", "Content-Language"}
    assert dict(first.headers) == dict(again.headers) | {"X-Request-Id": first.headers["X-Request-Id"]}
    assert {name for name, _ in first.headers} - of_body <= {name for name, _ in same.headers}


@pytest.mark.parametrize("address", ["/v1/rules", f"/v1/can-run/{PAIR}", "/v1/nowhere"])
def test_scripts_of_any_site_may_read_the_api(address: str) -> None:
    response = CLIENT.get(address, headers={"Origin": "https://other.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_preflight_request_lists_the_allowed_methods_and_headers() -> None:
    asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "GET"}
    response = CLIENT.options(f"/v1/can-run/{PAIR}", headers=asked)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("address", ["/", f"/can-run/{PAIR}", "/status", "/metrics"])
def test_scripts_of_other_sites_may_read_only_the_api(address: str) -> None:
    assert "Access-Control-Allow-Origin" not in CLIENT.get(address).headers


def test_requests_that_other_sites_send_are_refused() -> None:
    response = CLIENT.post("/v1/can-run", json={}, headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_no_header_names_the_software_of_the_service() -> None:
    assert "Server" not in CLIENT.get("/").headers
    assert "X-Powered-By" not in CLIENT.get("/").headers
