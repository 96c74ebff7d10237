"""Runs a target on one input after another, and counts what became of them."""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Target = Callable[[random.Random], str]  # returns `accepted`, or the code of the problem
MAX_INPUT_SECONDS = 5.0
SLOW = "took longer than allowed"


@dataclass
class Outcome:
    """The number of inputs by outcome, the slowest, and the first that failed: its number and the traceback."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    slowest_input: int = 0
    failed_input: int | None = None
    failure: str = ""

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return self.counts.total()


def run(target: Target, seed: int, seconds: float) -> Outcome:
    """Runs a target with inputs 0, 1, 2... until the time is over or one fails."""
    outcome = Outcome()
    until = time.monotonic() + seconds
    while time.monotonic() < until and outcome.failed_input is None:
        run_input(target, seed, outcome.inputs, outcome)
    return outcome


def run_input(target: Target, seed: int, number: int, outcome: Outcome) -> None:
    """Runs a target with the input of this number, and adds what became of it."""
    started = time.process_time()  # other processes do not slow an input
    try:
        word = target(random.Random(f"{seed}-{number}"))
    except Exception:
        word = "failed"
        outcome.failed_input, outcome.failure = number, traceback.format_exc()
    took = time.process_time() - started
    if took > outcome.slowest:
        outcome.slowest, outcome.slowest_input = took, number
    if took > MAX_INPUT_SECONDS and outcome.failed_input is None:
        outcome.failed_input, outcome.failure = number, SLOW
    outcome.counts[word] += 1
