"""The reference profile against the page of Llama 3.1 405B on an NVIDIA H20 96GB, figure by figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.testing.rule_tests import rule_tests, run_test
from fitcard.values import format_decimals


@pytest.fixture
def page(ask: Callable[..., Any]) -> Any:
    return ask("llama-3.1-405b", "h20-96gb", profile="reference")


def test_it_is_too_heavy_and_gets_an_f(page: Any) -> None:
    assert page["fit"] == {"code": "too_heavy", "label": "Too heavy"}
    assert (page["grade"], page["score"]) == ("F", 0)


def test_memory_is_as_printed(page: Any) -> None:
    memory = {name: format_decimals(value, 1) for name, value in page["memory"].items()}
    assert memory["needed_gb"] == "265.2"
    assert memory["usable_gb"] == "96.0"
    assert memory["over_gb"] == "169.2"
    assert page["offload"]["shown_percent"] == 60
    assert page["safe_context_tokens"] == 4000
    assert format_decimals(page["official_context_tokens"] / 1000, 0) == "131"


def test_every_workload_is_as_printed(page: Any) -> None:
    rows = [
        (
            row["name"],
            row["grade"],
            row["fit"]["label"],
            format_decimals(row["decode_tok_s"], 1),
            format_decimals(row["ttft_ms"], 0),
        )
        for row in page["workloads"]
    ]
    assert rows == [
        ("Chat", "F", "Too heavy", "2.3", "45067"),
        ("Coding", "F", "Too heavy", "2.3", "84638"),
        ("Agentic Coding", "F", "Too heavy", "2.2", "129055"),
        ("Reasoning", "F", "Too heavy", "2.3", "100027"),
        ("RAG", "F", "Too heavy", "2.2", "161319"),
    ]
    assert {row["safe_context_tokens"] for row in page["workloads"]} == {4000}


def test_every_quantization_is_as_printed(page: Any) -> None:
    rows = [
        (row["quant"], row["bits"], format_decimals(row["vram_gb"], 1), row["quality"], f"{row['grade']}{row['score']}")
        for row in page["quants"]
    ]
    assert rows == [
        ("Q2_K", 2, "158.0", "Low", "F0"),
        ("Q3_K_S", 3, "198.5", "Low", "F0"),
        ("NVFP4", 4, "226.8", "Medium", "F0"),
        ("Q4_K_M", 4, "247.1", "Medium", "F0"),
        ("Q5_K_M", 5, "291.6", "High", "F0"),
        ("Q6_K", 6, "332.1", "High", "F0"),
        ("Q8_0", 8, "433.4", "Very High", "F0"),
        ("F16", 16, "830.2", "Maximum", "F0"),
    ]
    assert page["recommended_quant"]["quant"] == "Q4_K_M"


def test_upgrades_make_it_fit_end_offload_or_raise_decode_by_417_percent(page: Any) -> None:
    effects = {
        row["device"]: [(effect["code"], effect.get("percent")) for effect in row["effects"]]
        for row in page["upgrades"]
    }
    assert effects["instinct-mi325x-256gb"] == [("fits", None), ("faster_decode", 417)]
    assert ("removes_offload", None) in effects["m3-ultra-512gb"]
    assert all(("fits", None) in codes for codes in effects.values())


def test_every_sentence_names_the_printed_figures(page: Any) -> None:
    said = page["verdict"] + " ".join(pair["answer"] for pair in page["faq"])
    for figure in ("265.2 GB", "96.0 GB", "2.3 tokens", "84638 ms", "grade F", "4K", "131K", "Q4_K_M", "405 billion"):
        assert figure in said


def test_the_terminal_shows_them_all() -> None:
    shown = CliRunner().invoke(
        main, ["show", "llama-3.1-405b", "h20-96gb", "--profile", "reference"], env={"COLUMNS": "120"}
    )
    assert shown.exit_code == 0
    for figure in (
        "265.2 GB / 96.0 GB",
        "169.2 GB over",
        "60 %",
        "84638 ms",
        "161319 ms",
        "830.2 GB",
        "417 %",
        "Too heavy",
    ):
        assert figure in shown.output


def test_all_printed_pages_agree_but_for_the_differences_that_are_listed(engine: Engine) -> None:
    outcomes = [run_test(engine, test) for test in rule_tests(engine.rulebook, "reference_pages")]
    assert len(outcomes) > 80
    assert [problem.message for outcome in outcomes for problem in outcome.problems] == []


def test_only_mixtures_of_experts_are_listed_as_different(engine: Engine) -> None:
    differing = {
        test.data["given"]["model"] for test in rule_tests(engine.rulebook, "reference_pages") if "differs" in test.data
    }
    models = engine.rulebook.catalog_of("model").entries
    assert differing
    assert all(models[model].value("active_params") for model in differing)
