"""Every answer over the catalog, in a process of its own, for its peak memory: how both grow with the catalog.

Computed as `fitcard sweep` does, in parts on threads, and written nowhere. Run as a module it sweeps a share of the
entries and says how many answers there were, and in how many seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, find_folders
from fitcard.sweep.rows import compute_rows
from fitcard.sweep.selection import Sweep, read_sweep
from suite.alone import run_alone
from suite.contest import Bench, Contest, Setting, Took, Variant

MOST_THREADS = 4
SHARES = (Fraction(1, 32), Fraction(1, 8), Fraction(1))


def sweep_of(rulebook: Rulebook, share: Fraction) -> Sweep:
    """Every question over this share of the entries of the longest axis."""
    every = read_sweep(rulebook, {})
    longest = max(every.ids, key=lambda axis: len(every.ids[axis]))
    some = every.ids[longest][: max(1, int(len(every.ids[longest]) * share))]
    return replace(every, ids={**every.ids, longest: some})


def answered(sweep: Sweep) -> int:
    """Computes all of its answers; says how many there were."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        return sum(pool.map(lambda number: compute_rows(sweep, number).count, range(len(sweep.parts))))


def swept(folders: Folders, share: Fraction) -> Took:
    """A sweep in a process of its own: seconds of the sweep alone, and the peak memory of the process."""
    took, printed = run_alone((sys.executable, "-m", __name__, str(share)), folders)
    return Took(float(json.loads(printed)["seconds"]), took.figures)


@contextmanager
def _sweep(setting: Setting) -> Iterator[Contest]:
    rulebook = setting.rulebook
    shares = SHARES[:-1] if setting.quick else SHARES

    def variant(share: Fraction) -> Variant:
        questions = sweep_of(rulebook, share).parts.count
        name = f"{share} of the catalog" if share < 1 else "the whole catalog"
        return Variant(name, lambda: swept(setting.folders, share), questions)

    yield Contest(tuple(variant(share) for share in shares), "answer", long=True)


BENCHES = (Bench("sweep", "every answer over the catalog, and how time and peak memory grow with it", _sweep),)


def main() -> None:
    """Sweeps the share that is named, and prints what came of it as JSON."""
    sweep = sweep_of(load(find_folders()), Fraction(sys.argv[1]))
    started = time.perf_counter()
    answers = answered(sweep)
    print(json.dumps({"seconds": time.perf_counter() - started, "answers": answers}))


if __name__ == "__main__":
    main()
