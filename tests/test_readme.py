"""Everything the README shows is what really comes out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from conftest import PROJECT, Workplace
from repository import repository

from engine.commands.main import main
from engine.draw.watching import change_lines
from engine.rule_tests import rule_tests
from engine.rulebook.rulebook import Rulebook
from engine.watching import Watcher
from server import create_app

README = (PROJECT / "README.md").read_text("utf-8")
EDITS = {  # what the README says was changed before a command
    "fitcard check # with `* ms_per_s` gone from the formula of TTFT": (
        "rules/ttft.yaml",
        "prefill_tok_s * ms_per_s",
        "prefill_tok_s",
    ),
    "fitcard check": ("rules/offload.yaml", "expr: offload_share * weights", "expr: ofload_share * weights"),
    "fitcard watch # and in rules/memory.yaml 0.72 of unified memory becomes 0.75": (
        "rules/memory.yaml",
        "value: 0.72",
        "value: 0.75",
    ),
    "fitcard diff main # with 0.72 of unified memory changed to 0.75": (
        "rules/memory.yaml",
        "value: 0.72",
        "value: 0.75",
    ),
    'fitcard diff main --why "macOS lets the GPU take three quarters." # after the same edit': (
        "rules/memory.yaml",
        "value: 0.72",
        "value: 0.75",
    ),
    "fitcard test": ("rules/memory.yaml", "Q4_K_M: 0.61", "Q4_K_M: 0.68"),
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def without_line_number(line: str) -> str:
    """Lines of rule files move with every edit above them; a tuner need not follow them into the README."""
    return re.sub(r"^ *\d+ \|", "    |", re.sub(r"\.yaml:\d+", ".yaml:", line)).rstrip()


def transcripts() -> Iterator[tuple[str, list[str]]]:
    """Each command of the README with the lines that it says come out."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            yield command, lines


@pytest.mark.parametrize(
    ("command", "lines"), list(transcripts()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_command_prints_what_is_shown(
    whole_copy: Workplace, monkeypatch: pytest.MonkeyPatch, command: str, lines: list[str]
) -> None:
    if command.startswith("fitcard diff"):
        repository(whole_copy, monkeypatch)
    watcher = Watcher(whole_copy.folders)
    first = watcher.look() if command.startswith("fitcard watch") else None
    if command in EDITS:
        whole_copy.edit(*EDITS[command])
    if command.startswith("curl"):
        address = re.search(r"localhost:8000(/[^']+)", command)
        assert address
        printed = create_app().test_client().get(address[1]).get_data(as_text=True).split("\n")
        assert all(any(line in whole for whole in printed) for line in lines)
        return
    if first is not None:
        output = "\n".join(change_lines(first, first, watcher.look()))
    else:
        monkeypatch.chdir(whole_copy.folders.rules.parent)
        words = shlex.split(command.partition(" #")[0])[1:]
        output = CliRunner().invoke(main, [*whole_copy.options, *words], env={"COLUMNS": "110"}).output
    printed = [without_line_number(line) for line in output.split("\n")]
    at = 0
    for line in map(without_line_number, lines):
        assert line in printed[at:], line
        at = printed.index(line, at) + 1


@pytest.mark.parametrize("block", blocks("yaml"))
def test_each_piece_of_yaml_stands_in_the_rules(block: str) -> None:
    assert any(block in path.read_text("utf-8") for path in (PROJECT / "rules").rglob("*.yaml"))


def test_there_is_one_line_to_run_and_one_to_test() -> None:
    assert len(blocks("sh")) == 2
    assert all(block.count("\n") == 1 and block.startswith("pip install") for block in blocks("sh"))


def test_the_counts_of_agreeing_figures_are_right(rulebook: Rulebook) -> None:
    tests = list(rule_tests(rulebook, "reference_pages"))
    agree = sum(len(test.data.get("expect", {})) for test in tests)
    differ = sum(len(test.data.get("differs", {})) for test in tests)
    assert re.search(
        rf"on {len(tests)} of its pages and\s+table rows, {agree}\s+agree; the {differ} that do not", README
    )


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert all((PROJECT / link).exists() for link in links)


def test_the_picture_is_the_answer_of_today() -> None:
    picture = (PROJECT / ".github" / "answer.svg").read_text("utf-8").replace("&#160;", " ")
    for figure in ("265.2 GB / 96.0 GB", "84638 ms", "830.2 GB", "417 % faster", "Too heavy"):
        assert figure in picture
