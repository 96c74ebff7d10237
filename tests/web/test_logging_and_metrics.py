"""Logs of requests and decisions, and metrics for Prometheus."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine
from fitcard.reload import ReloadingEngine
from fitcard.web.app import create_app
from fitcard.web.logs import JsonFormatter, TextFormatter
from fitcard.web.options import Options
from helpers.project import project_rules
from helpers.workplace import Workplace

LIVE = project_rules()
ADDRESS = "/v1/can-run/qwen-3-14b-on-m1-16gb"
SECRET = "secret-word"


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "fitcard.requests")
    return caplog


@contextmanager
def noting(file: Path) -> Iterator[FlaskClient]:
    """A service that notes its decisions in that file."""
    app = create_app(LIVE, options=Options(decision_log=file))
    yield app.test_client()
    app.extensions["fitcard"].decision_log.close()


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Each figure by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_request_is_logged_as_one_line_of_json(records: pytest.LogCaptureFixture, engine: Engine) -> None:
    response = create_app(LIVE).test_client().get(ADDRESS)
    line = json.loads(JsonFormatter().format(records.records[0]))
    assert line["time"].endswith("+00:00")
    assert line["duration_ms"] > 0
    assert {key: line[key] for key in ("method", "path", "status", "bytes", "request_id", "rules")} == {
        "method": "GET",
        "path": ADDRESS,
        "status": 200,
        "bytes": len(response.data),
        "request_id": response.headers["X-Request-Id"],
        "rules": engine.rulebook.sha256,
    }


def test_a_cached_response_is_logged_like_the_first(records: pytest.LogCaptureFixture) -> None:
    client = create_app(LIVE).test_client()
    responses = [client.get(ADDRESS), client.get(ADDRESS)]
    same = client.get(ADDRESS, headers={"If-None-Match": responses[0].headers["ETag"]})
    lines = [json.loads(JsonFormatter().format(record)) for record in records.records]
    of_one = {"time": "", "duration_ms": 0, "request_id": ""}
    assert [line["request_id"] for line in lines] == [one.headers["X-Request-Id"] for one in (*responses, same)]
    assert lines[0] | of_one == lines[1] | of_one
    assert (lines[2]["status"], lines[2]["bytes"]) == (304, 0)


def test_no_log_record_holds_the_question(records: pytest.LogCaptureFixture) -> None:
    client = create_app(LIVE).test_client()
    client.get(ADDRESS, query_string={"quant": SECRET})
    client.post("/v1/can-run", json={"model": SECRET, "device": SECRET})
    assert len(records.records) == 2
    for record in records.records:
        assert SECRET not in JsonFormatter().format(record) + TextFormatter().format(record)


def test_a_path_makes_no_line_of_its_own(records: pytest.LogCaptureFixture) -> None:
    create_app(LIVE).test_client().get("/nowhere%0A2026-01-01 GET /forged")
    for form in (JsonFormatter(), TextFormatter()):
        assert "\n" not in form.format(records.records[0])


@pytest.mark.parametrize(("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_a_valid_request_id_of_a_proxy_is_kept(given: str, kept: bool) -> None:
    found = create_app(LIVE).test_client().get("/health", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert (found == given) is kept
    assert found


def test_a_failure_is_logged_with_its_traceback_in_one_line() -> None:
    try:
        raise ZeroDivisionError("nothing to share")
    except ZeroDivisionError as error:
        record = logging.makeLogRecord({"msg": "request failed", "exc_info": (type(error), error, error.__traceback__)})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "ZeroDivisionError: nothing to share" in json.loads(line)["traceback"]


def test_decisions_that_cannot_be_logged_are_counted_and_requests_are_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = create_app(LIVE, options=Options(decision_log=Path("/dev/full"))).test_client()
    assert [client.get(f"{ADDRESS}?context={2000 + number}").status_code for number in range(3)] == [200, 200, 200]
    assert figures(client.get("/metrics").get_data(as_text=True))["fitcard_decision_log_lost_total",] == 3
    warnings = [record.getMessage() for record in caplog.records if record.name == "fitcard"]
    assert warnings == ["decisions are lost: /dev/full cannot be written: No space left on device"]


def test_decisions_are_logged_again_when_their_file_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with noting(folder / "decisions") as client:
        client.get(f"{ADDRESS}?context=2001")
        folder.rename(tmp_path / "elsewhere")
        assert client.get(f"{ADDRESS}?context=2002").status_code == 200
        folder.mkdir()
        client.get(f"{ADDRESS}?context=2003")
        lines = (folder / "decisions").read_text("utf-8").splitlines()
        assert [json.loads(line)["question"]["context"] for line in lines] == [2003]
        assert figures(client.get("/metrics").get_data(as_text=True))["fitcard_decision_log_lost_total",] == 1


def test_a_message_and_a_traceback_forge_no_line_of_the_text_log() -> None:
    try:
        raise ValueError("x\n2026-01-01 GET /forged\x1b[2J")
    except ValueError as error:
        record = logging.makeLogRecord(
            {"msg": "a\nb\x1b[2J", "exc_info": (type(error), error, error.__traceback__), "levelname": "ERROR"}
        )
    first, *others = TextFormatter().format(record).splitlines()
    assert first.endswith("error a b\ufffd[2J")
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in "".join(others)


def test_each_decision_is_noted_with_the_hashes_of_rules_and_answer(tmp_path: Path, engine: Engine) -> None:
    own = {"model": "qwen-3-14b", "device": {"like": "4090", "memory": 48}, "overrides": {"headroom_share": 0.1}}
    with noting(tmp_path / "decisions") as client:
        first = client.get(f"{ADDRESS}?workload=chat")
        client.get(f"{ADDRESS}?workload=chat")
        client.get(f"{ADDRESS}?workload=chatt")
        client.get("/can-run/qwen-3-14b-on-m1-16gb?workload=chat")
        client.post("/v1/batch", json={"questions": [own, {"model": "nothing"}]})
    lines = [json.loads(line) for line in (tmp_path / "decisions").read_text("utf-8").splitlines()]
    assert [line["cached"] for line in lines] == [False, True, False, False]
    assert {line["rules"] for line in lines} == {engine.rulebook.sha256}
    asked = {"model": "qwen-3-14b", "device": "m1-16gb", "workload": "chat"}
    assert asked.items() <= lines[0]["question"].items()
    assert lines[0]["answer"] == lines[1]["answer"] == lines[2]["answer"] == hashlib.sha256(first.data).hexdigest()
    assert lines[3]["question"]["overrides"] == {"headroom_share": 0.1}
    assert lines[3]["question"]["own"]["device"]["memory"] == 48
    assert answer_question(engine, read_question(engine.rulebook, lines[0]["question"])).to_dict() == first.get_json()


def test_a_decision_log_that_was_rotated_is_reopened(tmp_path: Path) -> None:
    file = tmp_path / "decisions"
    with noting(file) as client:
        client.get(ADDRESS)
        file.rename(tmp_path / "decisions.1")
        client.get(ADDRESS)
    assert len(file.read_text("utf-8").splitlines()) == 1


def test_requests_are_counted_by_route_and_status() -> None:
    client = create_app(LIVE).test_client()
    for address in (ADDRESS, ADDRESS, f"{ADDRESS}?quant=Q9", "/nowhere", "/elsewhere"):
        client.get(address)
    found = figures(client.get("/metrics").get_data(as_text=True))
    assert found["fitcard_requests_total", "/v1/can-run/<pair>", "200"] == 2
    assert found["fitcard_requests_total", "/v1/can-run/<pair>", "400"] == 1
    assert found["fitcard_requests_total", "none", "404"] == 2
    assert found["fitcard_request_duration_seconds_count", "/v1/can-run/<pair>"] == 3
    assert (found["fitcard_cache_total", "miss"], found["fitcard_cache_total", "hit"]) == (1, 1)
    assert found["fitcard_cache_entries",] == 1


def test_two_services_count_each_for_itself() -> None:
    one, other = create_app(LIVE).test_client(), create_app(LIVE).test_client()
    one.get("/health")
    name = ("fitcard_requests_total", "/health", "200")
    assert figures(one.get("/metrics").get_data(as_text=True))[name] == 1
    assert name not in figures(other.get("/metrics").get_data(as_text=True))


def test_metrics_show_the_rules_and_their_reloads(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    client = create_app(live).test_client()

    def now() -> dict[tuple[Any, ...], float]:
        return figures(client.get("/metrics").get_data(as_text=True))

    before = live.rulebook.sha256
    assert any(name[0] == "fitcard_rules_info" and before in name for name in now())
    copy.edit("rules/physics/decode.yaml", "expr: 1 / step_time", "expr: 1 / step_tme")
    live.poll()
    assert (now()["fitcard_reloads_total", "failed"], now()["fitcard_rules_last_reload_successful",]) == (1, 0)
    copy.edit("rules/physics/decode.yaml", "expr: 1 / step_tme", "expr: 2 / step_time / 2")
    live.poll()
    assert (now()["fitcard_reloads_total", "succeeded"], now()["fitcard_rules_last_reload_successful",]) == (1, 1)
    assert not any(before in name for name in now())


def test_metrics_can_be_left_out() -> None:
    response = create_app(LIVE, options=Options(metrics=False)).test_client().get("/metrics")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")
