"""The service as a process: start, slow and idle clients, and shutdown."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.served import Served
from helpers.workplace import Workplace

QUESTIONS = 3000  # a batch that takes longer than a signal to the service
BATCH = json.dumps(
    {"questions": [{"model": "llama-3.1-70b", "context": 1000 + number % 900} for number in range(QUESTIONS)]}
)
LARGE = (
    "--body-bytes",
    "1000000",
    "--batch-questions",
    str(QUESTIONS),
    "--batch-seconds",
    "60",
    "--response-bytes",
    "100000000",
)
ADDRESS = "/v1/rules"


def test_a_stopping_service_accepts_no_requests_and_answers_those_in_progress(serve: Callable[..., Served]) -> None:
    served = serve(*LARGE)
    answered: list[tuple[int, bytes]] = []

    def ask() -> None:
        with served.connection() as connection:
            connection.request("POST", "/v1/batch", BATCH, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answered.append((response.status, response.read()))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)  # the batch takes longer
    served.process.send_signal(signal.SIGTERM)
    asking.join()
    assert served.end() == 0
    ((status, body),) = answered
    assert status == 200
    assert [one["status"] for one in json.loads(body)["answers"]] == [200] * QUESTIONS
    with pytest.raises(OSError, match="refused"):
        served.get("/health")


def test_a_stopping_service_answers_all_queued_requests(serve: Callable[..., Served]) -> None:
    served = serve(*LARGE, "--threads", "2")
    callers, some = 12, json.dumps({"questions": json.loads(BATCH)["questions"][:400]})
    answered: list[tuple[int, int]] = []
    asked = threading.Barrier(callers + 1)

    def ask() -> None:
        with served.connection() as connection:
            connection.request("POST", "/v1/batch", some, {"Content-Type": "application/json"})
            asked.wait()
            response = connection.getresponse()
            answered.append((response.status, len(json.loads(response.read())["answers"])))

    asking = [threading.Thread(target=ask) for _ in range(callers)]
    for thread in asking:
        thread.start()
    asked.wait()  # all are sent; two are answered at once, the others are queued
    time.sleep(0.2)
    served.process.send_signal(signal.SIGTERM)
    for thread in asking:
        thread.join()
    assert answered == [(200, 400)] * callers
    assert served.end() == 0


def test_a_server_module_in_the_working_folder_is_not_imported(serve: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("raise SystemExit('another server')\n")
    assert serve(folder=tmp_path).get("/health")[0] == 200


def test_an_idle_connection_does_not_delay_shutdown(serve: Callable[..., Served]) -> None:
    served = serve("--patience-seconds", "1000")
    with served.connection() as connection:
        connection.request("GET", "/health")
        connection.getresponse().read()  # and stays open
        served.process.send_signal(signal.SIGINT)
        assert served.end() == 0


def test_requests_that_do_not_end_in_time_are_aborted_and_counted(serve: Callable[..., Served]) -> None:
    served = serve("--patience-seconds", "0.5")
    with socket.create_connection(("127.0.0.1", served.port)) as half:
        half.sendall(b"GET /health HTTP/1.1\r\n")
        time.sleep(0.3)
        served.process.send_signal(signal.SIGTERM)
        assert served.end() == 0
    assert any("aborted: 1" in line for line in served.lines)


def test_a_draining_service_answers_and_is_not_ready(serve: Callable[..., Served]) -> None:
    served = serve("--drain-seconds", "3")
    assert served.get("/ready")[0] == 200
    served.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    status, headers = served.get("/ready")
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert served.get(ADDRESS)[0] == 200
    assert served.end() == 0


def test_a_slow_request_is_aborted_and_others_are_answered(serve: Callable[..., Served]) -> None:
    served = serve("--threads", "1", "--arrival-seconds", "1")
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as slow:
        slow.sendall(b"GET /health HTTP/1.1\r\n")
        assert served.get("/health")[0] == 200
        closed = False
        for _ in range(40):  # one byte at a time: waitress alone would wait forever
            time.sleep(0.25)
            try:
                slow.sendall(b"X")
            except OSError:
                closed = True
                break
        assert closed
    assert served.get("/health")[0] == 200


@pytest.mark.parametrize(("asked", "closed"), [({}, False), ({"Connection": "close"}, True)])
def test_a_connection_stays_open_after_304_unless_closed_by_the_client(
    serve: Callable[..., Served], asked: dict[str, str], closed: bool
) -> None:
    served = serve()
    with served.connection() as connection:
        connection.request("GET", ADDRESS)
        response = connection.getresponse()
        response.read()
        for _ in range(2):
            connection.request("GET", ADDRESS, headers={"If-None-Match": response.headers["ETag"], **asked})
            same = connection.getresponse()
            assert (same.status, same.read(), same.will_close) == (304, b"", closed)


def test_long_headers_are_refused(serve: Callable[..., Served]) -> None:
    served = serve("--header-bytes", "1000")
    assert served.get("/health", {"X-Long": "x" * 2000})[0] == 431


def test_requests_are_logged_on_standard_error_and_no_header_names_the_server(serve: Callable[..., Served]) -> None:
    served = serve("--log", "json")
    _, headers = served.get(ADDRESS)
    assert headers["Server"] is None
    served.process.send_signal(signal.SIGTERM)
    assert served.end() == 0
    (line,) = [json.loads(line) for line in served.lines if "request_id" in line]
    assert (line["path"], line["status"], line["request_id"]) == (ADDRESS, 200, headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate-limit", "often"], "often"),
        (["--api-keys", "nowhere.txt"], "nowhere.txt"),
        (["--decision-log", "nowhere/log"], "nowhere/log"),
        (["--log", "xml"], "'xml' is not one of"),
        (["--rate-limit", "0/minute"], "at least one request"),
        (["--rate-limit", "1/9999year"], "at most a year"),
        (["--batch-seconds", "nan"], "nan is not a number of seconds"),
        (["--max-stale-seconds", "inf"], "inf is not a number of seconds"),
        (["--site", "javascript:alert(1)"], "must start with http://"),
        (["--proxy-network", "10.0.0.1/8"], "10.0.0.1/8 has host bits set"),
        (["--batch-questions", "0"], "0 is not in the range"),
    ],
)
def test_wrong_options_are_refused(small: Workplace, options: list[str], message: str) -> None:
    arguments = [sys.executable, "-m", "fitcard", *small.options, "serve", *options]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode in (1, 2)
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
