"""Times of a contest: all variants in turn, round after round, so that what slows the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from suite.contest import Contest, Took, Variant

LOW, MIDDLE, HIGH = 10, 50, 90  # percentiles: the spread lies between the first and the last
FEWEST_ROUNDS = 3
MOST_LOOPS, SHORTEST = 100_000, 1e-9


@dataclass(frozen=True)
class Effort:
    """At most so many rounds and seconds for a contest, and the least seconds that one sample takes."""

    rounds: int
    seconds: float
    sample: float


WHOLE, QUICK = Effort(15, 20.0, 0.05), Effort(5, 4.0, 0.01)


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and between which most of them lie."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """The spread of one number or more."""
        low, median, high = (float(found) for found in np.percentile(numbers, [LOW, MIDDLE, HIGH]))
        return cls(median, low, high)


@dataclass(frozen=True)
class Result:
    """One variant: seconds of one run, and how many times those of the yardstick in the same round."""

    variant: str
    seconds: Spread
    ratio: Spread
    things: float
    ours: bool
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """How many things are done in a second."""
        return self.things / self.seconds.median


def measured(contest: Contest, effort: Effort) -> list[Result]:
    """A result for each variant, the yardstick's first. All but long ones have been run before they are timed."""
    loops = {variant.name: _loops(variant, contest, effort) for variant in contest.variants}
    times: dict[str, list[float]] = {variant.name: [] for variant in contest.variants}
    figures: dict[str, dict[str, float]] = {variant.name: {} for variant in contest.variants}
    started = time.perf_counter()
    for number in range(effort.rounds):
        if number >= FEWEST_ROUNDS and time.perf_counter() - started > effort.seconds:
            break
        for variant in contest.variants:
            took = _timed(variant, loops[variant.name])
            times[variant.name].append(took.seconds)
            figures[variant.name] |= took.figures
    yardstick = times[contest.variants[0].name]
    return [
        Result(
            variant.name,
            Spread.of(times[variant.name]),
            Spread.of([one / other for one, other in zip(times[variant.name], yardstick, strict=True)]),
            variant.things,
            variant.ours and variant is not contest.variants[0],
            figures[variant.name],
        )
        for variant in contest.variants
    ]


def _loops(variant: Variant, contest: Contest, effort: Effort) -> int:
    """How often to run it so that a sample is long enough."""
    if contest.long:
        return 1
    took, loops = _timed(variant, 1), 1
    while took.seconds * loops < effort.sample:
        loops = max(loops + 1, min(MOST_LOOPS, int(effort.sample / max(took.seconds, SHORTEST)) + 1))
        took = _timed(variant, loops)
    return loops


def _timed(variant: Variant, loops: int) -> Took:
    """What one run took, in the middle of so many."""
    started = time.perf_counter()
    for _ in range(loops):
        told = variant.run()
    seconds = (time.perf_counter() - started) / loops
    return told if isinstance(told, Took) else Took(seconds)
