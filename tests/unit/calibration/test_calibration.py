"""`fitcard calibrate` and the back-test: fitted values, and errors against measured runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.calibration.comparison import Errors, compare
from fitcard.calibration.parameters import Parameter, parameters_of, spreads_of
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from helpers.workplace import Workplace

OURS, SITE = "calibrated", "reference"
DISTURBED = (0.7, 1.3)


@pytest.fixture(scope="module")
def held_out() -> dict[str, Any]:
    """What a calibration of the rules as they are finds, each device held out in turn."""
    found: dict[str, Any] = json.loads(CliRunner().invoke(main, ["calibrate", "--json"]).output)
    return found


def median_errors(engine: Engine, profile: str = OURS) -> dict[str, Errors]:
    return {one.quantity.name: one.summary for one in compare(engine, profile)}


@pytest.mark.parametrize(
    ("quantity", "at_most"),
    [
        ("decode_dense", 0.07),
        ("decode_small", 0.15),
        ("decode_experts", 0.18),
        ("decode_offload", 0.10),
        ("decode_several", 0.15),
        ("memory", 0.05),
        ("prefill", 0.20),
        ("ttft", 0.30),
    ],
)
def test_a_device_that_took_no_part_in_the_fit_is_estimated_nearly_as_well(
    held_out: dict[str, Any], quantity: str, at_most: float
) -> None:
    assert {one["name"]: one["held_out"]["median"] for one in held_out["quantities"]}[quantity] <= at_most


def test_of_ten_runs_on_a_device_that_took_no_part_about_eight_lie_within_the_range(held_out: dict[str, Any]) -> None:
    spreads = [one for one in held_out["values"] if "inside" in one]
    inside = np.average([one["inside"] for one in spreads], weights=[one["runs"] for one in spreads])
    assert 0.75 <= inside <= 0.85


def test_calibration_recovers_constants_perturbed_by_30_percent(whole_copy: Workplace) -> None:
    engine = whole_copy.load()
    before = median_errors(engine)
    _disturb(parameters_of(engine.rulebook.rule_set))
    disturbed = median_errors(whole_copy.load())
    ended = CliRunner().invoke(main, [*whole_copy.options, "calibrate", "--yes"])
    assert ended.exit_code == 0, ended.output
    after = median_errors(whole_copy.load())
    assert disturbed["decode_dense"].median > 2 * before["decode_dense"].median
    for name, errors in before.items():
        assert after[name].median == pytest.approx(errors.median, abs=0.01), name


def _disturb(parameters: list[Parameter]) -> None:
    draw = np.random.default_rng(2)
    factors = {label: draw.choice(DISTURBED) for label in sorted(one.label for one in parameters)}
    texts: dict[Path, str] = {}
    for one in sorted(parameters, key=lambda one: -one.definition.document.spans[one.path].start):
        document, value = one.definition.document, one.value * factors[one.label]
        assert document.file is not None
        place = document.spans[one.path]
        text = texts.setdefault(document.file, document.text)
        within = min(max(value, one.minimum), one.maximum)
        texts[document.file] = f"{text[: place.start]}{within:.4g}{text[place.end :]}"
    for file, text in texts.items():
        file.write_text(text, "utf-8")


def test_every_fitted_value_has_a_date_and_a_number_of_runs(engine: Engine) -> None:
    assert engine.rulebook.backtest is not None
    for one in [*parameters_of(engine.rulebook.rule_set), *spreads_of(engine.rulebook.rule_set)]:
        fitted = one.definition.data["fitted"]
        counts = fitted["runs"] if isinstance(fitted["runs"], dict) else {"all": fitted["runs"]}
        assert fitted["on"]
        assert min(counts.values()) >= engine.rulebook.backtest.min_runs >= 5, one.label


def test_decode_is_at_least_twice_as_near_as_by_any_other_formula(engine: Engine) -> None:
    others = [name for name in engine.rulebook.rule_sets if name != OURS]
    assert len(others) >= 5
    best = min(median_errors(engine, name)["decode_dense"].median for name in others)
    assert best >= 2 * median_errors(engine)["decode_dense"].median


def test_every_quantity_is_nearer_than_by_the_site_that_is_repeated(engine: Engine) -> None:
    ours, site = median_errors(engine), median_errors(engine, SITE)
    assert all(ours[name].median < site[name].median for name in ours)
    assert engine.rulebook.default_profile == OURS


def test_llama_405b_on_an_h20_agrees_with_the_site_except_for_the_ttft(engine: Engine) -> None:
    asked = {"model": "llama-3.1-405b", "device": "h20-96gb", "host": "server-12-channel"}
    ours, site = (
        answer_question(engine, read_question(engine.rulebook, {**asked, "profile": profile}), explained=True).to_dict()
        for profile in (OURS, SITE)
    )
    assert [(one["fit"]["code"], one["grade"], one["offload"]["shown_percent"]) for one in (ours, site)] == [
        ("too_heavy", "F", 60)
    ] * 2
    steps = {step["name"]: step for step in ours["trace"]}
    behind, stack = set(), ["ttft"]
    while stack:
        name = stack.pop()
        if name not in behind:
            behind.add(name)
            stack += steps[name].get("inputs", {})
    assert {"device.compute.fp16", "device.pcie.generation"} <= behind
    assert "step_time" not in behind
    assert {"decode_tok_s", "needed_memory", "usable_memory", "safe_context", "score"} <= set(steps)


@pytest.mark.xfail(
    strict=True,
    reason="22 % below the site: with twelve channels an EPYC 9554 gets through Phi-4 14B in Q4_K_M at 0.56 of its "
    "bandwidth; see cpu_rate_per_channel",
)
def test_llama_405b_on_an_h20_decodes_within_20_percent_of_the_site(engine: Engine) -> None:
    asked = {"model": "llama-3.1-405b", "device": "h20-96gb", "host": "server-12-channel"}
    ours, site = (
        answer_question(engine, read_question(engine.rulebook, {**asked, "profile": profile})).to_dict()["decode_tok_s"]
        for profile in (OURS, SITE)
    )
    assert ours == pytest.approx(site, rel=0.2)


def test_a_change_that_takes_estimates_too_far_from_measured_runs_fails(copy: Workplace) -> None:
    copy.edit("rules/backtest.yaml", "median_error_at_most: 0.07", "median_error_at_most: 0.0001")
    ended = CliRunner().invoke(main, [*copy.options, "test"])
    assert ended.exit_code == 1
    assert "`Decode, dense from 3B`: the median error" in ended.output
    assert "exceeds the target 0.0%" in ended.output


@pytest.mark.parametrize("kind", ["svg", "png", "html"])
def test_the_plot_is_saved_in_the_format_of_its_suffix(copy: Workplace, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"plot.{kind}"
    ended = CliRunner().invoke(main, [*copy.options, "backtest", "--by", "device.vendor", "--plot", str(file)])
    assert ended.exit_code == 0, ended.output
    begins = {"svg": b"<?xml", "png": b"\x89PNG", "html": b"<!doctype html>"}[kind]
    assert file.read_bytes().startswith(begins)
    if kind == "html":
        assert "Decode, dense from 3B" in file.read_text("utf-8")


def test_runs_of_a_folder_stand_in_place_of_those_of_the_catalog(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(
        "model,quant,gpu,gpu_count,tg_tok_s,context_or_test,runtime,source,tier\n"
        "Llama 3.1 8B,Q4_K_M,RTX 4090,1,122,tg128,llama.cpp CUDA,our own,A\n"
        "Llama 3.1 8B,Q4_K_M,RTX 3090,1,100,tg128,llama.cpp CUDA,our own,A\n"
        "Llama 3.1 8B,,RTX 3090,1,100,tg128,llama.cpp CUDA,our own,A\n"
        "Nobody's 9B,Q4_K_M,RTX 4090,1,99,tg128,llama.cpp CUDA,our own,A\n",
        "utf-8",
    )
    (tmp_path / "notes.txt").write_text("nothing", "utf-8")
    ended = CliRunner().invoke(main, ["backtest", "--data", str(tmp_path), "--json"])
    assert ended.exit_code == 0, ended.output
    assert "runs: 2, left out: 2" in ended.stderr
    assert "not read: notes.txt" in ended.stderr
    counts = {
        one["name"]: one["profiles"][OURS]["count"] for one in json.loads(ended.stdout)["quantities"] if one["profiles"]
    }
    assert counts == {"decode_dense": 2}
