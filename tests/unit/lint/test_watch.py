"""`fitcard watch`: each save is checked and tested, and pinned figures are compared with those before it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from fitcard.lint.watch import Watcher, change_lines, first_lines
from fitcard.problems import ProblemsError
from helpers.workplace import Workplace

TIMEOUT = 60  # seconds for the command to start and to see a save
PINS = """
pinned:
  questions:
    - {model: llama-3.1-70b, device: h100-80gb}
    - {model: llama-3.1-8b, device: m1-16gb}
  names: [memory_share, load_time, fit]
"""


@pytest.fixture
def pinned(small: Workplace) -> Workplace:
    small.write("rules/rulebook.yaml", small.path("rules/rulebook.yaml").read_text("utf-8") + PINS)
    return small


def test_the_first_lines_are_the_pinned_figures(pinned: Workplace) -> None:
    assert list(first_lines(Watcher(pinned.folders).check())) == [
        "0 errors, 0 warnings; 2 of 2 tests pass",
        "llama-3.1-70b h100-80gb: memory_share 0.621875, load_time 9.55 s, fit tight",
        "llama-3.1-8b m1-16gb: memory_share 0.5, load_time 1.2 s, fit easy",
    ]


def test_a_save_shows_moved_figures_and_failing_tests(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("catalogs/devices.yaml", "memory: 80", "memory: 99.5")
    second = watcher.check()
    assert list(change_lines(first, first, second)) == [
        "0 errors, 0 warnings; 1 of 2 tests pass",
        "FAILED Llama 70B needs an H100\n    `fit` is easy, expected tight",
        "llama-3.1-70b h100-80gb:",
        "    memory_share 0.621875 -> 0.5 (-19.6 %)",
        "    fit tight -> easy",
        "1 pinned questions unchanged",
    ]


def test_a_second_save_is_also_compared_with_the_start(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/fit.yaml", "value: 5,", "value: 4,")
    second = watcher.check()
    pinned.edit("rules/fit.yaml", "value: 4,", "value: 2,")
    lines = list(change_lines(first, second, watcher.check()))
    assert "    load_time 1.5 s -> 3 s (+100 %; +150 % since the start)" in lines


def test_tests_that_fail_and_pass_again_are_named(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/fit.yaml", "value: 5,", "value: 4,")
    second = watcher.check()
    lines = list(change_lines(first, first, second))
    assert lines[:2] == [
        "0 errors, 0 warnings; 1 of 2 tests pass",
        "FAILED Llama 70B needs an H100\n    `load_time` is 11.9375, expected 9.55",
    ]
    pinned.edit("rules/fit.yaml", "value: 4,", "value: 5,")
    assert "passes again: Llama 70B needs an H100" in list(change_lines(first, second, watcher.check()))


def test_figures_are_not_compared_while_there_are_errors(pinned: Workplace) -> None:
    watcher = Watcher(pinned.folders)
    first = watcher.check()
    pinned.edit("rules/fit.yaml", "device.bandwidth,", "device.bandwith,")
    broken = watcher.check()
    assert not broken.has_figures
    lines = list(change_lines(first, first, broken))
    assert lines[0].startswith("rules/fit.yaml:28:38: error: undefined name `device.bandwith`")
    assert lines[-1] == "no answers until the errors are fixed"


def test_a_wrong_pinned_question_is_reported_at_its_position(pinned: Workplace) -> None:
    pinned.edit("rules/rulebook.yaml", "model: llama-3.1-8b", "model: llama-3.1-b8")
    pinned.edit("rules/rulebook.yaml", "load_time, fit]", "load_tiem, fit]")
    problems = Watcher(pinned.folders).check().problems
    assert [(problem.code, str(problem.position)) for problem in problems] == [
        ("unknown-entry", "rules/rulebook.yaml:28:15"),
        ("name-unknown", "rules/rulebook.yaml:29:25"),
    ]


def test_a_wrong_pin_of_the_command_line_is_refused(pinned: Workplace) -> None:
    with pytest.raises(ProblemsError, match=r"There is no model called 'llama-3\.1-07b'"):
        Watcher(pinned.folders, ({"model": "llama-3.1-07b"},)).check()


def test_the_command_sees_a_save_by_renaming(copy: Workplace) -> None:
    command = [sys.executable, "-u", "-m", "fitcard", *copy.options, "watch", "--pin", "qwen-3-8b rtx-4090-24gb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as watching:
        timeout = threading.Timer(TIMEOUT, watching.terminate)  # else a missed save is awaited forever
        timeout.start()
        try:
            assert watching.stdout is not None
            lines = iter(watching.stdout.readline, "")
            assert any("Ctrl-C to stop" in line for line in lines)
            time.sleep(0.3)  # the file watcher starts after that line
            copy.write("rules/next.txt", copy.path("rules/physics/decode.yaml").read_text("utf-8"))
            copy.edit("rules/next.txt", "expr: 1 / step_time\n", "expr: 2 / step_time\n")
            copy.path("rules/next.txt").rename(copy.path("rules/physics/decode.yaml"))
            moved = next(line for line in lines if "decode_tok_s" in line and "->" in line)
            assert "(+100 %)" in moved
        finally:
            timeout.cancel()
            watching.terminate()
