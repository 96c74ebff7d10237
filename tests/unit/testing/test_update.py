"""New expectations are shown first, and written into the place of the old ones with everything else untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from helpers.workplace import Workplace

TESTS = """# what a trip must give
kind: tests
title: Trip
tests:
  - name: a piano   # the big one
    given: {parcel: piano, van: large, distance: 110}
    expect: {goes_in: false, room: none, time: 2.10, fee: 35}  # as printed
    within: printed
  - name: a letter
    given: {parcel: letter}
    expect:
      fee: 21   # euros
"""
UPDATED = TESTS.replace("goes_in: false, room: none, time: 2.10", "goes_in: true, room: enough, time: 2.20").replace(
    "fee: 21 ", "fee: 20 "
)


@pytest.fixture
def update(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    folders = parcels.options
    parcels.write("rules/trip.test.yaml", TESTS)
    return lambda *arguments, **more: CliRunner().invoke(main, [*folders, "test", "--update", *arguments], **more)


def test_every_change_is_shown_with_its_place_and_what_it_was_made_of(update: Callable[..., Result]) -> None:
    shown = update(input="n\n").output
    assert "rules/trip.test.yaml:7:48: time: 2.10 -> 2.20  <- question.distance = 110, town_speed = 50" in shown
    assert "rules/trip.test.yaml:7:36: room: none -> enough" in shown
    assert "Write 4 new expectations?" in shown


def test_nothing_is_written_without_a_yes(update: Callable[..., Result], parcels: Workplace) -> None:
    update(input="n\n")
    assert parcels.path("rules/trip.test.yaml").read_text("utf-8") == TESTS


def test_only_the_figures_change(update: Callable[..., Result], parcels: Workplace) -> None:
    assert "written: 4" in update(input="y\n").output
    assert parcels.path("rules/trip.test.yaml").read_text("utf-8") == UPDATED
    assert update("--yes").exit_code == 0


def test_a_test_that_cannot_run_is_left_to_a_person(update: Callable[..., Result], parcels: Workplace) -> None:
    parcels.edit("rules/trip.test.yaml", "parcel: letter", "parcel: pianoo")
    update("--yes")
    assert "fee: 21   # euros" in parcels.path("rules/trip.test.yaml").read_text("utf-8")
