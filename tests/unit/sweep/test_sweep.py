"""Sweeps: every answer written to a file, the same whoever computes it and however often it was stopped."""

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
from fitcard.compiler.chunks import Chunks
from fitcard.compiler.engine import Engine
from fitcard.problems import ProblemsError
from fitcard.sweep.columns import default_columns
from fitcard.sweep.formats import FORMATS, PARQUET, ComputedPart, compute_part
from fitcard.sweep.part_store import PartStore, code_sha256
from fitcard.sweep.rows import compute_rows
from fitcard.sweep.run import sweep_to_file
from fitcard.sweep.selection import Sweep, read_sweep
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
    """A few answers of ours, in parts of a few."""
    return replace(read_sweep(engine, SOME), most=10)


def written(sweep: Sweep, form: str, target: Path, workers: int = 1) -> bytes:
    """The file that a sweep writes."""
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
    """A number to the last digits that are shown: beyond them the order of a processor's own steps tells."""
    return float(f"{value:.10g}") if isinstance(value, int | float) and not isinstance(value, bool) else value


def at(data: Any, key: str) -> Any:
    """What stands in an answer at keys with dots between; None where a part of it is left out."""
    for part in key.split("."):
        data = data.get(part) if data else None
    return data


@pytest.mark.parametrize("form", FORMATS)
def test_each_row_is_what_the_question_by_itself_is_answered(
    engine: Engine, some: Sweep, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "answers"
    written(some, form, file)
    rows = rows_in(file, form)
    assert len(rows) == 3 * 2 * 2 * 2 * 2
    keys = [column.key for column in default_columns(engine.rulebook.layout, engine.rulebook.rule_set)]
    asked = ("model", "device", "quant", "workload", "mode")
    for row in rows:
        question = read_question(engine.rulebook, {axis: row[axis] for axis in asked})
        told = answer_question(engine, question).to_dict()
        assert {key: shown(row[key]) for key in keys} == {key: shown(at(told, key)) for key in keys}
        assert (row["host"], row["runtime"], row["kv"]) == tuple(
            told["question"][axis] for axis in ("host", "runtime", "kv")
        )


def test_rows_come_in_the_order_of_the_catalogs_the_last_axis_running_fastest(
    engine: Engine, some: Sweep, tmp_path: Path
) -> None:
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
def test_the_file_is_the_same_to_the_byte_however_many_compute_it(some: Sweep, tmp_path: Path, form: str) -> None:
    alone = written(some, form, tmp_path / "alone")
    assert written(some, form, tmp_path / "together", workers=2) == alone


def test_the_same_answers_are_divided_and_joined_whatever_the_size_of_a_part(some: Sweep, tmp_path: Path) -> None:
    whole = rows_in_file(replace(some, most=1000), tmp_path / "whole.jsonl")
    for most in (1, 7, 16):
        assert rows_in_file(replace(some, most=most), tmp_path / f"{most}.jsonl") == whole


def rows_in_file(sweep: Sweep, file: Path) -> list[dict[str, Any]]:
    written(sweep, "jsonl", file)
    return [{key: shown(value) for key, value in row.items()} for row in rows_in(file, "jsonl")]


class Stopped(Exception):
    """A sweep is stopped, as by a power cut."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("after", [1, 3])
def test_a_sweep_that_was_stopped_goes_on_where_it_was_and_gives_the_same_bytes(
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


def test_what_is_kept_is_not_computed_again(some: Sweep, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    kept = PartStore.open(target, some, "csv")
    kept.keep(1, ComputedPart(b"kept as it is\n", 1))
    assert b"kept as it is\n" in written(some, "csv", target)


def test_a_part_that_was_damaged_is_computed_again(some: Sweep, tmp_path: Path) -> None:
    whole = written(some, "csv", tmp_path / "whole.csv")
    kept = PartStore.open(tmp_path / "answers.csv", some, "csv")
    kept.keep(0, compute_part(some, "csv", 0))
    (part,) = kept.directory.glob("0-*")
    part.write_bytes(part.read_bytes()[:-5])
    assert written(some, "csv", tmp_path / "answers.csv") == whole


COMMAND = [sys.executable, "-m", "fitcard", "sweep", "--device", "4090,m1-16gb", "--out"]


def test_a_process_that_is_killed_leaves_parts_that_the_next_goes_on_from(tmp_path: Path) -> None:
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
def sweep_in(parcels: Workplace, tmp_path: Path) -> Callable[..., Any]:
    """Sweeps the rulebook about parcels from the command line."""

    def swept(*words: str) -> Any:
        return CliRunner().invoke(main, [*parcels.options, "sweep", *words])

    return swept


def test_another_subject_is_swept(sweep_in: Callable[..., Any], parcels: Workplace) -> None:
    ended = sweep_in("--format", "jsonl", "--distance", "80")
    assert ended.exit_code == 0, ended.output
    engine = parcels.load()
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(rows) == len(engine.rulebook.catalog_of("parcel").ids) * len(engine.rulebook.catalog_of("van").ids)
    for row in rows:
        told = answer_question(
            engine, read_question(engine.rulebook, {"parcel": row["parcel"], "van": row["van"], "distance": "80"})
        ).to_dict()
        assert (row["time_h"], row["rules.sha256"]) == (told["time_h"], engine.rulebook.sha256)


def test_columns_and_the_answers_that_are_kept_can_be_named(sweep_in: Callable[..., Any]) -> None:
    words = ("--columns", "room_share,van.payload", "--columns", "fee", "--where", "room_share > 0.5 and fee < 30")
    rows = [json.loads(line) for line in sweep_in("--format", "jsonl", *words).stdout.splitlines()]
    assert rows
    assert all(list(row) == ["parcel", "van", "room_share", "van.payload", "fee"] for row in rows)
    assert all(row["room_share"] > 0.5 and row["fee"] == 20 for row in rows)
    every = [json.loads(line) for line in sweep_in("--format", "jsonl", *words[:4]).stdout.splitlines()]
    assert [row for row in every if row["room_share"] > 0.5 and row["fee"] < 30] == rows


def test_a_condition_that_never_holds_leaves_no_rows(sweep_in: Callable[..., Any], tmp_path: Path) -> None:
    for form in FORMATS:
        file = tmp_path / f"answers.{form}"
        ended = sweep_in("--where", "fee < 0", "--out", str(file), "--json")
        assert json.loads(ended.stdout)["rows"] == 0
        assert rows_in(file, form) == []


def test_what_is_absent_is_left_empty_and_never_a_word_for_no_number(
    sweep_in: Callable[..., Any], parcels: Workplace, tmp_path: Path
) -> None:
    assert any(entry.value("payload") is None for entry in parcels.load().rulebook.catalog_of("van").entries.values())
    for form in FORMATS:
        file = tmp_path / f"answers.{form}"
        assert sweep_in("--columns", "van.payload,goes_in", "--out", str(file)).exit_code == 0
        rows = rows_in(file, form)
        assert {type(row["van.payload"]) for row in rows} >= {type(None)}
        assert not any(isinstance(row["van.payload"], float) and math.isnan(row["van.payload"]) for row in rows)
        assert {row["goes_in"] for row in rows} == {True, False}


def test_a_value_is_absent_where_the_answer_leaves_its_part_out(parcels: Workplace) -> None:
    parcels.edit(
        "rules/answer.yaml", "time_h: time", "time_h: time\n  inside: {when: goes_in, share: room_share, fits: goes_in}"
    )
    engine = parcels.load()
    ended = CliRunner().invoke(
        main, [*parcels.options, "sweep", "--format", "jsonl", "--columns", "inside.share,inside.fits"]
    )
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    for row in rows:
        told = answer_question(
            engine, read_question(engine.rulebook, {"parcel": row["parcel"], "van": row["van"]})
        ).to_dict()
        assert (row["inside.share"], row["inside.fits"]) == (at(told, "inside.share"), at(told, "inside.fits"))
    assert {row["inside.fits"] for row in rows} == {True, None}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--van", "smal"), "No van is called smal; there are small."),
        (("--van", "small,lagre"), "No van is called lagre; there are large."),
        (("--columns", "tmie_h"), "there is no column `tmie_h`"),
        (("--where", "fee > "), "--where:1:13: error: the expression is incomplete"),
        (("--where", "fe > 20"), "--where:1:9: error: undefined name `fe`"),
        (("--where", "fee + 1"), "this must be a condition"),
        (("--where", "room > 1"), "must be a number, but is a word"),
        (("--distance", "far"), "distance is no number: far"),
        (("--profile", "plane"), "plain"),
        (("--set", "town_sped=30"), "No constant is called town_sped"),
    ],
)
def test_what_cannot_be_swept_is_told_with_the_closest(
    sweep_in: Callable[..., Any], words: tuple[str, ...], told: str
) -> None:
    ended = sweep_in(*words)
    assert ended.exit_code == 2
    assert told in ended.output
    assert ended.stdout == ""


def test_all_that_is_wrong_is_told_together(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_sweep(engine, {"model": "llama-3.1-8c", "device": ["4090", "m1-61gb"]})
    assert {problem.field for problem in found.value.problems} == {"model", "device"}


def test_entries_are_found_by_the_names_that_people_type(engine: Engine) -> None:
    found = read_sweep(engine, {"model": "llama3.1:8b, Qwen 3 14B", "device": ["RTX 4090"], "quant": "q4_k_m"})
    assert set(found.ids["model"]) == {"llama-3.1-8b", "qwen-3-14b"}
    assert (found.ids["device"], found.ids["quant"]) == (("rtx-4090-24gb",), ("Q4_K_M",))


def test_what_is_not_named_is_swept_or_what_answers_by_default(engine: Engine) -> None:
    found = read_sweep(engine, {})
    for axis in engine.rulebook.question_fields.axes.values():
        every = engine.rulebook.catalog_of(axis.name).ids if axis.swept else (axis.default,)
        assert found.ids.get(axis.name, (None,)) == every


def test_a_file_that_is_there_is_not_lost(sweep_in: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("mine", "utf-8")
    ended = sweep_in("--out", str(file))
    assert (ended.exit_code, file.read_text("utf-8")) == (2, "mine")
    assert "--force" in ended.output
    assert sweep_in("--out", str(file), "--force").exit_code == 0
    assert len(rows_in(file, "csv")) > 1


@pytest.mark.parametrize(
    "otherwise",
    [
        ("--distance", "90"),
        ("--columns", "fee"),
        ("--van", "large"),
        ("--where", "fee > 20"),
        ("--set", "town_speed=30"),
    ],
)
def test_parts_of_another_sweep_are_not_gone_on_from(
    sweep_in: Callable[..., Any], parcels: Workplace, tmp_path: Path, otherwise: tuple[str, str]
) -> None:
    file = tmp_path / "answers.csv"
    PartStore.open(file, read_sweep(parcels.load(), {}), "csv")
    ended = sweep_in("--out", str(file), *otherwise)
    assert ended.exit_code == 2
    assert "[sweep-differs]" in ended.output
    assert sweep_in("--out", str(file), *otherwise, "--restart").exit_code == 0


def test_parts_of_other_rules_are_not_gone_on_from(
    sweep_in: Callable[..., Any], parcels: Workplace, tmp_path: Path
) -> None:
    file = tmp_path / "answers.csv"
    PartStore.open(file, read_sweep(parcels.load(), {}), "csv")
    parcels.edit("rules/trip.yaml", "value: 50", "value: 60")
    ended = sweep_in("--out", str(file))
    assert ended.exit_code == 2
    assert "parts of a sweep with other rules\n" in ended.output.replace(" [sweep-differs]", "")
    parcels.edit("rules/trip.yaml", "value: 60", "value: 50")
    assert sweep_in("--out", str(file)).exit_code == 0


def test_a_directory_that_is_no_sweep_of_ours_is_left_alone(sweep_in: Callable[..., Any], tmp_path: Path) -> None:
    own = tmp_path / "answers.csv.parts"
    own.mkdir()
    (own / "notes.txt").write_text("mine", "utf-8")
    ended = sweep_in("--out", str(tmp_path / "answers.csv"))
    assert ended.exit_code == 2
    assert "[sweep-parts-unreadable]" in ended.output
    assert sweep_in("--out", str(tmp_path / "answers.csv"), "--restart").exit_code == 0
    assert [path.name for path in own.iterdir()] == ["notes.txt"]
    assert (own / "notes.txt").read_text("utf-8") == "mine"


def test_parquet_says_which_rules_answered_what(engine: Engine, some: Sweep, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    written(some, PARQUET, tmp_path / "answers.parquet")
    file = parquet.ParquetFile(tmp_path / "answers.parquet")
    told = {key.decode(): value.decode() for key, value in file.schema_arrow.metadata.items()}
    assert told["rules.sha256"] == engine.rulebook.sha256
    assert (told["rules.version"], told["rules.profile"]) == (engine.rulebook.version, engine.rulebook.default_profile)
    assert json.loads(told["question"]) == some.question
    assert file.num_row_groups == len(some.parts)
    assert all(file.metadata.row_group(at).num_rows <= some.most for at in range(file.num_row_groups))
    for column in some.columns:
        kind = file.schema_arrow.field(column.key).type
        assert str(kind).startswith("dictionary") == (str(some.kind(column)) == "word")


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 300),
)
def test_parts_are_never_larger_than_was_said_and_together_they_are_the_whole(lengths: list[int], most: int) -> None:
    parts = Chunks({str(at): range(length) for at, length in enumerate(lengths)}, most)
    found = [cell for part in parts for cell in cells_of(part.entries)]
    assert found == list(cells_of(parts.entries))
    assert len(found) == parts.count
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


def test_there_are_no_parts_of_nothing() -> None:
    assert list(Chunks({"one": range(0), "other": range(3)}, 5)) == []


def test_a_part_holds_no_more_than_it_must(engine: Engine) -> None:
    sweep = replace(read_sweep(engine, {"mode": "balanced"}), most=500)
    for number in (0, len(sweep.parts) // 2, len(sweep.parts) - 1):
        rows = compute_rows(sweep, number)
        assert rows.count <= 500
        for column in rows.columns.values():
            if isinstance(column, WordColumn):
                assert len(column.words) <= max(500, 1)


def test_a_cluster_computes_the_same(some: Sweep, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    alone = written(some, PARQUET, tmp_path / "alone")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp", host="127.0.0.1"
    )
    with cluster:
        together = tmp_path / "together"
        sweep_to_file(some, PARQUET, together, cluster_workers(some, PARQUET, cluster.scheduler_address))
    assert together.read_bytes() == alone


def test_no_cluster_at_the_address_is_told(some: Sweep) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    with pytest.raises(ProblemsError) as found, cluster_workers(some, "csv", "nowhere"):
        pass
    assert found.value.problems[0].code == "sweep-no-cluster"


@pytest.mark.parametrize("words", [("--out", "answers.txt"), ("--format", "parquet"), ("--json",)])
def test_a_form_that_cannot_be_is_refused(sweep_in: Callable[..., Any], words: tuple[str, ...]) -> None:
    ended = sweep_in(*words)
    assert ended.exit_code == 2
    assert "Error:" in ended.output


def test_parquet_without_its_package_says_what_to_install(
    sweep_in: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("fitcard.sweep.formats.find_spec", lambda name: None)
    ended = sweep_in("--out", str(tmp_path / "answers.parquet"))
    assert ended.exit_code == 2
    assert "pip install 'fitcard[sweep]'" in ended.output
    assert list(tmp_path.glob("answers*")) == []


def test_problems_come_whole_from_another_process(engine: Engine) -> None:
    with pytest.raises(ProblemsError) as found:
        read_sweep(engine, {"model": "llama-3.1-8c"})
    assert pickle.loads(pickle.dumps(found.value)).problems == found.value.problems


def test_the_summary_says_what_came_of_it(sweep_in: Callable[..., Any], parcels: Workplace, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    told = json.loads(sweep_in("--out", str(file), "--json").stdout)
    assert told["rows"] == told["answers"] == len(rows_in(file, "csv"))
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert told["rules"]["sha256"] == parcels.load().rulebook.sha256


def test_a_worker_with_another_engine_computes_nothing(some: Sweep) -> None:
    assert compute_remotely(some, "csv", 0, code_sha256()) == compute_part(some, "csv", 0)
    with pytest.raises(ProblemsError) as found:
        compute_remotely(some, "csv", 0, "another")
    assert found.value.problems[0].code == "sweep-other-engine"
