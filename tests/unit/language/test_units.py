"""Units of the rules: every formula gives the unit that it declares, and incommensurable ones are never combined."""

from __future__ import annotations

import numpy as np
import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.program import evaluate_expression
from fitcard.language.definitions import Formula
from fitcard.lint.run import run_checks
from fitcard.lint.sample import samples_of
from fitcard.problems import Problem
from helpers.workplace import Workplace

REFERENCE = "rules/profiles/reference.yaml"


def problems(work: Workplace) -> list[Problem]:
    return run_checks(work.folders)[1]


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "expected"),
    [
        (
            "rules/physics/prefill.yaml", "prompt_tokens / prefill_time", "prefill_time / prompt_tokens",
            "unit-result", "the formula gives `ms/token`, but its unit is `token/s`",
        ),
        (
            "rules/physics/kv_cache.yaml", "(kv_per_token * context_length\n", "(kv_per_token + context_length\n",
            "unit-mismatch", "`kv_per_token` is in `GB/token` and `context_length` in `token`",
        ),
        (
            "rules/physics/offload.yaml",
            "max(0, needed_memory - usable_memory)", "max(1, needed_memory - usable_memory)",
            "unit-mismatch", "`1` is in no unit and `needed_memory - usable_memory` in `GB`",
        ),
        (
            "rules/physics/offload.yaml", "expr: max(0, over_capacity)", "expr: max(0, over_capacity) * weights",
            "unit-result", "the formula gives `GB**2`, but its unit is `GB`",
        ),
        (
            "rules/judgement/score.yaml", "log2(1 + decode_tok_s / speed_scale)", "log2(1 + decode_tok_s)",
            "unit-mismatch", "`1` is in no unit and `decode_tok_s` in `token/s`: they cannot be added",
        ),
        (
            "rules/judgement/upgrades.yaml", "decode_gain >= min_speed_gain", "decode_gain >= 25",
            "unit-mismatch", "`decode_gain` is in `percent` and `25` in no unit: they cannot be compared",
        ),
        (
            REFERENCE, "1 - offload_share ** unified_spill_power", "1 - offload_share ** usable_memory",
            "unit-mismatch", "an exponent must be a plain number, but `usable_memory` is in `GB`",
        ),
        (
            "rules/physics/weights.yaml", "active_share)) ** question.users", "active_share)) ** weights",
            "unit-mismatch", "an exponent must be a plain number, but `weights` is in `GB`",
        ),
        (
            REFERENCE, "spill_start * (usable_memory / needed_memory) ** spill_power",
            "spill_start * usable_memory ** spill_power",
            "unit-mismatch", "`usable_memory` is in `GB`: its exponent must be a literal number, not `spill_power`",
        ),
        (
            REFERENCE, "1 if needed_memory <= usable_memory", "1 if needed_memory <= context_length",
            "unit-mismatch", "`needed_memory` is in `GB` and `context_length` in `token`: they cannot be compared",
        ),
        (
            REFERENCE, "rows:\n      geforce: {value_of: geforce_runtime_overhead}",
            "rows:\n      geforce: {value_of: headroom_share}",
            "unit-rows", "the rows give `GB`, but `headroom_share` is in no unit",
        ),
        (
            REFERENCE, "minimum: 0\n      unit: GB", "minimum: 0\n      unit: GBB",
            "unit-unknown", "undefined unit `GBB`",
        ),
        (
            "rules/rulebook.yaml", "title: Context\n    unit: token", "title: Context\n    unit: tokens",
            "unit-unknown", "undefined unit `tokens`",
        ),
        (
            REFERENCE, "ttft:\n    unit: ms", "ttft:\n    unit: s",
            "unit-overlay", "the rules give `ttft` in `ms`, but the profile in `s`",
        ),
        (
            "rules/judgement/upgrades.yaml", "current.offload_share > 0", "current.offload_share > current.weights",
            "unit-mismatch", "`current.offload_share` is in no unit and `current.weights` in `GB`",
        ),
        (
            "rules/physics/memory.yaml", "always: needed_memory >= weights", "always: needed_memory >= context_length",
            "unit-mismatch", "`needed_memory` is in `GB` and `context_length` in `token`",
        ),
        (
            "rules/rulebook.yaml", "- token = [token]", "- token [token]",
            "unit-definition", "cannot parse the unit: `=` is missing",
        ),
        (
            "rules/rulebook.yaml", "- percent = 0.01", "- percent = 0.01 * whole",
            "unit-definition", "cannot parse the unit: undefined unit `whole`",
        ),
    ],
)  # fmt: skip
def test_a_unit_mismatch_names_both_units(
    copy: Workplace, file: str, old: str, new: str, code: str, expected: str
) -> None:
    copy.edit(file, old, new)
    found = problems(copy)
    assert code in {problem.code for problem in found}
    assert any(expected in problem.message for problem in found), [problem.message for problem in found]


def test_the_caret_stands_under_the_part_that_does_not_fit(copy: Workplace) -> None:
    copy.edit(
        "rules/physics/memory.yaml", "weights + kv_cache + runtime_memory", "weights + context_length + runtime_memory"
    )
    found = next(problem for problem in problems(copy) if problem.code == "unit-mismatch")
    assert found.position is not None
    assert found.source_line[found.position.column - 1 :].startswith("context_length")


def test_zero_is_zero_of_anything(copy: Workplace) -> None:
    copy.edit(
        "rules/physics/memory.yaml",
        "expr: needed_memory - usable_memory",
        "expr: max(0, needed_memory - usable_memory) + 0",
    )
    assert problems(copy) == []


def test_the_rules_as_they_are_agree(copy: Workplace) -> None:
    assert problems(copy) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rules/physics/memory.yaml", "compute_buffer:\n    unit: GB", "compute_buffer:\n    unit: MB"),
        ("rules/physics/context.yaml", "free_memory_per_user:\n    unit: GB", "free_memory_per_user:\n    unit: GiB"),
        ("rules/physics/offload.yaml", "host_bandwidth:\n    unit: GB/s", "host_bandwidth:\n    unit: MB/s"),
        ("rules/physics/decode.yaml", "kv_time:\n    unit: ms/token", "kv_time:\n    unit: s/token"),
        ("rules/physics/context.yaml", "context_token:\n    unit: GB/token", "context_token:\n    unit: B/token"),
        ("rules/physics/prefill.yaml", "fp8_peak:\n    unit: TFLOP/s", "fp8_peak:\n    unit: GFLOP/s"),
        ("rules/physics/offload.yaml", 'offload_share:\n    unit: "1"', "offload_share:\n    unit: percent"),
    ],
)
def test_another_unit_of_a_formula_moves_no_answer(copy: Workplace, file: str, old: str, new: str) -> None:
    def figures() -> dict[str, float]:
        engine = copy.load()
        question = read_question(engine.rulebook, {"model": "llama-3.1-70b", "device": "rtx-4090-24gb"})
        answer = answer_question(engine, question).to_dict()
        return {
            "needed_gb": answer["memory"]["needed_gb"],
            **{key: answer[key] for key in ("decode_tok_s", "ttft_ms", "score", "safe_context_tokens")},
        }

    before = figures()
    copy.edit(file, old, new)
    assert figures() == pytest.approx(before, rel=1e-12)


def test_conditions_are_covered_and_searched_as_they_are_evaluated(copy: Workplace) -> None:
    copy.edit(
        "rules/physics/offload.yaml",
        "expr: host_memory > 0 and not runtime.offloads",
        "expr: (1 if host_memory > 500 * MB else 0) > 0 and not runtime.offloads",
    )
    engine = copy.load()
    formula = engine.default_rules.definitions["no_offload"]
    assert isinstance(formula, Formula)
    (condition,) = formula.expression.conditions
    assert condition.text == "host_memory > 500 * MB"
    assert evaluate_expression(condition, {"host_memory": 0.6})
    assert not evaluate_expression(condition, {"host_memory": 0.4})


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "closest"),
    [
        ("rules/fit.yaml", "value: 2, unit: GB", "value: 2, unit: Gb", "unit-unknown", "GB"),
        ("rules/fit.yaml", "(weights + kv_cache + overhead)", "(weights + 2 * Gb)", "name-unknown", "GB"),
        ("rules/fit.yaml", "value: 5, unit: GB/s", "value: 5, unit: gigabyt/s", "unit-unknown", "gigabyte/s"),
    ],
)
def test_a_misspelt_unit_gets_units_with_prefixes(
    small: Workplace, file: str, old: str, new: str, code: str, closest: str
) -> None:
    small.edit(file, old, new)
    assert {problem.code: problem.closest[:1] for problem in small.problems()} == {code: (closest,)}


def test_a_rulebook_defines_its_own_units(small: Workplace) -> None:
    assert problems(small) == []
    small.edit("rules/fit.yaml", "(device.bandwidth, storage_bandwidth)", "(device.memory, storage_bandwidth * s)")
    assert [problem.message for problem in problems(small) if problem.code == "unit-result"] == [
        "the formula gives no unit, but its unit is `s`"
    ]


def test_a_formula_in_hours_is_converted_from_seconds(small: Workplace) -> None:
    seconds = samples_of(small.load().rules.values())[0].evaluation.columns["load_time"]
    small.edit("rules/fit.yaml", "unit: s\n", "unit: h\n")
    hours = samples_of(small.load().rules.values())[0].evaluation.columns["load_time"]
    assert np.allclose(seconds / 3600, hours, rtol=1e-15)
