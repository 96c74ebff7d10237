"""How long a reviewer waits for `fitcard diff`, as a whole process, on our catalogs and on catalogs made large.

Run: `pytest tests/benchmarks/test_comparing.py --benchmark-only -o addopts=`. The bare start of Python stands
beside it; peak memory in MB and the number of answers are printed as `extra_info`, and with the results.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from large_catalog import enlarge

from helpers.workplace import Workplace

EDITS = [
    ("rules/physics/memory.yaml", "value: 0.72\n", "value: 0.75\n"),
    ("rules/physics/kv_cache.yaml", "value: 2\n    unit: value/token", "value: 2.1\n    unit: value/token"),
    ("rules/judgement/score.yaml", "at_least: 85", "at_least: 80"),
    ("rules/judgement/modes.yaml", "quality: 0.45, fit: 0.12", "quality: 0.40, fit: 0.17"),
]


def compare(benchmark: Any, copy: Workplace, tmp_path: Path, rounds: int) -> None:
    before = tmp_path / "before"
    for folder in copy.folders.all:
        shutil.copytree(folder, before / folder.name)
    for edit in EDITS:
        copy.edit(*edit)
    report = tmp_path / "diff.json"
    command = [sys.executable, "-m", "fitcard", *copy.options, "diff", str(before), "--save", str(report)]
    ended = benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=False), rounds=rounds)
    assert ended.returncode == 1  # contract cases move
    impact = json.loads(report.read_text("utf-8"))["impact"][0]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    benchmark.extra_info.update(answers=impact["answers"], moved=impact["moved"], peak_mb=round(peak))
    print(f"\n{impact['moved']:,} of {impact['answers']:,} answers moved; at most {peak:.0f} MB")


@pytest.mark.benchmark(group="diff as a whole process")
def test_the_bare_start_of_python(benchmark: Any) -> None:
    ended = benchmark.pedantic(lambda: subprocess.run([sys.executable, "-c", ""], check=False), rounds=5)
    assert ended.returncode == 0


@pytest.mark.benchmark(group="diff as a whole process")
def test_our_catalogs(benchmark: Any, copy: Workplace, tmp_path: Path) -> None:
    compare(benchmark, copy, tmp_path, 3)


@pytest.mark.benchmark(group="diff as a whole process")
def test_twice_as_many_devices(benchmark: Any, copy: Workplace, tmp_path: Path) -> None:
    catalogs = copy.load().catalogs
    enlarge(copy, 2 * len(catalogs["devices"].entries), len(catalogs["models"].entries))
    compare(benchmark, copy, tmp_path, 1)
