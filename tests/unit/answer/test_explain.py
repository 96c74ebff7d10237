"""Explanations: a rule with its neighbours, and the tree of values behind a number, down to catalog figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine

WIDE = {"COLUMNS": "200"}
REFERENCE = ("--profile", "reference")


def explained(*arguments: str) -> str:
    ended = CliRunner().invoke(main, ["explain", *arguments], env=WIDE)
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_a_rule_is_shown_with_formula_unit_place_and_neighbours() -> None:
    lines = explained("decode_tok_s", *REFERENCE).split("\n")
    assert lines[0].startswith("decode_tok_s  formula, token/s  rules/profiles/reference.yaml:")
    assert lines[1] == "Decode speed per user."
    assert "  expr: max(min_decode, decode_unlimited)" in lines
    assert {"  <- decode_unlimited", "  <- min_decode", "  -> prefill_tok_s", "  -> decode_gain"} <= set(lines)


def test_a_rule_is_shown_as_the_default_profile_has_it() -> None:
    assert explained("decode_tok_s").startswith("decode_tok_s  formula, token/s  rules/physics/decode.yaml:")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grade", "results: [F, D, C, B, A, S]"),
        ("size_per_param", "rows: Q2_K: 0.39, Q3_K_S: 0.49"),
        ("fit_points", "knots: [[0.8, 100], [0.95, 95]"),
        ("min_decode", "value: 2"),
        ("device_mbu", "otherwise: value_of: family_mbu"),
    ],
)
def test_every_kind_of_rule_is_explained(name: str, expected: str) -> None:
    assert expected in explained(name, *REFERENCE)


def test_the_tree_leads_from_a_number_to_catalog_figures_and_their_sources() -> None:
    tree = explained("qwen-3-14b", "m1-16gb", "--of", "decode_tok_s", *REFERENCE)
    assert tree.startswith("decode_tok_s = 4.0074 token/s  <- max(min_decode, decode_unlimited)")
    assert "│   ├── device.bandwidth = 68 GB/s  <- m1-16gb  catalogs/devices/apple-silicon.yaml:" in tree
    assert "model.active_params = -  <- qwen-3-14b" in tree
    assert "llmfit hf_models.json" in tree


def test_a_rule_is_expanded_once_in_a_tree() -> None:
    tree = explained("qwen-3-14b", "m1-16gb", "--of", "spill", *REFERENCE)
    assert tree.count("needed_memory = ") == 3
    assert tree.count("kv_cache = ") == 1


def test_without_a_name_all_that_the_answer_shows_is_explained() -> None:
    tree = explained("qwen-3-14b", "m1-16gb", *REFERENCE)
    assert all(f"\n{name} = " in tree for name in ("grade", "mode_score", "safe_context"))
    assert "ttft = 48310.6 ms" in tree


def test_the_tree_explains_the_answer_of_the_default_profile(ask: Callable[..., Any]) -> None:
    tree = explained("qwen-3-14b", "m1-16gb")
    assert f"ttft = {ask('qwen-3-14b', 'm1-16gb')['ttft_ms']:g} ms" in tree


def test_options_change_the_question_that_is_explained() -> None:
    steps = json.loads(explained("qwen-3-14b", "m1-16gb", "--workload", "rag", "--of", "context_length", "--json"))
    assert steps[-1]["value"] == 32000


def test_an_overridden_figure_is_explained_as_an_override() -> None:
    tree = explained("llama-3.1-70b", "rtx-4090-24gb", "--of", "usable_memory", "--set", "device.memory=48")
    assert tree.startswith("usable_memory = 50.5088 GB")
    assert "device.memory = 48 GB  given" in tree


def test_a_comparison_of_devices_is_explained_for_the_device_of_the_question() -> None:
    tree = explained("qwen-3-14b", "m1-16gb", "--of", "decode_gain")
    assert tree.startswith("decode_gain = 0 percent")
    assert "current.decode_tok_s = 5.20955 token/s  current" in tree


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["decode_toks"], "There is no rule called 'decode_toks'. Closest: decode_tok_s."),
        (["qwen-3-14b", "m1-16gb", "--of", "decode"], "There is no rule called 'decode'."),
        (["qwen-3-14b", "m1-61gb"], "There is no device called 'm1-61gb'."),
        (["a", "b", "c"], "expected the name of a rule, or MODEL DEVICE; got 3 arguments"),
        ([], "Missing argument"),
    ],
)
def test_an_unknown_name_to_explain_is_misuse(arguments: list[str], expected: str) -> None:
    ended = CliRunner().invoke(main, ["explain", *arguments], env=WIDE)
    assert ended.exit_code == 2
    assert expected in ended.output


@pytest.mark.parametrize("profile", ["calibrated", "reference"])
@pytest.mark.parametrize("gpus", [1, 2])
def test_an_answer_is_the_same_whether_it_is_explained_or_not(engine: Engine, profile: str, gpus: int) -> None:
    """An answer that is not explained takes over what is the same for its lists and picks."""
    for model, device in (
        ("qwen-3-30b-a3b", "rtx-4070-12gb"),
        ("gemma-3-27b", "m3-max-64gb"),
        ("llama-3.1-405b", "h20-96gb"),
    ):
        asked = {"model": model, "device": device, "profile": profile, "gpus": gpus, "workload": "rag", "kv": "q8_0"}
        question = read_question(engine.rulebook, asked)
        plain, explained = (answer_question(engine, question, explained=explain).to_dict() for explain in (False, True))
        assert plain == _without_traces(explained)


def _without_traces(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_traces(inner) for key, inner in part.items() if key != "trace"}
    return [_without_traces(inner) for inner in part] if isinstance(part, list) else part
