"""What a schema has against a file is told at the line and column, with what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fitcard.catalog.fields import catalog_kinds
from fitcard.reports import format_problem
from fitcard.source.folders import find_folders
from fitcard.source.schemas import BASE, Schemas
from helpers.workplace import PROJECT, Workplace


@pytest.mark.parametrize("path", sorted((PROJECT / "schemas").glob("*.json")), ids=lambda path: path.name)
def test_every_schema_is_one_and_carries_its_own_address(path: object) -> None:
    schema = json.loads(path.read_text())  # type: ignore[attr-defined]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"{BASE}{path.name}"  # type: ignore[attr-defined]


def test_every_catalog_figure_has_a_unit_and_a_sentence() -> None:
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
    ("file", "old", "new", "told"),
    [
        (
            "rules/trip.yaml", "    unit: EUR\n", "",
            "rules/trip.yaml:31:3: error: `unit` is missing from a table [schema-missing-key]\n"
            "  31 |   fee:\n     |   ^\n"
            "  add `unit: GB`: unit, such as GB, token/s or ms; `1` for dimensionless numbers, "
            "`condition` for true or false, `word` for words",
        ),
        (
            "catalogs/vans.yaml", "room: 3, ", "",
            "catalogs/vans.yaml:4:3: error: `room` is missing from an entry of vans [schema-missing-key]\n"
            "  4 |   small: {name: Small van, speed: 90, payload: 500}\n    |   ^\n"
            "  add `room:`: its room",
        ),
        (
            "catalogs/vans.yaml", "payload: 500", "paylaod: 500",
            "catalogs/vans.yaml:4:48: error: `paylaod` is not a key of an entry of vans [schema-unknown-key]\n"
            "  4 |   small: {name: Small van, room: 3, speed: 90, paylaod: 500}\n"
            "    |                                                ^\n"
            "  did you mean `payload`?",
        ),
        (
            "catalogs/vans.yaml", "payload: 500", "payload: 1_500",
            "catalogs/vans.yaml:4:57: error: must be a number, not `1_500` [schema-type]\n"
            "  4 |   small: {name: Small van, room: 3, speed: 90, payload: 1_500}\n"
            "    |                                                         ^\n"
            "  write `1500`, with a decimal point and no separators",
        ),
        (
            "catalogs/vans.yaml", "room: 3", "romm: 3",
            "catalogs/vans.yaml:4:28: error: `romm` is not a key of an entry of vans [schema-unknown-key]\n"
            "  4 |   small: {name: Small van, romm: 3, speed: 90, payload: 500}\n"
            "    |                            ^\n"
            "  did you mean `room`?",
        ),
        (
            "catalogs/vans.yaml", "room: 3", "room: 3,5",
            "catalogs/vans.yaml:4:36: error: `5` is not a key of an entry of vans [schema-unknown-key]\n"
            "  4 |   small: {name: Small van, room: 3,5, speed: 90, payload: 500}\n"
            "    |                                    ^\n"
            "  the allowed keys are: name, room, speed, payload",
        ),
        (
            "rules/trip.yaml", "about: Room in a word.", "about: Room.",
            "rules/trip.yaml:26:12: error: must have at least 10 characters [schema-too-short]\n"
            "  26 |     about: Room.\n     |            ^\n"
            "  description in one sentence",
        ),
        (
            "rules/trip.yaml", "about: Room in a word.", "about: 'Room",
            "rules/trip.yaml:26:12: error: not YAML: found unexpected end of stream while scanning a quoted scalar "
            "[yaml-syntax]\n  26 |     about: 'Room\n     |            ^\n  close the quote",
        ),
        (
            "rules/trip.yaml", "tables:\n", "<<<<<<< HEAD\ntables:\n=======\n>>>>>>> other\n",
            "rules/trip.yaml:21:1: error: not YAML: unresolved merge conflict [yaml-syntax]\n"
            "  21 | <<<<<<< HEAD\n     | ^\n  keep one of the two versions, and remove the markers",
        ),
        (
            "rules/trip.yaml", "kind: bands", "kind: band",
            "rules/trip.yaml:23:11: error: `band` is not an allowed value [schema-choice]\n"
            "  23 |     kind: band\n     |           ^\n"
            "  did you mean `bands`?",
        ),
        (
            "catalogs/vans.yaml", "kind: vans", "kind: vanz",
            "catalogs/vans.yaml:1:7: error: there is no kind of file `vanz` [file-kind]\n"
            "  1 | kind: vanz\n    |       ^\n"
            "  did you mean `vans`?",
        ),
        (
            "rules/rulebook.yaml", "version: 1.0.0", "version: 1.0",
            "rules/rulebook.yaml:4:10: error: must be text, not `1.0` [schema-type]\n"
            "  4 | version: 1.0\n    |          ^\n"
            "  put it in quotes",
        ),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_told_with_a_caret(
    parcels: Workplace, file: str, old: str, new: str, told: str
) -> None:
    parcels.edit(file, old, new)
    assert format_problem(parcels.problems()[0]) == told


def test_weights_of_a_mode_must_add_up_to_one(copy: Workplace) -> None:
    copy.edit("rules/judgement/modes.yaml", "quality: 0.45", "quality: 0.50")
    problem = copy.problem()
    assert problem.code == "schema-sum"
    assert problem.message == "these must add up to 1, but add up to 1.05"
    assert problem.source_line.strip().startswith("weights:")


def test_a_row_without_a_source_is_refused(copy: Workplace) -> None:
    lines = copy.path("catalogs/quants.yaml").read_text("utf-8").splitlines(keepends=True)
    copy.edit("catalogs/quants.yaml", next(line for line in lines if line.startswith("    source: ")), "")
    assert "`source` is missing" in copy.problem().message
