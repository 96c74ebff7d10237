"""An answer keeps the shape that its readers rely on, and every text that they need is there; `check` proves both."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.lint.run import run_checks
from helpers.workplace import Workplace


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "told"),
    [
        (
            "rules/views/answer.yaml",
            "  score: score\n",
            "  scores: score\n",
            "answer-shape",
            "'score' is a required property",
        ),
        ("rules/views/answer.yaml", "  ttft_ms: ttft\n", "", "answer-shape", "'ttft_ms' is a required property"),
        (
            "rules/views/answer.yaml",
            "  grade: grade\n",
            "  grade: fit\n",
            "answer-shape",
            "is not one of ['S', 'A', 'B', 'C', 'D', 'F']",
        ),
        (
            "rules/views/answer.yaml",
            "      vram_gb: weights\n",
            "",
            "answer-shape",
            "`answer.quants` does not match answer.schema.json",
        ),
        (
            "catalogs/messages/en.yaml",
            "  score: Score\n",
            "",
            "message-missing",
            "the text `score` is missing from labels",
        ),
        ("catalogs/messages/en.yaml", "{over:gb}", "{ovr:gb}", "message-slot", "undefined slot `ovr`"),
        (
            "catalogs/messages/en.yaml",
            "  not-a-number:",
            "  not-number:",
            "message-missing",
            "the text `not-a-number` is missing",
        ),
        (
            "catalogs/messages/en.yaml",
            "  fit: Fit\n",
            "  fit: Fit\n  fitt: Fit\n",
            "message-unused",
            "the text `fitt`",
        ),
        (
            "rules/judgement/fit.test.yaml",
            "given: {fit_ratio: 0.95",
            "given: {fit_rato: 0.95",
            "name-unknown",
            "undefined name `fit_rato`",
        ),
        (
            "rules/profiles/reference.test.yaml",
            "device: l4-24gb",
            "device: l4-25gb",
            "unknown-entry",
            "There is no device called 'l4-25gb'.",
        ),
    ],
)
def test_check_finds_what_a_reader_would_miss(
    copy: Workplace, file: str, old: str, new: str, code: str, told: str
) -> None:
    copy.edit(file, old, new)
    problems = run_checks(copy.folders)[1]
    assert any(problem.code == code and told in problem.message for problem in problems), problems
    assert all(problem.position and problem.position.file == file for problem in problems)


def test_the_shape_is_shown_by_an_answer_that_has_everything(copy: Workplace) -> None:
    copy.edit("rules/views/answer.yaml", "price_usd: total_price", "price: total_price")
    assert "answer.upgrades" in run_checks(copy.folders)[1][0].message


def test_a_page_that_lacks_a_word_is_not_drawn_at_all(copy: Workplace) -> None:
    copy.edit("catalogs/messages/en.yaml", "  score: Score\n", "")
    folders = copy.options
    ended = CliRunner().invoke(main, [*folders, "show", "yi-1.5-9b", "l4-24gb"])
    assert ended.exit_code == 1
    assert "the text `score` is missing from labels" in ended.output
