"""An axis whose entry a table chooses where the question names none: by the rest of the question, in each cell."""

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

DRIVERS = """\
kind: drivers
title: Drivers
entries:
  young: {name: A young driver, pace: 1}
  old: {name: An old driver, pace: 0.5}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "drivers.schema.json",
    "title": "a catalog of drivers",
    "type": "object",
    "properties": {
        "kind": {"const": "drivers"},
        "title": {"type": "string"},
        "entries": {"type": "object", "additionalProperties": {"$ref": "#/$defs/entry"}},
    },
    "$defs": {
        "entry": {
            "type": "object",
            "required": ["name", "pace"],
            "properties": {"name": {"type": "string"}, "pace": {"type": "number", "unit": "1"}},
        }
    },
}
AXIS = "  driver: {catalog: drivers, default_by: usual_driver, swept: false, about: Who drives.}\ninputs:"
TABLES = """\
tables:
  by_parcel:
    kind: lookup
    input: parcel.id
    unit: word
    about: Who carries it.
    rows: {piano: old}
    otherwise: young
  usual_driver:
    kind: lookup
    input: van.id
    unit: word
    about: Who drives where nobody is named.
    rows: {small: young}
    otherwise: {value_of: by_parcel}
"""
TIME = ("rules/trip.yaml", "min(van.speed, town_speed)", "(min(van.speed, town_speed) * driver.pace)")


@pytest.fixture
def driven(parcels: Workplace) -> Workplace:
    """Parcels and vans, with drivers: of the small van a young one, of others by what is to be carried."""
    parcels.write("schemas/drivers.schema.json", json.dumps(SCHEMA))
    parcels.write("catalogs/drivers.yaml", DRIVERS)
    parcels.edit("rules/rulebook.yaml", "inputs:", AXIS)
    parcels.edit("rules/trip.yaml", "tables:\n", TABLES)
    parcels.edit(*TIME)
    parcels.edit("rules/answer.yaml", "time_h: time", "time_h: time\n  driver: driver.name")
    parcels.edit("rules/trip.test.yaml", "time: 2}", "time: 4}")
    return parcels


def times(place: Workplace, **ids: tuple[str, ...]) -> list[float]:
    engine = place.load()
    grid = QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids)
    return list(np.ravel(np.asarray(evaluate(engine.default_rules, grid, ["time"]).columns["time"])))


def test_each_cell_has_the_entry_that_is_chosen_for_it(driven: Workplace) -> None:
    parcels, vans = ("letter", "piano"), ("small", "large")
    assert times(driven, parcel=parcels, van=vans) == [2, 2, 2, 4]
    assert times(driven, parcel=("piano",), van=("large",)) == [4]


def test_an_entry_that_is_named_takes_its_place(driven: Workplace) -> None:
    assert times(driven, parcel=("letter", "piano"), van=("small",), driver=("old",)) == [4]
    assert times(driven, van=("small",), driver=("young", "old")) == [2, 4]


def test_the_answer_says_who_was_chosen_and_how(driven: Workplace) -> None:
    engine = driven.load()
    built = answer_question(
        engine, read_question(engine.rulebook, {"parcel": "piano", "van": "large"}), explained=True
    ).to_dict()
    assert built["driver"] == "An old driver"
    names = [step["name"] for step in built["trace"]]
    pace = next(step for step in built["trace"] if step["name"] == "driver.pace")
    assert (pace["entry"], pace["value"], pace["inputs"]) == ("old", 0.5, {"usual_driver": "old"})
    assert names.index("by_parcel") < names.index("usual_driver") < names.index("driver.pace") < names.index("time")
    named = answer_question(
        engine, read_question(engine.rulebook, {"parcel": "piano", "van": "large", "driver": "young"})
    ).to_dict()
    assert named["driver"] == "A young driver"


def test_rule_tests_may_name_it_choose_it_or_set_the_choice(driven: Workplace) -> None:
    for given, time in (("van: large", 4), ("van: large, driver: young", 2), ("usual_driver: old, van: small", 4)):
        driven.write(
            "rules/more.test.yaml",
            f"kind: tests\ntitle: More\ntests:\n  - name: a piano takes {time} hours\n"
            f"    given: {{parcel: piano, {given}}}\n    expect: {{time: {time}}}\n",
        )
        assert all(run_test(driven.load(), test).passed for test in rule_tests(driven.load().rulebook, "more"))


def test_all_of_it_passes_the_check(driven: Workplace) -> None:
    assert run_checks(driven.folders)[1] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("rules/trip.yaml", "rows: {piano: old}", "rows: {piano: odl}",
         "axis-unknown-default: `usual_driver` gives `odl`, but the catalog `drivers` has no such entry"),
        ("rules/rulebook.yaml", "default_by: usual_driver", "default_by: usual_drivr",
         "name-unknown: there is no table of words `usual_drivr`"),
        ("rules/rulebook.yaml", "default_by: usual_driver", "default_by: fee",
         "name-unknown: there is no table of words `fee`"),
        ("rules/rulebook.yaml", "default_by: usual_driver", "default: old, default_by: usual_driver",
         "axis-two-defaults: the axis `driver` has two defaults"),
        ("rules/trip.yaml", "input: van.id\n    unit: word", "input: room\n    unit: word",
         "table-unused-key: `room` is never `small`"),
        ("rules/trip.yaml", "expr: parcel.volume / (", "expr: driver.pace * parcel.volume / (",
         "name-cycle: `room_share` depends on itself: room_share -> usual_driver -> room -> room_share"),
    ],
)  # fmt: skip
def test_what_cannot_choose_is_told(driven: Workplace, file: str, old: str, new: str, told: str) -> None:
    driven.edit(file, old, new)
    if "room_share ->" in told:
        driven.edit("rules/trip.yaml", "input: van.id\n    unit: word", "input: room\n    unit: word")
        driven.edit("rules/trip.yaml", "rows: {small: young}", "rows: {none: young}")
    assert told in {f"{problem.code}: {problem.message}" for problem in run_checks(driven.folders)[1]}


def test_a_question_may_leave_it_out_and_the_command_says_by_what_it_is_chosen(driven: Workplace) -> None:
    ended = CliRunner().invoke(main, [*driven.options, "show", "--help"])
    assert "Who drives. [default: by usual_driver]" in ended.output
    ended = CliRunner().invoke(main, [*driven.options, "show", "piano", "--van=large", "--json"])
    assert json.loads(ended.output)["time_h"] == 4
    ended = CliRunner().invoke(main, [*driven.options, "explain", "piano", "--van=large", "--of=time"])
    assert "usual_driver = old" in ended.output


def test_comparing_runs_over_what_is_chosen_and_over_each_entry_that_changed(
    driven: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = repository(driven, monkeypatch)
    driven.edit("catalogs/drivers.yaml", "pace: 0.5", "pace: 0.4")
    by_default, each = repo.data()["impact"]
    assert (by_default["answers"], by_default["moved"]) == (4, 1)
    assert (each["opened"], each["answers"], each["moved"]) == ("driver", 4, 2)
    driven.edit("catalogs/drivers.yaml", "pace: 0.4", "pace: 0.5")
    driven.edit("rules/trip.yaml", "value: 50", "value: 40")
    assert [one.get("opened") for one in repo.data()["impact"]] == [None]
