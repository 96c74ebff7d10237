"""Edits of rules without Python: a changed number changes the answer, and an error stops the load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import reduce
from operator import getitem
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.language.definitions import Constant
from helpers.workplace import PROJECT, Workplace

QUESTION = {"model": "llava-1.6-13b", "device": "rtx-3090-24gb", "workload": "chat"}
PREFILL = "expr: prefill_overhead + matmul_time +"


def answered(work: Workplace, profile: str = "reference") -> Any:
    """An answer of the reference, whose figures are known to the digit, or of the profile that is named."""
    engine = work.load()
    return answer_question(engine, read_question(engine.rulebook, {**QUESTION, "profile": profile})).to_dict()


@pytest.mark.parametrize(
    ("file", "old", "new", "part", "before", "after"),
    [
        ("rules/profiles/reference.yaml", "rtx-3090-24gb: 0.70", "rtx-3090-24gb: 0.35", "decode_tok_s", 82.62, 41.31),
        ("rules/profiles/reference.yaml", "value: 0.088", "value: 0.044", "ttft_ms", 1278.1, 639.1),
        ("rules/profiles/reference.yaml", "Q4_K_M: 0.61", "Q4_K_M: 0.5", "decode_tok_s", 82.62, 100.8),
        ("rules/judgement/fit.yaml", "at_most: 0.80", "at_most: 0.70", "fit", "runs_well", "tight_fit"),
        ("rules/judgement/score.yaml", "at_least: 70, gives: A", "at_least: 80, gives: A", "grade", "A", "B"),
        ("catalogs/devices/nvidia-geforce.yaml", "bandwidth: 936", "bandwidth: 468", "decode_tok_s", 82.62, 41.31),
        ("rules/judgement/modes.yaml", "quality: 0.45, fit: 0.12", "quality: 0.12, fit: 0.45", "ranking", 71.9, 83.7),
    ],
)
def test_a_number_in_a_file_changes_the_answer(
    copy: Workplace, file: str, old: str, new: str, part: str, before: Any, after: Any
) -> None:
    def figure(built: Any) -> Any:
        value = built[part]
        return value.get("code", value.get("score")) if isinstance(value, dict) else value

    first = answered(copy)
    copy.edit(file, old, new)
    second = answered(copy)
    close = {"rel": 0.02} if isinstance(before, int | float) else {}
    assert figure(first) == (pytest.approx(before, **close) if close else before)
    assert figure(second) == (pytest.approx(after, **close) if close else after)
    assert first["rules"]["sha256"] != second["rules"]["sha256"]


@pytest.mark.parametrize(
    ("constant", "part", "larger", "expected"),
    [
        ("headroom_share", ("memory", "headroom_gb"), lambda old: old * 2, lambda figure, old, new: figure / old * new),
        ("prefill_overhead", ("ttft_ms",), lambda old: old + 2, lambda figure, old, new: figure - old + new),
    ],
)
def test_a_constant_changes_the_answers_of_the_default_profile(
    copy: Workplace,
    constant: str,
    part: tuple[str, ...],
    larger: Callable[[float], float],
    expected: Callable[[float, float, float], float],
) -> None:
    def figure(built: Any) -> float:
        return float(reduce(getitem, part, built))

    engine = copy.load()
    found = engine.rulebook.rule_set.definitions[constant]
    assert isinstance(found, Constant)
    place, text, new = found.document.spans[(*found.path, "value")], found.document.text, larger(found.value)
    first = answered(copy, engine.rulebook.default_profile)
    copy.write(found.document.path, f"{text[: place.start]}{new!r}{text[place.end :]}")
    second = answered(copy, engine.rulebook.default_profile)
    assert figure(second) == pytest.approx(expected(figure(first), found.value, new), abs=0)
    assert figure(second) > figure(first)
    assert first["rules"]["sha256"] != second["rules"]["sha256"]


def test_a_new_formula_stands_in_the_answer_without_python(copy: Workplace) -> None:
    copy.edit(
        "rules/physics/decode.yaml",
        "formulas:\n",
        "formulas:\n  words_per_minute:\n    unit: token/s\n    about: Words written, as people count them.\n"
        "    expr: decode_tok_s * 0.75 * 60\n",
    )
    copy.edit(
        "rules/views/answer.yaml", "\n  ttft_ms: ttft\n", "\n  ttft_ms: ttft\n  words_per_minute: words_per_minute\n"
    )
    assert answered(copy)["words_per_minute"] == pytest.approx(82.62 * 45, rel=1e-3)


def test_tests_and_comments_do_not_change_the_hash_of_beliefs(copy: Workplace) -> None:
    before = copy.load().rulebook.sha256
    copy.write(
        "rules/more.test.yaml",
        "kind: tests\ntitle: More\ntests:\n  - {name: a fit, given: {memory_ratio: 0.5}, expect: {fit: runs_well}}\n",
    )
    assert copy.load().rulebook.sha256 == before


@pytest.mark.parametrize("command", [["show", "yi-1.5-9b", "l4-24gb"], ["check"], ["test"], ["serve", "--port", "0"]])
def test_wrong_rules_stop_every_command_with_place_and_code_1(copy: Workplace, command: list[str]) -> None:
    copy.edit("rules/physics/prefill.yaml", PREFILL, PREFILL.replace("matmul_time", "matmul_tme"))
    above, *_ = copy.path("rules/physics/prefill.yaml").read_text("utf-8").partition("matmul_tme")
    place = f"rules/physics/prefill.yaml:{above.count(chr(10)) + 1}:{len(above) - above.rfind(chr(10))}"
    folders = copy.options
    ended = subprocess.run(
        [sys.executable, "-m", "fitcard", *folders, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert f"{place}: error: undefined name `matmul_tme` [name-unknown]" in ended.stdout + ended.stderr
    assert "did you mean `matmul_time`" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_rules_whose_units_disagree_give_no_number(copy: Workplace) -> None:
    copy.edit("rules/physics/prefill.yaml", "prompt_tokens / prefill_time", "prefill_time / prompt_tokens")
    folders = copy.options
    ended = CliRunner().invoke(main, [*folders, "show", "yi-1.5-9b", "l4-24gb"])
    assert ended.exit_code == 1
    assert "the formula gives `ms/token`, but its unit is `token/s` [unit-result]" in ended.output


def test_check_is_quiet_on_the_rules_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    ended = CliRunner().invoke(main, ["check"])
    assert (ended.exit_code, ended.output) == (0, "0 errors, 0 warnings in rules\n")
