"""Benchmarks that compare ways to do the same work, timed in turn, so that what slows the machine slows all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, find_folders

LOW, MEDIAN, HIGH = 10, 50, 90  # percentiles
MIN_ROUNDS = 3
MAX_LOOPS, MIN_SECONDS = 100_000, 1e-9


@dataclass(frozen=True)
class Timing:
    """Seconds that a run took by its own measure, and other figures of that run, such as peak memory."""

    seconds: float
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """One way to do the work, with `items` done in one run. What `run` returns counts only where it is a Timing.

    A variant that is not `ours`, such as another library, is never reported as better or worse.
    """

    name: str
    run: Callable[[], object]
    items: float = 1
    ours: bool = True


@dataclass(frozen=True)
class Comparison:
    """The same work done in several ways; ratios are relative to the first variant, the yardstick.

    `slow` work is timed once a round, other work as often as fills a sample.
    """

    variants: tuple[Variant, ...]
    unit: str = "run"
    slow: bool = False


@dataclass(frozen=True)
class Setup:
    """The folders that benchmarks read; `quick` ones do less work."""

    folders: Folders
    quick: bool = False

    @classmethod
    def of_project(cls) -> Setup:
        """The project's own folders, or those that the environment names."""
        return cls(find_folders())

    @cached_property
    def engine(self) -> Engine:
        """The engine of the folders. Raises ProblemsError where they hold an error."""
        return compile_rulebook(load(self.folders))

    @property
    def rulebook(self) -> Rulebook:
        """The rulebook of the engine."""
        return self.engine.rulebook


@dataclass(frozen=True)
class Benchmark:
    """A comparison by name. An `optional` one is skipped where a package it compares with is not installed."""

    name: str
    about: str
    set_up: Callable[[Setup], AbstractContextManager[Comparison]]
    optional: bool = False


class NotComparable(Exception):
    """Two ways to do the same work gave different results, or a package is not installed."""


@dataclass(frozen=True)
class Effort:
    """Maximum rounds and seconds for a comparison, and minimum seconds of a sample."""

    rounds: int
    seconds: float
    sample: float


FULL, QUICK = Effort(15, 20.0, 0.05), Effort(5, 4.0, 0.01)


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, with their 10th and 90th percentile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """The spread of one number or more."""
        low, median, high = (float(number) for number in np.percentile(numbers, [LOW, MEDIAN, HIGH]))
        return cls(median, low, high)


@dataclass(frozen=True)
class Result:
    """Seconds of one run of a variant, and their ratio to those of the yardstick in the same round."""

    variant: str
    seconds: Spread
    ratio: Spread
    items: float
    ours: bool
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Items per second."""
        return self.items / self.seconds.median


def measure(comparison: Comparison, effort: Effort) -> list[Result]:
    """A result for each variant, the yardstick's first. All but slow ones are run once before they are timed."""
    variants = comparison.variants
    loops = {variant.name: _loops(variant, comparison, effort) for variant in variants}
    seconds: dict[str, list[float]] = {variant.name: [] for variant in variants}
    figures: dict[str, dict[str, float]] = {variant.name: {} for variant in variants}
    started = time.perf_counter()
    for number in range(effort.rounds):
        if number >= MIN_ROUNDS and time.perf_counter() - started > effort.seconds:
            break
        for variant in variants:
            timing = _timed(variant, loops[variant.name])
            seconds[variant.name].append(timing.seconds)
            figures[variant.name] |= timing.figures
    yardstick = seconds[variants[0].name]
    return [
        Result(
            variant.name,
            Spread.of(seconds[variant.name]),
            Spread.of([own / other for own, other in zip(seconds[variant.name], yardstick, strict=True)]),
            variant.items,
            variant.ours and variant is not variants[0],
            figures[variant.name],
        )
        for variant in variants
    ]


def _loops(variant: Variant, comparison: Comparison, effort: Effort) -> int:
    """Runs that fill a sample."""
    if comparison.slow:
        return 1
    timing, loops = _timed(variant, 1), 1
    while timing.seconds * loops < effort.sample:
        loops = max(loops + 1, min(MAX_LOOPS, int(effort.sample / max(timing.seconds, MIN_SECONDS)) + 1))
        timing = _timed(variant, loops)
    return loops


def _timed(variant: Variant, loops: int) -> Timing:
    """The mean timing of one run out of `loops`."""
    started = time.perf_counter()
    for _ in range(loops):
        returned = variant.run()
    seconds = (time.perf_counter() - started) / loops
    return returned if isinstance(returned, Timing) else Timing(seconds)
