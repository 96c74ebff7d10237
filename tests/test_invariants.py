"""Invariants: stated beside the rules, tried over the whole catalog, and shown broken by a small example."""

from __future__ import annotations

import pytest
from conftest import Workplace

from engine.check.everything import check_everything
from engine.check.invariants import invariant_problems
from engine.check.trial import trials_of
from engine.problems import Problem


def broken(work: Workplace) -> dict[str, Problem]:
    """Problems of invariants by the name of the invariant."""
    problems = [problem for problem in check_everything(work.folders)[1] if problem.code == "invariant-broken"]
    return {problem.message.split("`")[1]: problem for problem in problems}


def test_the_rules_as_they_are_hold(copy: Workplace) -> None:
    rulebook = copy.load()
    assert len(rulebook.invariants) >= 15
    assert list(invariant_problems(rulebook, trials_of(rulebook.rule_sets.values(), 200_000))) == []


BREAKS = {
    "more bandwidth is never slower": (
        "decode.yaml",
        "* model_speed * spill",
        "* model_speed * spill / (device.bandwidth / read_per_token / slowest_decode) ** 2",
    ),
    "offload never speeds anything up": ("decode.yaml", "value: 2.105\n", "value: -2.105\n"),
    "offload is a share from 0 to less than 1": (
        "offload.yaml",
        "max(0, needed_memory - usable_memory) / needed_memory",
        "max(0, needed_memory - usable_memory) / usable_memory",
    ),
    "the host never holds more than the weights": (
        "offload.yaml",
        "expr: offload_share * weights",
        "expr: offload_share * needed_memory",
    ),
    "the safe context is never beyond what the model supports": (
        "context.yaml",
        "min(max(context_in_free_memory, safe_context_floor), model.context)",
        "max(context_in_free_memory, safe_context_floor)",
    ),
    "a longer wait never ranks higher": ("ranking.yaml", "[2000, 80]", "[2000, 120]"),
    "the score lies from 0 to 100": ("score.yaml", "[1.20, 80]]", "[1.20, 900]]"),
    "a longer context never needs less memory": (
        "kv_cache.yaml",
        "(kv_per_token * tokens +",
        "(kv_per_token * tokens * (workload.tokens / tokens) ** 2 +",
    ),
    "a mode never changes the fit": (
        "memory.yaml",
        "expr: needed_memory / usable_memory",
        "expr: needed_memory / usable_memory * (1 + mode.weights.speed)",
    ),
}


@pytest.mark.parametrize("invariant", BREAKS)
def test_a_rule_that_breaks_one_is_told_by_its_name(copy: Workplace, invariant: str) -> None:
    file, old, new = BREAKS[invariant]
    copy.edit(f"rules/{file}", old, new)
    assert invariant in broken(copy)


def test_another_figure_breaks_none(copy: Workplace) -> None:
    copy.edit("rules/memory.yaml", "value: 0.72", "value: 0.95")
    assert broken(copy) == {}


def test_the_example_is_small_and_names_the_question_and_both_values(copy: Workplace) -> None:
    copy.edit(
        "rules/ttft.yaml",
        "expr: prompt_tokens / prefill_tok_s * ms_per_s",
        "expr: prefill_tok_s / prompt_tokens * ms_per_s",
    )
    copy.edit("rules/ttft.yaml", "unit: ms\n", "unit: ms/s**2\n")
    problem = broken(copy)["faster decode never makes the first token later"]
    assert "decode_tok_s" in problem.message
    assert " -> " in problem.message
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
            "question.distance 100 -> 106.25; time 2 -> 2.125",
        ),
        (
            when("van changes", "room_share never changes"),
            "invariant-broken",
            "room_share is 0.000333333 for small, and here 0.000125",
        ),
        (when("van changes", "room never changes"), "invariant-broken", "room is none for small, and here enough"),
        ("always: time < 1\n", "invariant-broken", "does not hold for letter small: time = 2"),
        ("always: time\n", "invariant-form", "this is no condition"),
        ("always: tiem < 3\n", "name-unknown", "there is no name `tiem`"),
        ("always: time <\n", "expression-syntax", "something is missing at the end"),
        (when("van increases", "time never changes"), "invariant-form", "this cannot be tried"),
        (when("van.spede increases", "time never decreases"), "name-unknown", "there is no name `van.spede`"),
        (when("van.speed increases", "tmie never increases"), "name-unknown", "there is no name `tmie`"),
        (when("van.speed grows", "time never increases"), "invariant-form", "this is no `name increases`"),
        (when("van.speed increases", "time rises"), "invariant-form", "this is no `name never decreases`"),
        (when("van.speed increases", "room never decreases"), "invariant-form", "a word has no order"),
        ("when: van.speed increases\n", "schema-missing-key", "`then` is missing"),
    ],
)
def test_each_form_is_tried_or_told(parcels: Workplace, text: str, code: str | None, told: str) -> None:
    parcels.write("rules/trip.yaml", parcels.path("rules/trip.yaml").read_text("utf-8") + PARCELS + text)
    problems = check_everything(parcels.folders)[1]
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(told in problem.message for problem in problems), problems
