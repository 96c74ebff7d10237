"""Any content of the files of a rulebook gives a rulebook or problems, and no other exception; and that soon."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
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
from helpers.hostile_rulebooks import HOSTILE_RULEBOOKS
from helpers.small_rulebook import lay_out
from helpers.workplace import Workplace

SETTINGS = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
VALUES: Sequence[Any] = (
    None, True, False, 0, 1, -1, 10**39, -(10**39), 2**63, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    -float("inf"), -0.0, 1.5, "", "x", "a b", "1", "nan", "m1-16gb", "device", "question.context", "memory_share",
    "a.b.c", "{0.__class__}", "{x", "}", "%s", "\U0001f600", "<script>", "a" * 500, [], {}, [None], [[]],
    {"a": None}, {"": 1},
    {"x": {"y": {}}}, [1, "a"], "1/0", "log2(0)", "sqrt(-1)", "9**9**9**9", "m ** 9 ** 9 ** 9", "(", "m/0", "m m",
    "furlong", "GB*s", "%", "t" * 100_000, "seconds", "model.params", "otherwise",
)  # fmt: skip
HANG = 60  # seconds of CPU time; each takes less than two
Step = str | int


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The small rulebook; each example restores what it changed."""
    folder = tmp_path_factory.mktemp("small")
    lay_out(folder)
    return Workplace(Folders(folder / "rules", folder / "catalogs", folder / "schemas"))


def files_of(small: Workplace) -> list[Path]:
    return sorted([*small.folders.rules.rglob("*.yaml"), *small.folders.catalogs.rglob("*.yaml")])


def paths(data: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The path of each value inside of the data."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in inside:
        yield (*path, step)
        yield from paths(value, (*path, step))


@cache
def parsed(text: str) -> Any:
    """The data of a YAML text; `mutated` copies before it changes."""
    return yaml.load(text, yaml.CSafeLoader)


def at(data: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def mutated(data: Any, draw: st.DrawFn, others: Sequence[Any]) -> Any:
    """The data with one key or value dropped, replaced, renamed, added or duplicated."""
    data = copy.deepcopy(data)
    path = draw(st.sampled_from(list(paths(data)) or [()]))
    if not path:
        return draw(st.sampled_from(VALUES))
    outer, step = at(data, path[:-1]), path[-1]
    match draw(st.sampled_from(["drop", "replace", "replace", "swap", "rename", "add"])):
        case "drop":
            del outer[step]
        case "replace":
            outer[step] = draw(st.sampled_from(VALUES))
        case "swap":
            outer[step] = draw(st.sampled_from(others))
        case "rename" if isinstance(outer, dict):
            name = draw(st.sampled_from(["", "x", "a.b", "min", "question", "device", "true", "__class__", f"{step}x"]))
            outer[name] = outer.pop(step)
        case "add" if isinstance(outer, dict):
            outer["more"] = draw(st.sampled_from(VALUES))
        case _:
            outer.append(outer[step]) if isinstance(outer, list) else None
    return data


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_have_problems_with_positions(content: bytes) -> None:
    document, problems = read_bytes(content, "file.yaml")
    assert document is not None or problems
    assert all(problem.position and problem.message for problem in problems)


@settings(SETTINGS, max_examples=60)
@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode), data=st.data())
def test_any_bytes_as_a_rule_file_give_a_rulebook_or_problems(
    small: Workplace, content: bytes, data: st.DataObject
) -> None:
    path = small.path("rules/fit.yaml")
    before = path.read_bytes()
    cut = data.draw(st.integers(0, len(before)))
    path.write_bytes(before[:cut] + content + before[cut + len(content) :])
    try:
        rulebook, problems = load_with_problems(small.folders)
        assert rulebook is not None or errors(problems)
    finally:
        path.write_bytes(before)


@settings(SETTINGS, max_examples=150)
@given(data=st.data())
def test_any_mutation_of_a_valid_file_is_checked_without_a_crash(small: Workplace, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(files_of(small)))
    before = file.read_text("utf-8")
    documents = [parsed(path.read_text("utf-8")) for path in files_of(small)]
    others = [at(document, path) for document in documents for path in paths(document)]
    changed = parsed(before)
    for _ in range(data.draw(st.integers(1, 2))):
        changed = mutated(changed, data.draw, others)
    file.write_text(yaml.safe_dump(changed, allow_unicode=True, sort_keys=False), "utf-8")
    try:
        ended = CliRunner().invoke(main, [*small.options, "check", "--json"])
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        problems = json.loads(ended.output)
        assert ended.exit_code == (1 if any(problem["severity"] == "error" for problem in problems) else 0)
    finally:
        file.write_text(before, "utf-8")


@pytest.mark.parametrize(
    "unit", ["9**9**9**9", "s**9**9**9", "s ^ 9 ^ 9 ^ 9", "s**" + "9" * 30, "(", "s/0", "s" * 9999]
)
def test_a_unit_that_takes_forever_to_compute_is_refused(small: Workplace, unit: str) -> None:
    for file, old, new in (
        ("rules/fit.yaml", "unit: s\n", f"unit: {json.dumps(unit)}\n"),
        ("rules/rulebook.yaml", "  - second = [time] = s", f"  - {json.dumps(f'second = {unit}')}"),
    ):
        text = small.path(file).read_text("utf-8")
        small.edit(file, old, new)
        try:
            assert errors(run_checks(small.folders)[1])
        finally:
            small.path(file).write_text(text, "utf-8")


@settings(SETTINGS, max_examples=40)
@given(contexts=st.lists(st.floats(1000, 100_000), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_a_question_equals_its_row_of_a_list_and_its_cell_of_a_grid_to_the_last_digit(
    small: Workplace, contexts: list[float], seed: int
) -> None:
    engine = small.load()
    ids = {axis: engine.rulebook.catalog_of(axis).ids for axis in engine.rulebook.question_fields.axes}
    random = np.random.default_rng(seed)
    size = len(contexts)
    codes = {axis: random.integers(len(names), size=size) for axis, names in ids.items()}
    for rules in engine.rules.values():
        names = [name for name in rules.definitions if not name.startswith("current.")]
        listed = QuestionList(engine.rulebook.question_fields, engine.columns, size, codes)
        rows = evaluate(rules, listed, names, {"context": np.array(contexts)})
        for number, context in enumerate(contexts):
            whole = evaluate(
                rules,
                QuestionGrid.of(engine.rulebook.question_fields, engine.columns, ids),
                names,
                {"context": context},
            )
            named = {axis: (ids[axis][codes[axis][number]],) for axis in ids}
            alone = evaluate(
                rules,
                QuestionGrid.of(engine.rulebook.question_fields, engine.columns, named),
                names,
                {"context": context},
            )
            cell = tuple(int(codes[axis][number]) for axis in ids)
            for name in names:
                scalar = alone.value(name, (0,) * len(ids))
                assert repr(rows.value(name, (number,))) == repr(scalar), name
                assert repr(whole.value(name, cell)) == repr(scalar), name


@pytest.mark.parametrize("name", HOSTILE_RULEBOOKS)
def test_what_would_take_too_long_is_a_problem_at_its_place(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    hostile, folders = HOSTILE_RULEBOOKS[name], Folders(Path("rules"), Path("catalogs"), Path("schemas"))
    hostile.lay_out(Workplace(folders))
    start = time.process_time()
    problems = run_checks(folders)[1]
    assert time.process_time() - start < HANG
    assert next(str(problem.position) for problem in problems if problem.code == hostile.code) == hostile.place
    assert all(problem.message for problem in problems)
