"""Batches of questions: each is answered or refused on its own, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from flask.testing import FlaskClient

from fitcard.compiler.engine import Engine
from fitcard.web.app import create_app
from fitcard.web.options import Limits, Options
from fitcard.web.questions import CHUNK_SIZE, answer_batch
from helpers.project import project_rules

LIVE = project_rules()
CLIENT: FlaskClient = create_app(LIVE, options=Options(Limits(questions=5))).test_client()
GOOD = {"model": "qwen-3-14b", "device": "m1-16gb", "workload": "chat"}
OTHER = {"model": "llama-3.1-8b", "device": "4090", "overrides": {"headroom_share": 0.1}, "explain": True}
UNKNOWN = {"model": "qwen-3-14b", "device": "m1-61gb"}
WRONG = {**GOOD, "context": "many"}


def asked(*questions: Any) -> list[dict[str, Any]]:
    """What came of the questions, as the schema says."""
    response = CLIENT.post("/v1/batch", json={"questions": questions})
    assert response.status_code == 200
    LIVE.rulebook.schemas.validator("batch-answer").validate(response.get_json())
    found: list[dict[str, Any]] = response.get_json()["answers"]
    return found


def test_answers_come_in_the_order_of_the_questions() -> None:
    found = asked(GOOD, UNKNOWN, OTHER, WRONG, GOOD)
    assert [one["status"] for one in found] == [200, 404, 200, 400, 200]
    assert found[0] == found[4]


@pytest.mark.parametrize("question", [GOOD, OTHER])
def test_each_answer_of_a_batch_equals_that_of_its_question_alone(question: dict[str, Any]) -> None:
    assert asked(question)[0]["answer"] == CLIENT.post("/v1/can-run", json=question).get_json()


@pytest.mark.parametrize("question", [UNKNOWN, WRONG, {}, {"overrides": 3}, {**GOOD, "device": {"memory": 24}}])
def test_each_refusal_of_a_batch_equals_that_of_its_question_alone(question: dict[str, Any]) -> None:
    (found,) = asked(question)
    alone = CLIENT.post("/v1/can-run", json=question).get_json()
    assert found["problem"] == {**alone, "instance": "/v1/batch#/questions/0"}
    assert found["status"] == alone["status"]


def test_all_are_answered_by_the_rules_that_the_batch_names(engine: Engine) -> None:
    body = CLIENT.post("/v1/batch", json={"questions": [GOOD, OTHER]}).get_json()
    assert body["rules"] == {"version": engine.rulebook.version, "sha256": engine.rulebook.sha256}
    assert {one["answer"]["rules"]["sha256"] for one in body["answers"]} == {engine.rulebook.sha256}


def test_problems_are_in_the_language_of_the_batch() -> None:
    response = CLIENT.post("/v1/batch?lang=de", json={"questions": [UNKNOWN, GOOD]})
    problem, answer = response.get_json()["answers"]
    assert problem["problem"]["title"] == "Nicht gefunden"
    assert answer["answer"]["fit"]["label"] == "Passt knapp"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ([GOOD], "body"),
        ({"questions": []}, "questions"),
        ({"questions": GOOD}, "questions"),
        ({"questions": [GOOD], "lang": "de"}, "body"),
        ({"questions": [GOOD] * 6}, "questions"),
    ],
)
def test_a_batch_of_the_wrong_shape_or_size_is_refused(body: object, field: str) -> None:
    response = CLIENT.post("/v1/batch", json=body)
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    assert response.get_json()["problems"][0]["field"] == field


@pytest.mark.parametrize("nothing", [3, None, "qwen", [GOOD], True])
def test_an_item_that_is_no_question_is_refused_alone(nothing: object) -> None:
    before, refused, after = CLIENT.post("/v1/batch", json={"questions": [GOOD, nothing, GOOD]}).get_json()["answers"]
    assert (before["status"], refused["status"], after["status"]) == (200, 400, 200)
    assert refused["problem"]["instance"].endswith("#/questions/1")


def test_questions_after_the_time_limit_are_refused(engine: Engine) -> None:
    clock = count()  # a second between looks at it
    questions = [GOOD] * (2 * CHUNK_SIZE + 1)

    def answer(some: Sequence[Any]) -> list[dict[str, str]]:
        return [{"grade": "A"} for _ in some]

    body = answer_batch(engine.rulebook, questions, answer, Limits(seconds=2), "/v1/batch", lambda: next(clock))
    found = json.loads(body)["answers"]
    assert [one["status"] for one in found] == [200] * 2 * CHUNK_SIZE + [503]
    problem = found[-1]["problem"]
    assert problem["problems"][0]["code"] == "deadline-passed"


def test_a_question_whose_own_figures_give_no_finite_number_spoils_no_other() -> None:
    huge = {**GOOD, "device": {"like": "m1-16gb", "bandwidth": 1e308, "memory": 1e308}}
    found = asked(GOOD, huge, GOOD)
    assert [one["status"] for one in found] == [200, 400, 200]
    assert found[0] == found[2]


def test_answers_end_where_the_response_is_full(engine: Engine) -> None:
    evaluated: list[int] = []

    def answer(some: Sequence[Any]) -> list[dict[str, str]]:
        evaluated.append(len(some))
        return [{"trace": "x" * 1000} for _ in some]

    questions = [GOOD] * (3 * CHUNK_SIZE)
    body = answer_batch(engine.rulebook, questions, answer, Limits(response=17_000), "/v1/batch")
    statuses = [one["status"] for one in json.loads(body)["answers"]]
    assert statuses == [200] * 2 * CHUNK_SIZE + [503] * CHUNK_SIZE
    assert evaluated == [CHUNK_SIZE, CHUNK_SIZE]
    assert json.loads(body)["answers"][-1]["problem"]["problems"][0]["code"] == "response-full"


def test_explained_answers_end_within_one_of_them_of_the_limit() -> None:
    limit = 1_000_000
    client = create_app(LIVE, options=Options(Limits(response=limit))).test_client()
    questions = [{**GOOD, "context": 2000 + number, "explain": True} for number in range(20)]
    response = client.post("/v1/batch", json={"questions": questions})
    LIVE.rulebook.schemas.validator("batch-answer").validate(response.get_json())
    statuses = [one["status"] for one in response.get_json()["answers"]]
    answered = statuses.count(200)
    assert statuses == [200] * answered + [503] * (20 - answered)
    assert 1 <= answered < 5
    assert len(response.get_data()) < limit + 700_000


def test_other_questions_are_answered_together_between_explained_ones() -> None:
    found = asked(GOOD, OTHER, GOOD, GOOD, OTHER)
    assert [("trace" in one["answer"]) for one in found] == [False, True, False, False, True]
    assert found[0] == found[2] == found[3]


def test_problems_fill_a_response_too() -> None:
    client = create_app(LIVE, options=Options(Limits(response=50_000))).test_client()
    wrong = {f"x{number}": 1 for number in range(60)}
    response = client.post("/v1/batch", json={"questions": [wrong] * 40})
    statuses = [one["status"] for one in response.get_json()["answers"]]
    assert statuses == [400] * statuses.count(400) + [503] * statuses.count(503)
    assert statuses.count(400) < 5
    assert len(response.get_data()) < 120_000
