"""Whatever stands in the files of a rulebook, reading them gives a rulebook or problems, and no other exception."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fitcard.cli.main import main
from fitcard.compiler.batch import QuestionGrid, QuestionList
from fitcard.compiler.evaluation import evaluate
from fitcard.lint.run import run_checks
from fitcard.problems import errors
from fitcard.rulebook.loader import load_with_problems
from fitcard.source.folders import Folders
from fitcard.source.yaml_reader import read_bytes
from helpers.transcripts import lay_out_parcels
from helpers.workplace import Workplace

SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
VALUES: Sequence[Any] = (
    None, True, False, 0, 1, -1, 10**39, -(10**39), 2**63, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    -float("inf"), -0.0, 1.5, "", "x", "a b", "1", "nan", "small", "van", "question.distance", "room_share", "a.b.c",
    "{0.__class__}", "{x", "}", "%s", "\U0001f600", "<script>", "a" * 500, [], {}, [None], [[]], {"a": None}, {"": 1},
    {"x": {"y": {}}}, [1, "a"], "1/0", "log2(0)", "sqrt(-1)", "9**9**9**9", "m ** 9 ** 9 ** 9", "(", "m/0", "m m",
    "furlong", "kg*m", "%", "t" * 100_000, "hours", "parcel.volume", "otherwise",
)  # fmt: skip
Step = str | int


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The rulebook about parcels; each example puts back what it changed."""
    folder = tmp_path_factory.mktemp("parcels")
    lay_out_parcels(folder)
    return Workplace(Folders(folder / "rules", folder / "catalogs", folder / "schemas"))


def files_of(place: Workplace) -> list[Path]:
    return sorted([*place.folders.rules.rglob("*.yaml"), *place.folders.catalogs.rglob("*.yaml")])


def ways(data: Any, way: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The way to each value, but for the whole."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in inside:
        yield (*way, step)
        yield from ways(value, (*way, step))


def at(data: Any, way: tuple[Step, ...]) -> Any:
    for step in way:
        data = data[step]
    return data


def mutated(data: Any, draw: st.DrawFn, others: Sequence[Any]) -> Any:
    """The data with one key or value dropped, replaced, renamed, added or said twice."""
    data = copy.deepcopy(data)
    way = draw(st.sampled_from(list(ways(data)) or [()]))
    if not way:
        return draw(st.sampled_from(VALUES))
    outer, step = at(data, way[:-1]), way[-1]
    match draw(st.sampled_from(["drop", "replace", "replace", "swap", "rename", "add"])):
        case "drop":
            del outer[step]
        case "replace":
            outer[step] = draw(st.sampled_from(VALUES))
        case "swap":
            outer[step] = draw(st.sampled_from(others))
        case "rename" if isinstance(outer, dict):
            name = draw(st.sampled_from(["", "x", "a.b", "min", "question", "van", "true", "__class__", f"{step}x"]))
            outer[name] = outer.pop(step)
        case "add" if isinstance(outer, dict):
            outer["more"] = draw(st.sampled_from(VALUES))
        case _:
            outer.append(outer[step]) if isinstance(outer, list) else None
    return data


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_have_problems_at_places(content: bytes) -> None:
    document, problems = read_bytes(content, "file.yaml")
    assert document is not None or problems
    assert all(problem.position and problem.message for problem in problems)


@settings(SETTINGS, max_examples=60)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), data=st.data())
def test_any_bytes_as_a_rule_file_give_a_rulebook_or_problems(
    place: Workplace, content: bytes, data: st.DataObject
) -> None:
    path = place.path("rules/trip.yaml")
    before = path.read_bytes()
    cut = data.draw(st.integers(0, len(before)))
    path.write_bytes(before[:cut] + content + before[cut + len(content) :])
    try:
        rulebook, problems = load_with_problems(place.folders)
        assert rulebook is not None or errors(problems)
    finally:
        path.write_bytes(before)


@settings(SETTINGS, max_examples=150)
@given(data=st.data())
def test_whatever_is_changed_in_a_valid_file_the_check_ends_with_problems_or_well(
    place: Workplace, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(files_of(place)))
    before = path.read_text("utf-8")
    every = [yaml.safe_load(file.read_text("utf-8")) for file in files_of(place)]
    others = [at(one, way) for one in every for way in ways(one)]
    changed = yaml.safe_load(before)
    for _ in range(data.draw(st.integers(1, 2))):
        changed = mutated(changed, data.draw, others)
    path.write_text(yaml.safe_dump(changed, allow_unicode=True, sort_keys=False), "utf-8")
    try:
        ended = CliRunner().invoke(main, [*place.options, "check", "--json"])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        found = json.loads(ended.output)
        assert ended.exit_code == (1 if any(one["severity"] == "error" for one in found) else 0)
    finally:
        path.write_text(before, "utf-8")


@pytest.mark.parametrize(
    "unit", ["9**9**9**9", "h**9**9**9", "h ^ 9 ^ 9 ^ 9", "h**" + "9" * 30, "(", "h/0", "h" * 9999]
)
def test_a_unit_that_would_be_computed_without_end_is_told(place: Workplace, unit: str) -> None:
    for file, old, new in (
        ("rules/trip.yaml", "unit: h", f"unit: {json.dumps(unit)}"),
        ("rules/rulebook.yaml", "  - hour = [time] = h", f"  - {json.dumps(f'hour = {unit}')}"),
    ):
        text = place.path(file).read_text("utf-8")
        place.edit(file, old, new)
        try:
            assert errors(run_checks(place.folders)[1])
        finally:
            place.path(file).write_text(text, "utf-8")


@settings(SETTINGS, max_examples=40)
@given(distances=st.lists(st.floats(1, 1000), min_size=1, max_size=6), lot=st.integers(0, 2**31))
def test_a_question_is_its_row_of_a_list_and_its_cell_of_a_grid_to_the_last_digit(
    place: Workplace, distances: list[float], lot: int
) -> None:
    engine = place.load()
    ids = {axis: engine.rulebook.catalog_of(axis).ids for axis in engine.rulebook.question_fields.axes}
    drawn = np.random.default_rng(lot)
    size = len(distances)
    codes = {axis: drawn.integers(len(names), size=size) for axis, names in ids.items()}
    for rules in engine.rules.values():
        names = [name for name in rules.definitions if not name.startswith("current.")]
        listed = QuestionList(engine.rulebook.question_fields, engine.columns, size, codes)
        rows = evaluate(rules, listed, names, {"distance": np.array(distances)})
        for number, distance in enumerate(distances):
            whole = evaluate(
                rules,
                QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids),
                names,
                {"distance": distance},
            )
            named = {axis: (ids[axis][codes[axis][number]],) for axis in ids}
            alone = evaluate(
                rules,
                QuestionGrid.of(engine.rulebook.question_fields, engine.columns, named),
                names,
                {"distance": distance},
            )
            cell = tuple(int(codes[axis][number]) for axis in ids)
            for name in names:
                scalar = alone.value(name, (0,) * len(ids))
                assert repr(rows.value(name, (number,))) == repr(scalar), name
                assert repr(whole.value(name, cell)) == repr(scalar), name
