"""Reports of problems for other programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.language.resolution import NameUnknown
from fitcard.problems import Position, Problem, Related, Severity
from fitcard.reports import MAX_ANNOTATIONS, as_github, as_sarif, as_text
from fitcard.rulebook.files import FileMissing
from helpers.workplace import Workplace

PROBLEM = Problem(
    NameUnknown,
    "undefined name `a,b`: 100%",
    Position("rules/a:b.yaml", 3, 7),
    hint="did you mean `ab`?",
    source_line="expr: a,b",
    related=(Related(Position("rules/c.yaml", 1, 1), "the first is here"),),
)
NOWHERE = Problem(FileMissing, "there is no file", severity=Severity.WARNING)


def test_github_annotations_are_escaped() -> None:
    assert as_github([PROBLEM, NOWHERE]).split("\n") == [
        "::error title=name-unknown,file=rules/a%3Ab.yaml,line=3,col=7::undefined name `a,b`: 100%25. "
        "the first is here: rules/c.yaml:1:1. did you mean `ab`?",
        "::warning title=file-missing::there is no file",
        "1 error, 1 warning",
    ]


def test_annotations_are_limited_to_those_that_github_shows() -> None:
    lines = as_github([PROBLEM] * 25).split("\n")
    assert len(lines) == MAX_ANNOTATIONS + 2
    assert lines[-2:] == ["15 more errors are not annotated", "25 errors, 0 warnings"]


def test_sarif_names_rule_level_and_region() -> None:
    run = json.loads(as_sarif([PROBLEM, NOWHERE]))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["file-missing", "name-unknown"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"]) == ("name-unknown", "error")
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/a:b.yaml"},
        "region": {"startLine": 3, "startColumn": 7},
    }
    assert "locations" not in second


def test_text_ends_with_the_count() -> None:
    assert as_text([NOWHERE]).split("\n") == ["warning: there is no file [file-missing]", "0 errors, 1 warning"]


@pytest.mark.parametrize(
    ("arguments", "environment", "starts"),
    [
        ([], {}, "rules/judgement/score.yaml:"),
        ([], {"GITHUB_ACTIONS": "true"}, "::error title=name-unknown,file=rules/judgement/score.yaml,line="),
        (["--format", "text"], {"GITHUB_ACTIONS": "true"}, "rules/judgement/score.yaml:"),
        (["--format", "github"], {}, "::error"),
        (["--format", "sarif"], {}, "{"),
        (["--json"], {}, "["),
    ],
)
def test_the_command_chooses_the_format(
    copy: Workplace, monkeypatch: pytest.MonkeyPatch, arguments: list[str], environment: dict[str, str], starts: str
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    copy.edit("rules/judgement/score.yaml", "model_quality * quant_quality", "model_quality * quant_qualty")
    folders = copy.options
    ended = CliRunner().invoke(main, [*folders, "check", *arguments])
    assert ended.exit_code == 1
    assert ended.output.startswith(starts)
