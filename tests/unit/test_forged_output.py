"""Texts of files and questions forge no output: no terminal sequence, workflow command, Markdown, HTML or XML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from rich.panel import Panel
from rich.table import Table

from fitcard.cli.completion import match_entries
from fitcard.cli.main import main
from fitcard.cli.output import echo, new_console, print_problems
from fitcard.diff.html import html_report
from fitcard.diff.markdown import markdown_report
from fitcard.diff.outline import Column, Outline, Section, Span
from fitcard.diff.outline import Table as OutlineTable
from fitcard.diff.terminal import print_report
from fitcard.problems import Position, Problem, Related
from fitcard.reports import FORMATS, for_xml, to_json, without_commands
from fitcard.rulebook.files import FileSuffix
from fitcard.source.text import show, show_line
from helpers.hostile_texts import (
    ALL,
    CODE_OR_ESCAPE,
    CONTROLS,
    LINES,
    MULTILINE,
    assert_plain_markdown,
    assert_shown_safely,
)
from helpers.repository import repository
from helpers.workplace import Workplace

CELL_END = re.compile(rf"{CODE_OR_ESCAPE.pattern}|(\|)")
STYLES = ("", "code", "strong", "old", "new", "faint")
FORGED = "::error::forged"


def hostile_problems(text: str) -> list[Problem]:
    position = Position(f"rules/{text}.yaml", 1, 3)
    related = (Related(position, text),)
    return [
        Problem(FileSuffix, text, position, hint=text, closest=(text,), source_line=text, related=related),
        Problem(FileSuffix, text, hint=text),
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_problems_forge_no_format(form: str) -> None:
    for text in ALL:
        output = FORMATS[form](hostile_problems(text))
        if form == "github":
            lines = output.split("\n")
            assert [line.startswith("::error ") for line in lines] == [True, True, False], (text, output)
            assert_shown_safely("\n".join(line.removeprefix("::") for line in lines).replace("##[", ""))
        elif form in ("json", "sarif"):
            json.loads(output)
            output.encode()
            assert_shown_safely(output)
        else:
            assert_shown_safely(without_commands(output))
            assert len(output.split("\n")) <= 8 + output.count("rules/"), output


def test_sarif_has_no_links_in_messages_and_addresses_of_files() -> None:
    (result, *_) = json.loads(FORMATS["sarif"](hostile_problems("[a](https://evil.example) b")))["runs"][0]["results"]
    assert "](" not in result["message"]["text"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[\w%./:-]+", uri)


def test_json_keeps_every_text() -> None:
    for text in ALL:
        assert json.loads(to_json({text: [text]})) == {text: [text]}
        to_json(text).encode()


def test_output_of_commands_has_no_escape_sequences_and_no_workflow_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for text in ALL:
        echo(text)
        echo(text, fg="red", bold=True)
        print_problems(hostile_problems(text), to_stderr=False)
        assert_shown_safely(capsys.readouterr().out, styled=True)


@pytest.mark.parametrize("width", [12, 80])
def test_drawings_have_no_markup_no_escape_sequences_and_no_workflow_commands(
    capsys: pytest.CaptureFixture[str], width: int
) -> None:
    for text in ALL:
        console = new_console(width=width)
        table = Table(title=text)
        table.add_column(text)
        table.add_row(text)
        console.print(table)
        console.print(text)
        console.print(Panel(text))
        output = capsys.readouterr().out
        assert_shown_safely(output, styled=True)
        if text == LINES[14] and width > 12:
            assert output.count("[red]") == 5, output


def outline_of(text: str) -> Outline:
    """An outline with the text in each place and style."""
    line = tuple(Span(text, style) for style in STYLES)
    table = OutlineTable((Column(text), Column(text, numbers=True)), ((line, line), *(((span,), ()) for span in line)))
    sections = (Section(text, (line, (Span(text),)), table, first=True), Section(text, (line,), table))
    return Outline(line, (line, (Span(text),)), sections)


def test_a_pull_request_comment_has_no_markup_of_names() -> None:
    for text in ALL:
        comment = markdown_report(outline_of(text))
        assert_shown_safely(comment)
        lines = comment.split("\n")
        assert lines.count("<details>") == lines.count("</details>") == 1, text
        shape = [
            re.match(r"<!-- fitcard diff -->|### |#### |- |\|[:-]|\| |<details>|</details>|<summary>|$", line)
            for line in lines
        ]
        assert all(shape), [line for line, found in zip(lines, shape, strict=True) if not found]
        assert len(lines) == len(markdown_report(outline_of("a")).split("\n")), text
        for line, found in zip(lines, shape, strict=True):
            rest = line.removeprefix(found[0]) if found else line
            if found and found[0].startswith("|") and found[0] != "| ":
                continue  # the rule below the head of a table
            if line.startswith("| "):
                assert CODE_OR_ESCAPE.sub("x", line).count("|") == 3, line
                rest = CELL_END.sub(lambda match: " " if match[1] else match[0], rest)
            if line.startswith("<summary>"):
                rest = re.sub(r"&[#\w]+;", "", rest)
                assert "<" not in rest.removesuffix("</summary>"), line
                continue
            assert_plain_markdown(rest.lstrip())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {tag, *(name for name, _ in attrs if name.startswith("on"))}


def tags_of(page: str) -> set[str]:
    parser = Tags()
    parser.feed(page)
    return parser.tags


def test_the_page_of_a_comparison_has_no_markup_of_names() -> None:
    side = {"label": "a", "version": "1", "sha256": "b"}
    expected = tags_of(html_report({"base": side, "head": side, "impact": []}, outline_of("a")))
    for text in ALL:
        named = {**side, "label": text}
        measured = [{"profile": text, "title": text, "points": [(1.0, 1.0, 2.0)]}]
        data = {"base": named, "head": named, "impact": [], "measured": measured}
        page = html_report(data, outline_of(text))
        assert tags_of(page) - {"svg", "line", "text", "circle", "title"} == expected - {"title"}, text


def test_a_comparison_in_a_terminal_forges_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ALL:
        print_report(outline_of(text), new_console(width=20))
        assert_shown_safely(capsys.readouterr().out, styled=True)


def test_junit_xml_can_be_read_whatever_the_names_are() -> None:
    for text in ALL:
        element = ElementTree.Element("testcase", name=for_xml(text))
        element.text = for_xml(text)
        again = ElementTree.fromstring(ElementTree.tostring(element, encoding="unicode"))
        assert again.get("name") is not None


def test_shells_complete_ids_alone() -> None:
    for text in ALL:
        assert match_entries("", [(text, (text,))]) == []
        ((entry, label),) = match_entries("m1", [("m1-16gb", (text,))])
        assert entry == "m1-16gb"
        assert "\n" not in label
        assert_shown_safely(without_commands(label))


def test_shown_text_keeps_other_scripts() -> None:
    joined = "\u0645\u06cc\u200c\u062e\u0648 \u0915\u094d\u200d\u0937 \u200f\u05d0"  # with joiners and a mark
    assert show(joined) == show_line(joined) == joined


# The same through the commands, with the texts in files.


@pytest.fixture
def hostile_rules(small: Workplace) -> Workplace:
    """The small rulebook with hostile texts as names of tests and entries."""
    path = small.path("rules/fit.test.yaml")
    given = "given: {model: llama-3.1-70b, device: h100-80gb}"
    expect = "expect: {runs: true, fit: tight, load_time: 777}"
    tests = [f"  - name: {json.dumps(text.ljust(5, '='))}\n    {given}\n    {expect}\n" for text in LINES]
    path.write_text(path.read_text("utf-8") + "".join(tests), "utf-8")
    texts = iter(text for text in LINES if "|" not in text and "{" not in text)
    for file, names in (("devices", ("M1 16GB", "RTX 4090 24GB", "H100 80GB")), ("models", ("Qwen 3 14B",))):
        for name in names:
            hostile = json.dumps(f"{name} {next(texts)} {next(texts)} {next(texts)}")
            small.edit(f"catalogs/{file}.yaml", f"name: {name},", f"name: {hostile},")
    return small


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("check",), ("check", "--format", "github"), ("check", "--format", "sarif"), ("check", "--json"), ("test",),
    ("test", "--json"), ("show", "llama-3.1-8b", "--device", "h100-80gb"), ("rank", "--model", "llama-3.1-8b"),
    ("catalog",), ("backtest", "--worst", "3"), ("graph",), ("graph", "--format", "mermaid"), ("explain", "load_time"),
)  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_command_prints_forged_output(hostile_rules: Workplace, arguments: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(main, [*hostile_rules.options, *arguments])
    assert not ended.exception or isinstance(ended.exception, SystemExit), ended.exception
    output = ended.output
    if "github" in arguments:
        output = re.sub(r"(?m)^::(warning|error|notice) [^:\n]*::", "", output)
    if "--json" in arguments or "sarif" in arguments:
        json.loads(output)
    assert_shown_safely(output)


def test_a_comparison_of_forged_tests_is_no_review(hostile_rules: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = repository(hostile_rules, monkeypatch)
    path = hostile_rules.path("rules/fit.test.yaml")
    path.write_text(path.read_text("utf-8").replace("load_time: 777", "load_time: 778"), "utf-8")
    assert repo is not None
    for form in ("text", "markdown", "html", "json", "github", "sarif"):
        ended = CliRunner().invoke(main, [*hostile_rules.options, "diff", "HEAD", "--format", form])
        assert not ended.exception or isinstance(ended.exception, SystemExit), ended.exception
        if form in ("text", "markdown"):
            assert_shown_safely(ended.output)
        if form == "html":
            assert "script" not in tags_of(ended.output)


@pytest.mark.parametrize("text", [*CONTROLS, *MULTILINE])
def test_a_name_of_a_test_is_one_line_without_control_characters(small: Workplace, text: str) -> None:
    small.edit("rules/fit.test.yaml", "name: Llama 70B needs an H100", f"name: {json.dumps(text)}")
    (problem,) = small.problems()
    assert problem.code in ("yaml-syntax", "schema-form")
    assert_shown_safely(without_commands(FORMATS["text"]([problem])))


def test_a_message_with_a_format_specification_reaches_no_attribute(small: Workplace) -> None:
    for slot in ("{model.__class__}", "{model[0]}", "{model!r}", "{model:{model}}", "{0}", "{}"):
        text = small.path("catalogs/messages/en.yaml").read_text("utf-8")
        small.edit("catalogs/messages/en.yaml", "  column_price: Price\n", f"  column_price: {json.dumps(slot)}\n")
        assert small.problems(), slot
        small.write("catalogs/messages/en.yaml", text)
