"""Evaluation: one path for one row, a table or the whole catalog; only what is asked for; every number finite."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from conftest import Workplace
from fitcard.answer.question import read_question
from fitcard.answer.render import answer_question
from fitcard.compiler.batch import QuestionGrid, QuestionList
from fitcard.compiler.engine import Engine
from fitcard.compiler.evaluation import evaluate
from fitcard.lint.run import finite_problems
from fitcard.lint.sample import samples_of
from fitcard.problems import ProblemsError


def grid(engine: Engine, **ids: tuple[str, ...]) -> QuestionGrid:
    return QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids)


def test_what_depends_on_the_model_alone_is_computed_once_a_model(engine: Engine) -> None:
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
def test_what_is_settled_in_the_catalogs_is_what_is_computed(engine: Engine, profile: str) -> None:
    rules, random = engine.rules[profile], np.random.default_rng(11)
    ready = rules.with_precomputed()
    assert len(ready.precomputed) > 50
    questions = [
        {axis: random.choice(engine.rulebook.catalog_of(axis).ids) for axis in engine.rulebook.question_fields.axes}
        for _ in range(60)
    ]
    plain, taken = (
        evaluate(one, QuestionList.of(one.question_fields, one.columns, questions), ready.precomputed)
        for one in (rules, ready)
    )
    for name, at in product(ready.precomputed, range(len(questions))):
        assert taken.value(name, (at,)) == plain.value(name, (at,)), (name, questions[at])


def test_a_definition_may_be_called_like_a_figure_of_a_catalog(parcels: Workplace) -> None:
    payload = "payload: {unit: kg, about: Twice what it carries., expr: 'either(van.payload, 1 * kg) * 2'}"
    parcels.edit("rules/trip.yaml", "formulas:\n", f"formulas:\n  {payload}\n")
    rules = parcels.load().default_rules.with_precomputed()
    assert "payload" in rules.precomputed
    of_van = evaluate(
        rules,
        QuestionGrid.of(rules.question_fields, rules.columns, {"van": ("large", "small")}),
        ["payload", "van.payload"],
    )
    assert (of_van.value("payload", (1,)), of_van.value("van.payload", (1,))) == (1000, 500)


def test_only_what_is_asked_for_is_computed(engine: Engine) -> None:
    row = grid(engine, device=("h20-96gb",))
    assert set(evaluate(engine.rules["reference"], row, ["usable_memory"]).columns) == {
        "usable_memory", "unified_usable_share", "device.memory", "device.unified",
        *(f"question.{name}" for name in engine.rulebook.question_fields.inputs),
    }  # fmt: skip


def test_a_cell_of_a_whole_catalog_is_the_answer_to_its_question(copy: Workplace) -> None:
    engine = copy.load()
    names = ["needed_memory", "decode_tok_s", "ttft", "score", "safe_context", "mode_score"]
    random = np.random.default_rng(7)
    for everything, rules in product(whole_catalogs(engine), engine.rules.values()):
        whole = evaluate(rules, grid(engine, **everything), names)
        for _ in range(200):
            index = tuple(int(random.integers(len(ids))) for ids in everything.values())
            ids = {axis: (entries[at],) for (axis, entries), at in zip(everything.items(), index, strict=True)}
            alone = evaluate(rules, grid(engine, **ids), names)
            for name in names:
                assert whole.value(name, index) == pytest.approx(alone.value(name, (0,) * len(index)), rel=1e-12)


def whole_catalogs(engine: Engine) -> Iterator[dict[str, tuple[str, ...]]]:
    """All that is swept, with the rest by default or chosen; and all of the rest, with some of what is swept."""
    axes = {axis: engine.rulebook.catalog_of(axis.name).ids for axis in engine.rulebook.question_fields.axes.values()}
    left = {axis: ids for axis, ids in axes.items() if axis.swept or axis.default}
    yield {axis.name: ids if axis.swept else (str(axis.default),) for axis, ids in left.items()}
    yield {axis.name: ids[:: max(1, len(ids) // 5)] if axis.swept else ids for axis, ids in axes.items()}


def test_no_question_over_the_catalogs_ends_in_a_number_that_is_not_finite(copy: Workplace) -> None:
    assert finite_problems(samples_of(copy.load().rules.values(), 200_000)) == []


def test_a_number_that_is_not_finite_names_the_formula_and_the_row(parcels: Workplace) -> None:
    parcels.edit(
        "rules/trip.yaml", "parcel.volume / (van.room * litres_per_cubic_metre)", "parcel.volume / (van.room - 3 * m3)"
    )
    found = finite_problems(samples_of(parcels.load().rules.values()))
    assert [problem.code for problem in found] == ["not-finite"]
    assert found[0].message == "`room_share` is not a finite number for letter small: parcel.volume = 1, van.room = 3"
    assert str(found[0].position) == "rules/trip.yaml:12:28"
    assert found[0].hint.startswith("`van.room - 3 * m3` is 0: guard it")


def test_an_absent_figure_that_nobody_guards_is_named(parcels: Workplace) -> None:
    parcels.edit(
        "rules/trip.yaml",
        "question.distance / min(van.speed, town_speed)",
        "question.distance / van.payload * kg * h / km",
    )
    assert "for letter large" in finite_problems(samples_of(parcels.load().rules.values()))[0].message
    assert "van.payload = absent" in finite_problems(samples_of(parcels.load().rules.values()))[0].message
    assert finite_problems(samples_of(parcels.load().rules.values()))[0].hint.startswith("`van.payload` is absent: ")


def test_a_name_that_needs_an_axis_says_which(engine: Engine) -> None:
    with pytest.raises(ProblemsError, match=r"this depends on `device\."):
        evaluate(engine.default_rules, grid(engine, model=("yi-1.5-9b",)), ["usable_memory"])


def test_names_that_are_given_are_not_computed(engine: Engine) -> None:
    given = {"weights": 247.05, "kv_cache": 7.69, "runtime_memory": 0.9, "headroom": 9.6}
    evaluation = evaluate(engine.default_rules, grid(engine), ["needed_memory"], given=given)
    assert evaluation.value("needed_memory", ()) == pytest.approx(265.24)


def test_sixteen_threads_get_their_own_numbers(engine: Engine) -> None:
    pairs = [
        (model, device) for model in engine.rulebook.catalog_of("model").ids[::10] for device in ("h20-96gb", "m1-16gb")
    ]
    questions = [read_question(engine.rulebook, {"model": model, "device": device}) for model, device in pairs]
    expected = [answer_question(engine, question) for question in questions]
    wrong: list[int] = []

    def ask(start: int) -> None:
        for step in range(60):
            at = (start * 7 + step) % len(questions)
            if answer_question(engine, questions[at]) != expected[at]:
                wrong.append(at)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
