"""Schemas: files that do not match them are reported at line and column, with a hint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fitcard.catalog.catalog import catalog_kinds
from fitcard.reports import format_problem
from fitcard.source.folders import find_folders
from fitcard.source.schemas import BASE, KEYWORDS, Schemas
from helpers.workplace import PROJECT, Workplace


@pytest.mark.parametrize("path", sorted((PROJECT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_every_schema_is_valid_and_has_its_own_address(path: object) -> None:
    schema = json.loads(path.read_text())  # type: ignore[attr-defined]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"{BASE}{path.name}"  # type: ignore[attr-defined]


def test_every_catalog_figure_has_a_unit_and_a_description() -> None:
    schemas = Schemas.load(find_folders().schemas)
    kinds = catalog_kinds(schemas)
    assert {"models", "devices", "quants", "workloads"} <= set(kinds)
    for kind in kinds:
        figures = list(figures_of(schemas.by_kind[kind]["$defs"]["entry"]))
        assert figures
        assert all(figure.get("unit") and figure.get("description") for figure in figures)


def figures_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The figures of an entry, those in groups among them."""
    for field in schema.get("properties", {}).values():
        if field.get("type") in ("number", "integer"):
            yield field
        yield from figures_of(field)


@pytest.mark.parametrize(
    ("file", "old", "new", "text"),
    [
        (
            "rules/fit.yaml", "    unit: USD\n", "",
            "rules/fit.yaml:39:3: error: `unit` is missing from a table [schema-missing-key]\n"
            "  39 |   price:\n     |   ^\n"
            "  add `unit: GB`: unit, such as GB, token/s or ms; `1` for dimensionless numbers, "
            "`condition` for true or false, `word` for words",
        ),
        (
            "catalogs/devices.yaml", "memory: 16, ", "",
            "catalogs/devices.yaml:4:3: error: `memory` is missing from an entry of devices [schema-missing-key]\n"
            "  4 |   m1-16gb: {name: M1 16GB, bandwidth: 68, max_allocation: 11}\n    |   ^\n"
            "  add `memory:`: memory",
        ),
        (
            "catalogs/devices.yaml", "max_allocation: 11", "max_alocation: 11",
            "catalogs/devices.yaml:4:55: error: `max_alocation` is not a key of an entry of devices "
            "[schema-unknown-key]\n"
            "  4 |   m1-16gb: {name: M1 16GB, memory: 16, bandwidth: 68, max_alocation: 11}\n"
            "    |                                                       ^\n"
            "  did you mean `max_allocation`?",
        ),
        (
            "catalogs/devices.yaml", "bandwidth: 1008", "bandwidth: 1_008",
            "catalogs/devices.yaml:5:63: error: must be a number, not `1_008` [schema-type]\n"
            "  5 |   rtx-4090-24gb: {name: RTX 4090 24GB, memory: 24, bandwidth: 1_008}\n"
            "    |                                                               ^\n"
            "  write `1008`, with a decimal point and no separators",
        ),
        (
            "catalogs/devices.yaml", "memory: 16", "memroy: 16",
            "catalogs/devices.yaml:4:28: error: `memroy` is not a key of an entry of devices [schema-unknown-key]\n"
            "  4 |   m1-16gb: {name: M1 16GB, memroy: 16, bandwidth: 68, max_allocation: 11}\n"
            "    |                            ^\n"
            "  did you mean `memory`?",
        ),
        (
            "catalogs/devices.yaml", "memory: 16", "memory: 16,5",
            "catalogs/devices.yaml:4:39: error: `5` is not a key of an entry of devices [schema-unknown-key]\n"
            "  4 |   m1-16gb: {name: M1 16GB, memory: 16,5, bandwidth: 68, max_allocation: 11}\n"
            "    |                                       ^\n"
            "  the allowed keys are: name, memory, bandwidth, max_allocation",
        ),
        (
            "rules/fit.yaml", "about: Fit in a word.", "about: Fit.",
            "rules/fit.yaml:34:12: error: must have at least 10 characters [schema-too-short]\n"
            "  34 |     about: Fit.\n     |            ^\n"
            "  description in one sentence",
        ),
        (
            "rules/fit.yaml", "about: Fit in a word.", "about: 'Fit",
            "rules/fit.yaml:34:12: error: not YAML: found unexpected end of stream while scanning a quoted scalar "
            "[yaml-syntax]\n  34 |     about: 'Fit\n     |            ^\n  close the quote",
        ),
        (
            "rules/fit.yaml", "tables:\n", "<<<<<<< HEAD\ntables:\n=======\n>>>>>>> other\n",
            "rules/fit.yaml:29:1: error: not YAML: unresolved merge conflict [yaml-syntax]\n"
            "  29 | <<<<<<< HEAD\n     | ^\n  keep one of the two versions, and remove the markers",
        ),
        (
            "rules/fit.yaml", "kind: bands", "kind: band",
            "rules/fit.yaml:31:11: error: `band` is not an allowed value [schema-choice]\n"
            "  31 |     kind: band\n     |           ^\n"
            "  did you mean `bands`?",
        ),
        (
            "catalogs/devices.yaml", "kind: devices", "kind: devicez",
            "catalogs/devices.yaml:1:7: error: there is no kind of file `devicez` [file-kind]\n"
            "  1 | kind: devicez\n    |       ^\n"
            "  did you mean `devices`?",
        ),
        (
            "rules/rulebook.yaml", "version: 1.0.0", "version: 1.0",
            "rules/rulebook.yaml:4:10: error: must be text, not `1.0` [schema-type]\n"
            "  4 | version: 1.0\n    |          ^\n"
            "  put it in quotes",
        ),
    ],
)  # fmt: skip
def test_a_file_that_does_not_match_its_schema_has_a_caret_and_a_hint(
    small: Workplace, file: str, old: str, new: str, text: str
) -> None:
    small.edit(file, old, new)
    assert format_problem(small.problems()[0]) == text


def test_weights_of_a_mode_add_up_to_one(copy: Workplace) -> None:
    copy.edit("rules/judgement/modes.yaml", "quality: 0.45", "quality: 0.50")
    problem = copy.problem()
    assert problem.code == "schema-sum"
    assert problem.message == "these must add up to 1, but add up to 1.05"
    assert problem.source_line.strip().startswith("weights:")


def test_a_row_without_a_source_is_refused(copy: Workplace) -> None:
    lines = copy.path("catalogs/quants.yaml").read_text("utf-8").splitlines(keepends=True)
    copy.edit("catalogs/quants.yaml", next(line for line in lines if line.startswith("    source: ")), "")
    assert "`source` is missing" in copy.problem().message


def test_integers_beyond_floats_are_unusual_and_never_add_up() -> None:
    for number in (10**400, -(10**5000)):
        assert KEYWORDS["usual"]([0, 1], number) == "this is unusual: usual are 0 to 1"
        assert KEYWORDS["sumsTo"](1, {"quality": number}) == "these must add up to 1, but add up to inf"
    assert KEYWORDS["sumsTo"](1, {"quality": 1e308, "speed": 1e308}) == "these must add up to 1, but add up to inf"


@pytest.mark.parametrize(("day", "is_one"), [("2024-02-29", True), ("2023-02-29", False), ("2024-13", False)])
def test_a_date_is_one_of_the_calendar(whole_copy: Workplace, day: str, is_one: bool) -> None:
    whole_copy.edit("catalogs/models/falcon.yaml", "released: 2024-11-29", f"released: {day}")
    messages = [problem.message for problem in whole_copy.problems() if problem.code == "schema-other"]
    assert [f"there is no {'month' if day.count('-') == 1 else 'day'} {day}"] * (not is_one) == messages
