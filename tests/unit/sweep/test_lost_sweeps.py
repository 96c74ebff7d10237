"""Sweeps that lose their cluster, processes or disk: told in a sentence, and resumed by the same command."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemsError
from fitcard.sweep import workers
from fitcard.sweep.part_store import LOCK, count_parts, locked_parts, parts_directory
from fitcard.sweep.run import sweep_to_file, sweep_to_stream
from fitcard.sweep.selection import Sweep, read_sweep
from fitcard.sweep.workers import cluster_workers, local_workers
from helpers.workplace import Workplace

FORM = "csv"
FEW = {"model": "qwen-3-14b", "device": ("4090", "m1-16gb"), "quant": ("q4_k_m", "F16"), "workload": "chat"}


@pytest.fixture(scope="module")
def some(engine: Engine) -> Sweep:
    """A few answers of the project's rules, in many small parts."""
    return replace(read_sweep(engine, FEW), part_size=1)


@pytest.fixture(scope="module")
def whole(some: Sweep, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of the finished file."""
    target = tmp_path_factory.mktemp("whole") / "answers.csv"
    sweep_to_file(some, FORM, target, local_workers(some, FORM, 1))
    return target.read_bytes()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for a cluster are short."""
    monkeypatch.setattr(workers, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(workers, "WITHOUT_WORKERS_SECONDS", 0.3)


@contextmanager
def cluster_of(count: int) -> Iterator[Any]:
    """A Dask cluster in this process."""
    distributed = pytest.importorskip("distributed", reason="dask is not installed")
    cluster = distributed.LocalCluster(
        n_workers=count, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp", host="127.0.0.1"
    )
    try:
        yield cluster
    finally:
        cluster.close()


def once(action: Callable[[], object]) -> Callable[[int, int], None]:
    """A progress that acts after the first part."""
    calls: list[int] = []

    def progress(done: int, of: int) -> None:
        calls.append(done)
        if len(calls) == 1:
            action()

    return progress


def lost(some: Sweep, target: Path, pool: Any, action: Callable[[], object] = lambda: None) -> Problem:
    """The problem of a sweep during which something happens."""
    with pytest.raises(ProblemsError) as found:
        sweep_to_file(some, FORM, target, pool, once(action))
    (problem,) = found.value.problems
    assert not target.exists()
    assert not (parts_directory(target) / LOCK).exists()
    return problem


def resumed(some: Sweep, target: Path) -> bytes:
    """The file that the next sweep gives, from parts that it finds."""
    assert 0 < count_parts(target) < len(some.parts)
    sweep_to_file(some, FORM, target, local_workers(some, FORM, 1))
    return target.read_bytes()


def test_a_scheduler_that_is_not_there_or_is_none_is_a_problem(some: Sweep, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="dask is not installed")
    with socket.socket() as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        closed.bind(("127.0.0.1", 0))
        for address in (silent.getsockname(), closed.getsockname()):
            pool = cluster_workers(some, FORM, "tcp://{}:{}".format(*address))
            assert lost(some, tmp_path / "answers.csv", pool).code == "sweep-no-cluster"


def test_a_cluster_without_workers_is_a_problem(some: Sweep, tmp_path: Path) -> None:
    with cluster_of(0) as cluster:
        problem = lost(some, tmp_path / "answers.csv", cluster_workers(some, FORM, cluster.scheduler_address))
    assert problem.code == "sweep-no-cluster"
    assert "has no workers" in problem.message


def test_a_lost_worker_is_replaced_by_the_others(some: Sweep, whole: bytes, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    with cluster_of(2) as cluster:
        pool = cluster_workers(some, FORM, cluster.scheduler_address)
        sweep_to_file(some, FORM, target, pool, once(lambda: cluster.sync(cluster.workers[0].close)))
    assert target.read_bytes() == whole


def test_without_any_worker_left_the_parts_are_kept(some: Sweep, whole: bytes, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    with cluster_of(1) as cluster:
        pool = cluster_workers(some, FORM, cluster.scheduler_address)
        problem = lost(some, target, pool, lambda: cluster.sync(cluster.workers[0].close))
    assert problem.code == "sweep-workers-lost"
    assert "worker" in problem.message
    assert resumed(some, target) == whole


def test_without_the_scheduler_the_parts_are_kept(some: Sweep, whole: bytes, tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    with cluster_of(1) as cluster:
        problem = lost(some, target, cluster_workers(some, FORM, cluster.scheduler_address), cluster.close)
    assert problem.code == "sweep-workers-lost"
    assert "scheduler" in problem.message
    assert resumed(some, target) == whole


def test_a_worker_that_fails_is_a_problem(some: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(workers, "compute_part", fail)
    with cluster_of(1) as cluster:
        problem = lost(some, tmp_path / "answers.csv", cluster_workers(some, FORM, cluster.scheduler_address))
    assert (problem.code, problem.message) == ("sweep-worker-failed", "a worker of the cluster failed: no memory")


def test_without_a_worker_process_the_parts_are_kept(some: Sweep, whole: bytes, tmp_path: Path) -> None:
    def kill() -> None:
        for process in multiprocessing.active_children():
            process.kill()

    target = tmp_path / "answers.csv"
    many = replace(some, part_size=1)
    assert lost(many, target, local_workers(many, FORM, 2), kill).code == "sweep-workers-lost"
    assert resumed(some, target) == whole


def test_a_second_sweep_into_the_same_file_is_refused(some: Sweep, whole: bytes, tmp_path: Path) -> None:
    target, refused = tmp_path / "answers.csv", []

    def again() -> None:
        for restart in (False, True):
            with pytest.raises(ProblemsError) as found:
                sweep_to_file(some, FORM, target, local_workers(some, FORM, 1), restart=restart)
            refused.extend(problem.code for problem in found.value.problems)

    sweep_to_file(some, FORM, target, local_workers(some, FORM, 1), once(again))
    assert refused == ["sweep-running"] * 2
    assert target.read_bytes() == whole
    assert not parts_directory(target).exists()


def test_the_lock_of_a_killed_sweep_is_free(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    parts_directory(target).mkdir()
    (parts_directory(target) / LOCK).touch()
    with locked_parts(target):
        pass
    assert not parts_directory(target).exists()


def test_a_full_disk_is_told_and_leaves_no_unfinished_files(
    small: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, write_bytes = tmp_path / "answers.csv", Path.write_bytes

    def fail(path: Path, content: bytes) -> int:
        if path.name.startswith("0-"):
            write_bytes(path, content[:5])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail)
    ended = CliRunner().invoke(main, [*small.options, "sweep", "--out", str(target), "--workers", "1"])
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 1
    assert f"{target} cannot be written: No space left on device" in ended.output
    assert [path.name for path in parts_directory(target).iterdir()] == ["manifest.json"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_stream_that_cannot_be_written_fails_before_it_is_closed(some: Sweep) -> None:
    file = Path("/dev/full").open("wb")  # noqa: SIM115 - closing it fails too
    with pytest.raises(OSError, match="No space left"):
        sweep_to_stream(some, FORM, file, local_workers(some, FORM, 1))
    with pytest.raises(OSError, match="No space left"):
        file.close()


@pytest.mark.parametrize("place", ["folder.csv", "missing/answers.csv", "taken.csv"])
def test_a_file_that_cannot_be_created_is_told(small: Workplace, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "taken.csv.parts").touch()
    ended = CliRunner().invoke(main, [*small.options, "sweep", "--force", "--out", str(tmp_path / place)])
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 1
    assert "cannot be written: " in ended.output


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_is_told_once_and_keeps_the_parts(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    command = [sys.executable, "-m", "fitcard", "sweep", "--columns", "fit,grade", "--out", str(target)]
    running = subprocess.Popen(
        [*command, "--workers", "2"], start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not count_parts(target) and running.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    printed, told = running.communicate(timeout=60)
    assert (running.returncode, printed) == (130, "")
    lines = told.splitlines()
    assert lines[0] == "interrupted"
    assert lines[1].startswith(f"parts kept in {parts_directory(target)}: ")
    assert len(lines) == 2
    assert count_parts(target)
