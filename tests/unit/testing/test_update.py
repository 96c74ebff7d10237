"""`fitcard test --update`: new expectations are shown first, then written in place; nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from helpers.workplace import Workplace

TESTS = """# what a device must give
kind: tests
title: Fit
tests:
  - name: Llama 70B   # the large one
    given: {model: llama-3.1-70b, device: h100-80gb, context: 8500}
    expect: {runs: false, fit: none, load_time: 9.50, price: 30000}  # as printed
    within: printed
  - name: Llama 8B
    given: {model: llama-3.1-8b}
    expect:
      price: 750   # dollars
"""
UPDATED = TESTS.replace("runs: false, fit: none, load_time: 9.50", "runs: true, fit: tight, load_time: 9.60").replace(
    "price: 750 ", "price: 700 "
)
FILE = "rules/fit.test.yaml"


@pytest.fixture
def update(small: Workplace) -> Callable[..., Result]:
    small.write(FILE, TESTS)
    return lambda *words, **more: CliRunner().invoke(main, [*small.options, "test", "--update", *words], **more)


def test_every_change_is_shown_with_its_position_and_inputs(update: Callable[..., Result]) -> None:
    shown = update(input="n\n").output
    assert f"{FILE}:7:49: load_time: 9.50 -> 9.60  <- " in shown
    assert f"{FILE}:7:32: fit: none -> tight" in shown
    assert "Write 4 new expectations?" in shown


def test_no_file_is_written_without_confirmation(update: Callable[..., Result], small: Workplace) -> None:
    update(input="n\n")
    assert small.path(FILE).read_text("utf-8") == TESTS


def test_only_figures_change(update: Callable[..., Result], small: Workplace) -> None:
    assert "written: 4" in update(input="y\n").output
    assert small.path(FILE).read_text("utf-8") == UPDATED
    assert update("--yes").exit_code == 0


def test_a_test_that_cannot_run_is_not_updated(update: Callable[..., Result], small: Workplace) -> None:
    small.edit(FILE, "model: llama-3.1-8b", "model: llama-3.1-b8")
    update("--yes")
    assert "price: 750   # dollars" in small.path(FILE).read_text("utf-8")
