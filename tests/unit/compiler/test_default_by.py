"""Axes with `default_by`: a table gives the entry where the question names none, for each cell by itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import evaluate
from fitcard.lint.run import run_checks
from fitcard.testing.rule_tests import rule_tests, run_test
from helpers.repository import repository
from helpers.workplace import Workplace

RUNTIMES = """\
kind: runtimes
title: Runtimes
entries:
  mapped: {name: Memory-mapped, efficiency: 1}
  copied: {name: Copied, efficiency: 0.5}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "runtimes.schema.json",
    "title": "a catalog of runtimes",
    "type": "object",
    "properties": {
        "kind": {"const": "runtimes"},
        "title": {"type": "string"},
        "entries": {"type": "object", "additionalProperties": {"$ref": "#/$defs/entry"}},
    },
    "$defs": {
        "entry": {
            "type": "object",
            "required": ["name", "efficiency"],
            "properties": {"name": {"type": "string"}, "efficiency": {"type": "number", "unit": "1"}},
        }
    },
}
AXIS = "  runtime: {catalog: runtimes, default_by: default_runtime, swept: false, about: Runtime to use.}\ninputs:"
TABLES = """\
tables:
  runtime_of_model:
    kind: lookup
    input: model.id
    unit: word
    about: Runtime of the model.
    rows: {llama-3.1-70b: copied}
    otherwise: mapped
  default_runtime:
    kind: lookup
    input: device.id
    unit: word
    about: Default runtime.
    rows: {m1-16gb: mapped}
    otherwise: {value_of: runtime_of_model}
"""
LOAD_TIME = (
    "rules/fit.yaml",
    "min(device.bandwidth, storage_bandwidth)",
    "(min(device.bandwidth, storage_bandwidth) * runtime.efficiency)",
)
LARGE = {"model": "llama-3.1-70b", "device": "h100-80gb"}


@pytest.fixture
def with_runtimes(small: Workplace) -> Workplace:
    """The small rulebook with runtimes: mapped on an M1, elsewhere by the model."""
    small.write("schemas/runtimes.schema.json", json.dumps(SCHEMA))
    small.write("catalogs/runtimes.yaml", RUNTIMES)
    small.edit("rules/rulebook.yaml", "inputs:", AXIS)
    small.edit("rules/fit.yaml", "tables:\n", TABLES)
    small.edit(*LOAD_TIME)
    small.edit("rules/answer.yaml", "  devices:", "  runtime: runtime.name\n  devices:")
    small.edit("rules/fit.test.yaml", "load_time: 9.55}", "load_time: 19.1}")
    return small


def load_times(workplace: Workplace, **ids: tuple[str, ...]) -> list[float]:
    engine = workplace.load()
    grid = QuestionGrid.of(engine.rulebook.question_fields, engine.columns, {**ids, "quant": ("Q4_K_M",)})
    return list(np.ravel(np.asarray(evaluate(engine.default_rules, grid, ["load_time"]).columns["load_time"])))


def test_each_cell_has_its_own_default(with_runtimes: Workplace) -> None:
    models, devices = ("llama-3.1-8b", "llama-3.1-70b"), ("m1-16gb", "h100-80gb")
    assert load_times(with_runtimes, model=models, device=devices) == [1.2, 1.2, 9.55, 19.1]
    assert load_times(with_runtimes, model=("llama-3.1-70b",), device=("h100-80gb",)) == [19.1]


def test_a_named_entry_replaces_the_default(with_runtimes: Workplace) -> None:
    models = ("llama-3.1-8b", "llama-3.1-70b")
    assert load_times(with_runtimes, model=models, device=("m1-16gb",), runtime=("copied",)) == [2.4, 19.1]
    runtimes = ("mapped", "copied")
    assert load_times(with_runtimes, model=models[:1], device=("m1-16gb",), runtime=runtimes) == [1.2, 2.4]


def test_the_trace_shows_how_the_default_is_chosen(with_runtimes: Workplace) -> None:
    engine = with_runtimes.load()
    built = answer_question(engine, read_question(engine.rulebook, LARGE), explained=True).to_dict()
    assert built["runtime"] == "Copied"
    names = [step["name"] for step in built["trace"]]
    step = next(step for step in built["trace"] if step["name"] == "runtime.efficiency")
    assert (step["entry"], step["value"], step["inputs"]) == ("copied", 0.5, {"default_runtime": "copied"})
    order = ["runtime_of_model", "default_runtime", "runtime.efficiency", "load_time"]
    assert sorted(order, key=names.index) == order
    named = answer_question(engine, read_question(engine.rulebook, {**LARGE, "runtime": "mapped"})).to_dict()
    assert named["runtime"] == "Memory-mapped"


@pytest.mark.parametrize(
    ("given", "load_time"),
    [
        ("device: h100-80gb", 19.1),
        ("device: h100-80gb, runtime: mapped", 9.55),
        ("default_runtime: copied, device: m1-16gb", 19.1),
    ],
)
def test_a_rule_test_sets_the_entry_or_the_default(with_runtimes: Workplace, given: str, load_time: float) -> None:
    with_runtimes.write(
        "rules/more.test.yaml",
        f"kind: tests\ntitle: More\ntests:\n  - name: Llama 70B loads in {load_time} s\n"
        f"    given: {{model: llama-3.1-70b, {given}}}\n    expect: {{load_time: {load_time}}}\n",
    )
    engine = with_runtimes.load()
    assert all(run_test(engine, test).passed for test in rule_tests(engine.rulebook, "more"))


def test_a_rulebook_with_default_by_passes_all_checks(with_runtimes: Workplace) -> None:
    assert run_checks(with_runtimes.folders)[1] == []


RULES, BOOK = "rules/fit.yaml", "rules/rulebook.yaml"
BY_FIT = (RULES, "input: device.id\n    unit: word", "input: fit\n    unit: word")


@pytest.mark.parametrize(
    ("edits", "problem"),
    [
        (
            [(RULES, "rows: {llama-3.1-70b: copied}", "rows: {llama-3.1-70b: copeid}")],
            "axis-unknown-default: `default_runtime` gives `copeid`, but the catalog `runtimes` has no such entry",
        ),
        (
            [(BOOK, "default_by: default_runtime", "default_by: default_runtme")],
            "name-unknown: there is no table of words `default_runtme`",
        ),
        (
            [(BOOK, "default_by: default_runtime", "default_by: price")],
            "name-unknown: there is no table of words `price`",
        ),
        (
            [(BOOK, "default_by: default_runtime", "default: copied, default_by: default_runtime")],
            "axis-two-defaults: the axis `runtime` has two defaults",
        ),
        ([BY_FIT], "table-unused-key: `fit` is never `m1-16gb`"),
        (
            [
                (RULES, "expr: (weights + kv_cache + overhead)", "expr: runtime.efficiency * (weights + overhead)"),
                BY_FIT,
                (RULES, "rows: {m1-16gb: mapped}", "rows: {none: mapped}"),
            ],
            "name-cycle: `memory_share` depends on itself: memory_share -> default_runtime -> fit -> memory_share",
        ),
    ],
)
def test_a_wrong_default_by_is_reported(
    with_runtimes: Workplace, edits: list[tuple[str, str, str]], problem: str
) -> None:
    for edit in edits:
        with_runtimes.edit(*edit)
    assert problem in {f"{found.code}: {found.message}" for found in run_checks(with_runtimes.folders)[1]}


def test_the_commands_show_which_table_gives_the_default(with_runtimes: Workplace) -> None:
    ended = CliRunner().invoke(main, [*with_runtimes.options, "show", "--help"])
    assert "Runtime to use. [default: by default_runtime]" in " ".join(ended.output.split())
    question = ["llama-3.1-70b", "--device=h100-80gb"]
    ended = CliRunner().invoke(main, [*with_runtimes.options, "show", *question, "--json"])
    assert json.loads(ended.output)["load_time_s"] == 19.1
    ended = CliRunner().invoke(main, [*with_runtimes.options, "explain", *question, "--of=load_time"])
    assert "default_runtime = copied" in ended.output


def test_a_diff_compares_the_defaults_and_each_changed_entry(
    with_runtimes: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(with_runtimes, monkeypatch)
    with_runtimes.edit("catalogs/runtimes.yaml", "efficiency: 0.5", "efficiency: 0.4")
    by_default, each = repo.data()["impact"]
    assert (by_default["answers"], by_default["moved"]) == (18, 4)
    assert (each["opened"], each["answers"], each["moved"]) == ("runtime", 6, 3)
    with_runtimes.edit("catalogs/runtimes.yaml", "efficiency: 0.4", "efficiency: 0.5")
    with_runtimes.edit("rules/fit.yaml", "value: 5,", "value: 4,")
    assert [impact.get("opened") for impact in repo.data()["impact"]] == [None]
