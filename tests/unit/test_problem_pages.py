"""Every problem code has a page: what is wrong, why it matters, what to avoid and what to prefer."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.problems import all_codes
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import PROJECT


def test_all_codes_are_known() -> None:
    classes = sum(
        path.read_text("utf-8").count("(ProblemCode):\n") for path in (PROJECT / "engine" / "fitcard").rglob("*.py")
    )
    assert len(all_codes()) == classes


@pytest.mark.parametrize("code", all_codes())
def test_a_page_has_what_why_avoid_and_prefer(code: str) -> None:
    title, _, rest = all_codes()[code].page().partition("\n\n")
    what, _, parts = rest.partition("\n\n")
    assert title == code
    assert what.endswith(".")
    starts = [line.partition(":")[0] for line in parts.splitlines() if not line.startswith(" ")]
    assert starts == ["Why", "Avoid", "Prefer"]


def test_check_explain_shows_one_page_or_all() -> None:
    one = CliRunner().invoke(main, ["check", "--explain", "unit-result"])
    every = CliRunner().invoke(main, ["check", "--explain", "all"])
    assert one.output == all_codes()["unit-result"].page()
    assert all(kind.page() in every.output for kind in all_codes().values())


def test_an_unknown_code_gets_the_closest() -> None:
    ended = CliRunner().invoke(main, ["check", "--explain", "unit-reslut"])
    assert ended.exit_code == 2
    assert "did you mean `unit-result`?" in ended.output


def test_the_service_shows_the_pages_that_its_problems_link_to() -> None:
    client = create_app(project_rules()).test_client()
    refused = json.loads(client.get("/v1/can-run/llama-3.1-405b-on-nowhere").data)
    assert refused["type"] == refused["problems"][0]["link"] == "/problems/unknown-entry-far"
    assert client.get(refused["type"]).text == all_codes()["unknown-entry-far"].page()
    assert client.get("/problems/unknown-entyr").status_code == 404
    assert client.get("/problems").text.split() == list(all_codes())
