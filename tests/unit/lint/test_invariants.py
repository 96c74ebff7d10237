"""Invariants: stated beside the rules, tried over the whole catalog, and shown broken by a small example."""

from __future__ import annotations

import re

import pytest

from fitcard.lint.invariants import STEPS, invariant_problems
from fitcard.lint.run import MAX_QUESTIONS, run_checks
from fitcard.lint.sample import samples_of
from fitcard.problems import Problem
from helpers.workplace import Workplace

FEW = 4_000  # questions that a mistake like these must be found on: far fewer than are tried


def broken(work: Workplace, most: int = MAX_QUESTIONS) -> dict[str, Problem]:
    """Problems of invariants by the name of the invariant, tried on so many questions."""
    problems = [problem for problem in run_checks(work.folders, max_questions=most)[1] if problem.code == "invariant-broken"]
    return {problem.message.split("`")[1]: problem for problem in problems}


def test_the_rules_as_they_are_hold(copy: Workplace) -> None:
    engine = copy.load()
    assert len(engine.rulebook.invariants) >= 15
    assert list(invariant_problems(engine.rulebook, samples_of(engine.rules.values(), 200_000))) == []


BREAKS = {
    "more bandwidth never slows decode": (
        "physics/decode.yaml",
        "device.bandwidth * weights_mbu",
        "device.bandwidth * (pcie_bandwidth / device.bandwidth) ** 2 * weights_mbu",
    ),
    "more weights to read never speed up decode": (
        "physics/decode.yaml",
        "expr: ms_per_s / step_time",
        "expr: ms_per_s / step_time * (weights_read * tokens_per_step / file_size) ** 2",
    ),
    "more tokens in context never speed up decode": (
        "physics/decode.yaml",
        "expr: ms_per_s / step_time",
        "expr: ms_per_s / step_time * (1 + depth / context_length) ** 2",
    ),
    "more memory never slows decode": (
        "physics/offload.yaml",
        "max(host_weights_read / effective_host_bandwidth + (0 if device.unified else host_active_params / cpu_rate),\n"
        "      host_weights_read / effective_bandwidth)",
        "host_weights_read / (effective_host_bandwidth + effective_bandwidth)",
    ),
    "decode speed is positive": (
        "physics/decode.yaml",
        "expr: ms_per_s / step_time",
        "expr: ms_per_s / step_time if question.gpus <= one_device else 0",
    ),
    "all-reduce time is never negative": (
        "physics/parallel.yaml",
        "if tensor_parallel_devices > 1 else 0",
        "if tensor_parallel_devices > 1 else -overhead_time / 2",
    ),
    "the offload share is at least 0 and below 1": (
        "physics/offload.yaml",
        "max(0, needed_memory - usable_memory) / needed_memory",
        "max(0, needed_memory - usable_memory) / usable_memory",
    ),
    "the offload share is positive exactly when over capacity": (
        "physics/memory.yaml",
        "expr: needed_memory - usable_memory",
        "expr: needed_memory - usable_memory * 2",
    ),
    "the host never holds more than the needed memory": (
        "physics/offload.yaml",
        "expr: max(0, over_capacity)",
        "expr: max(0, over_capacity) * 2",
    ),
    "more memory never increases offload": (
        "physics/offload.yaml",
        "max(0, needed_memory - usable_memory) / needed_memory",
        "max(0, needed_memory - usable_memory) * usable_memory / needed_memory ** 2",
    ),
    "more host bandwidth never slows decode": (
        "physics/offload.yaml",
        "host_bandwidth * host_mbu",
        "host_bandwidth * (pcie_bandwidth / host_bandwidth) ** 2 * host_mbu",
    ),
    "the safe context never exceeds what the model supports": (
        "physics/context.yaml",
        "min(max(max_context_in_memory, min_safe_context), model.context)",
        "max(max_context_in_memory, min_safe_context)",
    ),
    "more memory never shortens the safe context": (
        "physics/context.yaml",
        "(usable_memory - weights",
        "(weights ** 2 / usable_memory - weights",
    ),
    "a longer time to first token never raises the mode score": (
        "judgement/ranking.yaml",
        "[2000, 80]",
        "[2000, 120]",
    ),
    "the mode score lies from 0 to 100": (
        "judgement/ranking.yaml",
        "runs * (mode.weights.quality",
        "2 * runs * (mode.weights.quality",
    ),
    "the score lies from 0 to 100": (
        "judgement/score.yaml",
        "[1.20, 80]]",
        "[1.20, 900]]",
    ),
    "a model that is too heavy scores 0": (
        "judgement/score.yaml",
        "runs * (quality_weight",
        "(quality_weight",
    ),
    "better quality never lowers the score": (
        "judgement/score.yaml",
        "expr: model_quality * quant_quality",
        "expr: (max_score - model_quality) * quant_quality",
    ),
    "a mode never changes the grade": (
        "judgement/score.yaml",
        "runs * (quality_weight",
        "mode.weights.quality * runs * (quality_weight",
    ),
    "a mode never changes the fit": (
        "physics/memory.yaml",
        "expr: needed_memory / usable_memory",
        "expr: needed_memory / usable_memory * (1 + mode.weights.speed)",
    ),
    "a mode never changes the memory ratio": (
        "physics/memory.yaml",
        "expr: used_memory + headroom",
        "expr: used_memory + headroom * (1 + mode.weights.speed)",
    ),
    "a longer context never needs less memory": (
        "physics/kv_cache.yaml",
        "(kv_per_token * context_length\n",
        "(kv_per_token * context_length * (workload.tokens / context_length) ** 2\n",
    ),
    "more layers never cache less per token": (
        "physics/kv_cache.yaml",
        "(keys_and_values * either(model.full_layers, model.layers)",
        "(keys_and_values * either(model.full_layers, model.layers) / model.layers ** 2",
    ),
    "needed memory is at least that of the weights": (
        "physics/memory.yaml",
        "expr: used_memory + headroom",
        "expr: used_memory + headroom - weights",
    ),
    "more memory never worsens the fit": (
        "physics/memory.yaml",
        "expr: needed_memory / usable_memory",
        "expr: needed_memory * usable_memory / weights ** 2",
    ),
    "a larger file never needs less memory": (
        "physics/weights.yaml",
        "expr: file_size - embeddings_on_host",
        "expr: estimated_file_size ** 2 / file_size",
    ),
    "more parameters never need less memory": (
        "physics/memory.yaml",
        "expr: used_memory + headroom",
        "expr: used_memory + headroom + weights * model.nominal_params ** 2 / params ** 2",
    ),
    "another device never worsens the fit": (
        "physics/memory.yaml",
        "expr: question.gpus * usable_memory_per_device",
        "expr: usable_memory_per_device",
    ),
    "usable memory never exceeds the memory of the device": (
        "physics/memory.yaml",
        "expr: gb_per_memory_gb * min(",
        "expr: 2 * gb_per_memory_gb * min(",
    ),
    "a longer prompt never shortens the time to first token": (
        "physics/prefill.yaml",
        "expr: prefill_overhead + matmul_time +",
        "expr: (prefill_overhead + matmul_time) * (one_token / prompt_tokens) ** 2 +",
    ),
    "more compute never lengthens the time to first token": (
        "physics/prefill.yaml",
        "expr: prefill_overhead + matmul_time +",
        "expr: prefill_overhead + matmul_time * (fp16_peak / fp32_peak) ** 3 +",
    ),
    "more bits per weight never shrink the file": (
        "physics/weights.yaml",
        "expr: either(model.packed_bits, quant.bits_per_weight)",
        "expr: quant.embedding_bits ** 2 / quant.bits_per_weight",
    ),
    "a step never reads more than all weights": (
        "physics/weights.yaml",
        "max(1 - input_embedding_share - expert_share, 0) +",
        "max(1 - input_embedding_share, 0) +",
    ),
}


@pytest.mark.parametrize("invariant", BREAKS)
def test_a_rule_that_breaks_one_is_told_by_its_name(copy: Workplace, invariant: str) -> None:
    file, old, new = BREAKS[invariant]
    copy.edit(f"rules/{file}", old, new)
    assert invariant in broken(copy, FEW)


def test_a_profile_that_breaks_one_is_told_by_its_name(copy: Workplace) -> None:
    copy.edit("rules/profiles/reference.yaml", "value: 2.105\n", "value: -2.105\n")
    assert broken(copy)["more memory never slows decode"].hint.startswith("in the profile reference: ")


def test_another_figure_breaks_none(copy: Workplace) -> None:
    copy.edit("rules/profiles/reference.yaml", "value: 0.72", "value: 0.95")
    assert broken(copy) == {}


def test_the_example_is_small_and_names_the_question_and_both_values(copy: Workplace) -> None:
    invariant = "more compute never lengthens the time to first token"
    file, old, new = BREAKS[invariant]
    copy.edit(f"rules/{file}", old, new)
    problem = broken(copy)[invariant]
    example = re.search(
        r"does not hold for (.+): device\.compute\.fp16 (.+) -> (.+); ttft (.+) -> (.+)$", problem.message
    )
    assert example is not None, problem.message
    question, *figures = example.groups()
    compute, more_compute, wait, longer_wait = map(float, figures)
    model, device, *_ = question.split()
    catalogs = copy.load().rulebook.catalogs
    computes = [entry.value("compute.fp16") for entry in catalogs["devices"].entries.values()]
    assert model in catalogs["models"].entries
    assert catalogs["devices"].entries[device].value("compute.fp16") == pytest.approx(compute, rel=1e-5)
    assert compute == pytest.approx(min(one for one in computes if one is not None), rel=1e-5)
    assert more_compute == pytest.approx(compute * STEPS[0], rel=1e-5)
    assert longer_wait > wait
    assert problem.position is not None
    assert problem.source_line[problem.position.column - 1 :] == "ttft never increases"


PARCELS = "\ninvariants:\n  - name: a longer way never takes less time\n    "


def when(cause: str, effect: str) -> str:
    return f"when: {cause}\n    then: {effect}\n"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        (when("question.distance increases", "time never decreases"), None, ""),
        (
            when("question.distance increases", "time never increases"),
            "invariant-broken",
            "does not hold for letter small distance=1: question.distance 1 -> 1.0625; time 0.02 -> 0.02125",
        ),
        (
            when("van changes", "room_share never changes"),
            "invariant-broken",
            "does not hold for letter small: room_share is 0.000333333 for small, and 0.000125 for large",
        ),
        (
            when("van changes", "room never changes"),
            "invariant-broken",
            "does not hold for piano small: room is none for small, and enough for large",
        ),
        ("always: time < 1\n", "invariant-broken", "does not hold for letter small: time = 2"),
        ("always: time\n", "invariant-form", "this must be a condition"),
        ("always: tiem < 3\n", "name-unknown", "undefined name `tiem`"),
        ("always: time <\n", "expression-syntax", "the expression is incomplete"),
        (when("van increases", "time never changes"), "invariant-form", "this cannot be tested"),
        (when("van.spede increases", "time never decreases"), "name-unknown", "undefined name `van.spede`"),
        (when("van.speed increases", "tmie never increases"), "name-unknown", "undefined name `tmie`"),
        (when("van.speed grows", "time never increases"), "invariant-form", "cannot parse `when`"),
        (when("van.speed increases", "time rises"), "invariant-form", "cannot parse `then`"),
        (when("van.speed increases", "room never decreases"), "invariant-form", "a word has no order"),
        ("when: van.speed increases\n", "schema-missing-key", "`then` is missing"),
    ],
)
def test_each_form_is_tried_or_told(parcels: Workplace, text: str, code: str | None, told: str) -> None:
    parcels.write("rules/trip.yaml", parcels.path("rules/trip.yaml").read_text("utf-8") + PARCELS + text)
    problems = run_checks(parcels.folders)[1]
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(told in problem.message for problem in problems), problems


def test_one_that_the_first_profile_leaves_out_is_tried_in_the_next_though_all_is_the_same(parcels: Workplace) -> None:
    parcels.write("rules/profiles/another.yaml", parcels.path("rules/profiles/plain.yaml").read_text("utf-8"))
    text = when("question.distance increases", "time never increases") + "    not_in: [another]\n"
    parcels.write("rules/trip.yaml", parcels.path("rules/trip.yaml").read_text("utf-8") + PARCELS + text)
    (problem,) = run_checks(parcels.folders)[1]
    assert (problem.code, problem.hint.split(":")[0]) == ("invariant-broken", "in the profile plain")


def test_one_with_a_number_that_is_not_finite_hides_no_other_with_the_same_cause(parcels: Workplace) -> None:
    text = """kind: rules
title: Rest
about: What is left of a way.
reference: {title: How parcels travel}
constants:
  odd_distance: {value: 1.0625, unit: km, about: What the shortest way becomes by the smallest step.}
formulas:
  per_rest: {unit: 1/km, about: Without bounds at the odd distance., expr: 1 / (question.distance - odd_distance)}
invariants:
  - name: the rest is the same
    when: question.distance increases
    then: per_rest never changes
  - name: a longer way never takes more time
    when: question.distance increases
    then: time never increases
"""
    parcels.write("rules/rest.yaml", text)
    told = {problem.code: problem.message for problem in run_checks(parcels.folders)[1]}
    assert list(told) == ["not-finite", "invariant-broken"]
    assert "`per_rest` is not a finite number for letter small" in told["not-finite"]
    assert "`a longer way never takes more time` does not hold for letter small" in told["invariant-broken"]
