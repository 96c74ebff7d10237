"""Overrides of constants for one question: checked like a file, and marked in the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.language.definitions import Constant
from fitcard.problems import ProblemsError
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.workplace import Workplace

QUESTION = {"model": "qwen-3-14b", "device": "m1-16gb", "profile": "reference"}
SHOWN = ("show", "qwen-3-14b", "m1-16gb", "--profile", "reference")
CLIENT = create_app(project_rules()).test_client()


def test_an_override_equals_an_edit_of_the_file(copy: Workplace) -> None:
    engine = copy.load()
    question = read_question(engine.rulebook, QUESTION, {"unified_usable_share": 0.9})
    asked = answer_question(engine, question).to_dict()
    copy.edit("rules/profiles/reference.yaml", "value: 0.72", "value: 0.9")
    edited = copy.load()
    filed = answer_question(edited, read_question(edited.rulebook, QUESTION)).to_dict()
    assert asked["set"] == [{"name": "unified_usable_share", "value": 0.9, "instead_of": 0.72, "unit": "1"}]
    assert {**asked, "set": None, "rules": None} == {**filed, "set": None, "rules": None}


def test_a_constant_of_the_default_profile_can_be_set(copy: Workplace) -> None:
    engine, asked = copy.load(), {"model": "qwen-3-14b", "device": "m1-16gb"}
    floor = engine.rulebook.rule_set.definitions["min_safe_context"]
    assert isinstance(floor, Constant)
    set_once = answer_question(
        engine, read_question(engine.rulebook, asked, {"min_safe_context": 2 * floor.value})
    ).to_dict()
    copy.edit("rules/physics/context.yaml", f"value: {floor.value:g}", f"value: {2 * floor.value:g}")
    edited = copy.load()
    filed = answer_question(edited, read_question(edited.rulebook, asked)).to_dict()
    assert {**set_once, "set": None, "rules": None} == {**filed, "set": None, "rules": None}
    assert set_once["quants_context_tokens"] == 2 * floor.value


def test_it_changes_no_other_question(engine: Engine) -> None:
    before = answer_question(engine, read_question(engine.rulebook, QUESTION)).to_dict()
    answer_question(engine, read_question(engine.rulebook, QUESTION, {"runtime_overhead": 5})).to_dict()
    assert answer_question(engine, read_question(engine.rulebook, QUESTION)).to_dict() == before
    assert "set" not in before


def test_the_trace_marks_the_override(engine: Engine) -> None:
    asked = answer_question(
        engine, read_question(engine.rulebook, QUESTION, {"runtime_overhead": 5}), explained=True
    ).to_dict()
    steps = {step["name"]: step for step in asked["trace"]}
    assert (steps["runtime_overhead"]["kind"], steps["runtime_overhead"]["value"]) == ("given", 5)


@pytest.mark.parametrize(
    ("overrides", "code", "closest"),
    [
        ({"runtime_overhed": 1.2}, "unknown-constant", "runtime_overhead"),
        ({"weights": 3}, "not-a-constant", None),
        ({"fit": 3}, "not-a-constant", None),
        ({"devise.memory": 3}, "unknown-parameter", "device"),
        ({"headroom_share": 1.5}, "out-of-range", None),
        ({"headroom_share": "a tenth"}, "not-a-number", None),
        ({"headroom_share": "nan"}, "not-a-number", None),
        ({"headroom_share": True}, "not-a-number", None),
        ({"headroom_share": [1]}, "not-a-number", None),
    ],
)
def test_only_constants_can_be_overridden_and_only_within_their_bounds(
    engine: Engine, overrides: dict[str, Any], code: str, closest: str | None
) -> None:
    with pytest.raises(ProblemsError) as found:
        read_question(engine.rulebook, QUESTION, overrides)
    problem = found.value.problems[0]
    assert (problem.code, problem.field) == (code, next(iter(overrides)))
    assert closest is None or problem.closest[0] == closest


@pytest.mark.parametrize("file", ["rules/judgement/score.yaml", "rules/profiles/reference.yaml"])
def test_a_constant_outside_its_own_bounds_never_loads(copy: Workplace, file: str) -> None:
    copy.edit(file, "value: 0.10", "value: 10")
    problem = copy.problem()
    assert (problem.code, problem.message) == ("constant-range", "10 is outside 0 to 1")


def test_the_command_line_sets_and_marks() -> None:
    ended = CliRunner().invoke(main, [*SHOWN, "--set", "unified_usable_share=0.9"])
    assert "What if: unified_usable_share = 0.9, in place of 0.72" in ended.output
    shown = CliRunner().invoke(main, [*SHOWN, "--json", "--set", "runtime_overhead = 5"])
    assert json.loads(shown.output)["memory"]["runtime_gb"] == 5


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["runtime_overhead"], "--set requires NAME=VALUE"),
        (["runtime_overhead="], "--set requires NAME=VALUE"),
        (["runtime_overhead=1", "runtime_overhead=2"], "--set has the same name twice"),
        (["runtime_overhed=1"], "Closest: runtime_overhead"),
        (["headroom_share=3"], "'headroom_share' must be from 0 to 1, not 3."),
    ],
)
def test_a_malformed_override_is_refused(settings: list[str], expected: str) -> None:
    arguments = [part for setting in settings for part in ("--set", setting)]
    ended = CliRunner().invoke(main, [*SHOWN, *arguments])
    assert ended.exit_code == 2
    assert expected in ended.output


def test_a_body_asks_the_same_as_an_address() -> None:
    posted = CLIENT.post("/v1/can-run", json={**QUESTION, "workload": "rag", "context": 9000}).get_json()
    address = "/v1/can-run/qwen-3-14b-on-m1-16gb?workload=rag&context=9000&profile=reference"
    assert posted == CLIENT.get(address).get_json()


def test_a_body_can_set_constants_and_ask_for_reasons() -> None:
    body = {**QUESTION, "overrides": {"runtime_overhead": 5}, "explain": True}
    answered = CLIENT.post("/v1/can-run", json=body).get_json()
    assert answered["memory"]["runtime_gb"] == 5
    assert answered["set"][0]["instead_of"] == 0.9
    assert answered["trace"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"", 400, "body"),
        (b"{", 400, "body"),
        (b"[1]", 400, "body"),
        (b'{"model": {"id": "x"}, "device": "4090"}', 400, "model"),
        (b'{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": [1]}', 400, "overrides"),
        (b'{"model": "qwen-3-14b", "device": "m1-16gb", "overrides": {"weights": 1}}', 400, "weights"),
        (b'{"model": "qwen-3-14b", "device": "m1-61gb"}', 404, "device"),
        (b'{"model": "qwen-3-14b", "device": "m1-16gb", "context": NaN}', 400, "body"),  # which is no JSON
    ],
)
def test_a_body_without_a_question_is_a_problem_document(body: bytes, status: int, field: str) -> None:
    response = CLIENT.post("/v1/can-run", data=body, content_type="application/json")
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    assert response.get_json()["problems"][0]["field"] == field


def test_a_body_that_is_too_large_is_refused() -> None:
    response = CLIENT.post("/v1/can-run", data=b" " * 200_000, content_type="application/json")
    assert (response.status_code, response.mimetype) == (413, "application/problem+json")
