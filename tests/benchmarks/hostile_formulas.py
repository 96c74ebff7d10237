"""How long hostile formulas keep whoever reads them: the milliseconds of each, the median of several, slowest first.

Run: `PYTHONPATH=tests python tests/benchmarks/hostile_formulas.py`.
"""

from __future__ import annotations

import statistics
import time
from contextlib import suppress

from fitcard.language.expression import ExpressionError, parse
from helpers.hostile_formulas import FORMULAS

TIMES = 9
SHOWN = 15


def milliseconds(formula: str) -> float:
    """How long it takes to refuse the formula, or to read it where only its names are strange."""
    started = time.perf_counter()
    with suppress(ExpressionError):
        parse(formula)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Prints the figures."""
    parse("a + 1")
    took = {formula: statistics.median(milliseconds(formula) for _ in range(TIMES)) for formula in FORMULAS}
    slowest = sorted(took, key=lambda formula: -took[formula])
    for formula in slowest[:SHOWN]:
        print(f"{took[formula]:8.3f} ms  {formula[:60]!a}")
    print(f"{len(took)} formulas: {sum(took.values()):.1f} ms, the slowest {took[slowest[0]]:.3f} ms")


if __name__ == "__main__":
    main()
