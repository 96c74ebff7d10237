"""How long `fitcard sweep` takes, as a whole process, on our catalogs and on catalogs four times as large.

Run: `pytest tests/benchmarks/test_sweeping.py --benchmark-only -o addopts= -s`. Beside it stand the evaluation of the
same parts in one thread, without writing anything, and a sweep of one answer, which is what reading and checking the
rules takes. The peak of memory is that of the process itself; it is printed with what it was once the rules were read.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from large_catalog import enlarge

from fitcard.rulebook.rulebook import Rulebook
from fitcard.sweep.rows import compute_rows
from fitcard.sweep.selection import read_sweep
from helpers.workplace import Workplace

MEASURED = """
import resource, sys
from fitcard.commands import questions
from fitcard.commands.main import main
read = questions.load_or_leave
def told(folders):
    rulebook = read(folders)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
    return rulebook
questions.load_or_leave = told
main(standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
ONE = ("--model", "llama-3.1-8b", "--device", "4090", "--quant", "Q4_K_M", "--workload", "chat", "--mode", "balanced")
QUANTS = 8


def some_of(rulebook: Rulebook, models: int, devices: int) -> dict[str, str]:
    counts = {"model": models, "device": devices, "quant": QUANTS}
    named = {axis: ",".join(rulebook.catalog_of(axis).ids[:count]) for axis, count in counts.items()}
    return {**named, "mode": "balanced"}


def options(asked: dict[str, str]) -> tuple[str, ...]:
    return tuple(word for axis, entries in asked.items() for word in (f"--{axis}", entries))


def swept(benchmark: Any, target: Path, *words: str, rounds: int = 1) -> None:
    command = [sys.executable, "-c", MEASURED, *words, "--out", str(target), "--json", "--force"]
    ended = benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=rounds)
    told = json.loads(ended.stdout)
    read, peak = (int(line) / 1024 for line in ended.stderr.split()[-2:])
    benchmark.extra_info.update(answers=told["answers"], rate=round(told["answers_per_second"]), peak_mb=round(peak))
    print(f"\n{told['answers']:,} answers, {told['answers_per_second']:,.0f} a second, {told['bytes'] / 1e6:.0f} MB")
    print(f"memory: {read:.0f} MB once rules are read, {peak:.0f} MB at most")


@pytest.mark.benchmark(group="sweep as a whole process")
def test_one_answer(benchmark: Any, tmp_path: Path) -> None:
    swept(benchmark, tmp_path / "answers.csv", "sweep", *ONE, "--workers", "1", rounds=2)


@pytest.mark.benchmark(group="sweep as a whole process")
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("form", ["parquet"])
def test_three_million_answers(benchmark: Any, rulebook: Rulebook, tmp_path: Path, form: str, workers: str) -> None:
    words = options(some_of(rulebook, 250, 300))
    swept(benchmark, tmp_path / f"answers.{form}", "sweep", *words, "--workers", workers, rounds=2)


@pytest.mark.benchmark(group="sweep as a whole process")
def test_every_answer(benchmark: Any, tmp_path: Path) -> None:
    swept(benchmark, tmp_path / "answers.parquet", "sweep", "--workers", "2")


@pytest.mark.benchmark(group="sweep as a whole process")
def test_four_times_as_many(benchmark: Any, whole_copy: Workplace, tmp_path: Path) -> None:
    enlarge(whole_copy, 600, 500)
    words = options(some_of(whole_copy.load(), 500, 600))
    swept(benchmark, tmp_path / "answers.parquet", *whole_copy.options, "sweep", *words, "--workers", "2")


@pytest.mark.benchmark(group="evaluation alone")
def test_three_million_answers_evaluated(benchmark: Any, rulebook: Rulebook) -> None:
    sweep = read_sweep(rulebook, some_of(rulebook, 250, 300))

    def evaluated() -> int:
        return sum(compute_rows(sweep, number).count for number in range(len(sweep.parts)))

    assert benchmark.pedantic(evaluated, rounds=2) == sweep.parts.count
