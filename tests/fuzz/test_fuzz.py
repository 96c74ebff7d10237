"""Each target for some seconds; `python tests/fuzz` runs them for longer."""

from __future__ import annotations

import random

import pytest

from fuzz.runner import Outcome, run, run_input
from fuzz.targets import TARGETS

SEED, SECONDS = 19, 3.0


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_are_accepted_or_end_in_a_problem(name: str) -> None:
    outcome = run(TARGETS[name], SEED, SECONDS)
    assert outcome.failed_input is None, f"{name} --seed {SEED} --input {outcome.failed_input}\n{outcome.failure}"
    assert outcome.inputs > 1


def test_a_failure_is_repeated_by_its_number() -> None:
    def target(chance: random.Random) -> str:
        assert chance.random() < 0.9
        return "accepted"

    outcome = run(target, SEED, SECONDS)
    assert outcome.failed_input == outcome.inputs - 1
    again = Outcome()
    run_input(target, SEED, outcome.failed_input, again)
    assert again.failed_input == outcome.failed_input
