"""How long a tuner waits: for a save in `fitcard watch`, for all checks, and for `fitcard check` as a whole process.

Run: `pytest tests/benchmarks --benchmark-only -o addopts=`. The bare start of Python stands beside them as a measure of
the machine: ratios are what to compare.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import cycle
from typing import Any

import pytest

from fitcard.lint.run import run_checks
from fitcard.lint.watch import Watcher
from fitcard.source.folders import find_folders
from helpers.workplace import Workplace

RUN = [sys.executable, "-m", "fitcard"]


@pytest.mark.benchmark(group="a save in watch")
def test_a_rule_edit_seen_by_watch(benchmark: Any, copy: Workplace) -> None:
    watcher = Watcher(copy.folders)
    watcher.check()
    text = copy.path("rules/physics/decode.yaml").read_text("utf-8")
    texts = cycle([text.replace("value: 0.1\n", "value: 0.11\n"), text])

    def save_and_look() -> bool:
        copy.write("rules/physics/decode.yaml", next(texts))
        return watcher.check().runs

    assert benchmark(save_and_look)


@pytest.mark.benchmark(group="all checks")
def test_all_checks_in_process(benchmark: Any) -> None:
    assert benchmark(lambda: run_checks(find_folders()))[1] == []


@pytest.mark.benchmark(group="all checks")
def test_check_as_a_whole_process(benchmark: Any) -> None:
    ended = benchmark.pedantic(lambda: subprocess.run([*RUN, "check"], capture_output=True, check=False), rounds=5)
    assert ended.returncode == 0


@pytest.mark.benchmark(group="all checks")
def test_the_bare_start_of_python(benchmark: Any) -> None:
    ended = benchmark.pedantic(lambda: subprocess.run([sys.executable, "-c", ""], check=False), rounds=5)
    assert ended.returncode == 0
