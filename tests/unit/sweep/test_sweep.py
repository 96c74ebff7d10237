"""Sweeps: every answer in a file, the same bytes whoever computes them and however often it is interrupted."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.cli.main import main
from fitcard.compiler.batch import Chunks
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.sweep.formats import FORMATS, PARQUET, ComputedPart, compute_part
from fitcard.sweep.part_store import PartStore, code_sha256
from fitcard.sweep.rows import compute_rows
from fitcard.sweep.run import sweep_to_file
from fitcard.sweep.selection import Sweep, default_columns, read_sweep
from fitcard.sweep.workers import cluster_workers, compute_remotely, local_workers
from fitcard.values import WordColumn
from helpers.workplace import Workplace

SOME = {
    "model": ("Llama 3.1 8B", "qwen-3-14b", "mixtral-8x7b"),
    "device": ("4090", "m1-16gb"),
    "quant": ("q4_k_m", "F16"),
    "workload": ("chat", "rag"),
    "mode": "balanced,background",
}


@pytest.fixture(scope="module")
def some(engine: Engine) -> Sweep:
    """A few answers of the project's rules, in small parts."""
    return replace(read_sweep(engine, SOME), part_size=10)


def written(sweep: Sweep, form: str, target: Path, workers: int = 1) -> bytes:
    """The bytes of the file that a sweep writes."""
    sweep_to_file(sweep, form, target, local_workers(sweep, form, workers))
    return target.read_bytes()


def rows_in(file: Path, form: str) -> list[dict[str, Any]]:
    """The rows of a file by column; an empty field of CSV is None, and so is what is absent elsewhere."""
    if form == "csv":
        with file.open(newline="", encoding="utf-8") as lines:
            return [{key: _read(text) for key, text in row.items()} for row in csv.DictReader(lines)]
    if form == "jsonl":
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    found: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text or None


def shown(value: Any) -> Any:
    """A number to ten digits: beyond them the order of floating-point operations matters."""
    return float(f"{value:.10g}") if isinstance(value, int | float) and not isinstance(value, bool) else value


def at(data: Any, key: str) -> Any:
    """The value of an answer at dotted keys; None where a section is omitted."""
    for part in key.split("."):
        data = data.get(part) if data else None
    return data


@pytest.mark.parametrize("form", FORMATS)
def test_each_row_equals_the_single_answer(engine: Engine, some: Sweep, tmp_path: Path, form: str) -> None:
    file = tmp_path / "answers"
    written(some, form, file)
    rows = rows_in(file, form)
    assert len(rows) == 3 * 2 * 2 * 2 * 2
    keys = [column.key for column in default_columns(engine.rulebook.layout, engine.rulebook.rule_set)]
    axes = ("model", "device", "quant", "workload", "mode")
    for row in rows:
        question = read_question(engine.rulebook, {axis: row[axis] for axis in axes})
        built = answer_question(engine, question).to_dict()
        assert {key: shown(row[key]) for key in keys} == {key: shown(at(built, key)) for key in keys}
        assert (row["host"], row["runtime"], row["kv"]) == tuple(
            built["question"][axis] for axis in ("host", "runtime", "kv")
        )


def test_rows_are_in_catalog_order_with_the_last_axis_fastest(engine: Engine, some: Sweep, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    written(some, "jsonl", file)
    places = [
        tuple(
            engine.rulebook.catalog_of(axis).index[row[axis]]
            for axis in engine.rulebook.question_fields.axes
            if axis in some.ids
        )
        for row in rows_in(file, "jsonl")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_is_the_same_with_any_number_of_workers(some: Sweep, tmp_path: Path, form: str) -> None:
    alone = written(some, form, tmp_path / "alone")
    assert written(some, form, tmp_path / "together", workers=2) == alone


def test_the_rows_do_not_depend_on_the_size_of_parts(some: Sweep, tmp_path: Path) -> None:
    whole = rows_in_file(replace(some, part_size=1000), tmp_path / "whole.jsonl")
    for most in (1, 7, 16):
        assert rows_in_file(replace(some, part_size=most), tmp_path / f"{most}.jsonl") == whole


def rows_in_file(sweep: Sweep, file: Path) -> list[dict[str, Any]]:
    written(sweep, "jsonl", file)
    return [{key: shown(value) for key, value in row.items()} for row in rows_in(file, "jsonl")]


class Stopped(Exception):
    """The sweep is interrupted."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("after", [1, 3])
def test_an_interrupted_sweep_resumes_and_gives_the_same_bytes(
    some: Sweep, tmp_path: Path, form: str, after: int
) -> None:
    whole = written(some, form, tmp_path / "whole")
    target, computed_now = tmp_path / "answers", []

    def stop(done: int, of: int) -> None:
        computed_now.append(done)
        if len(computed_now) == after:
            raise Stopped

    with pytest.raises(Stopped):
        sweep_to_file(some, form, target, local_workers(some, form, 1), stop)
    assert not target.exists()
    kept = PartStore.open(target, some, form)
    assert len(kept) == after < len(some.parts)
    assert written(some, form, target) == whole
    assert not kept.directory.exists()


def test_a_stored_part_is_not_computed_again(some: Sweep, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    kept = PartStore.open(target, some, "csv")
    kept.write(1, ComputedPart(b"kept as it is\n", 1))
    assert b"kept as it is\n" in written(some, "csv", target)


def test_a_damaged_part_is_computed_again(some: Sweep, tmp_path: Path) -> None:
    whole = written(some, "csv", tmp_path / "whole.csv")
    kept = PartStore.open(tmp_path / "answers.csv", some, "csv")
    kept.write(0, compute_part(some, "csv", 0))
    (part,) = kept.directory.glob("0-*")
    part.write_bytes(part.read_bytes()[:-5])
    assert written(some, "csv", tmp_path / "answers.csv") == whole


COLUMNS = "fit,grade,score,decode_tok_s,ttft_ms,memory.needed_gb"
COMMAND = [sys.executable, "-m", "fitcard", "sweep", "--device", "4090,m1-16gb", "--columns", COLUMNS, "--out"]


def test_a_killed_process_leaves_parts_from_which_the_next_resumes(tmp_path: Path) -> None:
    target, whole = tmp_path / "answers.csv", tmp_path / "whole.csv"
    assert subprocess.run([*COMMAND, str(whole), "--workers", "1"], check=False).returncode == 0
    running = subprocess.Popen([*COMMAND, str(target), "--workers", "2"])
    until = time.monotonic() + 60
    while not list(tmp_path.glob("answers.csv.parts/0-*")) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert not target.exists()
    assert list(tmp_path.glob("answers.csv.parts/0-*"))
    assert subprocess.run([*COMMAND, str(target), "--workers", "1"], check=False).returncode == 0
    assert target.read_bytes() == whole.read_bytes()


@pytest.fixture
def sweep_small(small: Workplace) -> Callable[..., Any]:
    """Sweeps the small rulebook from the command line."""
    return lambda *words: CliRunner().invoke(main, [*small.options, "sweep", *words])


def rows_of(ended: Any) -> list[dict[str, Any]]:
    """The rows of JSON Lines on standard output."""
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_command_writes_each_answer(sweep_small: Callable[..., Any], small: Workplace) -> None:
    ended = sweep_small("--format", "jsonl", "--context", "16000")
    assert ended.exit_code == 0, ended.output
    engine, rows = small.load(), rows_of(ended)
    assert len(rows) == math.prod(len(engine.rulebook.catalog_of(axis).ids) for axis in ("model", "device", "quant"))
    for row in rows:
        parameters = {axis: row[axis] for axis in ("model", "device", "quant")} | {"context": "16000"}
        built = answer_question(engine, read_question(engine.rulebook, parameters)).to_dict()
        assert (row["load_time_s"], row["rules.sha256"]) == (built["load_time_s"], engine.rulebook.sha256)


def test_columns_and_a_filter_can_be_named(sweep_small: Callable[..., Any]) -> None:
    columns = ("--columns", "memory_share,device.max_allocation", "--columns", "price")
    rows = rows_of(sweep_small("--format", "jsonl", *columns, "--where", "memory_share > 0.5 and price < 1000"))
    assert rows
    named = ["model", "device", "quant", "memory_share", "device.max_allocation", "price"]
    assert all(list(row) == named for row in rows)
    assert all(row["memory_share"] > 0.5 and row["price"] == 700 for row in rows)
    every = rows_of(sweep_small("--format", "jsonl", *columns))
    assert [row for row in every if row["memory_share"] > 0.5 and row["price"] < 1000] == rows


@pytest.mark.parametrize(
    ("condition", "same"),
    [
        ("weights > 8000000000 * byte", "weights > 8"),
        ("8 < weights < 1e12 * byte", "weights > 8"),
        ("8000000000 * byte < weights <= 20", "weights > 8 and weights <= 20"),
        ("weights - 2 * GB > 6", "weights > 8"),
        ("load_time > 2 / 3600 * hour", "load_time > 2"),
        ("load_time > 0 * hour + 2 * s", "2 < load_time"),
        ("weights / GB > 3 + 5", "weights > 8"),
    ],
)
def test_a_filter_converts_units(sweep_small: Callable[..., Any], condition: str, same: str) -> None:
    columns = ("--format", "jsonl", "--columns", "weights,load_time")
    rows = rows_of(sweep_small(*columns, "--where", condition))
    assert 0 < len(rows) < len(rows_of(sweep_small(*columns)))
    assert rows == rows_of(sweep_small(*columns, "--where", same))


def test_a_filter_compares_rules_in_one_unit(small: Workplace) -> None:
    small.edit("rules/fit.yaml", "  kv_cache:\n    unit: GB", "  kv_cache:\n    unit: byte")
    sweep = [*small.options, "sweep", "--format", "jsonl", "--columns", "weights,kv_cache", "--where"]
    rows = rows_of(CliRunner().invoke(main, [*sweep, "weights > kv_cache"]))
    assert rows
    assert all(row["weights"] > row["kv_cache"] / 1e9 for row in rows)
    assert rows_of(CliRunner().invoke(main, [*sweep, "weights < 0 * GB"])) == []


def test_a_filter_that_never_holds_leaves_no_rows(sweep_small: Callable[..., Any], tmp_path: Path) -> None:
    for form in FORMATS:
        file = tmp_path / f"answers.{form}"
        ended = sweep_small("--where", "price < 0", "--out", str(file), "--json")
        assert json.loads(ended.stdout)["rows"] == 0
        assert rows_in(file, form) == []


def test_absent_figures_are_empty_and_never_nan(
    sweep_small: Callable[..., Any], small: Workplace, tmp_path: Path
) -> None:
    devices = small.load().rulebook.catalog_of("device").entries.values()
    assert any(device.value("max_allocation") is None for device in devices)
    for form in FORMATS:
        file = tmp_path / f"answers.{form}"
        assert sweep_small("--columns", "device.max_allocation,runs", "--out", str(file)).exit_code == 0
        rows = rows_in(file, form)
        allocations = [row["device.max_allocation"] for row in rows]
        assert None in allocations
        assert not any(isinstance(allocation, float) and math.isnan(allocation) for allocation in allocations)
        assert {row["runs"] for row in rows} == {True, False}


def test_a_column_is_empty_where_the_answer_omits_its_section(small: Workplace) -> None:
    small.edit(
        "rules/answer.yaml",
        "load_time_s: load_time",
        "load_time_s: load_time\n  inside: {when: runs, share: memory_share, runs: runs}",
    )
    engine = small.load()
    columns = ["--columns", "inside.share,inside.runs"]
    rows = rows_of(CliRunner().invoke(main, [*small.options, "sweep", "--format", "jsonl", *columns]))
    for row in rows:
        parameters = {axis: row[axis] for axis in ("model", "device", "quant")}
        built = answer_question(engine, read_question(engine.rulebook, parameters)).to_dict()
        assert (row["inside.share"], row["inside.runs"]) == (at(built, "inside.share"), at(built, "inside.runs"))
    assert {row["inside.runs"] for row in rows} == {True, None}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--device", "m1-61gb"), "There is no device called 'm1-61gb'. Closest: m1-16gb."),
        (("--device", "m1-16gb,h100-08gb"), "There is no device called 'h100-08gb'. Closest: h100-80gb."),
        (("--columns", "load_tiem_s"), "there is no column `load_tiem_s`"),
        (("--where", "price > "), "--where:1:15: error: the expression is incomplete"),
        (("--where", "prce > 20"), "--where:1:9: error: undefined name `prce`"),
        (("--where", "price + 1"), "this must be a condition"),
        (("--where", "GB"), "this must be a condition"),
        (("--where", "weights > 8 * gb"), "did you mean `GB`"),
        (("--where", "weights > load_time"), "`weights` is in `GB` and `load_time` in `s`: they cannot be compared"),
        (("--where", "weights > 8 * s"), "`weights` is in `GB` and `8 * s` in `s`: they cannot be compared"),
        (("--where", "weights + 1 > 8"), "write the number with its unit: `1 * GB`"),
        (("--where", "fit > 1"), "must be a number, but is a word"),
        (("--context", "long"), "'context' must be a number, not 'long'"),
        (("--profile", "plane"), "plain"),
        (("--set", "storage_bandwith=3"), "There is no constant called 'storage_bandwith'"),
    ],
)
def test_wrong_parameters_are_refused_with_the_closest(
    sweep_small: Callable[..., Any], words: tuple[str, ...], message: str
) -> None:
    ended = sweep_small(*words)
    assert ended.exit_code == 2
    assert message in ended.output
    assert ended.stdout == ""


def test_all_wrong_parameters_are_reported_together(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_sweep(engine, {"model": "llama-3.1-8c", "device": ["4090", "m1-61gb"]})
    assert {problem.field for problem in found.value.problems} == {"model", "device"}


def test_entries_are_found_by_name_and_alias(engine: Engine) -> None:
    found = read_sweep(engine, {"model": "llama3.1:8b, Qwen 3 14B", "device": ["RTX 4090"], "quant": "q4_k_m"})
    assert set(found.ids["model"]) == {"llama-3.1-8b", "qwen-3-14b"}
    assert (found.ids["device"], found.ids["quant"]) == (("rtx-4090-24gb",), ("Q4_K_M",))


def test_axes_without_a_parameter_are_swept_or_take_their_default(engine: Engine) -> None:
    found = read_sweep(engine, {})
    for axis in engine.rulebook.question_fields.axes.values():
        every = engine.rulebook.catalog_of(axis.name).ids if axis.swept else (axis.default,)
        assert found.ids.get(axis.name, (None,)) == every


def test_an_existing_file_is_not_overwritten(sweep_small: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("other", "utf-8")
    ended = sweep_small("--out", str(file))
    assert (ended.exit_code, file.read_text("utf-8")) == (2, "other")
    assert "--force" in ended.output
    assert sweep_small("--out", str(file), "--force").exit_code == 0
    assert len(rows_in(file, "csv")) > 1


@pytest.mark.parametrize(
    "parameter",
    [
        ("--context", "9000"),
        ("--columns", "price"),
        ("--device", "h100-80gb"),
        ("--where", "price > 1000"),
        ("--set", "storage_bandwidth=3"),
    ],
)
def test_a_sweep_does_not_resume_from_parts_of_another_sweep(
    sweep_small: Callable[..., Any], small: Workplace, tmp_path: Path, parameter: tuple[str, str]
) -> None:
    file = tmp_path / "answers.csv"
    PartStore.open(file, read_sweep(small.load(), {}), "csv")
    ended = sweep_small("--out", str(file), *parameter)
    assert ended.exit_code == 2
    assert "[sweep-differs]" in ended.output
    assert sweep_small("--out", str(file), *parameter, "--restart").exit_code == 0


def test_a_sweep_does_not_resume_from_parts_of_other_rules(
    sweep_small: Callable[..., Any], small: Workplace, tmp_path: Path
) -> None:
    file = tmp_path / "answers.csv"
    PartStore.open(file, read_sweep(small.load(), {}), "csv")
    small.edit("rules/fit.yaml", "value: 5,", "value: 6,")
    ended = sweep_small("--out", str(file))
    assert ended.exit_code == 2
    assert "parts of a sweep with other rules\n" in ended.output.replace(" [sweep-differs]", "")
    small.edit("rules/fit.yaml", "value: 6,", "value: 5,")
    assert sweep_small("--out", str(file)).exit_code == 0


def test_a_directory_that_is_not_of_a_sweep_is_left_alone(sweep_small: Callable[..., Any], tmp_path: Path) -> None:
    own = tmp_path / "answers.csv.parts"
    own.mkdir()
    (own / "notes.txt").write_text("notes", "utf-8")
    ended = sweep_small("--out", str(tmp_path / "answers.csv"))
    assert ended.exit_code == 2
    assert "[sweep-parts-unreadable]" in ended.output
    assert sweep_small("--out", str(tmp_path / "answers.csv"), "--restart").exit_code == 0
    assert [path.name for path in own.iterdir()] == ["notes.txt"]
    assert (own / "notes.txt").read_text("utf-8") == "notes"


def test_parquet_metadata_has_the_rules_and_the_question(engine: Engine, some: Sweep, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    written(some, PARQUET, tmp_path / "answers.parquet")
    file = parquet.ParquetFile(tmp_path / "answers.parquet")
    metadata = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
    assert metadata["rules.sha256"] == engine.rulebook.sha256
    assert (metadata["rules.version"], metadata["rules.profile"]) == (
        engine.rulebook.version,
        engine.rulebook.default_profile,
    )
    assert json.loads(metadata["question"]) == some.question
    assert file.num_row_groups == len(some.parts)
    assert all(file.metadata.row_group(at).num_rows <= some.part_size for at in range(file.num_row_groups))
    for column in some.columns:
        kind = file.schema_arrow.field(column.key).type
        assert str(kind).startswith("dictionary") == (str(some.kind(column)) == "word")


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 300),
)
def test_parts_are_within_the_limit_and_together_complete(lengths: list[int], most: int) -> None:
    parts = Chunks({str(at): range(length) for at, length in enumerate(lengths)}, most)
    cells = [cell for part in parts for cell in cells_of(part.entries)]
    assert cells == list(cells_of(parts.entries))
    assert len(cells) == parts.count
    assert all(0 < part.count <= most for part in parts)
    assert len(list(parts)) == len(parts)
    assert all(part.entries[axis][0] == part.start[axis] for part in parts for axis in part.entries)


def cells_of(entries: Any) -> Iterator[tuple[int, ...]]:
    """Each combination, the last running fastest."""
    if not entries:
        yield ()
        return
    (first, *rest) = entries.items()
    for one in first[1]:
        yield from ((one, *others) for others in cells_of(dict(rest)))


def test_an_empty_axis_has_no_parts() -> None:
    assert list(Chunks({"one": range(0), "other": range(3)}, 5)) == []


def test_a_part_holds_only_the_values_of_its_rows(engine: Engine) -> None:
    sweep = replace(read_sweep(engine, {"mode": "balanced"}), part_size=500)
    for number in (0, len(sweep.parts) // 2, len(sweep.parts) - 1):
        rows = compute_rows(sweep, number)
        assert rows.count <= 500
        for column in rows.columns.values():
            if isinstance(column, WordColumn):
                assert len(column.words) <= max(500, 1)


def test_a_dask_cluster_writes_the_same_file(some: Sweep, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    alone = written(some, PARQUET, tmp_path / "alone")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp", host="127.0.0.1"
    )
    with cluster:
        together = tmp_path / "together"
        sweep_to_file(some, PARQUET, together, cluster_workers(some, PARQUET, cluster.scheduler_address))
    assert together.read_bytes() == alone


def test_a_missing_cluster_is_reported(some: Sweep) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    with pytest.raises(ProblemsError) as found, cluster_workers(some, "csv", "nowhere"):
        pass
    assert found.value.problems[0].code == "sweep-no-cluster"


@pytest.mark.parametrize("words", [("--out", "answers.txt"), ("--format", "parquet"), ("--json",)])
def test_a_wrong_format_is_refused(sweep_small: Callable[..., Any], words: tuple[str, ...]) -> None:
    ended = sweep_small(*words)
    assert ended.exit_code == 2
    assert "Error:" in ended.output


def test_parquet_without_its_package_names_the_extra(
    sweep_small: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fitcard.sweep.formats.find_spec", lambda name: None)
    ended = sweep_small("--out", str(tmp_path / "answers.parquet"))
    assert ended.exit_code == 2
    assert "pip install 'fitcard[sweep]'" in ended.output
    assert list(tmp_path.glob("answers*")) == []


def test_problems_survive_pickling(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_sweep(engine, {"model": "llama-3.1-8c"})
    assert pickle.loads(pickle.dumps(found.value)).problems == found.value.problems


def test_the_summary_has_rows_and_hashes(sweep_small: Callable[..., Any], small: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    summary = json.loads(sweep_small("--out", str(file), "--json").stdout)
    assert summary["rows"] == summary["answers"] == len(rows_in(file, "csv"))
    assert summary["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert summary["rules"]["sha256"] == small.load().rulebook.sha256


def test_a_worker_with_another_engine_is_refused(some: Sweep) -> None:
    assert compute_remotely(some, "csv", 0, code_sha256()) == compute_part(some, "csv", 0)
    with pytest.raises(ProblemsError) as found:
        compute_remotely(some, "csv", 0, "another")
    assert found.value.problems[0].code == "sweep-other-engine"
