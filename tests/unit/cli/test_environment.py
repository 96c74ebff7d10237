"""Commands and the service in read-only folders, in a plain locale, and in folders of any name."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fitcard.source.folders import Folders
from helpers.workplace import PROJECT, Workplace

PLAIN = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAME = "Gr\u00f6\u00dfe \u043c\u0435\u0440\u0430 \u8377\u7269 #1 %20"


@pytest.fixture
def read_only(small: Workplace) -> Iterator[Workplace]:
    """The small rulebook, read-only, in a folder whose name has several alphabets."""
    top = small.folders.rules.parent
    place = top / NAME
    place.mkdir()
    for folder in small.folders.all:
        shutil.move(folder, place / folder.name)
    every = [place, *place.rglob("*")]
    for path in every:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield Workplace(Folders(place / "rules", place / "catalogs", place / "schemas"))
    for path in every:
        path.chmod(0o755 if path.is_dir() else 0o644)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG"))}
    return {**kept, **PLAIN, "PYTHONPATH": str(PROJECT / "engine"), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nowhere"}


def contents(place: Workplace) -> dict[Path, bytes]:
    top = place.folders.rules.parent
    return {path: path.read_bytes() if path.is_file() else b"" for path in top.rglob("*")}


def fitcard(place: Workplace, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fitcard", *place.options, *words], cwd=place.folders.rules.parent, env=environment(),
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("check",), ("check", "--json"), ("show", "llama-3.1-70b", "--device", "h100-80gb", "--json"), ("test",),
     ("explain", "load_time"), ("graph", "load_time")],
)  # fmt: skip
def test_a_command_that_only_reads_needs_no_write_permission_and_no_locale(
    read_only: Workplace, words: tuple[str]
) -> None:
    before = contents(read_only)
    ended = fitcard(read_only, *words)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout
    if "--json" in words:
        json.loads(ended.stdout)
    assert contents(read_only) == before


def test_a_problem_in_a_folder_of_any_name_is_printed_in_a_plain_locale(read_only: Workplace) -> None:
    read_only.path("rules/fit.yaml").chmod(0o644)
    read_only.edit("rules/fit.yaml", "unit: s\n", "unit: s\u00f6c\n")
    ended = fitcard(read_only, "check")
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
    assert b"[unit-unknown]" in ended.stdout


def test_the_service_needs_no_write_permission_and_no_locale(read_only: Workplace) -> None:
    before = contents(read_only)
    arguments = [sys.executable, "-m", "fitcard", *read_only.options, "serve", "--port", "0"]
    with subprocess.Popen(
        arguments, cwd=read_only.folders.rules.parent, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            port = int(process.stderr.readline().rstrip("/\n").rpartition(":")[2])
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                for address in ("/ready", "/v1/rules", "/status", "/v1/catalog"):
                    connection.request("GET", address)
                    response = connection.getresponse()
                    assert response.status == 200
                    json.loads(response.read())
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert contents(read_only) == before
