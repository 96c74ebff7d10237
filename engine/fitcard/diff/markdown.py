"""A report as Markdown for a comment on a pull request: the summary, then folded sections, up to the size limit."""

from __future__ import annotations

import html
import re

from fitcard.diff.outline import Line, Outline, Section, Span

MARKER = "<!-- fitcard diff -->"  # identifies the comment
MAX_CHARACTERS = 60_000  # GitHub refuses a comment of more than 65,536
ARROW = "\N{RIGHTWARDS ARROW}"
# Markup of Markdown, and of its blocks at the start of a text.
SPECIAL = re.compile(r"([\\`*<|~$\[\]]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])|^[#>+=-](?=[\s#>+=-])|(?<=^\d)[.)](?=\s))")
# What GitHub turns into links and pictures: @mentions, #1, GH-1, addresses and :emoji:. A character without width stops
# it.
LINKED = re.compile(r"@|#(?=\d)|(?i:\bGH)(?=-\d)|(?<=:)/(?=/)|(?i:\bwww)(?=\.)|:(?=[\w+-]+:)")
STOP, STOP_ENTITY = "\u200b", "&#8203;"
IN_TAG = re.compile(r"[\\`*|~$\[\]]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")  # markup there
CODE_SPECIAL = re.compile(r"[&<>|`]|##\[")  # not in code between backticks, in a cell of a table


def markdown_report(outline: Outline, whole: str = "the HTML report") -> str:
    """The comment. Omitted rows and sections refer to the `whole` report."""
    text = "\n".join([MARKER, f"### {_render(outline.title)}", "", *(f"- {_render(line)}" for line in outline.summary)])
    omitted: list[str] = []
    for section in outline.sections:
        block = _section(section, whole)
        if len(text) + len(block) > MAX_CHARACTERS:
            omitted.append(section.title)
        else:
            text += f"\n\n{block}"
    if omitted:
        text += f"\n\nOmitted because of the size limit of comments: {', '.join(omitted)}; see {whole}."
    return text + "\n"


def _section(section: Section, whole: str) -> str:
    body = "\n".join([*(f"- {_render(line)}" for line in section.lines), *_table(section, whole)])
    if section.first:
        return f"#### {_escape(section.title)}\n\n{body}"
    return f"<details>\n<summary>{_escape_in_tag(section.title)}</summary>\n\n{body}\n\n</details>"


def _table(section: Section, whole: str) -> list[str]:
    table = section.table
    if table is None:
        return []
    names = [_escape(column.name) for column in table.columns]
    rule = ["--:" if column.numbers else ":--" for column in table.columns]
    rows = ["".join(f"| {_render(cell)} " for cell in row) + "|" for row in section.rows]
    more = ["", f"... and {section.more:,} more of {len(table.rows):,}; see {whole}."] if section.more else []
    return ["| " + " | ".join(names) + " |", "|" + "|".join(rule) + "|", *rows, *more]


def _render(line: Line) -> str:
    return "".join(map(_render_span, line))


def _render_span(span: Span) -> str:
    match span.style:
        case "code" if not CODE_SPECIAL.search(span.text) and span.text.strip():
            return f"`{span.text}`"
        case "code":
            return f"<code>{_escape_in_tag(span.text)}</code>"
        case "old":
            return f"<del>{_escape_in_tag(span.text)}</del>"
        case "new":
            return f"<ins>{_escape_in_tag(span.text)}</ins>"
        case "strong":
            inner = span.text.strip()
            before, after = span.text.split(inner, 1) if inner else (span.text, "")
            return f"{before}**{_escape(inner)}**{after}" if inner else before
    return _escape(span.text)


def _escape(text: str) -> str:
    """Text without markup, links or mentions."""
    text = SPECIAL.sub(lambda match: f"\\{match[1]}", _unlinked(text).replace("&", "&amp;"))
    return text.replace("->", ARROW).replace(STOP, STOP_ENTITY)


def _escape_in_tag(text: str) -> str:
    """The same within an HTML element, where GitHub reads Markdown too."""
    text = html.escape(_unlinked(text), quote=False)
    return IN_TAG.sub(lambda match: f"&#{ord(match[0])};", text).replace(STOP, STOP_ENTITY)


def _unlinked(text: str) -> str:
    return LINKED.sub(lambda match: f"{match[0]}{STOP}", text)
