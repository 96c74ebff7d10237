"""Milliseconds to parse each hostile formula: the median of several runs, slowest first.

Run: `PYTHONPATH=tests python tests/benchmarks/hostile_formulas_time.py`.
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress

from fitcard.language.expression import ExpressionError, parse
from helpers.hostile_formulas import FORMULAS

RUNS = 9
SHOWN = 15


def milliseconds(formula: str) -> float:
    """Time until the formula is refused, or parsed where it is odd only in its names."""
    started = time.perf_counter()
    with suppress(ExpressionError):
        parse(formula)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Prints the figures."""
    parse("a + 1")
    times = {formula: statistics.median(milliseconds(formula) for _ in range(RUNS)) for formula in FORMULAS}
    slowest = sorted(times, key=lambda formula: -times[formula])
    for formula in slowest[:SHOWN]:
        print(f"{times[formula]:8.3f} ms  {formula[:60]!a}")
    print(f"{len(times)} formulas: {sum(times.values()):.1f} ms, the slowest {times[slowest[0]]:.3f} ms")


if __name__ == "__main__":
    main()
