"""Invariants: stated beside the rules, tested over the whole catalog, with a small counterexample."""

from __future__ import annotations

import re

import pytest

from fitcard.lint.invariants import STEPS, invariant_problems
from fitcard.lint.run import MAX_QUESTIONS, run_checks
from fitcard.lint.sample import samples_of
from fitcard.problems import Problem
from helpers.workplace import Workplace

FEW = 4_000  # questions on which such a mistake is found: far fewer than a check tests


def broken(work: Workplace, most: int = MAX_QUESTIONS) -> dict[str, Problem]:
    """Problems of invariants by the name of the invariant, tested on `most` questions."""
    found = run_checks(work.folders, max_questions=most)[1]
    problems = [problem for problem in found if problem.code == "invariant-broken"]
    return {problem.message.split("`")[1]: problem for problem in problems}


def test_all_invariants_of_the_rules_hold(copy: Workplace) -> None:
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
        "expr: 1 / step_time",
        "expr: 1 / step_time * (weights_read * token / file_size) ** 2",
    ),
    "more tokens in context never speed up decode": (
        "physics/decode.yaml",
        "expr: 1 / step_time",
        "expr: 1 / step_time * (1 + depth / context_length) ** 2",
    ),
    "more memory never slows decode": (
        "physics/offload.yaml",
        "max(host_weights_read / effective_host_bandwidth + (0 if device.unified else host_active_params / cpu_rate),\n"
        "      host_weights_read / effective_bandwidth)",
        "host_weights_read / (effective_host_bandwidth + effective_bandwidth)",
    ),
    "decode speed is positive": (
        "physics/decode.yaml",
        "expr: 1 / step_time",
        "expr: 1 / step_time if question.gpus <= 1 else 0",
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
        "expr: min(",
        "expr: 2 * min(",
    ),
    "a longer prompt never shortens the time to first token": (
        "physics/prefill.yaml",
        "expr: prefill_overhead + matmul_time +",
        "expr: (prefill_overhead + matmul_time) * (token / prompt_tokens) ** 2 +",
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
def test_a_broken_invariant_is_reported_by_name(copy: Workplace, invariant: str) -> None:
    file, old, new = BREAKS[invariant]
    copy.edit(f"rules/{file}", old, new)
    assert invariant in broken(copy, FEW)


def test_a_broken_invariant_names_the_profile(copy: Workplace) -> None:
    copy.edit("rules/profiles/reference.yaml", "value: 2.105\n", "value: -2.105\n")
    assert broken(copy)["more memory never slows decode"].hint.startswith("in the profile reference: ")


def test_a_plausible_constant_breaks_no_invariant(copy: Workplace) -> None:
    copy.edit("rules/profiles/reference.yaml", "value: 0.72", "value: 0.95")
    assert broken(copy) == {}


def test_the_counterexample_is_small_and_names_the_question_and_both_values(copy: Workplace) -> None:
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


FIT = "rules/fit.yaml"
INVARIANT = "invariants:\n  - name: a longer context never loads faster\n    "


def when(cause: str, effect: str) -> str:
    return f"when: {cause}\n    then: {effect}\n"


LONGER_CONTEXT = when("question.context increases", "load_time never increases")


def add_invariant(small: Workplace, text: str) -> None:
    small.write(FIT, small.path(FIT).read_text("utf-8") + INVARIANT + text)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (when("question.context increases", "load_time never decreases"), None, ""),
        (
            LONGER_CONTEXT,
            "invariant-broken",
            "does not hold for llama-3.1-8b m1-16gb Q4_K_M context=1000: question.context 1000 -> 1062.5; "
            "load_time 1.025 -> 1.02656",
        ),
        (
            when("device changes", "memory_share never changes"),
            "invariant-broken",
            "does not hold for llama-3.1-8b m1-16gb Q4_K_M: memory_share is 0.5 for m1-16gb, and 0.333333 for "
            "rtx-4090-24gb",
        ),
        (
            when("device changes", "fit never changes"),
            "invariant-broken",
            "does not hold for llama-3.1-8b m1-16gb Q8_0: fit is tight for m1-16gb, and easy for rtx-4090-24gb",
        ),
        (
            "always: load_time < 1 * s\n",
            "invariant-broken",
            "does not hold for llama-3.1-8b m1-16gb Q4_K_M: load_time = 1.2",
        ),
        ("always: load_time\n", "invariant-form", "this must be a condition"),
        ("always: load_tiem < 3\n", "name-unknown", "undefined name `load_tiem`"),
        ("always: load_time <\n", "expression-syntax", "the expression is incomplete"),
        (when("device increases", "load_time never changes"), "invariant-form", "this cannot be tested"),
        (
            when("device.memry increases", "memory_share never decreases"),
            "name-unknown",
            "undefined name `device.memry`",
        ),
        (when("device.memory increases", "load_tiem never increases"), "name-unknown", "undefined name `load_tiem`"),
        (when("device.memory grows", "load_time never increases"), "invariant-form", "cannot parse `when`"),
        (when("device.memory increases", "load_time rises"), "invariant-form", "cannot parse `then`"),
        (when("device.memory increases", "fit never decreases"), "invariant-form", "a word has no order"),
        ("when: device.memory increases\n", "schema-missing-key", "`then` is missing"),
    ],
)
def test_each_form_of_an_invariant_is_tested_or_refused(
    small: Workplace, text: str, code: str | None, message: str
) -> None:
    add_invariant(small, text)
    problems = run_checks(small.folders)[1]
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(message in problem.message for problem in problems), problems


def test_an_invariant_excluded_from_one_profile_is_tested_in_the_others(small: Workplace) -> None:
    small.write("rules/profiles/another.yaml", small.path("rules/profiles/plain.yaml").read_text("utf-8"))
    add_invariant(small, LONGER_CONTEXT + "    not_in: [another]\n")
    (problem,) = run_checks(small.folders)[1]
    assert (problem.code, problem.hint.split(":")[0]) == ("invariant-broken", "in the profile plain")


def test_a_number_that_is_not_finite_does_not_hide_other_broken_invariants(small: Workplace) -> None:
    text = """kind: rules
title: Rest
about: Rest of a context.
reference: {title: Arithmetic}
constants:
  odd_context: {value: 1062.5, unit: token, about: The minimum context enlarged by the smallest step.}
formulas:
  per_rest: {unit: 1/token, about: Infinite at the odd context., expr: 1 / (question.context - odd_context)}
invariants:
  - name: the rest is the same
    when: question.context increases
    then: per_rest never changes
  - name: a longer context never loads slower
    when: question.context increases
    then: load_time never increases
"""
    small.write("rules/rest.yaml", text)
    messages = {problem.code: problem.message for problem in run_checks(small.folders)[1]}
    assert list(messages) == ["not-finite", "invariant-broken"]
    assert "`per_rest` is not a finite number for llama-3.1-8b" in messages["not-finite"]
    assert "`a longer context never loads slower` does not hold for llama-3.1-8b" in messages["invariant-broken"]
