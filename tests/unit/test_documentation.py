"""The README and the guides show the output of the commands as it is."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from fitcard.calibration.comparison import compare
from fitcard.cli.main import COMMANDS, main
from fitcard.compiler.engine import Engine
from fitcard.lint.watch import Watcher, change_lines
from fitcard.mcp.registry import call
from fitcard.mcp.tools import TOOLS
from fitcard.testing.rule_tests import rule_tests
from fitcard.web.app import create_app
from helpers.project import project_rules
from helpers.repository import repository
from helpers.workplace import PROJECT, Workplace

README = (PROJECT / "README.md").read_text("utf-8")
GUIDES = [
    PROJECT / name
    for name in (
        "README.md",
        ".github/guides/asking.md",
        ".github/guides/service.md",
        ".github/guides/writing-rules.md",
        ".github/guides/reviewing.md",
    )
]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / ".github").rglob("*.md")])
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)")
WHOLE = "\n".join(guide.read_text("utf-8") for guide in GUIDES)
MACS = ("rules/physics/memory.yaml", "apple-silicon: 0.75", "apple-silicon: 0.8")
EDITS = {  # what the README says was changed before a command
    "fitcard check # with `*` in place of `/` before the bandwidth that weights are read with": (
        "rules/physics/decode.yaml",
        "(1 - expert_host_share)) / effective_bandwidth",
        "(1 - expert_host_share)) * effective_bandwidth",
    ),
    "fitcard check": ("rules/physics/offload.yaml", "expr: max(0, over_capacity)", "expr: max(0, over_capcity)"),
    "fitcard watch # and in rules/physics/memory.yaml the share that Macs lend becomes 0.8": MACS,
    "fitcard diff main # with 0.75 for Macs changed to 0.8": MACS,
    'fitcard diff main --why "This macOS lends four fifths." # after the first edit': MACS,
    "fitcard test": MACS,
    "fitcard diff main # with 0.917 for reading weights with CUDA changed to 0.85": (
        "rules/physics/decode.yaml",
        "      cuda: 0.917\n",
        "      cuda: 0.85\n",
    ),
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", WHOLE, re.DOTALL)


def without_line_number(line: str) -> str:
    """A line without line numbers of rule files and sizes of catalogs.

    They change with every edit above, and with every new entry: whoever adds a device need not edit the README.
    """
    line = re.sub(r"^ *\d* +\|", "    |", re.sub(r"\.yaml:\d+", ".yaml:", line))
    return re.sub(
        r" of [\d,]+ (answers|pairs)", r" of N \1", re.sub(r"comparisons: \d+", "comparisons: N", line)
    ).rstrip()


def transcripts() -> Iterator[tuple[str, list[str]]]:
    """Each command of the README with the lines that it says come out."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            yield command, lines


@pytest.mark.parametrize(
    ("command", "lines"), list(transcripts()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_command_prints_the_lines_that_the_guides_show(
    whole_copy: Workplace, monkeypatch: pytest.MonkeyPatch, command: str, lines: list[str]
) -> None:
    if command.startswith("fitcard diff"):
        repository(whole_copy, monkeypatch)
    watcher = Watcher(whole_copy.folders)
    first = watcher.check() if command.startswith("fitcard watch") else None
    if command in EDITS:
        whole_copy.edit(*EDITS[command])
    if command.startswith("curl"):
        address = re.search(r"localhost:8000(/[^']+)", command)
        assert address
        printed = create_app(project_rules()).test_client().get(address[1]).get_data(as_text=True).split("\n")
        assert all(any(line in whole for whole in printed) for line in lines)
        return
    if first is not None:
        output = "\n".join(change_lines(first, first, watcher.check()))
    else:
        monkeypatch.chdir(whole_copy.folders.rules.parent)
        words = shlex.split(command.partition(" #")[0])[1:]
        output = CliRunner().invoke(main, [*whole_copy.options, *words], env={"COLUMNS": "110"}).output
    printed = [without_line_number(line) for line in output.split("\n")]
    at = 0
    for line in map(without_line_number, lines):
        assert line in printed[at:], line
        at = printed.index(line, at) + 1


def test_an_mcp_tool_returns_the_result_that_the_guide_shows(engine: Engine) -> None:
    configuration, example = blocks("json")
    (server,) = json.loads(configuration)["mcpServers"].values()
    assert (server["command"], server["args"]) == ("fitcard", ["mcp"])
    assert set(server["args"]) <= set(COMMANDS)
    names = re.search(r"Its tools are (.*?)\.", WHOLE, re.DOTALL)
    assert names
    assert re.findall(r"`(\w+)`", names[1]) == list(TOOLS)
    asked, line = example.splitlines()
    given = call(engine, TOOLS["estimate_memory"], json.loads(asked))
    assert line in json.dumps(given, separators=(",", ":"))


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if not block.startswith("kind:")])
def test_each_piece_of_yaml_stands_in_the_rules(block: str) -> None:
    assert any(block in path.read_text("utf-8") for path in (PROJECT / "rules").rglob("*.yaml"))


def test_the_readme_has_one_line_to_run_and_one_to_test() -> None:
    assert len(blocks("sh")) == 2
    assert all(block.count("\n") == 1 and block.startswith("pip install") for block in blocks("sh"))


def test_the_counts_of_agreeing_figures_are_current(engine: Engine) -> None:
    tests = list(rule_tests(engine.rulebook, "reference_pages"))
    agree = sum(len(test.data.get("expect", {})) for test in tests)
    differ = sum(len(test.data.get("differs", {})) for test in tests)
    assert re.search(
        rf"on {len(tests)} of its pages and\s+table rows, {agree}\s+agree; the {differ} that do not", README
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(PROJECT)))
def test_every_relative_link_points_to_a_file_and_a_heading_in_it(document: Path) -> None:
    for file, heading in LINK.findall(document.read_text("utf-8")):
        linked = document.parent / file if file else document
        assert linked.exists(), file
        assert not heading or heading in headings(linked), f"{file}#{heading}"


def headings(document: Path) -> set[str]:
    """The headings of a Markdown file as links name them."""
    found = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_readme_links_every_guide() -> None:
    contributing = PROJECT / ".github" / "CONTRIBUTING.md"
    assert all(f"({guide.relative_to(PROJECT)})" in README for guide in [*GUIDES[1:], contributing])


def test_the_readme_has_at_most_200_lines() -> None:
    assert README.count("\n") <= 200


def test_the_picture_of_the_readme_is_current() -> None:
    picture = (PROJECT / ".github" / "answer.svg").read_text("utf-8").replace("&#160;", " ")
    shown = CliRunner().invoke(main, ["show", "llama-3.1-405b", "h20-96gb"], env={"COLUMNS": "100"}).output
    figures = re.findall(r"[\d.,]+ (?:GB / [\d.]+ GB|GB|tok/s|ms|%)", shown)
    assert len(figures) > 40
    assert all(figure in picture for figure in figures)


def test_the_accuracy_table_of_the_readme_is_current(engine: Engine) -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| (\d+ .*) \|$", README, re.MULTILINE))
    ours, theirs = ({one.quantity.title: one for one in compare(engine, name)} for name in ("calibrated", "reference"))
    for title, one in ours.items():
        held_out = f"{one.quantity.held_out_error * 100:.2g} %" if one.quantity.held_out_error else "-"
        shares = [f"{side[title].summary.median * 100:.1f} %" for side in (theirs, ours)]
        assert rows[title] == " | ".join([f"{len(one.runs)}", *shares, held_out])
    assert f"held against {len(engine.rulebook.catalogs['measurements'].entries)} measured runs" in README


def test_the_closest_of_the_other_formulas_is_named(engine: Engine) -> None:
    def error(profile: str) -> float:
        return next(one.summary.median for one in compare(engine, profile) if one.quantity.name == "decode_dense")

    others = set(engine.rulebook.rule_sets) - {"calibrated", "reference"}
    nearest = min(others, key=error)
    assert f"the nearest ({nearest}) is {error(nearest) * 100:.1f} % off" in " ".join(README.split())
