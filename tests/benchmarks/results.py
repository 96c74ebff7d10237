"""Results of benchmarks as data, and the comparison with a saved run: by ratios, which do not depend on the machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.harness import Benchmark, Comparison, Result
from fitcard import __version__


@dataclass(frozen=True)
class Change:
    """A ratio whose spread does not overlap that of the saved run."""

    benchmark: str
    variant: str
    before: float
    now: float
    worse: bool


@dataclass
class Results:
    """What was measured, in the order of the benchmarks."""

    measured: list[tuple[Benchmark, Comparison, list[Result]]] = field(default_factory=list)

    def add(self, benchmark: Benchmark, comparison: Comparison, results: list[Result]) -> None:
        """Adds the results of one benchmark."""
        self.measured.append((benchmark, comparison, results))

    def as_dict(self) -> dict[str, Any]:
        """All results, ready for JSON."""
        return {
            "version": __version__,
            "machine": {
                "python": platform.python_version(),
                "system": platform.system(),
                "architecture": platform.machine(),
                "cores": os.cpu_count(),
            },
            "benchmarks": {
                benchmark.name: {
                    "about": benchmark.about,
                    "unit": comparison.unit,
                    "variants": {result.variant: _result(result) for result in results},
                }
                for benchmark, comparison, results in self.measured
            },
        }


def _result(result: Result) -> dict[str, Any]:
    return {
        "seconds": asdict(result.seconds),
        "ratio": asdict(result.ratio),
        "items": result.items,
        "per_second": result.per_second,
        "ours": result.ours,
        **({"figures": dict(result.figures)} if result.figures else {}),
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """Ratios of ours that both runs have and whose spreads do not overlap.

    Raises KeyError or TypeError where `before` is no saved run.
    """
    for name, benchmark in now["benchmarks"].items():
        saved = before["benchmarks"].get(name, {"variants": {}})["variants"]
        for variant, result in benchmark["variants"].items():
            if not result["ours"] or variant not in saved:
                continue
            old, new = saved[variant]["ratio"], result["ratio"]
            worse = new["low"] > old["high"]
            if worse or new["high"] < old["low"]:
                yield Change(name, variant, old["median"], new["median"], worse)
