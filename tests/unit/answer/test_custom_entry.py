"""Custom models and devices: checked by the schema of the catalog, answered like its entries, and not stored."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from fitcard.answer.answer import answer_question
from fitcard.answer.problems import word_problems
from fitcard.answer.question import read_body, read_question
from fitcard.cli.main import main
from fitcard.compiler.catalog_columns import CatalogColumns
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from fitcard.values import cell
from fitcard.web.app import create_app
from helpers.project import project_rules

CLIENT = create_app(project_rules()).test_client()
UNSAID = (
    "model",
    "device",
    "embed",
    "confidence",
    "verdict",
    "faq",
    "notes",
    "quants",
    "recommended_quant",
    "upgrades",
)


def answer_to(engine: Engine, **parameters: Any) -> dict[str, Any]:
    return answer_question(engine, read_question(engine.rulebook, parameters)).to_dict()


def figures(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in UNSAID}


@pytest.mark.parametrize("device", ["rtx-4090-24gb", "m3-max-64gb", "strix-halo-395-128gb"])
def test_a_custom_device_with_catalog_figures_gets_the_same_answer(engine: Engine, device: str) -> None:
    like = engine.rulebook.catalogs["devices"].entries[device]
    data = {key: value for key, value in like.data.items() if key not in ("aliases", "source", "checked_on")}
    own, named = (answer_to(engine, model="qwen-3-14b", device=one) for one in (data, device))
    assert figures(own) == figures(named)


def test_a_changed_figure_is_marked_with_the_catalog_value(engine: Engine) -> None:
    found = answer_to(engine, model="qwen-3-14b", device={"like": "RTX 4090", "memory": 48})
    assert found["set"] == [{"name": "device.memory", "value": 48, "instead_of": 24, "unit": "GB"}]
    assert found["memory"]["usable_gb"] == pytest.approx(
        2 * answer_to(engine, model="qwen-3-14b", device="4090")["memory"]["usable_gb"]
    )


def test_the_catalog_is_as_it_was(engine: Engine) -> None:
    before = answer_to(engine, model="qwen-3-14b", device="rtx-4090-24gb")
    answer_to(engine, model={"like": "qwen-3-14b", "layers": 99}, device={"like": "rtx-4090-24gb", "memory": 48})
    assert answer_to(engine, model="qwen-3-14b", device="rtx-4090-24gb") == before
    assert "own" not in engine.rulebook.catalogs["devices"].entries


def test_a_measured_run_of_the_entry_it_is_like_is_none_of_its_own(engine: Engine) -> None:
    measured = answer_to(engine, model="llama-3.1-70b", device="rtx-3090-24gb", gpus=2)["confidence"]
    assert measured["level"] == "measured"
    own = answer_to(engine, model="llama-3.1-70b", device={"like": "rtx-3090-24gb", "bandwidth": 1000}, gpus=2)[
        "confidence"
    ]
    assert (own["level"], own["measured"]) == ("estimated", [])


def test_the_trace_marks_figures_of_the_question(engine: Engine) -> None:
    question = read_question(engine.rulebook, {"model": "qwen-3-14b", "device": {"like": "4090", "memory": 48}})
    steps = {step["name"]: step for step in answer_question(engine, question, explained=True).to_dict()["trace"]}
    assert (steps["device.memory"]["kind"], steps["device.memory"]["value"]) == ("given", 48)
    assert "file" not in steps["device.memory"]


def test_an_address_a_body_and_a_command_line_ask_the_same(engine: Engine) -> None:
    body = {"model": "qwen-3-14b", "device": {"name": "Mine", "vendor": "NVIDIA", "memory": 32, "bandwidth": 900}}
    posted = CLIENT.post("/v1/can-run", json=body).get_json()
    fields = [f"device.{key}={value}" for key, value in body["device"].items()]  # type: ignore[attr-defined]
    got = CLIENT.get(f"/v1/can-run/qwen-3-14b-on-own?{'&'.join(fields)}").get_json()
    options = [word for one in fields for word in ("--set", one)]
    shown = CliRunner().invoke(main, ["show", "qwen-3-14b", "own", *options, "--json"])
    assert posted == got == json.loads(shown.output)
    assert posted["device"]["name"] == "Mine"
    Schemas.load(find_folders().schemas).validator("answer").validate(posted)


@pytest.mark.parametrize(
    ("device", "field", "said"),
    [
        ({"name": "Mine", "vendor": "AMD", "memory": 8}, "device", "`bandwidth` is missing"),
        ({"like": "4090", "memory": -3}, "device.memory", "must be above 0"),
        ({"like": "4090", "memory": "much"}, "device.memory", "must be a number"),
        ({"like": "4090", "memry": 3}, "device.memry", "did you mean `memory`?"),
        ({"like": "4090", "compute": {"fp61": 3}}, "device.compute.fp61", "`fp61` is not a key"),
        ({"like": "4090", "compute": 3}, "device.compute", "must be a map"),
        ({"like": "rtx 4009", "memory": 8}, "device.like", "rtx-4090"),
    ],
)
def test_a_field_that_cannot_be_is_named(engine: Engine, device: dict[str, Any], field: str, said: str) -> None:
    with pytest.raises(ProblemsError) as found:
        read_body(engine.rulebook, {"model": "qwen-3-14b", "device": device})
    assert [problem.field for problem in found.value.problems] == [field]
    assert said in word_problems(found.value.problems, engine.rulebook.messages)[0].message


@pytest.mark.parametrize("number", [np.int64(900), np.float32(900), Decimal(900), Fraction(900)])
def test_numbers_of_any_type_are_those_of_python(engine: Engine, number: Any) -> None:
    plain, typed = ({"like": "4090", "bandwidth": value, "compute": {"fp16": value}} for value in (900, number))
    assert answer_to(engine, model="qwen-3-14b", device=typed) == answer_to(engine, model="qwen-3-14b", device=plain)
    assert answer_to(engine, model="qwen-3-14b", device={"like": "m1-16gb", "unified": np.True_})["grade"]


CYCLE: dict[str, Any] = {}
CYCLE["fp16"] = CYCLE


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("bandwidth", 10**400, "is not a finite number, or too large"),
        ("compute.fp16", -(10**5000), "is not a finite number, or too large"),
        ("name", 10**5000, "is not a finite number, or too large"),
        ("compute.fp16", float("nan"), "is not a finite number, or too large"),
        ("bandwidth", Decimal("Infinity"), "is not a finite number, or too large"),
        ("price_checked_on", date(2026, 2, 1), "not a Python date"),
        ("bandwidth", {900}, "not a Python set"),
        ("bandwidth", np.array([900]), "not a Python ndarray"),
        ("compute", {16: 900}, "must have texts as keys"),
        ("compute", CYCLE, "is nested too deeply"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_value_that_is_not_plain_data_is_a_problem(engine: Engine, field: str, value: Any, what: str) -> None:
    with pytest.raises(ProblemsError) as error:
        read_question(engine.rulebook, {"model": "qwen-3-14b", "device": "4090", f"device.{field}": value})
    (problem,) = error.value.problems
    assert problem.field.startswith(f"device.{field}")
    assert what in word_problems([problem], engine.rulebook.messages)[0].message


def test_a_large_number_in_a_request_is_a_problem() -> None:
    for body in ({"device": {"like": "4090", "bandwidth": 10**400}}, {"device": "4090", "gpus": 10**400},
                 {"device": "4090", "overrides": {"device.bandwidth": 10**400}}):  # fmt: skip
        assert CLIENT.post("/v1/can-run", json={"model": "qwen-3-14b", **body}).status_code == 400


def test_keys_of_a_custom_entry_are_texts(engine: Engine) -> None:
    with pytest.raises(ProblemsError, match="must have texts as keys"):
        read_question(engine.rulebook, {"model": "qwen-3-14b", "device": {"like": "4090", 5: 3}})


def test_all_invalid_fields_are_reported_together(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_body(engine.rulebook, {"model": {"layers": 0}, "device": {"memory": -1, "bandwidth": 0}})
    fields = {problem.field for problem in found.value.problems}
    assert {"model", "model.layers", "device", "device.memory", "device.bandwidth"} == fields


def test_without_required_fields_in_the_rulebook_custom_entries_are_refused(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_body(engine.rulebook, {"model": "qwen-3-14b", "device": "4090", "quant": {"bits_per_weight": 3}})
    assert [(problem.code, problem.field) for problem in found.value.problems] == [("no-own-entry", "quant")]


@pytest.mark.parametrize("name", ["<script>", "a\u200bb", "😀", "👩\u200d💻", "{0.__class__}", "x" * 500])
def test_the_name_of_a_custom_entry_is_repeated_unchanged(engine: Engine, name: str) -> None:
    device = {"name": name, "vendor": "NVIDIA", "memory": 24, "bandwidth": 900}
    response = CLIENT.post("/v1/can-run", json={"model": "qwen-3-14b", "device": device})
    assert response.status_code == 200
    assert response.get_json()["device"]["name"] == name


@pytest.mark.parametrize("name", ["a\nb", "\u0000", "\u001b[31m", "\u009b", "\u202ea", "\ufffe", "\U000e0041"])
def test_the_name_of_a_custom_entry_is_one_line_without_control_characters(engine: Engine, name: str) -> None:
    device = {"name": name, "vendor": "NVIDIA", "memory": 24, "bandwidth": 900}
    response = CLIENT.post("/v1/can-run", json={"model": "qwen-3-14b", "device": device})
    assert response.status_code == 400
    (problem,) = response.get_json()["problems"]
    assert (problem["code"], problem["field"]) == ("own-entry-wrong", "device.name")


@pytest.mark.parametrize("kind", ["devices", "models"])
@pytest.mark.parametrize("known", [True, False])
def test_a_catalog_with_one_more_entry_equals_a_catalog_loaded_with_it(engine: Engine, kind: str, known: bool) -> None:
    columns = engine.columns[kind]
    catalog = columns.catalog
    first, second, *_ = catalog.entries.values()
    for field in catalog.fields:
        columns.column(field)
    entry = replace(second, id=first.id if known else "one-of-ours")
    more = columns.with_entry(entry)
    anew = CatalogColumns(more.catalog)
    for field, row in product(catalog.fields, (0, 1, len(more.ids) - 1)):
        assert cell(more.column(field), (row,)) == cell(anew.column(field), (row,)), (field, row)
