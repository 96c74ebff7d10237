"""Shell completion: commands, options, and the entries of the catalogs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from fitcard.cli import options
from fitcard.cli.completion import match_entries, read_outline
from fitcard.cli.main import COMMANDS, main
from fitcard.cli.options import question_options
from fitcard.compiler.engine import Engine
from fitcard.source.folders import find_folders
from helpers.workplace import PROJECT, Workplace


def complete(*words: str) -> list[str]:
    """What the last of these words, which may be empty, completes to."""
    *complete_words, incomplete = words
    found = ShellComplete(main, {}, "fitcard", "_FITCARD_COMPLETE").get_completions(complete_words, incomplete)
    return [item.value for item in found]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["show", "qwen-3-14"], ["qwen-3-14b"]),
        (["show", "QWEN-3-14"], ["qwen-3-14b"]),
        (["show", "qwen-3-14b", "m1-16"], ["m1-16gb"]),
        (["show", "qwen-3-14b", "geforce rtx 4090 2"], ["rtx-4090-24gb"]),
        (["show", "--quant", "q4_k_m"], ["Q4_K_M"]),
        (["show", "--workload", "cod"], ["coding"]),
        (["show", "--workload=cod"], ["coding"]),
        (["show", "--kv", "q8"], ["q8_0"]),
        (["show", "--mode", "bal"], ["balanced"]),
        (["show", "--profile", "ref"], ["reference"]),
        (["show", "--lang", "pt"], ["pt-BR"]),
        (["show", "--worklo"], ["--workload"]),
        (["show", "qwen-3-14b", "m1-16gb", ""], []),
        (["show", "no-such-model"], []),
        (["explain", "qwen-3-14b", "m1-16"], ["m1-16gb"]),
        (["explain", "qwen-3-14b", "m1-16gb", ""], []),
        (["sweep", "--device", "m1-16gb,rtx-4090-24"], ["m1-16gb,rtx-4090-24gb"]),
        (["rank", "mod"], ["models"]),
        (["rank", "models", "--device", "m1-16"], ["m1-16gb"]),
        (["sw"], ["sweep"]),
        (["--ru"], ["--rules"]),
        (["diff", "--forma"], ["--format"]),
    ],
    ids=" ".join,
)
def test_arguments_complete_to(words: list[str], found: list[str]) -> None:
    assert complete(*words) == found


def test_text_within_an_id_completes_only_where_no_id_starts_with_it() -> None:
    entries = [("rtx-4090-24gb", ("GeForce RTX 4090 24GB",)), ("4090-mobile", ()), ("m1-16gb", ("M1 16GB", "mini"))]
    assert match_entries("409", entries) == [("4090-mobile", "")]
    assert match_entries("24", entries) == [("rtx-4090-24gb", "GeForce RTX 4090 24GB")]
    assert match_entries("MIN", entries) == [("m1-16gb", "M1 16GB")]


def test_all_commands_complete_without_being_imported() -> None:
    code = (
        "import sys; from click.shell_completion import ShellComplete; from fitcard.cli.main import main;"
        "found = ShellComplete(main, {}, 'fitcard', '').get_completions([], '');"
        "assert 'numpy' not in sys.modules; print(*[item.value for item in found])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert ended.stdout.split() == list(COMMANDS), ended.stderr


def test_entries_complete_without_loading_the_rulebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "load", None)
    monkeypatch.setattr(options, "load_or_exit", None)
    assert complete("show", "qwen-3-14") == ["qwen-3-14b"]


def test_options_are_the_same_during_completion(engine: Engine) -> None:
    axes = list(engine.rulebook.question_fields.axes)
    loaded, outlined = (question_options(book, axes) for book in (engine.rulebook, read_outline(find_folders())))
    assert [vars(option) | {"_custom_shell_complete": None} for option in outlined] == [
        vars(option) | {"_custom_shell_complete": None} for option in loaded
    ]


def test_entries_are_those_of_the_folders_that_are_named(copy: Workplace) -> None:
    copy.edit("catalogs/quants.yaml", "  Q4_K_M:\n", "  Q4_OWN:\n")
    assert complete(*copy.options, "show", "--quant", "Q4_O") == ["Q4_OWN"]


def test_with_broken_rules_readable_files_still_complete(copy: Workplace) -> None:
    copy.edit("rules/physics/memory.yaml", "kind: rules", "kind: rulez")
    assert complete(*copy.options, "show", "qwen-3-14") == ["qwen-3-14b"]
    with pytest.raises(click.exceptions.Exit):
        complete(*copy.options, "rank", "mod")
    copy.edit("rules/rulebook.yaml", "axes:", "axis:")
    assert complete(*copy.options, "show", "qwen-3-14") == []
    copy.edit("catalogs/quants.yaml", "kind: quants", "kind: [quants")
    copy.path("schemas/common.schema.json").write_text("{", "utf-8")
    assert complete(*copy.options, "show", "--json", "qwen-3-14") == []


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
def test_bash_gets_its_script_and_its_values() -> None:
    def fitcard(instruction: str, **environment: str) -> str:
        surroundings = {**os.environ, "_FITCARD_COMPLETE": instruction, **environment}
        command = [sys.executable, "-m", "fitcard"]
        return subprocess.run(
            command, env=surroundings, capture_output=True, text=True, cwd=PROJECT, check=False
        ).stdout

    assert "complete -o nosort -F _fitcard_completion fitcard" in fitcard("bash_source")
    assert fitcard("bash_complete", COMP_WORDS="fitcard show qwen-3-14", COMP_CWORD="2") == "plain,qwen-3-14b\n"
