"""Watching: each save is checked and tested, and the pinned figures are compared with those before."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from conftest import Workplace
from fitcard.lint.watch import Watcher, change_lines, first_lines
from fitcard.problems import ProblemsError

PATIENCE = 60  # seconds for the command to start and to see a save
PINS = """
pinned:
  questions:
    - {parcel: piano, van: large}
    - {parcel: letter, van: small}
  names: [room_share, time, room]
"""


@pytest.fixture
def pinned(parcels: Workplace) -> Workplace:
    parcels.write("rules/rulebook.yaml", parcels.path("rules/rulebook.yaml").read_text("utf-8") + PINS)
    return parcels


def test_it_begins_with_the_figures_of_the_pinned_questions(pinned: Workplace) -> None:
    assert list(first_lines(Watcher(pinned.folders).check())) == [
        "0 errors, 0 warnings; 2 of 2 tests pass",
        "piano large: room_share 0.5625, time 2 h, room enough",
        "letter small: room_share 0.000333333, time 2 h, room plenty",
    ]


def test_a_save_shows_what_moved_and_which_test_fails(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("catalogs/vans.yaml", "room: 8", "room: 10")
    second = watcher.check()
    assert list(change_lines(first, first, second))[1:] == [
        "0 errors, 1 warning; 1 of 2 tests pass",
        "FAILED a piano needs a large van\n    `room` is plenty, expected enough",
        "piano large:",
        "    room_share 0.5625 -> 0.45 (-20 %)",
        "    room enough -> plenty",
        "1 pinned questions unchanged",
    ]


def test_a_second_save_is_also_compared_with_the_start(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/trip.yaml", "value: 50,", "value: 40,")
    second = watcher.check()
    pinned.edit("rules/trip.yaml", "value: 40,", "value: 20,")
    lines = list(change_lines(first, second, watcher.check()))
    assert "    time 2.5 h -> 5 h (+100 %; +150 % since the start)" in lines


def test_tests_that_fail_now_and_those_that_pass_again_are_named(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/trip.yaml", "value: 50,", "value: 40,")
    second = watcher.check()
    lines = list(change_lines(first, first, second))
    assert lines[:2] == [
        "0 errors, 0 warnings; 1 of 2 tests pass",
        "FAILED a piano needs a large van\n    `time` is 2.5, expected 2",
    ]
    pinned.edit("rules/trip.yaml", "value: 40,", "value: 50,")
    assert "passes again: a piano needs a large van" in list(change_lines(first, second, watcher.check()))


def test_while_there_are_errors_nothing_is_compared_and_the_last_good_state_is_kept(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/trip.yaml", "van.speed,", "van.sped,")
    broken = watcher.check()
    assert not broken.runs
    lines = list(change_lines(first, first, broken))
    assert lines[0].startswith("rules/trip.yaml:20:35: error: undefined name `van.sped`")
    assert lines[-1] == "no answers until the errors are fixed"


def test_a_pinned_question_that_cannot_be_asked_is_told_at_its_place(pinned: Workplace) -> None:
    pinned.edit("rules/rulebook.yaml", "parcel: letter", "parcel: lettre")
    pinned.edit("rules/rulebook.yaml", "time, room]", "tiem, room]")
    problems = Watcher(pinned.folders).check().problems
    assert [(problem.code, str(problem.position)) for problem in problems] == [
        ("unknown-entry", "rules/rulebook.yaml:26:16"),
        ("name-unknown", "rules/rulebook.yaml:27:23"),
    ]


def test_a_pin_of_the_command_line_must_be_askable(pinned: Workplace) -> None:
    with pytest.raises(ProblemsError, match="No parcel is called pinao"):
        Watcher(pinned.folders, ({"parcel": "pinao"},)).check()


def test_the_command_sees_a_save_by_renaming(copy: Workplace) -> None:
    command = [sys.executable, "-u", "-m", "fitcard", *copy.options, "watch", "--pin", "qwen-3-8b rtx-4090-24gb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as watching:
        patience = threading.Timer(PATIENCE, watching.terminate)  # else a save that is not seen is waited for in vain
        patience.start()
        try:
            assert watching.stdout is not None
            lines = iter(watching.stdout.readline, "")
            assert any("Ctrl-C to stop" in line for line in lines)
            time.sleep(0.3)  # the system's own watch begins with the first look after that line
            copy.write("rules/next.txt", copy.path("rules/physics/decode.yaml").read_text("utf-8"))
            copy.edit("rules/next.txt", "expr: 1 / step_time\n", "expr: 2 / step_time\n")
            copy.path("rules/next.txt").rename(copy.path("rules/physics/decode.yaml"))
            said = next(line for line in lines if "decode_tok_s" in line and "->" in line)
            assert "(+100 %)" in said
        finally:
            patience.cancel()
            watching.terminate()
