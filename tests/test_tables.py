"""Tables: bands, lookups and knots, and the proof that each is complete."""

from __future__ import annotations

import pytest
from conftest import Workplace
from hypothesis import given
from hypothesis import strategies as st

from engine.rulebook.tables import Bands, Knots

BANDS = "tables/room/rows"


def test_at_least_gives_a_bound_to_the_band_above_it() -> None:
    bands = Bands((25.0, 70.0), ("F", "B", "A"), "right")
    assert [bands.results[bands.place(score)] for score in (24.9, 25, 69.9, 70, 1000, -5)] == [
        "F",
        "B",
        "B",
        "A",
        "A",
        "F",
    ]


def test_at_most_gives_a_bound_to_the_band_below_it() -> None:
    bands = Bands((0.5, 1.0), ("plenty", "enough", "none"), "left")
    assert [bands.results[bands.place(share)] for share in (0, 0.5, 0.6, 1, 1.1)] == [
        "plenty",
        "plenty",
        "enough",
        "enough",
        "none",
    ]


def test_knots_join_by_lines_and_hold_beyond() -> None:
    knots = Knots((0.0, 10.0, 20.0), (0.0, 100.0, 50.0))
    assert [float(knots.at(x)) for x in (-5, 0, 5, 10, 15, 20, 99)] == [0, 0, 50, 100, 75, 50, 50]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True), st.floats(-1e7, 1e7))
def test_every_number_falls_into_one_band(bounds: list[float], value: float) -> None:
    bands = Bands(tuple(sorted(bounds)), tuple(map(str, range(len(bounds) + 1))), "right")
    place = int(bands.place(value))
    assert place == sum(bound <= value for bound in bounds)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("{at_most: 1, gives: enough}", "{at_most: 0.5, gives: enough}", "table-order", 29),
        ("{at_most: 1, gives: enough}", "{at_most: 0.2, gives: enough}", "table-order", 29),
        ("{at_most: 1, gives: enough}", "{below: 1, gives: enough}", "table-mixed", 29),
        ("{at_most: 1, gives: enough}", "{at_most: 1}", "table-row", 29),
        ("{at_most: 1, gives: enough}", "{otherwise: enough}", "table-unreachable", 30),
        ("- {otherwise: none}", "- {at_most: 2, gives: none}", "table-no-default", 30),
        ("{at_most: 1, gives: enough}", "{at_most: 1, gives: 7}", "table-mixed-results", 27),
        ("rows: {small: 20, large: 35}", "rows: {small: 20}", "table-incomplete", 36),
        ("rows: {small: 20, large: 35}", "rows: {small: 20, large: cheap}", "table-mixed-results", 36),
        ("rows: {small: 20, large: 35}", "rows: {small: low, large: high}", "table-unit", 34),
        ("input: van.id", "input: van.room", "table-input", 33),
        ("input: room_share", "input: van.id", "table-input", 24),
    ],
)
def test_a_table_with_a_hole_never_loads(parcels: Workplace, old: str, new: str, code: str, line: int) -> None:
    parcels.edit("rules/trip.yaml", old, new)
    places = {(problem.code, problem.position.line) for problem in parcels.problems() if problem.position}
    assert (code, line) in places


def test_a_key_that_nothing_has_is_a_warning_with_the_closest(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "large: 35}", "large: 35, larg: 40}")
    problem = parcels.problem()
    assert (problem.code, problem.severity, problem.closest) == ("table-unused-key", "warning", ("large",))
    assert parcels.load()


def test_knots_must_rise(parcels: Workplace) -> None:
    table = (
        "\n  wear:\n    kind: knots\n    input: time\n    unit: EUR\n    about: Wear of the van on a trip.\n"
        "    rows: [[0, 0], [5, 3], [5, 4]]\n    beyond: hold\n"
    )
    parcels.write("rules/trip.yaml", parcels.path("rules/trip.yaml").read_text() + table)
    assert parcels.problem().code == "table-order"
