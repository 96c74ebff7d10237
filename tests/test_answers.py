"""Answers: one shape everywhere, an explanation for every number, and what must hold whatever is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.answer.build import answer
from engine.answer.question import read_question, split_pair
from engine.problems import ProblemsFound
from engine.read.folders import find_folders
from engine.read.schemas import Schemas
from engine.rulebook.load import load
from engine.rulebook.rulebook import Rulebook

Ask = Callable[..., Any]
RULEBOOK = load(find_folders())
ANSWER = Schemas.load(find_folders().schemas).validator("answer")


def ids(axis: str) -> st.SearchStrategy[str]:
    return st.sampled_from(RULEBOOK.catalog_of(axis).ids)


questions = st.fixed_dictionaries(
    {axis: ids(axis) for axis in RULEBOOK.subject.axes}, optional={"context": st.integers(1, 10_000_000).map(str)}
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions, st.booleans())
def test_every_answer_has_the_shape_of_its_schema(asked: dict[str, str], explain: bool) -> None:
    ANSWER.validate(answer(RULEBOOK, read_question(RULEBOOK, asked), explain=explain))


@settings(max_examples=60, deadline=None)
@given(questions)
def test_what_must_hold_whatever_is_asked(asked: dict[str, str]) -> None:
    built = answer(RULEBOOK, read_question(RULEBOOK, asked))
    memory = built["memory"]
    parts = ("weights_gb", "kv_cache_gb", "runtime_gb", "headroom_gb")
    assert memory["needed_gb"] == pytest.approx(sum(memory[part] for part in parts))
    assert 0 <= built["offload"]["fraction"] < 1
    assert (built["offload"]["fraction"] > 0) == (memory["over_gb"] > 0)
    assert 0 <= built["score"] <= 100
    assert built["decode_tok_s"] >= 2
    assert built["ttft_ms"] > 0
    assert built["safe_context_tokens"] <= built["official_context_tokens"]
    assert (built["fit"]["code"] == "too_heavy") <= (built["grade"] == "F")


@settings(max_examples=30, deadline=None)
@given(questions)
def test_a_mode_never_changes_the_fit(asked: dict[str, str]) -> None:
    answers = [
        answer(RULEBOOK, read_question(RULEBOOK, {**asked, "mode": mode})) for mode in RULEBOOK.catalog_of("mode").ids
    ]
    for part in (
        "verdict",
        "fit",
        "grade",
        "score",
        "memory",
        "offload",
        "decode_tok_s",
        "ttft_ms",
        "workloads",
        "quants",
    ):
        assert all(other[part] == answers[0][part] for other in answers)


@settings(max_examples=30, deadline=None)
@given(questions)
def test_the_row_of_a_table_is_the_answer_to_its_own_question(asked: dict[str, str]) -> None:
    for row in answer(RULEBOOK, read_question(RULEBOOK, asked))["workloads"]:
        alone = answer(RULEBOOK, read_question(RULEBOOK, {**asked, "workload": row["workload"]}))
        for part in ("grade", "score", "fit", "decode_tok_s", "ttft_ms", "safe_context_tokens"):
            assert row[part] == alone[part]


def test_modes_rank_differently(ask: Ask) -> None:
    scores = {
        mode: ask("qwen-3-8b", "rtx-4090-24gb", mode=mode)["ranking"]["score"]
        for mode in RULEBOOK.catalog_of("mode").ids
    }
    assert len(set(scores.values())) == len(scores)


def test_the_trace_explains_every_number_down_to_catalog_figures(ask: Ask) -> None:
    steps = {step["name"]: step for step in ask("llama-3.1-405b", "h20-96gb", explain=True)["trace"]}
    decode = steps["decode_unlimited"]
    assert decode["expr"].startswith("device.bandwidth / read_per_token")
    assert (decode["file"], decode["unit"]) == ("rules/decode.yaml", "token/s")
    assert decode["inputs"]["device.bandwidth"] == steps["device.bandwidth"]["value"] == 4000
    assert steps["device.bandwidth"]["file"] == "catalogs/devices/nvidia-datacenter.yaml"
    assert steps["device.bandwidth"]["source"]
    assert steps["device_efficiency"]["file"] == "rules/profiles/reference.yaml"
    for step in steps.values():
        for name, value in step.get("inputs", {}).items():
            assert steps[name]["value"] == value
    order = list(steps)
    assert all(
        order.index(name) < order.index(step["name"]) for step in steps.values() for name in step.get("inputs", {})
    )


def test_the_line_of_a_step_is_where_its_name_is_written(ask: Ask) -> None:
    folders = find_folders()
    for step in ask("gemma-2-9b", "m1-16gb", explain=True)["trace"]:
        if "file" in step:
            folder, _, rest = step["file"].partition("/")
            line = (getattr(folders, folder) / rest).read_text("utf-8").split("\n")[step["line"] - 1]
            assert step["name"].rpartition(".")[2] in line or step["entry"] in line


def test_an_upgrade_explains_its_gain(ask: Ask) -> None:
    upgrades = {row["device"]: row for row in ask("llama-3.1-405b", "h20-96gb", explain=True)["upgrades"]}
    steps = {step["name"]: step for step in upgrades["instinct-mi325x-256gb"]["trace"]}
    assert steps["decode_gain"]["value"] == 417
    assert steps["current.decode_tok_s"]["kind"] == "current"


def test_upgrades_come_from_the_cheapest_and_none_is_worse(ask: Ask) -> None:
    upgrades = ask("gemma-2-27b", "rtx-4070-12gb")["upgrades"]
    assert upgrades
    assert [row["price_usd"] for row in upgrades] == sorted(row["price_usd"] for row in upgrades)
    assert all(row["effects"] and row["fit"]["code"] != "too_heavy" for row in upgrades)


def test_what_runs_well_on_the_fastest_needs_no_upgrade(ask: Ask) -> None:
    assert ask("llama-3.2-1b", "gb200-192gb")["upgrades"] == []


def test_names_are_found_however_they_are_written(rulebook: Rulebook) -> None:
    question = read_question(rulebook, {"model": "LLAMA 3.1 405b", "device": "NVIDIA H20 96GB", "quant": "q4_k_m"})
    assert (question.entries["model"], question.entries["device"], question.entries["quant"]) == (
        "llama-3.1-405b",
        "h20-96gb",
        "Q4_K_M",
    )


def test_a_question_that_cannot_be_understood_is_told_part_by_part(rulebook: Rulebook) -> None:
    with pytest.raises(ProblemsFound) as found:
        read_question(
            rulebook, {"model": "lama-3.1-405b", "device": "h20-96", "context": "-5", "quant": "Q9", "colour": "q8"}
        )
    told = {problem.field: (problem.code, problem.closest[:1]) for problem in found.value.problems}
    assert told == {
        "model": ("unknown-entry", ("llama-3.1-405b",)),
        "device": ("unknown-entry", ("h20-96gb",)),
        "context": ("out-of-range", ()),
        "quant": ("unknown-entry", ("Q2_K",)),
        "colour": ("unknown-parameter", ("model",)),
    }


@pytest.mark.parametrize("nonsense", ["nan", "inf", "1e999", "lots", "1,000", "0", "-1", "1e12", True, "0x10"])
def test_a_nonsense_context_is_refused(rulebook: Rulebook, nonsense: Any) -> None:
    with pytest.raises(ProblemsFound) as found:
        read_question(rulebook, {"model": "yi-1.5-9b", "device": "l4-24gb", "context": nonsense})
    assert [problem.field for problem in found.value.problems] == ["context"]


def test_an_address_is_split_where_both_sides_are_known(rulebook: Rulebook) -> None:
    assert split_pair(rulebook, "yi-1.5-9b-on-l4-24gb", "-on-", "model", "device") == {
        "model": "yi-1.5-9b",
        "device": "l4-24gb",
    }
    assert split_pair(rulebook, "a-on-b-on-c", "-on-", "model", "device") == {"model": "a", "device": "b-on-c"}
    assert split_pair(rulebook, "nothing", "-on-", "model", "device") == {"model": "nothing", "device": ""}
