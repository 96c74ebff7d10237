"""Rows and conditions that nothing reaches: evaluated over the entries that they depend on, up to a limit."""

from __future__ import annotations

import pytest

from fitcard.lint import unused
from fitcard.lint.run import run_checks
from fitcard.lint.sample import exhaustive_count
from helpers.workplace import Workplace

DEVICES = 3
BAND = """\
  speed:
    kind: bands
    input: device.bandwidth
    unit: word
    about: Bandwidth in a word.
    label: Speed
    shown: true
    rows:
      - {at_least: 900000, gives: fast}
      - {otherwise: slow}
counts:
"""
LOAD_TIME = "min(device.bandwidth, storage_bandwidth)"
SLOWEST = "(storage_bandwidth if device.bandwidth > storage_bandwidth else device.bandwidth)"
NO_ENTRY = "neither a catalog entry nor a test reaches"
NO_SAMPLE = "neither a sampled question nor a test reaches"


def messages(place: Workplace, *, thorough: bool = False) -> list[str]:
    return [problem.message for problem in run_checks(place.folders, thorough=thorough)[1]]


@pytest.fixture
def unreached(small: Workplace) -> Workplace:
    """Rules with a row that depends on devices alone, a row that depends on models too, and a constant condition."""
    small.edit("rules/fit.yaml", "counts:\n", BAND)
    small.edit("rules/fit.yaml", "{at_most: 0.5, gives: easy}", "{at_most: 0.01, gives: easy}")
    small.edit("rules/fit.yaml", LOAD_TIME, SLOWEST)
    return small


def test_parts_are_evaluated_over_the_axes_that_they_depend_on(
    unreached: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unused, "_exhaustive_cost", lambda rules, _, axes: exhaustive_count(rules, axes))
    monkeypatch.setattr(unused, "COMPILATION", 0)
    monkeypatch.setattr(unused, "MAX_EXHAUSTIVE_OPERATIONS", DEVICES)
    assert messages(unreached) == [
        "no question over the catalogs covers `device.bandwidth > storage_bandwidth` being false",
        f"{NO_SAMPLE} row 1 of `fit`",
        f"{NO_ENTRY} row 1 of `speed`",
    ]


def test_beyond_the_limit_only_the_sample_and_the_tests_are_stated(
    unreached: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = messages(unreached)
    assert f"{NO_ENTRY} row 1 of `fit`" in everything
    monkeypatch.setattr(unused, "MAX_EXHAUSTIVE_OPERATIONS", 0)
    assert messages(unreached) == [f"{NO_SAMPLE} row 1 of `fit`", f"{NO_SAMPLE} row 1 of `speed`"]
    assert messages(unreached, thorough=True) == everything
