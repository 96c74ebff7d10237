"""Where the commands and the service run: without leave to write, in a plain locale, in folders of any name."""

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
def sealed(parcels: Workplace) -> Iterator[Workplace]:
    """The rulebook about parcels where nobody may write, under a name of many alphabets."""
    top = parcels.folders.rules.parent
    place = top / NAME
    place.mkdir()
    for folder in parcels.folders.all:
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


def held(place: Workplace) -> dict[Path, bytes]:
    top = place.folders.rules.parent
    return {path: path.read_bytes() if path.is_file() else b"" for path in top.rglob("*")}


def fitcard(place: Workplace, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fitcard", *place.options, *words], cwd=place.folders.rules.parent, env=environment(),
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("check",), ("check", "--json"), ("show", "piano", "--van", "large", "--json"), ("test",), ("explain", "time"),
     ("graph", "time")],
)  # fmt: skip
def test_a_command_that_only_reads_needs_no_leave_to_write_and_no_locale(sealed: Workplace, words: tuple[str]) -> None:
    before = held(sealed)
    ended = fitcard(sealed, *words)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout
    if "--json" in words:
        json.loads(ended.stdout)
    assert held(sealed) == before


def test_a_problem_in_a_folder_of_any_name_is_told_in_a_plain_locale(sealed: Workplace) -> None:
    sealed.path("rules/trip.yaml").chmod(0o644)
    sealed.edit("rules/trip.yaml", "unit: h", "unit: h\u00f6rse")
    ended = fitcard(sealed, "check")
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
    assert b"[unit-unknown]" in ended.stdout


def test_the_service_needs_no_leave_to_write_and_no_locale(sealed: Workplace) -> None:
    before = held(sealed)
    arguments = [sys.executable, "-m", "fitcard", *sealed.options, "serve", "--port", "0"]
    with subprocess.Popen(
        arguments, cwd=sealed.folders.rules.parent, env=environment(), stderr=subprocess.PIPE, text=True
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
    assert held(sealed) == before
