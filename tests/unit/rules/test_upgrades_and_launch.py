"""Upgrades, and the command that launches the runtime with the settings of the answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine

Answer = dict[str, Any]
Ask = Callable[..., Any]


def ways(answered: Answer) -> dict[str, Answer]:
    return {way["code"]: way for way in answered["ways"]}


def test_a_model_that_runs_well_and_fast_gets_no_advice(ask: Ask) -> None:
    assert ask("llama-3.1-8b", "rtx-4090-24gb")["ways"] == []


@pytest.mark.parametrize(
    ("model", "device", "question"),
    [
        ("qwen-3-32b", "rtx-3090-24gb", {"workload": "agentic-coding"}),
        ("llama-3.1-70b", "rtx-3090-24gb", {}),
        ("qwen-3-8b", "rtx-3060-12gb", {"context": "90000"}),
        ("llama-3.1-405b", "h20-96gb", {"profile": "reference"}),
    ],
)
def test_each_upgrade_equals_the_answer_to_its_own_question(
    ask: Ask, model: str, device: str, question: dict[str, str]
) -> None:
    found = ask(model, device, **question)
    assert found["ways"]
    for way in found["ways"]:
        asked = {**question, "quant": way["quant"], "kv": way["kv"], "gpus": str(way["gpus"])}
        asked["context"] = str(way["context_tokens"])
        alone = ask(model, way["device"]["id"], **asked)
        assert way["decode_tok_s"] == pytest.approx(alone["decode_tok_s"])
        assert way["needed_gb"] == pytest.approx(alone["memory"]["needed_gb"])
        assert way["fit"] == alone["fit"]
        assert way["effects"]


def test_without_buying_a_smaller_quantization_cache_or_context_can_be_enough(ask: Ask) -> None:
    found = ways(ask("qwen-3-32b", "rtx-3090-24gb", workload="agentic-coding"))
    for code in ("smaller_quant", "smaller_kv", "shorter_context"):
        assert found[code]["offload"]["fraction"] == 0
        assert "price" not in found[code]
    assert found["shorter_context"]["context_tokens"] < 32000
    assert found["another_device"]["gpus"] == 2
    assert found["cheapest_whole"]["price"]["checked_on"] is not None


def test_the_cheapest_device_is_the_cheapest_of_all_that_hold_it(ask: Ask, engine: Engine) -> None:
    now = ask("qwen-3-32b", "rtx-4070-12gb")
    cheapest = ways(now)["cheapest_whole"]["price"]["usd"]
    for device in engine.rulebook.catalogs["devices"].entries.values():
        if (device.value("price") or cheapest) < cheapest:
            there = ask("qwen-3-32b", device.id)
            whole = there["offload"]["fraction"] == 0 and there["fit"]["code"] != "too_heavy"
            assert not (whole and there["decode_tok_s"] >= now["decode_tok_s"]), device.id


def test_the_device_with_the_best_gain_costs_least_for_each_token_a_second(ask: Ask, engine: Engine) -> None:
    now = ask("qwen-3-14b", "m1-16gb")
    best = ways(now)["best_gain"]
    price = best["price"]["usd"] / (best["decode_tok_s"] - now["decode_tok_s"])
    for upgrade in now["upgrades"]:
        assert price <= upgrade["price_usd"] / max(upgrade["decode_tok_s"] - now["decode_tok_s"], 1e-9)


@pytest.mark.parametrize(
    ("question", "command"),
    [
        (
            {"model": "llama-3.1-8b", "device": "rtx-4090-24gb", "kv": "q8_0", "users": "2"},
            "llama-server -m llama-3.1-8b-Q4_K_M.gguf -ngl 33 -c 32000 -np 2 --cache-type-k q8_0 --cache-type-v q8_0",
        ),
        (
            {"model": "qwen-3-8b", "device": "h100-80gb", "quant": "BF16", "gpus": "2", "kv": "fp8"},
            "vllm serve Qwen/Qwen3-8B --max-model-len 16000 --tensor-parallel-size 2 --max-num-seqs 1"
            " --kv-cache-dtype fp8",
        ),
        (
            {"model": "qwen-3-8b", "device": "m3-max-64gb", "quant": "MLX-4bit"},
            "mlx_lm.server --model qwen-3-8b-MLX-4bit",
        ),
        ({"model": "qwen-3-8b", "device": "rtx-3060-12gb", "runtime": "ollama"}, "ollama run qwen-3-8b"),
    ],
)
def test_the_launch_command_starts_the_model_of_the_question(
    engine: Engine, question: dict[str, str], command: str
) -> None:
    assert answer_question(engine, read_question(engine.rulebook, question)).to_dict()["settings"]["command"] == command


def test_the_launch_command_places_experts_on_the_host(ask: Ask) -> None:
    words = shlex.split(ask("qwen-3-30b-a3b", "rtx-4070-12gb")["settings"]["command"])
    assert 0 < int(words[words.index("--n-cpu-moe") + 1]) < 48
    assert words[words.index("-ngl") + 1] == "49"


def test_a_model_that_does_not_run_has_no_launch_command(ask: Ask) -> None:
    assert ask("llama-3.1-405b", "rtx-4090-24gb")["settings"] == {}


def test_for_two_devices_the_price_of_two_is_shown(ask: Ask, engine: Engine) -> None:
    built = ask("llama-3.3-70b", "rtx-3090-24gb", gpus="2", workload="agentic")
    price_of_one = {one.id: one.data.get("price") for one in engine.rulebook.catalogs["devices"].entries.values()}
    bought = {row["device"]: row["price_usd"] for row in built["upgrades"]}
    bought |= {way["device"]["id"]: way["price"]["usd"] for way in built["ways"] if way["code"].startswith("cheapest")}
    assert bought
    assert bought == {device: 2 * price_of_one[device] for device in bought}
