"""Tables: bands, lookups and knots, and the proof that each is complete."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import evaluate
from fitcard.compiler.tables import CompiledBands, CompiledKnots, compile_table
from fitcard.language.definitions import Table
from fitcard.language.tables import Bands, Knots, Lookup, ValueOf
from fitcard.lint.run import run_checks
from fitcard.source.document import Document
from fitcard.values import LARGE_COLUMN, Kind, WordColumn, as_column, cell
from helpers.workplace import Workplace

BANDS = "tables/room/rows"


def test_at_least_gives_a_bound_to_the_band_above_it() -> None:
    bands = CompiledBands(Bands((25.0, 70.0), ("F", "B", "A"), "right"), Kind.WORD)
    assert [cell(bands(score), ()) for score in (24.9, 25, 69.9, 70, 1000, -5)] == ["F", "B", "B", "A", "A", "F"]


def test_at_most_gives_a_bound_to_the_band_below_it() -> None:
    bands = CompiledBands(Bands((0.5, 1.0), ("plenty", "enough", "none"), "left"), Kind.WORD)
    words = [cell(bands(share), ()) for share in (0, 0.5, 0.6, 1, 1.1)]
    assert words == ["plenty", "plenty", "enough", "enough", "none"]


def test_knots_join_by_lines_and_hold_beyond() -> None:
    knots = CompiledKnots(Knots((0.0, 10.0, 20.0), (0.0, 100.0, 50.0)))
    assert [float(knots(x)) for x in (-5, 0, 5, 10, 15, 20, 99)] == [0, 0, 50, 100, 75, 50, 50]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True), st.floats(-1e7, 1e7))
def test_every_number_falls_into_one_band(bounds: list[float], value: float) -> None:
    bands = CompiledBands(Bands(tuple(sorted(bounds)), tuple(map(float, range(len(bounds) + 1))), "right"), Kind.NUMBER)
    assert bands(value) == sum(bound <= value for bound in bounds)


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


FITS = """\
tables:
  fits:
    kind: lookup
    input: parcel.id
    unit: condition
    about: Whether it is sure to go in.
    rows: {letter: true, piano: {value_of: goes_in}}
"""
PAYLOAD = """\
tables:
  most_weight:
    kind: lookup
    input: van.id
    unit: kg
    about: What may be loaded, as far as it is known.
    rows: {small: {value_of: van.payload}}
    otherwise: 900
"""
ROOM = """\
tables:
  room_or_letter:
    kind: lookup
    input: parcel.id
    unit: word
    about: Room in a word, of a letter always the same.
    rows: {letter: plenty}
    otherwise: {value_of: room}
"""


WORDS = ("a", "b", "c", "d")
NAMES = ("x", "y", "z")
RESULTS = {
    "number": st.floats(-9, 9),
    "word": st.sampled_from(("low", "high", "u", "v")),
    "condition": st.booleans(),
}


def columns_of(kind: str, size: int) -> dict[str, Any]:
    """Columns of that kind, the first of which is the same everywhere."""
    lot = np.random.default_rng(size)
    if kind == "word":
        words = ("u", "v", "w")
        return {
            name: WordColumn(lot.integers(-1, 3, size) if at else np.int64(at), words) for at, name in enumerate(NAMES)
        }
    many = {"number": lambda: lot.normal(size=size), "condition": lambda: lot.random(size) < 1 / 2}[kind]
    return {name: many() if at else as_column(1.5 if kind == "number" else True) for at, name in enumerate(NAMES)}


@pytest.mark.parametrize("kind", ["number", "word", "condition"])
@pytest.mark.parametrize("size", [1, 7, LARGE_COLUMN + 1])
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_lookup_gives_each_question_what_its_row_says(kind: str, size: int, data: st.DataObject) -> None:
    result = RESULTS[kind] | st.sampled_from(NAMES).map(ValueOf)
    rows = data.draw(st.dictionaries(st.sampled_from(WORDS), result, max_size=len(WORDS)))
    otherwise = data.draw(result)
    document = Document("rules/some.yaml", "", {}, {})
    unit = {"number": "1", "word": "word", "condition": "condition"}[kind]
    table = Table("some", unit, "about", document, (), {}, "word", Lookup(rows, otherwise))
    codes = np.random.default_rng(3).integers(-1, len(WORDS), size)
    read = {"word": WordColumn(codes if size > 1 else codes[0], WORDS)} | columns_of(kind, size)
    found = compile_table(table)(*[read[name] for name in table.reads])
    for at in (0, size // 2, size - 1):
        said = rows.get(str(cell(read["word"], (at,))), otherwise)
        wanted = cell(read[said.name], (at,)) if isinstance(said, ValueOf) else said
        assert cell(found, (at,)) == wanted


def taken(parcels: Workplace, table: str, name: str) -> list[object]:
    """What the table gives for a letter and a piano in a small and a large van."""
    parcels.edit("rules/trip.yaml", "tables:\n", table)
    engine = parcels.load()
    grid = QuestionGrid.of(
        engine.rulebook.question_fields, engine.columns, {"parcel": ("letter", "piano"), "van": ("small", "large")}
    )
    evaluation = evaluate(engine.default_rules, grid, [name])
    return [evaluation.value(name, (parcel, van)) for parcel in (0, 1) for van in (0, 1)]


def test_a_lookup_may_give_conditions_its_own_and_those_of_formulas(parcels: Workplace) -> None:
    assert taken(parcels, FITS, "fits") == [True, True, False, True]


def test_a_row_may_take_a_figure_of_a_catalog(parcels: Workplace) -> None:
    assert taken(parcels, PAYLOAD, "most_weight") == [500, 900, 500, 900]


def test_a_row_may_take_the_word_of_another_table(parcels: Workplace) -> None:
    assert taken(parcels, ROOM, "room_or_letter") == ["plenty", "plenty", "none", "enough"]


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        (FITS, "unit: condition", "unit: '1'", "the rows give conditions, but the unit is `1`"),
        (FITS, "letter: true", "letter: 1", "the rows give numbers, but the unit is `condition`"),
        (FITS, "value_of: goes_in", "value_of: time", "the rows give conditions, but `time` is not a condition"),
        (FITS, "{value_of: goes_in}", "plenty", "the rows give both conditions and words"),
        (PAYLOAD, "value_of: van.payload", "value_of: van.paylod", "undefined name `van.paylod`"),
        (PAYLOAD, "value_of: van.payload", "value_of: van.room", "the rows give `kg`, but `van.room` is in `m3`"),
        (ROOM, "value_of: room", "value_of: fee", "the rows give words, but `fee` is not a word"),
    ],
)
def test_what_a_row_takes_must_be_of_the_kind_of_the_table(
    parcels: Workplace, table: str, old: str, new: str, told: str
) -> None:
    parcels.edit("rules/trip.yaml", "tables:\n", table.replace(old, new))
    assert told in {problem.message for problem in run_checks(parcels.folders)[1]}
