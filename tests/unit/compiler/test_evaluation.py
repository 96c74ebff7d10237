"""Evaluation: one path for one row, a list or the whole catalog; only the outputs; every number finite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.batch import QuestionGrid, QuestionList
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import evaluate
from fitcard.lint.run import finite_problems
from fitcard.lint.sample import samples_of
from fitcard.problems import ProblemsError
from helpers.workplace import Workplace


def grid(engine: Engine, **ids: tuple[str, ...]) -> QuestionGrid:
    return QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids)


def test_columns_have_a_dimension_only_for_axes_that_they_depend_on(engine: Engine) -> None:
    everything = grid(
        engine, **{axis: engine.rulebook.catalog_of(axis).ids[:5] for axis in engine.rulebook.question_fields.axes}
    )
    evaluation = evaluate(engine.default_rules, everything, ["decode_tok_s"])
    lengths = {"kv_values_per_token": {"model"}, "file_size": {"model", "quant"}, "usable_memory": {"device"}}
    decode = {"model", "device", "quant", "workload", "kv", "host", "runtime"}
    for name, axes in (lengths | {"weights": {"model", "quant", "runtime"}, "decode_tok_s": decode}).items():
        alone = tuple(len(ids) if axis in axes else 1 for axis, ids in everything.ids.items())
        assert np.shape(evaluation.columns[name]) == alone, name


@pytest.mark.parametrize("profile", ["reference", "calibrated"])
def test_precomputed_columns_equal_computed_ones(engine: Engine, profile: str) -> None:
    rules, random = engine.rules[profile], np.random.default_rng(11)
    ready = rules.with_precomputed()
    assert len(ready.precomputed) > 50
    questions = [
        {axis: random.choice(engine.rulebook.catalog_of(axis).ids) for axis in engine.rulebook.question_fields.axes}
        for _ in range(60)
    ]
    computed, precomputed = (
        evaluate(one, QuestionList.of(one.question_fields, one.columns, questions), ready.precomputed)
        for one in (rules, ready)
    )
    for name, at in product(ready.precomputed, range(len(questions))):
        assert precomputed.value(name, (at,)) == computed.value(name, (at,)), (name, questions[at])


def test_a_definition_may_have_the_name_of_a_catalog_field(small: Workplace) -> None:
    allocation = (
        "max_allocation: {unit: GB, about: Twice the largest., expr: 'either(device.max_allocation, 1 * GB) * 2'}"
    )
    small.edit("rules/fit.yaml", "formulas:\n", f"formulas:\n  {allocation}\n")
    rules = small.load().default_rules.with_precomputed()
    assert "max_allocation" in rules.precomputed
    grid = QuestionGrid.of(rules.question_fields, rules.columns, {"device": ("h100-80gb", "m1-16gb")})
    evaluation = evaluate(rules, grid, ["max_allocation", "device.max_allocation"])
    assert evaluation.value("max_allocation", (1,)) == 22
    assert evaluation.value("device.max_allocation", (1,)) == 11


def test_only_the_outputs_and_their_dependencies_are_computed(engine: Engine) -> None:
    row = grid(engine, device=("h20-96gb",))
    assert set(evaluate(engine.rules["reference"], row, ["usable_memory"]).columns) == {
        "usable_memory", "unified_usable_share", "device.memory", "device.unified",
        *(f"question.{name}" for name in engine.rulebook.question_fields.inputs),
    }  # fmt: skip


def test_a_cell_of_the_whole_catalog_equals_the_single_question(copy: Workplace) -> None:
    engine = copy.load()
    names = ["needed_memory", "decode_tok_s", "ttft", "score", "safe_context", "mode_score"]
    random = np.random.default_rng(7)
    for everything, rules in product(whole_catalogs(engine), engine.rules.values()):
        whole = evaluate(rules, grid(engine, **everything), names)
        for _ in range(60):
            index = tuple(int(random.integers(len(ids))) for ids in everything.values())
            ids = {axis: (entries[at],) for (axis, entries), at in zip(everything.items(), index, strict=True)}
            alone = evaluate(rules, grid(engine, **ids), names)
            for name in names:
                assert whole.value(name, index) == pytest.approx(alone.value(name, (0,) * len(index)), rel=1e-12)


def whole_catalogs(engine: Engine) -> Iterator[dict[str, tuple[str, ...]]]:
    """All entries of swept axes with defaults of the others; and all entries of those with some of swept axes."""
    axes = {axis: engine.rulebook.catalog_of(axis.name).ids for axis in engine.rulebook.question_fields.axes.values()}
    left = {axis: ids for axis, ids in axes.items() if axis.swept or axis.default}
    yield {axis.name: ids if axis.swept else (str(axis.default),) for axis, ids in left.items()}
    yield {axis.name: ids[:: max(1, len(ids) // 5)] if axis.swept else ids for axis, ids in axes.items()}


def test_every_question_over_the_catalogs_gives_finite_numbers(copy: Workplace) -> None:
    assert finite_problems(samples_of(copy.load().rules.values(), 200_000)) == []


def test_a_number_that_is_not_finite_names_the_formula_and_the_question(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "overhead) / device.memory", "overhead) / (device.memory - 16 * GB)")
    (problem,) = finite_problems(samples_of(small.load().rules.values()))
    assert problem.code == "not-finite"
    assert problem.message.startswith("`memory_share` is not a finite number for llama-3.1-8b m1-16gb Q4_K_M: ")
    assert "device.memory = 16" in problem.message
    assert str(problem.position) == "rules/fit.yaml:20:46"
    assert problem.hint.startswith("`device.memory - 16 * GB` is 0: guard it")


def test_an_absent_figure_without_a_guard_is_named(small: Workplace) -> None:
    small.edit(
        "rules/fit.yaml",
        "(weights + kv_cache) / min(device.bandwidth, storage_bandwidth)",
        "device.max_allocation / storage_bandwidth",
    )
    problem = finite_problems(samples_of(small.load().rules.values()))[0]
    assert "for llama-3.1-8b rtx-4090-24gb" in problem.message
    assert "device.max_allocation = absent" in problem.message
    assert problem.hint.startswith("`device.max_allocation` is absent: ")


def test_a_name_that_depends_on_a_missing_axis_names_it(engine: Engine) -> None:
    with pytest.raises(ProblemsError, match=r"this depends on `device\."):
        evaluate(engine.default_rules, grid(engine, model=("yi-1.5-9b",)), ["usable_memory"])


def test_overridden_names_are_not_computed(engine: Engine) -> None:
    given = {"weights": 247.05, "kv_cache": 7.69, "runtime_memory": 0.9, "headroom": 9.6}
    evaluation = evaluate(engine.default_rules, grid(engine), ["needed_memory"], overrides=given)
    assert evaluation.value("needed_memory", ()) == pytest.approx(265.24)


def test_threads_do_not_mix_up_answers(engine: Engine) -> None:
    pairs = [
        (model, device) for model in engine.rulebook.catalog_of("model").ids[::10] for device in ("h20-96gb", "m1-16gb")
    ]
    questions = [read_question(engine.rulebook, {"model": model, "device": device}) for model, device in pairs]
    expected = [answer_question(engine, question).to_dict() for question in questions]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for step in range(60):
            at = (start * 7 + step) % len(questions)
            if answer_question(engine, questions[at]).to_dict() != expected[at]:
                wrong.append(at)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
