"""Texts that try to be more than text in a report, and assertions about outputs that show them."""

from __future__ import annotations

import re

# Each is one line, as the name of a test may be.
LINES = (
    "::error file=x.py,line=1::forged",
    "::stop-commands::token",
    "##[error]forged",
    "x ##[command]forged",
    "@octocat approved this",
    "see #1, GH-1 and rust-lang/rust#1",
    "[a link](https://evil.example/login)",
    "![a picture](https://evil.example/p.png)",
    "https://evil.example and www.evil.example",
    "</details></td></table><h1>no answer moves</h1>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "<!-- fitcard diff -->",
    "`a` ``b`` ```",
    "a | b |",
    "[red]text[/red] [link=https://evil.example]text[/link] [/]",
    ":white_check_mark: all checks passed",
    "*a* **b** _c_ __d__ ~~e~~",
    "# heading",
    "- [x] done",
    "1. first",
    "> quoted",
    "=cmd|' /C calc'!A0",
    "\\",
    "a\\",
    "$\\frac{1}{0$ $x$",
    "&lt;b&gt; &amp; ]]> <![CDATA[",
    "\"quoted\" 'quoted' {0} {name} %s %0A",
)
# Characters that change what a terminal or a page shows, each between two letters.
CONTROLS = tuple(
    f"a{character}b"
    for character in (
        "\x00", "\x07", "\x08", "\x1b[31m", "\x1b]8;;https://evil.example\x07", "\x1bc", "\x7f", "\x85", "\x9b31m",
        "\x9d8;;https://evil.example\x9c", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\U000e0041",
        "\ud800",
    )
)  # fmt: skip
MULTILINE = ("a\n::error::forged", "a\r::error::forged", "a\r\n\n</details>\n\n### no answer moves\n", "a\n##[error]b")
ALL = (*LINES, *CONTROLS, *MULTILINE)

STYLED = re.compile("\x1b\\[[0-9;]*m")
RAW_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e0fff\ud800-\udfff]")
COMMAND = re.compile(r"(?m)^\s*::|##\[")
CODE_OR_ESCAPE = re.compile(r"`[^`\n]*`|\\[!-/:-@\[-`{-~]")
OWN_TAGS = re.compile(r"</?(?:code|del|ins|details|summary)>|<!-- fitcard diff -->\n|&[#\w]+;")
BOLD = re.compile(r"(?<!\\)\*\*(?=\S)(.+?)(?<=\S)(?<!\\)\*\*")
MARKUP = re.compile(
    r"[\[\]<*`~$]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|@(?!\u200b)|#\d|GH-\d|//|(?i:www\.)|:[\w+-]+:|^[#>+-] |^\d\. ",
    re.M,
)


def assert_shown_safely(output: str, *, styled: bool = False) -> None:
    """The output has no control characters, apart from colors if it is `styled`, and no workflow command."""
    plain = STYLED.sub("", output) if styled else output
    assert not (found := RAW_CONTROL.search(plain)), (found[0], plain[max(0, found.start() - 80) : found.end()])
    assert not (found := COMMAND.search(plain)), plain[max(0, found.start() - 80) : found.end() + 80]


def assert_plain_markdown(text: str) -> None:
    """A line or cell of Markdown has no markup but that of the report: code, bold, deleted and inserted text."""
    rest = CODE_OR_ESCAPE.sub("x", text)
    rest = OWN_TAGS.sub(lambda match: "\u200b" if match[0] == "&#8203;" else "x" if match[0][0] == "&" else " ", rest)
    rest = BOLD.sub(r" \1 ", rest)
    assert not (found := MARKUP.search(rest)), (found[0], text)
