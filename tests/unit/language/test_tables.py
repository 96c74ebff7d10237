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


def test_at_least_includes_the_bound_in_the_band_above() -> None:
    bands = CompiledBands(Bands((25.0, 70.0), ("F", "B", "A"), "right"), Kind.WORD)
    assert [cell(bands(score), ()) for score in (24.9, 25, 69.9, 70, 1000, -5)] == ["F", "B", "B", "A", "A", "F"]


def test_at_most_includes_the_bound_in_the_band_below() -> None:
    bands = CompiledBands(Bands((0.5, 1.0), ("easy", "tight", "none"), "left"), Kind.WORD)
    words = [cell(bands(share), ()) for share in (0, 0.5, 0.6, 1, 1.1)]
    assert words == ["easy", "easy", "tight", "tight", "none"]


def test_knots_interpolate_linearly_and_hold_beyond_the_ends() -> None:
    knots = CompiledKnots(Knots((0.0, 10.0, 20.0), (0.0, 100.0, 50.0)))
    assert [float(knots(x)) for x in (-5, 0, 5, 10, 15, 20, 99)] == [0, 0, 50, 100, 75, 50, 50]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True), st.floats(-1e7, 1e7))
def test_every_number_lies_in_exactly_one_band(bounds: list[float], value: float) -> None:
    bands = CompiledBands(Bands(tuple(sorted(bounds)), tuple(map(float, range(len(bounds) + 1))), "right"), Kind.NUMBER)
    assert bands(value) == sum(bound <= value for bound in bounds)


FIT = "rules/fit.yaml"
PRICES = "rows: {m1-16gb: 700, rtx-4090-24gb: 1800, h100-80gb: 30000}"


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("{at_most: 1, gives: tight}", "{at_most: 0.5, gives: tight}", "table-order", 37),
        ("{at_most: 1, gives: tight}", "{at_most: 0.2, gives: tight}", "table-order", 37),
        ("{at_most: 1, gives: tight}", "{below: 1, gives: tight}", "table-mixed", 37),
        ("{at_most: 1, gives: tight}", "{at_most: 1}", "table-row", 37),
        ("{at_most: 1, gives: tight}", "{otherwise: tight}", "table-unreachable", 38),
        ("- {otherwise: none}", "- {at_most: 2, gives: none}", "table-no-default", 38),
        ("{at_most: 1, gives: tight}", "{at_most: 1, gives: 7}", "table-mixed-results", 35),
        (PRICES, "rows: {m1-16gb: 700, rtx-4090-24gb: 1800}", "table-incomplete", 44),
        (PRICES, PRICES.replace("30000", "high"), "table-mixed-results", 44),
        (PRICES, "rows: {m1-16gb: low, rtx-4090-24gb: low, h100-80gb: high}", "table-unit", 42),
        ("input: device.id", "input: device.memory", "table-input", 41),
        ("input: memory_share", "input: device.id", "table-input", 32),
    ],
)
def test_an_incomplete_table_is_an_error(small: Workplace, old: str, new: str, code: str, line: int) -> None:
    small.edit(FIT, old, new)
    positions = {(problem.code, problem.position.line) for problem in small.problems() if problem.position}
    assert (code, line) in positions


def test_a_key_that_no_entry_has_is_a_warning_with_the_closest(small: Workplace) -> None:
    small.edit(FIT, "h100-80gb: 30000}", "h100-80gb: 30000, h100-08gb: 3000}")
    problem = small.problem()
    assert (problem.code, problem.severity, problem.closest) == ("table-unused-key", "warning", ("h100-80gb",))
    assert small.load()


def test_knots_increase(small: Workplace) -> None:
    small.edit(FIT, "tables:\n", KNOTS)
    assert small.problem().code == "table-order"


KNOTS = """\
tables:
  patience:
    kind: knots
    input: load_time
    unit: USD
    about: What the load time costs.
    rows: [[0, 0], [5, 3], [5, 4]]
    beyond: hold
"""
CONDITIONS = """\
tables:
  surely_runs:
    kind: lookup
    input: model.id
    unit: condition
    about: Whether the model runs on any device.
    rows: {llama-3.1-8b: true, qwen-3-14b: true, llama-3.1-70b: {value_of: runs}}
"""
FIGURES = """\
tables:
  allocation:
    kind: lookup
    input: device.id
    unit: GB
    about: Largest allocation, as far as it is known.
    rows: {m1-16gb: {value_of: device.max_allocation}}
    otherwise: 24
"""
WORDS_OF_TABLE = """\
tables:
  fit_or_easy:
    kind: lookup
    input: model.id
    unit: word
    about: Fit in a word, always the same for the smallest model.
    rows: {llama-3.1-8b: easy}
    otherwise: {value_of: fit}
"""


WORDS = ("a", "b", "c", "d")
NAMES = ("x", "y", "z")
RESULTS = {
    "number": st.floats(-9, 9),
    "word": st.sampled_from(("low", "high", "u", "v")),
    "condition": st.booleans(),
}


def columns_of(kind: str, size: int) -> dict[str, Any]:
    """Columns of that kind; the first has one value."""
    random = np.random.default_rng(size)
    if kind == "word":
        words = ("u", "v", "w")
        return {
            name: WordColumn(random.integers(-1, 3, size) if at else np.int64(at), words)
            for at, name in enumerate(NAMES)
        }
    many = {"number": lambda: random.normal(size=size), "condition": lambda: random.random(size) < 1 / 2}[kind]
    return {name: many() if at else as_column(1.5 if kind == "number" else True) for at, name in enumerate(NAMES)}


@pytest.mark.parametrize("kind", ["number", "word", "condition"])
@pytest.mark.parametrize("size", [1, 7, LARGE_COLUMN + 1])
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_lookup_gives_each_question_the_value_of_its_row(kind: str, size: int, data: st.DataObject) -> None:
    result = RESULTS[kind] | st.sampled_from(NAMES).map(ValueOf)
    rows = data.draw(st.dictionaries(st.sampled_from(WORDS), result, max_size=len(WORDS)))
    otherwise = data.draw(result)
    document = Document("rules/some.yaml", "", {}, {})
    unit = {"number": "1", "word": "word", "condition": "condition"}[kind]
    table = Table("some", unit, "about", document, (), {}, "word", Lookup(rows, otherwise))
    codes = np.random.default_rng(3).integers(-1, len(WORDS), size)
    columns = {"word": WordColumn(codes if size > 1 else codes[0], WORDS)} | columns_of(kind, size)
    values = compile_table(table)(*[columns[name] for name in table.reads])
    for at in (0, size // 2, size - 1):
        row = rows.get(str(cell(columns["word"], (at,))), otherwise)
        assert cell(values, (at,)) == (cell(columns[row.name], (at,)) if isinstance(row, ValueOf) else row)


def values_of(small: Workplace, table: str, name: str) -> list[object]:
    """The values of a table for the smallest and the largest model on an M1 and an H100."""
    small.edit(FIT, "tables:\n", table)
    engine = small.load()
    models, devices = ("llama-3.1-8b", "llama-3.1-70b"), ("m1-16gb", "h100-80gb")
    ids = {"model": models, "device": devices, "quant": ("Q4_K_M",)}
    grid = QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids)
    evaluation = evaluate(engine.default_rules, grid, [name])
    return [evaluation.value(name, (model, device, 0)) for model in (0, 1) for device in (0, 1)]


def test_a_lookup_gives_conditions_of_its_own_and_of_formulas(small: Workplace) -> None:
    assert values_of(small, CONDITIONS, "surely_runs") == [True, True, False, True]


def test_a_row_refers_to_a_catalog_figure(small: Workplace) -> None:
    assert values_of(small, FIGURES, "allocation") == [11, 24, 11, 24]


def test_a_row_refers_to_the_value_of_another_table(small: Workplace) -> None:
    assert values_of(small, WORDS_OF_TABLE, "fit_or_easy") == ["easy", "easy", "none", "tight"]


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        (CONDITIONS, "unit: condition", "unit: '1'", "the rows give conditions, but the unit is `1`"),
        (CONDITIONS, "true, qwen-3-14b: true", "1, qwen-3-14b: 1",
            "the rows give numbers, but the unit is `condition`"),
        (CONDITIONS, "of: runs", "of: load_time", "the rows give conditions, but `load_time` is not a condition"),
        (CONDITIONS, "{value_of: runs}", "easy", "the rows give both conditions and words"),
        (FIGURES, "of: device.max_allocation", "of: device.max_aloc", "undefined name `device.max_aloc`"),
        (FIGURES, "of: device.max_allocation", "of: device.bandwidth",
            "the rows give `GB`, but `device.bandwidth` is in `GB/s`"),
        (WORDS_OF_TABLE, "value_of: fit", "value_of: price", "the rows give words, but `price` is not a word"),
    ],
)  # fmt: skip
def test_the_name_of_a_row_is_of_the_kind_and_unit_of_the_table(
    small: Workplace, table: str, old: str, new: str, message: str
) -> None:
    small.edit(FIT, "tables:\n", table.replace(old, new))
    assert message in {problem.message for problem in run_checks(small.folders)[1]}
