"""Counts: how many entries of a catalog match a question, by axes and by inputs."""

from __future__ import annotations

import numpy as np
import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import evaluate
from helpers.workplace import Workplace

COUNT = """counts:
  matching_runs:
    catalog: runs
    same: [device, question.context]
    having: measured.load_time
    unit: "1"
    about: Measured runs on this device with this context.
"""
DEVICES = ("m1-16gb", "h100-80gb")
RUNS = [
    ("m1-16gb", 8000), ("m1-16gb", None), ("m1-16gb", 30000), ("h100-80gb", 8000), ("h100-80gb", 4050.5),
    ("h100-80gb", 4050.5), (None, 8000),
]  # fmt: skip


@pytest.fixture
def counted(small: Workplace) -> Workplace:
    """The small rulebook with a count of runs, some of which name no context or no device."""
    small.edit("rules/fit.yaml", "counts:\n", COUNT)
    lines = ["kind: runs", "title: Measured runs", "entries:"]
    for at, (device, context) in enumerate(RUNS):
        fields = "".join(f"{key}: {value}, " for key, value in (("device", device), ("context", context)) if value)
        lines.append(f"  run-{at}: {{model: llama-3.1-8b, {fields}measured: {{load_time: 1}}, tier: A}}")
    small.write("catalogs/runs.yaml", "\n".join(lines) + "\n")
    return small


def test_a_count_is_the_number_of_entries_with_the_same_values_or_their_default(counted: Workplace) -> None:
    engine = counted.load()
    default = engine.rulebook.question_fields.inputs["context"].default
    ids = {"model": ("llama-3.1-8b",), "device": DEVICES}
    for context in (*np.array([1000.0, 4050.5, 8000.0, 30000.0, 100000.0]), None):
        grid = QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids)
        inputs = {} if context is None else {"context": context}
        evaluation = evaluate(engine.default_rules, grid, ["matching_runs"], inputs)
        expected = default if context is None else context
        for at, device in enumerate(DEVICES):
            count = sum(of_run == device and (tokens or default) == expected for of_run, tokens in RUNS)
            assert evaluation.value("matching_runs", (0, at)) == count


def test_a_list_of_matching_entries_holds_those_that_are_counted(counted: Workplace) -> None:
    matching = "{matching: runs, same: [device, question.context], having: measured.load_time, item: {run: id}}"
    counted.edit(
        "rules/answer.yaml", "  measured_runs:", f"  count: matching_runs\n  matching: {matching}\n  measured_runs:"
    )
    engine = counted.load()
    for device in DEVICES:
        for context in ("4050.5", "8000", "7700"):
            parameters = {"model": "llama-3.1-8b", "device": device, "context": context}
            built = answer_question(engine, read_question(engine.rulebook, parameters)).to_dict()
            key = (device, float(context))
            expected = [f"run-{at}" for at, (of_run, tokens) in enumerate(RUNS) if (of_run, tokens or 8000) == key]
            assert [item["run"] for item in built["matching"]] == expected
            assert built["count"] == len(expected)


def test_an_unknown_input_has_the_closest(counted: Workplace) -> None:
    counted.edit("rules/fit.yaml", "question.context]", "question.contxt]")
    problem = counted.problem()
    assert problem.message == "undefined name `question.contxt`"
    assert problem.closest == ("question.context",)


def test_an_input_that_entries_lack_is_an_error(counted: Workplace) -> None:
    counted.edit(
        "rules/rulebook.yaml",
        "inputs:\n",
        'inputs:\n  users: {unit: "1", minimum: 0, maximum: 9, about: Users at once.}\n',
    )
    counted.edit("rules/fit.yaml", "question.context]", "question.users]")
    messages = [problem.message for problem in counted.problems()]
    assert "entries of `runs` have no number `users`" in messages
