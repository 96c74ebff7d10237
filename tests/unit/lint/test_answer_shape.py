"""`check` proves that answers keep their schema and that every text is there."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.lint.generated_schemas import generated_schemas, schema_text
from fitcard.lint.run import run_checks
from fitcard.source.folders import Folders, find_folders
from helpers.workplace import Workplace


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "expected"),
    [
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
def test_check_finds_a_value_that_readers_of_the_answer_need(
    copy: Workplace, file: str, old: str, new: str, code: str, expected: str
) -> None:
    copy.edit(file, old, new)
    problems = run_checks(copy.folders)[1]
    assert any(problem.code == code and expected in problem.message for problem in problems), problems
    assert all(problem.position and problem.position.file == file for problem in problems)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules/views/answer.yaml", "\n  score: score\n", "\n  scores: score\n"),
        ("rules/views/answer.yaml", "\n  ttft_ms: ttft\n", "\n"),
        ("rules/views/answer.yaml", "\n  grade: grade\n", "\n  grade: fit\n"),
        ("rules/views/answer.yaml", "      vram_gb: weights\n", ""),
        ("rules/views/answer.yaml", "price_usd: total_price", "price: total_price"),
    ],
)
def test_a_layout_that_changes_the_answer_needs_a_new_schema(copy: Workplace, file: str, old: str, new: str) -> None:
    copy.edit(file, old, new)
    [problem] = run_checks(copy.folders)[1]
    assert (problem.code, problem.hint) == ("schema-outdated", "run `fitcard schemas`")
    assert problem.position is not None
    assert problem.position.file.endswith("schemas/answer.schema.json")
    written = CliRunner().invoke(main, [*copy.options, "schemas"])
    assert written.output.startswith("written: ")
    assert run_checks(copy.folders)[1] == []


def test_a_reworded_rule_needs_no_new_schema(copy: Workplace) -> None:
    copy.edit("rules/views/answer.yaml", "Remarks on this answer.", "Remarks on the answer.")
    assert run_checks(copy.folders)[1] == []


def test_rules_elsewhere_are_not_compared_with_the_schemas_of_the_project(copy: Workplace) -> None:
    copy.edit("rules/views/answer.yaml", "\n  ttft_ms: ttft\n", "\n")
    project = find_folders()
    elsewhere = Folders(copy.folders.rules, copy.folders.catalogs, project.schemas)
    assert run_checks(elsewhere)[1] == []


def test_an_edited_schema_of_comparisons_is_reported_and_written_again(copy: Workplace) -> None:
    file = "schemas/diff.schema.json"
    text = copy.path(file).read_text("utf-8")
    copy.edit(file, '"base_profile"', '"old_profile"')
    [problem] = run_checks(copy.folders)[1]
    assert problem.code == "schema-outdated"
    assert problem.position is not None
    assert problem.position.file.endswith(file)
    CliRunner().invoke(main, [*copy.options, "schemas"])
    assert copy.path(file).read_text("utf-8") == text


def test_the_schemas_of_the_project_are_those_that_the_rules_lead_to(engine: Engine) -> None:
    folders = find_folders()
    for kind, schema in generated_schemas(engine.rulebook).items():
        assert (folders.schemas / f"{kind}.schema.json").read_text("utf-8") == schema_text(schema)


def test_a_page_without_one_of_its_labels_is_an_error(copy: Workplace) -> None:
    copy.edit("catalogs/messages/en.yaml", "  score: Score\n", "")
    folders = copy.options
    ended = CliRunner().invoke(main, [*folders, "show", "yi-1.5-9b", "l4-24gb"])
    assert ended.exit_code == 1
    assert "the text `score` is missing from labels" in ended.output
