"""Answers: their schema, an explanation of every figure, and properties of the answers to all questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitcard.answer.answer import answer_question
from fitcard.answer.explain import explain
from fitcard.answer.question import read_question, split_pair
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import evaluate
from fitcard.language.question_fields import Input
from fitcard.problems import ProblemsError
from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from helpers.project import project_rules

Ask = Callable[..., Any]
ENGINE = project_rules().engine
RULEBOOK = ENGINE.rulebook
ANSWER = Schemas.load(find_folders().schemas).validator("answer")
every_profile = pytest.mark.parametrize("profile", RULEBOOK.rule_sets)


def ids(axis: str) -> st.SearchStrategy[str]:
    return st.sampled_from(RULEBOOK.catalog_of(axis).ids)


def whole_numbers(asked: Input) -> st.SearchStrategy[str]:
    return st.integers(ceil(asked.minimum), int(asked.maximum)).map(str)


AXES, INPUTS = RULEBOOK.question_fields.axes, RULEBOOK.question_fields.inputs
every_question = st.fixed_dictionaries(
    {name: ids(name) for name, axis in AXES.items() if axis.default_by is None},
    optional={name: ids(name) for name, axis in AXES.items() if axis.default_by is not None}
    | {name: whole_numbers(asked) for name, asked in INPUTS.items()},
)


def contradicts_itself(asked: dict[str, Any]) -> bool:
    """Whether inputs of a question contradict each other, worked out apart from the rules."""
    layers = RULEBOOK.catalogs["models"].entries[asked["model"]].value("layers")
    context, prompt, cached, depth = (float(asked.get(name, 0)) for name in ("context", "prompt", "cached", "depth"))
    too_long = "context" in asked and (max(prompt, 1) + cached > context or depth > context)
    return too_long or (layers is not None and float(asked.get("gpus", 1)) > layers)


questions = every_question.filter(lambda asked: not contradicts_itself(asked))


@settings(max_examples=100, deadline=None)
@given(every_question)
def test_a_question_is_refused_where_it_contradicts_itself_and_nowhere_else(asked: dict[str, str]) -> None:
    question = read_question(RULEBOOK, asked)
    if not contradicts_itself(asked):
        assert explain(ENGINE, question, ("ttft",))
        return
    with pytest.raises(ProblemsError) as refused:
        explain(ENGINE, question, ("ttft",))
    assert {problem.code for problem in refused.value.problems} == {"inputs-contradict"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions, st.booleans())
def test_every_answer_has_the_shape_of_its_schema(asked: dict[str, str], explain: bool) -> None:
    ANSWER.validate(answer_question(ENGINE, read_question(RULEBOOK, asked), explained=explain).to_dict())


@every_profile
@settings(max_examples=60, deadline=None)
@given(asked=questions)
def test_invariants_hold_for_every_question(profile: str, asked: dict[str, str]) -> None:
    built = answer_question(ENGINE, read_question(RULEBOOK, {**asked, "profile": profile})).to_dict()
    memory = built["memory"]
    parts = ("weights_gb", "kv_cache_gb", "runtime_gb", "headroom_gb")
    assert memory["needed_gb"] == pytest.approx(sum(memory[part] for part in parts))
    assert 0 <= built["offload"]["fraction"] < 1
    assert (built["offload"]["fraction"] > 0) == (memory["over_gb"] > 0)
    assert 0 <= built["score"] <= 100
    assert built["decode_tok_s"] >= 2 if profile == "reference" else built["decode_tok_s"] > 0
    assert built["ttft_ms"] > 0
    assert built["safe_context_tokens"] <= built["official_context_tokens"]
    assert (built["fit"]["code"] == "too_heavy") <= (built["grade"] == "F")


@settings(max_examples=60, deadline=None)
@given(questions)
def test_no_token_is_written_faster_than_its_weights_can_be_read(asked: dict[str, str]) -> None:
    steps = explain(ENGINE, read_question(RULEBOOK, asked), ("decode_tok_s", "weights_read"))
    found = {step["name"]: step["value"] for step in steps}
    read = found["decode_tok_s"] * found["weights_read"]
    assert read <= found["device.bandwidth"] * float(asked.get("gpus", 1))


@settings(max_examples=30, deadline=None)
@given(questions)
def test_a_mode_never_changes_the_fit(asked: dict[str, str]) -> None:
    answers = [
        answer_question(ENGINE, read_question(RULEBOOK, {**asked, "mode": mode})).to_dict()
        for mode in RULEBOOK.catalog_of("mode").ids
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


def asked_otherwise(built: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Figures of an answer that are those of another question, with how that differs."""
    for row in built["workloads"]:
        parts = ("grade", "score", "fit", "decode_tok_s", "ttft_ms", "safe_context_tokens")
        yield {part: row[part] for part in parts}, {"workload": row["workload"]}
    for row in built["quants"]:
        figures = {part: row[part] for part in ("grade", "score")} | {"memory": {"weights_gb": row["vram_gb"]}}
        yield figures, {"quant": row["quant"], "context": str(built["quants_context_tokens"])}
    for row in built["by_context"]:
        figures = {"memory": {"needed_gb": row["needed_gb"]}, "decode_tok_s": row["decode_tok_s"]}
        yield figures, {"context": str(row["context_tokens"])}
    for row in (*built["upgrades"], *built["ways"]):
        device = row["device"] if isinstance(row["device"], str) else row["device"]["id"]
        figures = {part: row[part] for part in ("grade", "score", "fit", "decode_tok_s", "ttft_ms") if part in row}
        given = {"quant": row.get("quant"), "kv": row.get("kv"), "gpus": row.get("gpus")}
        if row.get("code") == "shorter_context":
            given["context"] = row["context_tokens"]
        yield figures, {"device": device} | {name: str(value) for name, value in given.items() if value is not None}


@settings(max_examples=12, deadline=None)
@given(questions)
def test_each_variant_of_an_answer_equals_the_answer_to_its_question(asked: dict[str, str]) -> None:
    for figures, otherwise in asked_otherwise(answer_question(ENGINE, read_question(RULEBOOK, asked)).to_dict()):
        if contradicts_itself({**asked, **otherwise}):  # a context of a list, shorter than the prompt of the question
            continue
        alone = answer_question(ENGINE, read_question(RULEBOOK, {**asked, **otherwise})).to_dict()
        for part, figure in figures.items():
            for name, value in figure.items() if isinstance(figure, dict) else [(None, figure)]:
                wanted = alone[part] if name is None else alone[part][name]
                assert value == (pytest.approx(wanted, rel=1e-12) if isinstance(wanted, float) else wanted), otherwise


@pytest.mark.parametrize("name", INPUTS)
def test_every_numeric_input_affects_the_answer(ask: Ask, name: str) -> None:
    expected = ("memory", "decode_tok_s", "ttft_ms")
    without, given = ask("qwen-3-30b-a3b", "rtx-3060-12gb"), ask("qwen-3-30b-a3b", "rtx-3060-12gb", **{name: "2"})
    assert [given[part] for part in expected] != [without[part] for part in expected]


def test_modes_rank_differently(ask: Ask) -> None:
    scores = {
        mode: ask("qwen-3-8b", "rtx-4090-24gb", mode=mode)["ranking"]["score"]
        for mode in RULEBOOK.catalog_of("mode").ids
    }
    assert len(set(scores.values())) == len(scores)


def test_a_step_of_the_trace_names_the_source_of_its_figures(ask: Ask) -> None:
    built = ask("llama-3.1-405b", "h20-96gb", profile="reference", explain=True)
    steps = {step["name"]: step for step in built["trace"]}
    decode = steps["decode_unlimited"]
    assert decode["expr"].startswith("device.bandwidth / weights_read")
    assert (decode["file"], decode["unit"]) == ("rules/profiles/reference.yaml", "token/s")
    assert (steps["needed_memory"]["file"], steps["needed_memory"]["unit"]) == ("rules/physics/memory.yaml", "GB")
    assert decode["inputs"]["device.bandwidth"] == steps["device.bandwidth"]["value"] == 4000
    assert steps["device.bandwidth"]["file"] == "catalogs/devices/nvidia-datacenter.yaml"
    assert steps["device.bandwidth"]["source"]
    assert steps["device_mbu"]["file"] == "rules/profiles/reference.yaml"


@every_profile
def test_the_trace_explains_every_number_down_to_catalog_figures(ask: Ask, profile: str) -> None:
    built = ask("llama-3.1-405b", "h20-96gb", profile=profile, explain=True)
    steps = {step["name"]: step for step in built["trace"]}
    assert {"decode_tok_s", "device.bandwidth"} <= steps.keys()
    for step in steps.values():
        for name, value in step.get("inputs", {}).items():
            assert steps[name]["value"] == value
    order = list(steps)
    assert all(
        order.index(name) < order.index(step["name"]) for step in steps.values() for name in step.get("inputs", {})
    )


@every_profile
def test_the_line_of_a_step_is_where_its_name_is_written(ask: Ask, engine: Engine, profile: str) -> None:
    folders = find_folders()
    for step in ask("gemma-2-9b", "m1-16gb", profile=profile, explain=True)["trace"]:
        if "file" in step:
            folder, _, rest = step["file"].partition("/")
            line = (getattr(folders, folder) / rest).read_text("utf-8").split("\n")[step["line"] - 1]
            assert f"{written(engine, step)}:" in line


def written(engine: Engine, step: dict[str, Any]) -> str:
    """The word by which a name is found in its file; of a figure that is absent, what would hold it."""
    if "entry" not in step:
        return str(step["name"])
    axis, *path = step["name"].split(".")
    held: Any = engine.rulebook.catalog_of(axis).entries[step["entry"]].data
    word = step["entry"]
    for part in path:
        if part not in held:
            break
        word, held = part, held[part]
    return str(word)


def test_an_upgrade_explains_its_gain(ask: Ask) -> None:
    built = ask("llama-3.1-405b", "h20-96gb", profile="reference", explain=True)
    upgrades = {row["device"]: row for row in built["upgrades"]}
    steps = {step["name"]: step for step in upgrades["instinct-mi325x-256gb"]["trace"]}
    assert steps["decode_gain"]["value"] == 417
    assert steps["current.decode_tok_s"]["kind"] == "current"


def test_upgrades_come_from_the_cheapest_and_none_is_worse(ask: Ask) -> None:
    upgrades = ask("gemma-2-27b", "rtx-4070-12gb")["upgrades"]
    assert upgrades
    assert [row["price_usd"] for row in upgrades] == sorted(row["price_usd"] for row in upgrades)
    assert all(row["effects"] and row["fit"]["code"] != "too_heavy" for row in upgrades)


@every_profile
def test_a_model_that_runs_well_on_the_fastest_device_has_no_upgrade(ask: Ask, engine: Engine, profile: str) -> None:
    rules, device = engine.rules[profile], engine.rulebook.catalog_of("device")
    defaults = {axis.name: (axis.default,) for axis in rules.question_fields.axes.values() if axis.default}
    every_device = QuestionGrid.of(
        rules.question_fields, rules.columns, {**defaults, "model": ("llama-3.2-1b",), "device": device.ids}
    )
    speeds = evaluate(rules, every_device, ["decode_tok_s"]).columns["decode_tok_s"]
    fastest = device.ids[int(np.argmax(np.ravel(speeds)))]
    assert ask("llama-3.2-1b", fastest, profile=profile)["upgrades"] == []


def test_a_model_that_runs_well_on_a_fast_device_has_no_upgrade(ask: Ask) -> None:
    assert ask("llama-3.2-1b", "gb200-192gb", profile="reference")["upgrades"] == []


def test_names_match_regardless_of_case_and_separators(engine: Engine) -> None:
    question = read_question(
        engine.rulebook, {"model": "LLAMA 3.1 405b", "device": "NVIDIA H20 96GB", "quant": "q4_k_m"}
    )
    assert (question.entries["model"], question.entries["device"], question.entries["quant"]) == (
        "llama-3.1-405b",
        "h20-96gb",
        "Q4_K_M",
    )


def test_every_invalid_parameter_of_a_question_is_reported(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_question(
            engine.rulebook,
            {
                "model": "lama-3.1-405b",
                "device": "h20-96",
                "context": "-5",
                "quant": "Q9",
                "mode": "Q9",
                "colour": "q8",
            },
        )
    expected = {problem.field: (problem.code, problem.closest[:1]) for problem in found.value.problems}
    assert expected == {
        "model": ("unknown-entry", ("llama-3.1-405b",)),
        "device": ("unknown-entry", ("h20-96gb",)),
        "context": ("out-of-range", ()),
        "quant": ("unknown-entry-far", ()),
        "mode": ("unknown-entry", ("balanced",)),
        "colour": ("unknown-parameter", ("model",)),
    }


@pytest.mark.parametrize("nonsense", ["nan", "inf", "1e999", "lots", "1,000", "0", "-1", "1e12", True, "0x10"])
def test_a_nonsense_context_is_refused(engine: Engine, nonsense: Any) -> None:
    with pytest.raises(ProblemsError) as found:
        read_question(engine.rulebook, {"model": "yi-1.5-9b", "device": "l4-24gb", "context": nonsense})
    assert [problem.field for problem in found.value.problems] == ["context"]


def test_integers_with_more_digits_than_python_writes_are_problems(engine: Engine) -> None:
    pair = {"model": "yi-1.5-9b", "device": "l4-24gb"}
    large = {"context": 10**5000, "quant": 10**5000, "users": -(10**5000)}
    with pytest.raises(ProblemsError) as error:
        read_question(engine.rulebook, pair | large, {"headroom_share": 10**5000})
    assert {problem.field for problem in error.value.problems} == {*large, "headroom_share"}


def test_an_address_is_split_where_both_sides_are_known(engine: Engine) -> None:
    assert split_pair(engine.rulebook, "yi-1.5-9b-on-l4-24gb", "-on-", "model", "device") == {
        "model": "yi-1.5-9b",
        "device": "l4-24gb",
    }
    assert split_pair(engine.rulebook, "a-on-b-on-c", "-on-", "model", "device") == {"model": "a", "device": "b-on-c"}
    assert split_pair(engine.rulebook, "nothing", "-on-", "model", "device") == {"model": "nothing", "device": ""}
