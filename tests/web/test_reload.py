"""Reload: the service replaces its rules as a whole, or keeps the last valid ones and reports the problems."""

from __future__ import annotations

import itertools
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fitcard import reload
from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.reload import ReloadingEngine, ReloadState
from fitcard.source.folders import Folders
from fitcard.web.app import create_app
from fitcard.web.options import Options
from helpers.reload_faults import FAILING, Fault, change, invalid_rule
from helpers.served import eventually
from helpers.workplace import Workplace

QUESTION = "/v1/can-run/llava-1.6-13b-on-rtx-3090-24gb?workload=chat&profile=reference"
GOOD = ("rules/profiles/reference.yaml", "value: 0.088", "value: 0.044")
BAD = ("rules/physics/decode.yaml", "expr: 1 / step_time", "expr: 1 / step_tme")
THREADS, QUESTIONS = 16, int(os.environ.get("FITCARD_TEST_QUESTIONS", "40"))


def test_a_changed_file_is_taken_over_at_the_next_look(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    client = create_app(live).test_client()
    before = client.get(QUESTION).get_json()
    assert not live.poll()
    copy.edit(*GOOD)
    assert live.poll()
    after = client.get(QUESTION).get_json()
    assert after["ttft_ms"] == pytest.approx(before["ttft_ms"] / 2)
    assert after["rules"]["sha256"] != before["rules"]["sha256"]
    assert client.get("/status").get_json()["reloads"] == {"succeeded": 1, "failed": 0}


def test_cached_parts_of_pages_are_rendered_again_after_a_reload(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    client = create_app(live).test_client()
    page = "/can-run/llava-1.6-13b-on-rtx-3090-24gb"
    changed = [("catalogs/runtimes.yaml", "name: llama.cpp", "name: Llama in C"),
               ("catalogs/messages/en.yaml", 'page_tiers: "Tier list"', "page_tiers: Stairs")]  # fmt: skip
    before = client.get(page).get_data(as_text=True)
    for edit in changed:
        copy.edit(*edit)
    assert live.poll(), live.state.problems
    after = client.get(page).get_data(as_text=True)
    assert [("Llama in C" in text, ">Stairs<" in text) for text in (before, after)] == [(False, False), (True, True)]


def test_a_broken_file_leaves_the_last_valid_rules_and_is_reported_with_its_position(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    client = create_app(live).test_client()
    before = client.get(QUESTION).get_json()
    copy.edit(*BAD)
    assert not live.poll()
    assert client.get(QUESTION).get_json() == before
    assert client.get("/ready").status_code == 200
    status = client.get("/status").get_json()
    problem = status["last_attempt"]["problems"][0]
    assert status["rules"]["sha256"] == before["rules"]["sha256"]
    assert (status["last_attempt"]["succeeded"], status["reloads"]) == (False, {"succeeded": 0, "failed": 1})
    assert (problem["file"], problem["closest"]) == ("rules/physics/decode.yaml", ["step_time"])
    assert not live.poll(), "a broken set is tried once, not again and again"
    copy.edit(BAD[0], BAD[2], BAD[1])
    assert live.poll()
    assert client.get("/status").get_json()["last_attempt"]["succeeded"]


def test_wrong_units_are_not_taken_over(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    copy.edit("rules/physics/prefill.yaml", "prompt_tokens / prefill_time", "prefill_time / prompt_tokens")
    assert not live.poll()
    assert [problem["code"] for problem in live.state.problems] == ["unit-result"]


def test_editors_that_write_by_rename_are_followed(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    path = copy.path(GOOD[0])
    beside = path.with_suffix(".tmp")
    beside.write_text(path.read_text("utf-8").replace(GOOD[1], GOOD[2]), "utf-8")
    stat = path.stat()
    os.utime(beside, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # not even the time of the file tells
    beside.replace(path)
    assert live.poll()


def test_a_link_that_is_set_to_another_folder_is_followed(copy: Workplace, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(copy.folders.rules)
    live = ReloadingEngine(Folders(link, copy.folders.catalogs, copy.folders.schemas))
    other = Workplace(Folders(tmp_path / "next", copy.folders.catalogs, copy.folders.schemas))
    for path in copy.folders.rules.rglob("*.yaml"):
        other.write(f"rules/{path.relative_to(copy.folders.rules)}", path.read_text("utf-8"))
    other.edit(*GOOD)
    assert not live.poll()
    beside = tmp_path / "beside"
    beside.symlink_to(other.folders.rules)
    beside.replace(link)
    assert live.poll()


def test_it_looks_by_itself_while_it_watches(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    before, stop = live.rulebook, live.watch(0.01)
    copy.edit(*GOOD)
    for _ in range(500):
        if live.rulebook is not before:
            break
        threading.Event().wait(0.02)
    stop.set()
    assert live.rulebook is not before


def test_every_answer_belongs_to_the_hash_it_carries_while_files_change(copy: Workplace) -> None:
    live = ReloadingEngine(copy.folders)
    app = create_app(live)
    expected: dict[str, float] = {}

    def note() -> None:
        question = read_question(
            live.rulebook,
            {"model": "llava-1.6-13b", "device": "rtx-3090-24gb", "workload": "chat", "profile": "reference"},
        )
        expected[live.rulebook.sha256] = answer_question(live.engine, question).to_dict()["ttft_ms"]

    note()
    seen: list[tuple[int, str, float]] = []
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for edit in (GOOD, BAD, (BAD[0], BAD[2], BAD[1]), (GOOD[0], GOOD[2], GOOD[1])):
                copy.edit(*edit)
                live.poll()
                note()

    def ask() -> None:
        client = app.test_client()
        for _ in range(QUESTIONS):
            response = client.get(QUESTION)
            body = response.get_json()
            seen.append((response.status_code, body["rules"]["sha256"], body["ttft_ms"]))

    changing = threading.Thread(target=change)
    asking = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in (changing, *asking):
        thread.start()
    for thread in asking:
        thread.join()
    done.set()
    changing.join()
    assert len(seen) == THREADS * QUESTIONS
    assert {status for status, _, _ in seen} == {200}
    assert [row for row in seen if expected[row[1]] != row[2]] == []
    assert live.state.succeeded > 0
    assert live.state.failed > 0


@pytest.mark.parametrize("fault", FAILING, ids=lambda fault: fault.__name__)
def test_whatever_prevents_loading_is_reported_and_loading_is_tried_again(small: Workplace, fault: Fault) -> None:
    live = ReloadingEngine(small.folders)
    before, stop = live.rulebook.sha256, live.watch(0.01)
    try:
        with fault(small):
            live.request()
            assert eventually(lambda: live.state.failing_since is not None)
            assert (live.rulebook.sha256, live.status()["last_attempt"]["succeeded"]) == (before, False)
            assert all(problem["message"] for problem in live.state.problems)
            json.dumps(live.status()).encode()
        change(small, 8)
        assert eventually(lambda: live.rulebook.sha256 != before)
        assert eventually(lambda: live.state.failing_since is None)
        assert live.status()["last_attempt"] == {**live.status()["last_attempt"], "succeeded": True, "problems": []}
    finally:
        stop.set()


def test_files_that_change_without_a_pause_are_loaded_after_a_time(
    small: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = ReloadingEngine(small.folders)
    before, numbers = live.rulebook, itertools.count(3)
    fingerprint = reload.fingerprint

    def changing(folders: Folders) -> str:
        change(small, next(numbers))
        return fingerprint(folders)

    monkeypatch.setattr(reload, "fingerprint", changing)
    assert not live.poll()
    assert live.rulebook is before
    live.now = lambda: datetime.now(UTC) + timedelta(seconds=reload.MAX_UNSETTLED_SECONDS)
    assert live.poll()


def test_a_cause_outside_of_the_files_is_tried_again_less_and_less_often(
    small: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, attempts = datetime.now(UTC), []
    live = ReloadingEngine(small.folders, now=lambda: now)

    def fail(*_: object) -> None:
        attempts.append((now - started).total_seconds())
        raise OSError("disk")

    monkeypatch.setattr(reload, "load_checked", fail)
    started = now
    live.poll(requested=True)
    for _ in range(200):
        now += timedelta(seconds=1)
        live.poll()
    assert attempts == [0, 2, 6, 14, 30, 62, 122, 182]
    assert live.is_stale(199)
    assert not live.is_stale(201)


def test_a_service_whose_rules_have_failed_to_load_for_too_long_is_not_ready(small: Workplace) -> None:
    live = ReloadingEngine(small.folders)
    client = create_app(live, options=Options(max_stale=60)).test_client()
    with invalid_rule(small):
        live.poll()
        assert client.get("/ready").status_code == 200
        live.now = lambda: datetime.now(UTC) + timedelta(seconds=61)
        refused = client.get("/ready")
        assert (refused.status_code, refused.get_json()["problems"][0]["code"]) == (503, "rules-stale")
        assert client.get("/health").status_code == 200
    live.poll()
    assert client.get("/ready").status_code == 200


def test_a_forked_process_reads_what_is_known_from_the_one_that_loads(small: Workplace, tmp_path: Path) -> None:
    live = ReloadingEngine(small.folders)
    live.share_state(tmp_path / "state.json")
    with invalid_rule(small):
        live.poll()
        state = ReloadState.read(tmp_path / "state.json")
        assert state == replace(live.state, problems=state.problems)
        assert [dict(problem) for problem in state.problems] == live.status()["last_attempt"]["problems"]
