"""Runs of benchmarks as data, and whether one is worse than another: by ratios, which machines have in common."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fitcard import __version__
from suite.contest import Bench, Contest
from suite.measure import Result


@dataclass(frozen=True)
class Moved:
    """A ratio that is beyond the spread of what it was, and for which side it speaks."""

    bench: str
    variant: str
    was: float
    now: float
    worse: bool


@dataclass
class Results:
    """What was measured so far, in the order of the benches."""

    found: list[tuple[Bench, Contest, list[Result]]] = field(default_factory=list)

    def add(self, bench: Bench, contest: Contest, results: list[Result]) -> None:
        """Adds what came of one bench."""
        self.found.append((bench, contest, results))


def as_data(results: Results) -> dict[str, Any]:
    """All results as JSON takes them; each holds seconds, and ratios that do not depend on the machine."""
    return {
        "version": __version__,
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "processor": platform.machine(),
            "processors": os.cpu_count(),
        },
        "benches": {
            bench.name: {
                "about": bench.about,
                "unit": contest.unit,
                "variants": {
                    result.variant: {
                        "seconds": asdict(result.seconds),
                        "ratio": asdict(result.ratio),
                        "things": result.things,
                        "per_second": result.per_second,
                        "ours": result.ours,
                        **({"figures": dict(result.figures)} if result.figures else {}),
                    }
                    for result in found
                },
            }
            for bench, contest, found in results.found
        },
    }


def moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Moved]:
    """Ratios of ours that both runs have, where the spread of one ends before that of the other begins.

    Raises KeyError or TypeError where `before` is no saved run.
    """
    for name, bench in now["benches"].items():
        known = before["benches"].get(name, {"variants": {}})["variants"]
        for variant, result in bench["variants"].items():
            if not result["ours"] or variant not in known:
                continue
            old, new = known[variant]["ratio"], result["ratio"]
            worse = new["low"] > old["high"]
            if worse or new["high"] < old["low"]:
                yield Moved(name, variant, old["median"], new["median"], worse)
