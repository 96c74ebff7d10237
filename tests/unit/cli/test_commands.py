"""The command line: output and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from fitcard.cli.main import COMMANDS, main
from fitcard.cli.serve import local_site
from fitcard.compiler.engine import Engine
from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from helpers.workplace import Workplace

WIDE = {"COLUMNS": "120"}


def test_json_is_the_answer_of_the_schema() -> None:
    ended = CliRunner().invoke(main, ["show", "qwen-3-14b", "m1-16gb", "--json", "--explain"])
    assert ended.exit_code == 0
    Schemas.load(find_folders().schemas).validator("answer").validate(json.loads(ended.output))


def test_the_page_shows_how_each_number_came_about() -> None:
    question = ["qwen-3-14b", "m1-16gb", "--profile", "reference"]
    ended = CliRunner().invoke(main, ["show", *question, "--explain"], env=WIDE)
    assert "decode_tok_s = 4.0074 token/s  rules/profiles/reference.yaml:" in ended.output
    assert "max(min_decode, decode_unlimited)" in ended.output
    assert "device.bandwidth = 68 GB/s  catalogs/devices/apple-silicon.yaml:" in ended.output


def test_every_part_of_the_question_can_be_chosen() -> None:
    options = [
        "--quant",
        "q2_k",
        "--workload",
        "rag",
        "--mode",
        "scale-out",
        "--profile",
        "reference",
        "--context",
        "4000",
        "--kv",
        "q8_0",
        "--users",
        "2",
        "--gpus",
        "3",
        "--host",
        "workstation",
        "--runtime",
        "ollama",
        "--gpu-layers",
        "40",
        "--depth",
        "100",
    ]
    ended = CliRunner().invoke(main, ["show", "llama-3.1-405b", "m3-ultra-256gb", *options, "--json"])
    assert json.loads(ended.output)["question"] == {
        "quant": "Q2_K", "workload": "rag", "mode": "scale-out", "profile": "reference", "context": 4000,
        "kv": "q8_0", "users": 2, "gpus": 3, "host": "workstation", "runtime": "ollama",
        "gpu_layers": 40, "depth": 100, "prompt": None, "cached": 0, "file_size": None, "expert_layers_on_host": None,
        "host_bandwidth": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["llama-3.1-405b", "h21-96gb"], "There is no device called 'h21-96gb'. Closest: h20-96gb"),
        (["yi-1.5-9b", "l4-24gb", "--quant", "Q4KM5"], "There is no quant called 'Q4KM5'. Closest: Q4_K_M"),
        (["yi-1.5-9b", "l4-24gb", "--context", "8k"], "'context' must be a number, not '8k'."),
        (["yi-1.5-9b"], "Missing argument 'DEVICE'"),
        (["yi-1.5-9b", "l4-24gb", "--qant", "Q2_K"], "'--quant'?"),
    ],
)
def test_misuse_is_reported_with_a_hint_and_exit_code_2(arguments: list[str], expected: str) -> None:
    ended = CliRunner().invoke(main, ["show", *arguments])
    assert ended.exit_code == 2
    assert expected in ended.output


def test_help_lists_the_commands_and_the_parameters_of_questions(engine: Engine) -> None:
    assert all(command in CliRunner().invoke(main, ["--help"]).output for command in COMMANDS)
    shown = CliRunner().invoke(main, ["show", "--help"]).output
    assert all(word in shown for word in ("MODEL DEVICE", "--quant", "--workload", "--mode", "--profile", "--context"))
    assert all(f"  --{name.replace('_', '-')} " in shown for name in engine.rulebook.question_fields.inputs)


def test_check_and_test_speak_json() -> None:
    assert json.loads(CliRunner().invoke(main, ["check", "--json"]).output) == []
    outcomes = json.loads(CliRunner().invoke(main, ["test", "-k", "Safe context", "--json"]).output)
    assert all(outcome["passed"] for outcome in outcomes)


def test_a_folder_that_is_not_there_is_misuse() -> None:
    ended = CliRunner().invoke(main, ["--rules", "nowhere", "check"])
    assert ended.exit_code == 2
    assert "nowhere" in ended.output


def test_a_picture_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, ["show", "yi-1.5-9b", "l4-24gb", "--svg", str(tmp_path / "nowhere" / "x.svg")])
    assert ended.exit_code == 1
    assert "Could not open file" in ended.output
    assert "Traceback" not in ended.output


def test_a_picture_holds_the_page_without_external_resources(tmp_path: Path) -> None:
    picture = tmp_path / "page.svg"
    assert CliRunner().invoke(main, ["show", "yi-1.5-9b", "l4-24gb", "--svg", str(picture)]).exit_code == 0
    drawn = picture.read_text("utf-8")
    assert "NVIDIA" in drawn
    assert "@font-face" not in drawn


@pytest.mark.parametrize("host", ["256.1.1.1", "192.0.2.1"])
def test_an_address_that_is_in_use_is_an_error(host: str) -> None:
    arguments = [sys.executable, "-m", "fitcard", "serve", "--host", host, "--port", "8999"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert f"cannot listen on {host}:8999" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_only_the_sections_of_the_layout_are_drawn(small: Workplace) -> None:
    ended = CliRunner().invoke(main, [*small.options, "show", "llama-3.1-8b"], env=WIDE)
    assert ended.output == "Llama 3.1 8B fits easily on M1 16GB.\n"


def test_help_imports_no_yaml_reader_and_no_numpy() -> None:
    code = (
        "import sys; from fitcard.cli.main import main; main(['--help'], standalone_mode=False);"
        " print({'yaml', 'numpy', 'jsonschema', 'rich'} & sys.modules.keys())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.endswith("\nset()\n")


def test_a_terminal_without_the_characters_shows_others() -> None:
    arguments = [sys.executable, "-m", "fitcard", "show", "yi-1.5-9b", "l4-24gb"]
    ended = subprocess.run(arguments, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=False)
    assert ended.returncode == 0
    assert b"Yi 1.5 9B" in ended.stdout


@pytest.mark.parametrize(
    ("site", "host", "port", "expected"),
    [
        ("http://localhost:8000", "127.0.0.1", 8000, "http://localhost:8000"),
        ("http://localhost:8000", "127.0.0.1", 9000, "http://localhost:9000"),
        ("http://localhost", "::1", 9000, "http://localhost:9000"),
        ("http://localhost:8000", "127.0.0.1", 0, ""),
        ("http://localhost:8000", "0.0.0.0", 9000, ""),
        ("https://cards.example", "127.0.0.1", 9000, ""),
    ],
)
def test_addresses_follow_the_port_where_the_site_is_this_machine(
    site: str, host: str, port: int, expected: str
) -> None:
    assert local_site(site, host, port) == expected
