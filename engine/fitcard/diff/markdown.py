"""A comparison for a comment on a pull request: the summary first, the rest folded, cut to what a comment may hold."""

from __future__ import annotations

import html
import re

from fitcard.diff.outline import Line, Outline, Section, Span

MARKER = "<!-- fitcard diff -->"  # by which the comment is found again
MAX_CHARACTERS = 60_000  # GitHub refuses a comment of more than 65,536
ARROW = "\N{RIGHTWARDS ARROW}"
PLAIN = re.compile(r"([\\`*<|~\[\]]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")  # what Markdown would take for its own


def markdown_report(outline: Outline, whole: str = "the HTML report") -> str:
    """The comment. What does not fit is counted, with where the `whole` is."""
    text = "\n".join(
        [MARKER, f"### {_written(outline.title)}", "", *(f"- {_written(line)}" for line in outline.summary)]
    )
    left_out: list[str] = []
    for section in outline.sections:
        block = _section(section, whole)
        if len(text) + len(block) > MAX_CHARACTERS:
            left_out.append(section.title)
        else:
            text += f"\n\n{block}"
    if left_out:
        text += f"\n\nOmitted because of the size limit of comments: {', '.join(left_out)}; see {whole}."
    return text + "\n"


def _section(section: Section, whole: str) -> str:
    body = "\n".join([*(f"- {_written(line)}" for line in section.lines), *_table(section, whole)])
    if section.first:
        return f"#### {_plain(section.title)}\n\n{body}"
    return f"<details>\n<summary>{html.escape(section.title)}</summary>\n\n{body}\n\n</details>"


def _table(section: Section, whole: str) -> list[str]:
    table = section.table
    if table is None:
        return []
    names = [_plain(column.name) for column in table.columns]
    rule = ["--:" if column.numbers else ":--" for column in table.columns]
    rows = ["".join(f"| {_written(cell)} " for cell in row) + "|" for row in section.rows]
    more = ["", f"... and {section.more:,} more of {len(table.rows):,}; see {whole}."] if section.more else []
    return ["| " + " | ".join(names) + " |", "|" + "|".join(rule) + "|", *rows, *more]


def _written(line: Line) -> str:
    return "".join(map(_span, line))


def _span(span: Span) -> str:
    text = html.escape(span.text, quote=False).replace("|", "&#124;").replace("`", "&#96;")
    match span.style:
        case "code" if text == span.text:
            return f"`{text}`"
        case "code":
            return f"<code>{text}</code>"
        case "old":
            return f"<del>{text}</del>"
        case "new":
            return f"<ins>{text}</ins>"
        case "strong":
            inner = span.text.strip()
            before, after = span.text.split(inner, 1) if inner else (span.text, "")
            return f"{before}**{_plain(inner)}**{after}" if inner else before
    return _plain(span.text)


def _plain(text: str) -> str:
    """Text in which nothing is taken for Markdown."""
    return PLAIN.sub(lambda found: f"\\{found[1]}", text).replace("->", ARROW)
