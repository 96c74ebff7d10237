"""A figure that a tuner adds: one formula with a label and `shown`, as the guide gives it, and nothing else."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.answer.schema import answer_schema
from fitcard.cli.main import main
from fitcard.lint.run import run_checks
from fitcard.mcp.registry import call
from fitcard.mcp.tools import TOOLS
from fitcard.reload import ReloadingEngine
from fitcard.web.app import create_app
from helpers.workplace import PROJECT, Workplace

GUIDE = (PROJECT / ".github/guides/writing-rules.md").read_text("utf-8")
ENERGY = GUIDE.partition("## A figure in the answer")[2].partition("```yaml\n")[2].partition("```")[0]
RUNS = {"model": "qwen-3-14b", "device": "rtx-4090-24gb"}
NAME = "energy_per_1000_tokens"


@pytest.fixture
def energy(copy: Workplace) -> Workplace:
    copy.write("rules/physics/energy.yaml", ENERGY)
    return copy


def answered(place: Workplace, **parameters: str) -> dict[str, Any]:
    engine = place.load()
    return answer_question(engine, read_question(engine.rulebook, {**RUNS, **parameters})).to_dict()


def test_it_passes_the_check_without_a_warning(energy: Workplace) -> None:
    assert run_checks(energy.folders)[1] == []


def test_it_stands_in_the_json_under_its_label(energy: Workplace) -> None:
    answer = answered(energy)
    figure = answer["figures"][NAME]
    assert figure["value"] == pytest.approx(450 * 1000 / answer["throughput_tok_s"] / 3600)
    assert (figure["label"], figure["unit"]) == ("Energy per 1,000 tokens", "W * h")
    assert figure["text"] == "1.67 W * h"


def test_it_is_left_out_where_its_condition_does_not_hold(energy: Workplace) -> None:
    rulebook = energy.load().rulebook
    unknown = next(one.id for one in rulebook.catalogs["devices"].entries.values() if one.value("tdp") is None)
    assert answered(energy, device=unknown)["figures"] == {}


def test_an_answer_with_it_matches_the_schema(energy: Workplace) -> None:
    Draft202012Validator(answer_schema(energy.load().rulebook)).validate(answered(energy))


def test_it_is_read_in_a_terminal(energy: Workplace) -> None:
    shown = CliRunner().invoke(main, [*energy.options, "show", *RUNS.values()])
    assert "Energy per 1,000 tokens" in shown.output


def test_it_is_read_on_the_page_with_a_link_to_its_explanation(energy: Workplace) -> None:
    client = create_app(ReloadingEngine(energy.folders)).test_client()
    page = client.get("/can-run/qwen-3-14b-on-rtx-4090-24gb").get_data(as_text=True)
    assert "<dt>Energy per 1,000 tokens</dt>" in page
    assert f"/why/{NAME}" in page
    assert "Energy per 1,000 tokens" in client.get("/methodology").get_data(as_text=True)


def test_an_mcp_tool_returns_a_shown_figure(energy: Workplace) -> None:
    engine = energy.load()
    found = call(engine, TOOLS["can_i_run"], RUNS)
    assert found["figures"][NAME]["label"] == "Energy per 1,000 tokens"
    explained = call(engine, TOOLS["explain"], {**RUNS, "figure": f"figures.{NAME}"})
    assert explained["steps"][0]["name"] == NAME


def test_it_is_explained(energy: Workplace) -> None:
    ended = CliRunner().invoke(main, [*energy.options, "explain", *RUNS.values(), "--of", NAME, "--json"])
    steps = {step["name"] for step in json.loads(ended.output)}
    assert {NAME, "device.tdp", "throughput"} <= steps


def test_it_is_a_column_of_a_sweep_and_absent_where_it_is_not_shown(energy: Workplace) -> None:
    ended = CliRunner().invoke(main, [*energy.options, "sweep", "--model", "qwen-3-14b", "--quant", "Q4_K_M"])
    rows = list(csv.DictReader(ended.stdout.splitlines()))
    assert {bool(row[f"figures.{NAME}"]) for row in rows} == {True, False}


def test_its_label_is_translated(energy: Workplace) -> None:
    energy.edit(
        "catalogs/messages/de.yaml",
        "    title:\n",
        "    title:\n      Energy per 1,000 tokens: Energie je 1.000 Token\n",
    )
    engine = energy.load().in_language("de")
    figure = answer_question(engine, read_question(engine.rulebook, RUNS)).to_dict()["figures"][NAME]
    assert figure["label"] == "Energie je 1.000 Token"


def test_a_profile_that_overrides_its_formula_shows_it_too(energy: Workplace) -> None:
    expr = "0 * either(device.tdp, 0) * thousand_tokens / throughput"
    free = f"{{unit: W * h, about: Energy that costs nothing., expr: '{expr}'}}"
    energy.edit("rules/profiles/reference.yaml", "formulas:\n", f"formulas:\n  {NAME}: {free}\n")
    assert answered(energy, profile="reference")["figures"][NAME]["value"] == 0


@pytest.mark.parametrize(
    ("shown", "message"),
    [
        ("shown: tpd_known", "there is no condition `tpd_known`"),
        ("shown: throughput", "there is no condition `throughput`"),
    ],
)
def test_the_condition_of_a_figure_must_be_a_condition(energy: Workplace, shown: str, message: str) -> None:
    energy.edit("rules/physics/energy.yaml", "shown: tdp_known", shown)
    [problem] = {(one.code, one.message) for one in energy.problems()}
    assert problem == ("figure-shown", message)


def test_a_condition_is_no_figure(energy: Workplace) -> None:
    energy.edit("rules/physics/energy.yaml", "tdp_known: {unit", "tdp_known: {label: Power known, shown: true, unit")
    assert {problem.message for problem in energy.problems()} == {"`tdp_known` is a condition"}


def test_a_comparison_with_the_question_is_no_figure(copy: Workplace) -> None:
    copy.edit("rules/judgement/upgrades.yaml", "  decode_gain:\n", "  decode_gain:\n    label: Gain\n    shown: true\n")
    assert {problem.message for problem in copy.problems()} == {"`decode_gain` is compared with the question"}


def test_a_figure_needs_a_label(energy: Workplace) -> None:
    energy.edit("rules/physics/energy.yaml", "    label: Energy per 1,000 tokens\n", "")
    assert energy.problem().message == "`label` is missing from a formula"
