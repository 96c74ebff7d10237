"""Every answer over the catalog: how time and peak memory grow with the catalog, in memory and written to a file.

Computed as `fitcard sweep` does, in parts on threads; `main` runs in a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from benchmarks.harness import Benchmark, Comparison, Setup, Timing, Variant
from benchmarks.process import main_of, run_process
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.rulebook.loader import load
from fitcard.source.folders import Folders, find_folders
from fitcard.sweep.rows import compute_rows
from fitcard.sweep.selection import Sweep, read_sweep

MAX_THREADS = 4
SHARES = (Fraction(1, 32), Fraction(1, 8), Fraction(1))
WORKERS = (1, 2)


def sweep_share(engine: Engine, share: Fraction) -> Sweep:
    """Every question over this share of the entries of the longest axis."""
    every = read_sweep(engine, {})
    longest = max(every.ids, key=lambda axis: len(every.ids[axis]))
    some = every.ids[longest][: max(1, int(len(every.ids[longest]) * share))]
    return replace(every, ids={**every.ids, longest: some})


def count_answers(sweep: Sweep) -> int:
    """Computes all answers; their number."""
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        return sum(pool.map(lambda number: compute_rows(sweep, number).count, range(len(sweep.parts))))


def run_sweep(folders: Folders, share: Fraction) -> Timing:
    """A sweep in a process of its own: seconds of the sweep alone, and the peak memory of the process."""
    timing, output = run_process((*main_of(__name__), str(share)), folders)
    return Timing(float(json.loads(output)["seconds"]), timing.figures)


@contextmanager
def _sweep(setup: Setup) -> Iterator[Comparison]:
    def variant(share: Fraction) -> Variant:
        name = f"{share} of the catalog" if share < 1 else "the whole catalog"
        return Variant(name, lambda: run_sweep(setup.folders, share), sweep_share(setup.engine, share).parts.count)

    yield Comparison(tuple(map(variant, SHARES[:-1] if setup.quick else SHARES)), "answer", slow=True)


@contextmanager
def _sweep_file(setup: Setup) -> Iterator[Comparison]:
    sweep = sweep_share(setup.engine, SHARES[0] if setup.quick else SHARES[1])
    count = sweep.parts.count
    entries = [word for axis, ids in sweep.ids.items() for word in (f"--{axis}", ",".join(ids))]
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "fitcard", "sweep", *entries, "--out", str(Path(folder) / "answers.parquet"))

        def variant(workers: int) -> Variant:
            words = (*command, "--force", "--workers", str(workers))
            return Variant(f"fitcard sweep --workers {workers}", lambda: run_process(words, setup.folders)[0], count)

        in_memory = Variant("evaluation alone", lambda: count_answers(sweep), count)
        yield Comparison((in_memory, *map(variant, WORKERS)), "answer", slow=True)


BENCHMARKS = (
    Benchmark("sweep", "every answer over the catalog: growth of time and peak memory", _sweep),
    Benchmark("sweep-file", "`fitcard sweep` to a Parquet file, beside evaluation alone", _sweep_file),
)


def main() -> None:
    """Sweeps the share that is named, and prints the number of answers and the seconds as JSON."""
    sweep = sweep_share(compile_rulebook(load(find_folders())), Fraction(sys.argv[1]))
    started = time.perf_counter()
    answers = count_answers(sweep)
    print(json.dumps({"seconds": time.perf_counter() - started, "answers": answers}))
