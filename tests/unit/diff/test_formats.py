"""Formats of a comparison: the comment on a pull request, the page, and the terminal.

Run as a program, this writes the comment of the golden file anew:
`PYTHONPATH=tests python tests/unit/diff/test_formats.py`. Read the difference before you commit it.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.diff import markdown
from fitcard.diff.html import html_report
from fitcard.diff.markdown import markdown_report
from fitcard.diff.outline import Column, Outline, Section, Span, Table, outline, percent
from fitcard.source.folders import Folders, find_folders
from helpers.fewer_entries import with_fewer_entries
from helpers.workplace import Workplace

GOLDEN = Path(__file__).parents[2] / "golden" / "pull_request_comment.md"
SIDES = ("before", "after")
REFERENCE, STRICT = "rules/profiles/reference.yaml", "rules/profiles/strict.yaml"
EDITS = [
    (REFERENCE, "value: 0.72\n", "value: 0.75\n"),
    ("rules/judgement/ranking.yaml", "needed_memory) / usable_memory / max", "needed_memory) / needed_memory / max"),
    ("rules/judgement/score.yaml", "at_least: 85, gives: S", "at_least: 80, gives: S"),
    ("catalogs/devices/intel-arc.yaml", "bandwidth: 380", "bandwidth: 420"),
    ("catalogs/devices/intel-arc.yaml", "tdp: 150", "tdp: 155"),
]  # fmt: skip


def compared(place: Path) -> dict[str, Any]:
    """The comparison of our rules, over a part of the catalogs, with themselves after a few edits; below `place`."""
    before, after = (laid_out(place / side) for side in SIDES)
    for file, old, new in EDITS:
        after.edit(file, old, new)
    for side in (before, after):
        side.write(STRICT, side.path(REFERENCE).read_text("utf-8"))
        side.edit(STRICT, "title: Will It Run AI", "title: Strict")
        side.edit(STRICT, "value: 0.15", "value: 0.25")
    ended = CliRunner().invoke(main, [*after.options, "diff", str(place / "before"), "--format", "json"])
    data: dict[str, Any] = json.loads(ended.output.replace(str(place / "before"), "before"))
    return data


def laid_out(place: Path) -> Workplace:
    """Our rules as the reference has them, and no others: its figures stay, those of the physics become better."""
    here = find_folders()
    for folder in here.all:
        shutil.copytree(folder, place / folder.name)
    side = Workplace(Folders(*(place / folder.name for folder in here.all)))
    rules = side.folders.rules
    tests = (path for path in rules.rglob("*.test.yaml") if path.parent.name != "profiles")
    for physics in (side.path("rules/profiles/calibrated.yaml"), *tests):
        physics.unlink()
    side.edit("rules/rulebook.yaml", "default: calibrated", "default: reference")
    return Workplace(with_fewer_entries(side.folders))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return compared(tmp_path_factory.mktemp("compared"))


def test_the_comment_equals_the_golden_file(data: dict[str, Any]) -> None:
    assert markdown_report(outline(data)) == GOLDEN.read_text("utf-8")


def test_the_comment_starts_with_the_summary() -> None:
    lines = GOLDEN.read_text("utf-8").splitlines()
    assert lines[0] == markdown.MARKER
    assert "affecting answers" in lines[3]
    assert "answers move" in lines[4]


def test_every_table_of_the_comment_has_as_many_cells_in_each_row() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", GOLDEN.read_text("utf-8"), re.M):
        assert len({row.replace("\\|", "").count("|") for row in table.splitlines()}) == 1


def test_labels_that_move_are_in_the_order_of_their_table(data: dict[str, Any]) -> None:
    moved = json.loads(json.dumps(data))
    output = next(one for one in moved["impact"][0]["outputs"] if one["name"] == "grade")
    output["matrix"] = [pair for pair in output["matrix"] if pair["old"] != pair["new"]]
    table = next(one.table for one in outline(moved).sections if one.title.startswith("Changes of grade") and one.table)
    assert [column.name for column in table.columns][1:] == ["F", "D", "C", "B", "A", "S"]


def test_a_comment_stays_within_the_limit_of_github_and_says_what_it_leaves_out() -> None:
    rows = tuple(((Span("x" * 2000, "code"),),) for _ in range(500))
    sections = tuple(Section(f"part {n}", table=Table((Column("a"),), rows)) for n in range(3))
    comment = markdown_report(Outline((Span("a"),), (), sections))
    assert len(comment) < 65_536
    assert "... and 475 more of 500; see the HTML report." in comment
    assert "Omitted because of the size limit of comments: part 1, part 2; see the HTML report." in comment


def test_names_in_a_comment_are_escaped() -> None:
    line = (Span("<script>a_b*c|d[e]`f`", ""), Span("a|b`c", "code"), Span("x<y", "old"))
    comment = markdown_report(Outline(line, (), ()))
    assert r"\<script>a_b\*c\|d\[e\]\`f\`" in comment
    assert "<code>a&#124;b&#96;c</code><del>x&lt;y</del>" in comment


class Page(HTMLParser):
    """What a page asks a browser to fetch, and whether its elements are closed."""

    NEVER_CLOSED, CLOSED_AT_ONCE = {"meta", "br"}, {"line", "rect", "circle"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.NEVER_CLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.CLOSED_AT_ONCE

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_by_itself_and_shows_every_row(data: dict[str, Any]) -> None:
    text = html_report(data, outline(data))
    page = Page(text)
    assert page.open == []
    assert page.fetched == []
    assert "@import" not in text
    assert "url(" not in text
    drawn = outline(data)
    rows = sum(len(section.table.rows) + 1 for section in drawn.sections if section.table)
    assert text.count("<tr>") == rows
    assert "Errors against figures stated in tests" in text
    assert "Largest change of each output" in text


def test_names_in_the_page_are_escaped(data: dict[str, Any]) -> None:
    hostile = json.loads(json.dumps(data).replace("unified_usable_share", "<img src=x>"))
    assert "<img" not in html_report(hostile, outline(hostile))
    assert "&lt;img src=x&gt;" in html_report(hostile, outline(hostile))


def test_a_terminal_shows_the_parts_of_a_formula_that_differ(data: dict[str, Any]) -> None:
    change = next(one for one in data["changes"] if one["what"] == "formula")
    detail = change["details"][0]
    assert [detail["old"][start:end] for start, end in detail["marks"]["old"]] == ["usable_memory"]
    assert [detail["new"][start:end] for start, end in detail["marks"]["new"]] == ["needed_memory"]


def test_reports_are_written_to_files_beside_the_output(copy: Workplace, tmp_path: Path) -> None:
    names = [tmp_path / f"diff.{suffix}" for suffix in ("md", "html", "json", "sarif")]
    saved = [word for name in names for word in ("--save", str(name))]
    ended = CliRunner().invoke(main, [*copy.options, "diff", str(copy.folders.rules.parent), *saved])
    assert ended.exit_code == 0
    assert "no answer moves" in ended.output
    assert all(name.stat().st_size for name in names)
    assert json.loads(names[2].read_text("utf-8"))["counts"]["answers"] == 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 %"), (4.1667, "+4.2 %"), (-0.0571, "-0.057 %"), (-100, "-100 %"), (6065.5, "+6,066 %"), (9.96, "+10 %")],
)
def test_percentages_show_two_digits_that_count(value: float, shown: str) -> None:
    assert percent(value) == shown


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        GOLDEN.write_text(markdown_report(outline(compared(Path(place)))), "utf-8")
