"""Units: every formula gives what it declares, and nothing is added to what it cannot be added to."""

from __future__ import annotations

import pytest

from fitcard.lint.run import run_checks
from fitcard.problems import Problem
from helpers.workplace import Workplace

REFERENCE = "rules/profiles/reference.yaml"


def problems(work: Workplace) -> list[Problem]:
    return run_checks(work.folders)[1]


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "told"),
    [
        (
            REFERENCE, "prompt_tokens / prefill_tok_s * ms_per_s", "prompt_tokens / prefill_tok_s",
            "unit-result", "the formula gives `s`, but its unit is `ms`, a factor of 1000 apart",
        ),
        (
            "rules/physics/prefill.yaml", "prompt_tokens / prefill_time * ms_per_s", "prompt_tokens / prefill_time",
            "unit-result", "the formula gives `token / ms`, but its unit is `token/s`, a factor of 1000 apart",
        ),
        (
            "rules/physics/kv_cache.yaml", "kv_values_per_token * kv.bytes_per_value / bytes_per_kv_gb",
            "kv_values_per_token * kv.bytes_per_value",
            "unit-result", "the formula gives `B / token`, but its unit is `GB/token`, a factor of 1e-09",
        ),
        (
            "rules/physics/kv_cache.yaml", "(kv_per_token * context_length\n", "(kv_per_token + context_length\n",
            "unit-mismatch", "`kv_per_token` is in `GB / token` and `context_length` in `token`",
        ),
        (
            "rules/physics/memory.yaml",
            "unit: GB\n    about: \"Usable memory of one device:",
            "unit: GiB\n    about: \"Usable memory of one device:",
            "unit-result", "the formula gives `GB`, but its unit is `GiB`",
        ),
        (
            "rules/physics/offload.yaml",
            "max(0, needed_memory - usable_memory)", "max(1, needed_memory - usable_memory)",
            "unit-mismatch", "`1` is in no unit and `needed_memory - usable_memory` in `GB`",
        ),
        (
            "rules/physics/offload.yaml", "expr: max(0, over_capacity)", "expr: max(0, over_capacity) * weights",
            "unit-result", "the formula gives `GB ** 2`, but its unit is `GB`",
        ),
        (
            "rules/judgement/score.yaml", "log2(1 + decode_tok_s / speed_scale)", "log2(1 + decode_tok_s)",
            "unit-mismatch", "`1` is in no unit and `decode_tok_s` in `token / s`: they cannot be added",
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
            "unit-mismatch", "`usable_memory` is in `GB`, but its exponent is not a plain number",
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
            "rules/judgement/upgrades.yaml", "current.offload_share > 0", "current.offload_share > current.weights",
            "unit-mismatch", "`current.offload_share` is in no unit and `current.weights` in `GB`",
        ),
        (
            "rules/rulebook.yaml", "- token = [token]", "- token [token]",
            "unit-definition", "cannot parse the unit",
        ),
        (
            "rules/rulebook.yaml", "- percent = 0.01", "- percent = 0.01 * whole",
            "unit-definition", "cannot parse the unit: 'whole' is not defined in the unit registry",
        ),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_told_with_both_units(
    copy: Workplace, file: str, old: str, new: str, code: str, told: str
) -> None:
    copy.edit(file, old, new)
    found = problems(copy)
    assert code in {problem.code for problem in found}
    assert any(told in problem.message for problem in found), [problem.message for problem in found]


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


def test_a_rulebook_defines_its_own_units(small: Workplace) -> None:
    assert problems(small) == []
    small.edit("rules/fit.yaml", "unit: s\n", "unit: h\n")
    assert [problem.message for problem in problems(small)] == [
        "the formula gives `s`, but its unit is `h`, a factor of 0.000277778 apart"
    ]
