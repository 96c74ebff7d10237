"""A service of several processes: they answer alike, count together, and change their rules together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.served import Listening, Served, end_service, eventually, read_port
from helpers.workplace import Workplace

pytest.importorskip("gunicorn")

Serve = Callable[..., Served]
QUESTION = "/v1/can-run/llama-3.1-70b-on-h100-80gb"
ROOT = Path(__file__).parents[2]


def workers_of(served: Served) -> list[int]:
    """The ids of the processes that answer."""
    children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children")
    return [int(child) for child in children.read_text("ascii").split()]


def counted(served: Listening, name: str) -> float:
    """The sum of a metric over its labels."""
    lines = [line for line in served.text("/metrics").splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def sha256_of(served: Listening, times: int) -> set[str]:
    """The hashes of the rules of a number of answers, each over a connection of its own."""
    return {served.json(f"{QUESTION}?context={1000 + number}")["rules"]["sha256"] for number in range(times)}


@pytest.fixture
def followed(serve: Serve) -> Served:
    return serve("--workers", "2", "--log", "none", "--max-stale-seconds", "0.1")


def test_they_count_together_also_what_an_ended_one_has_counted(followed: Served) -> None:
    name = 'fitcard_requests_total{route="/v1/can-run/<pair>"'
    sha256_of(followed, 12)
    assert counted(followed, name) == 12
    first = workers_of(followed)
    os.kill(first[0], signal.SIGKILL)
    assert eventually(lambda: len(set(workers_of(followed)) - set(first)) == 1)
    sha256_of(followed, 8)
    assert eventually(lambda: counted(followed, name) == 20)
    assert followed.stop() == 0


def test_all_have_the_new_rules_or_none(followed: Served, small: Workplace) -> None:
    (before,) = sha256_of(followed, 4)
    small.edit("rules/fit.yaml", "model.kv_per_token * ", "model.kv_per_tken * ")
    assert eventually(lambda: followed.json("/status")["failing_since"] is not None)
    assert eventually(lambda: followed.get("/ready")[0] == 503)
    assert sha256_of(followed, 6) == {before}
    status = followed.json("/status")
    assert (status["rules"]["sha256"], status["last_attempt"]["succeeded"]) == (before, False)
    small.edit("rules/fit.yaml", "model.kv_per_tken * ", "2 * model.kv_per_token * ")
    assert eventually(lambda: followed.json("/status")["rules"]["sha256"] != before)
    assert eventually(lambda: len(workers_of(followed)) == 2)
    (after,) = sha256_of(followed, 12)
    assert after != before
    assert followed.get("/ready")[0] == 200


def test_the_rate_limit_counts_the_requests_to_all(serve: Serve) -> None:
    served = serve("--workers", "3", "--log", "none", "--rate-limit", "10/hour")
    statuses = [served.get(QUESTION)[0] for _ in range(30)]
    assert statuses == [200] * 10 + [429] * 20


def test_gunicorn_serves_the_application_of_the_checkout(small: Workplace) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for name in ("rules", "catalogs", "schemas"):
        environment[f"FITCARD_{name.upper()}"] = str(getattr(small.folders, name))
    arguments: list[Any] = [sys.executable, "-m", "gunicorn", "--chdir", ROOT, "--bind", "127.0.0.1:0", "server:app"]
    process = subprocess.Popen([*arguments, "--workers", "2"], stderr=subprocess.PIPE, text=True, env=environment)
    served = Served(read_port(process), process)
    try:
        assert served.get(QUESTION)[0] == 200
        assert served.stop() == 0
    finally:
        end_service(served)
