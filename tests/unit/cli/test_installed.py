"""The installed package, in an environment and a folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.workplace import PROJECT


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a clone of the checkout that it was built from."""

    place: Path
    wheel: Path

    @property
    def checkout(self) -> Path:
        return self.place / "checkout"

    def run(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        program, *rest = words
        command = [str(self.place / "environment" / "bin" / program), *rest]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        place = cwd or self.place
        return subprocess.run(
            command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in an environment that finds its dependencies, and nothing else, where these tests have them."""
    place = tmp_path_factory.mktemp("installed")
    clone = ["git", "clone", "--quiet", "--branch", _branch(), str(PROJECT), str(place / "checkout")]
    subprocess.run(clone, check=True, capture_output=True)
    subprocess.run(["git", "-C", str(place / "checkout"), "branch", "-f", "main"], check=False, capture_output=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(PROJECT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False, cwd=place)
    if built.returncode:
        pytest.skip(f"the wheel cannot be built here: {built.stderr[-200:]}")
    (wheel,) = place.glob("*.whl")
    venv.create(place / "environment", with_pip=True, symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = place / "environment" / "lib" / version / "site-packages"
    found = Installed(place, wheel)
    result = found.run("pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    assert result.returncode == 0, result.stderr
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return found


def _branch() -> str:
    found = subprocess.run(
        ["git", "-C", str(PROJECT), "branch", "--show-current"], capture_output=True, text=True, check=True
    )
    return found.stdout.strip() or "HEAD"


def test_the_wheel_installs_one_package_at_the_top(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"fitcard"}


def test_it_is_typed_and_brings_its_rules_catalogs_and_schemas(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = set(wheel.namelist())
    assert "fitcard/py.typed" in names
    assert {
        f"fitcard/data/{name}" for name in ("rules/rulebook.yaml", "catalogs/quants.yaml", "schemas/answer.schema.json")
    } <= names


def test_python_asks_it(installed: Installed) -> None:
    code = "import fitcard; print(fitcard.ask('qwen-3-14b', 'm1-16gb').decode_tok_s, fitcard.__file__)"
    printed = installed.run("python", "-c", code).stdout
    assert float(printed.split()[0]) > 1
    assert "site-packages" in printed


def test_outside_of_a_project_the_installed_rules_answer_and_are_named(installed: Installed) -> None:
    checked = installed.run("fitcard", "check")
    assert checked.stdout.startswith("0 errors, 0 warnings in ")
    assert checked.stdout.endswith("(installed)\n")
    shown = installed.run("python", "-m", "fitcard", "show", "qwen-3-14b", "m1-16gb", "--json")
    assert json.loads(shown.stdout)["grade"]


def test_inside_of_a_checkout_check_points_at_a_broken_rule_of_it(installed: Installed) -> None:
    file = installed.checkout / "rules" / "physics" / "memory.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("weights + kv_cache", "weights + kv_cahe", 1), "utf-8")
    try:
        checked = installed.run("fitcard", "check", cwd=installed.checkout)
    finally:
        file.write_text(text, "utf-8")
    assert checked.returncode == 1
    assert re.match(r"rules/physics/memory\.yaml:\d+:\d+: error: undefined name `kv_cahe`", checked.stdout)
    assert checked.stdout.endswith("1 error, 0 warnings in rules\n")


def test_inside_of_a_checkout_diff_compares_with_its_main_branch(installed: Installed) -> None:
    file = installed.checkout / "rules" / "physics" / "memory.yaml"
    text = file.read_text("utf-8")
    changed = re.sub(r"(  headroom_share:\n(?:    .*\n)*?    about: ).", r"\g<1>The s", text)
    assert changed != text
    file.write_text(changed, "utf-8")
    try:
        compared = installed.run("fitcard", "diff", "main", cwd=installed.checkout)
    finally:
        file.write_text(text, "utf-8")
    assert compared.stdout.startswith("main ("), compared.stderr
    assert "headroom_share" in compared.stdout
    assert compared.stdout.endswith("compared: main and rules\n")


def test_it_serves_in_a_folder_that_has_a_server_of_its_own(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text("raise SystemExit('this is not the server of fitcard')\n", "utf-8")
    program = installed.place / "environment" / "bin" / "fitcard"
    serving = subprocess.Popen(
        [program, "serve", "--port", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert serving.stderr is not None
        address = serving.stderr.readline().strip()
        assert serving.stderr.readline().startswith("rules: ")
        with urllib.request.urlopen(f"{address}/health", timeout=20) as response:
            assert response.status == 200
    finally:
        serving.send_signal(signal.SIGTERM)
        with serving:
            assert serving.wait(20) == 0
