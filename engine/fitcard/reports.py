"""Text formats of problems and traces, and problems as JSON, GitHub annotations and SARIF 2.1.0."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from fitcard.language.definitions import DIMENSIONLESS
from fitcard.problems import Problem, Severity
from fitcard.source.text import REPLACEMENT, UNSHOWN, show, show_line

OLD_COMMAND = "##["  # starts a workflow command anywhere in a line; `::` only at its start
WORKFLOW_COMMAND = re.compile(r"(?m)^((?:\x1b\[[0-9;]*m|[^\S\n])*):(?=:)|#(?=#\[)")
XML_INVALID = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LINE_END = re.compile(r"[\r\n]+")
MAX_WIDTH = 150  # characters shown of a source line
CUT = "..."
MAX_ANNOTATIONS = 10  # GitHub shows this many of each severity per step, and silently drops the rest
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def without_commands(text: str) -> str:
    """Output whose lines are no workflow commands of GitHub Actions, which reads them in the log of any program."""
    return WORKFLOW_COMMAND.sub(lambda match: f"{match[0]}\\", text)


def for_xml(text: str) -> str:
    """Text without the characters that XML cannot have; its writer escapes the others."""
    return XML_INVALID.sub(REPLACEMENT, show(text))


def to_json(data: Any) -> str:
    """Data as indented JSON, in which only characters that a log would not show are escaped."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    text = UNSHOWN.sub(lambda match: json.dumps(match[0])[1:-1], text)
    return text.replace(OLD_COMMAND, f"#\\u{ord('#'):04x}[")


def format_problem(problem: Problem) -> str:
    """A problem over several lines: position, message and code, then the source line with a caret, and the hint."""
    prefix = f"{show_line(str(problem.position))}: " if problem.position else ""
    lines = [f"{prefix}{problem.severity}: {show_line(problem.message)} [{problem.code}]"]
    if problem.position and problem.source_line:
        number = str(problem.position.line)
        source, column = _shorten(problem.source_line, problem.position.column)
        lines.append(f"  {number} | {LINE_END.sub(' ', source)}")
        lines.append(f"  {' ' * len(number)} | {' ' * (column - 1)}^")
    lines += [f"  {show_line(f'{related.position}: {related.message}')}" for related in problem.related]
    if problem.hint:
        lines.append(f"  {show_line(problem.hint)}")
    return show("\n".join(lines))


def _shorten(line: str, column: int) -> tuple[str, int]:
    """At most MAX_WIDTH characters of the line, around the column, and the column within them."""
    start = max(0, min(column - 1 - MAX_WIDTH // 2, len(line) - MAX_WIDTH))
    before, after = (CUT if start else ""), (CUT if len(line) > start + MAX_WIDTH else "")
    return before + line[start : start + MAX_WIDTH] + after, column - start + len(before)


def count_problems(problems: Iterable[Problem]) -> str:
    """The counts as text: `2 errors, 1 warning`."""
    severities = [problem.severity for problem in problems]
    counts = [(severities.count(severity), severity) for severity in (Severity.ERROR, Severity.WARNING)]
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for count, severity in counts)


def format_trace(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line per step of a trace: name, value with unit, derivation, file and line."""
    return [
        f"{step['name']} = {format_step_value(step)}"
        + (f"  <- {derivation}" if (derivation := format_derivation(step)) else "")
        + (f"  ({step['file']}:{step['line']})" if "file" in step else "")
        for step in steps
    ]


def format_derivation(step: Mapping[str, Any]) -> str:
    """The expression of a formula with its unit, the input of a table, or the entry of a catalog figure; or ""."""
    if "by" in step:
        return f"{step['by']} = {format_value(step['inputs'][step['by']])}"
    if "computed_in" in step:
        return f"{step['expr']} in {step['computed_in']}"
    return str(step.get("expr") or step.get("entry") or "")


def format_step_value(step: Mapping[str, Any]) -> str:
    """The value of a step with its unit; without one where it is absent or dimensionless."""
    unit = step.get("unit", "") if step["value"] is not None else ""
    return format_value(step["value"]) + (f" {unit}" if unit not in ("", *DIMENSIONLESS) else "")


def format_value(value: Any) -> str:
    """A value in a trace: numbers to six significant digits, `-` where it is absent."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def as_text(problems: list[Problem]) -> str:
    """Each problem with source line and caret, then the counts."""
    return "\n".join([*(format_problem(problem) for problem in problems), count_problems(problems)])


def as_json(problems: list[Problem]) -> str:
    """A JSON array of objects."""
    return to_json([problem.as_dict() for problem in problems])


def as_github(problems: list[Problem]) -> str:
    """Workflow commands that annotate a pull request: at most MAX_ANNOTATIONS of each severity, then the counts."""
    lines = []
    for severity in Severity:
        group = [problem for problem in problems if problem.severity is severity]
        lines += [_annotation(problem) for problem in group[:MAX_ANNOTATIONS]]
        if len(group) > MAX_ANNOTATIONS:
            lines.append(f"{len(group) - MAX_ANNOTATIONS} more {severity}s are not annotated")
    return "\n".join([*lines, count_problems(problems)])


def as_sarif(problems: list[Problem]) -> str:
    """A SARIF 2.1.0 log with one run."""
    kinds = sorted({problem.kind for problem in problems}, key=lambda kind: kind.id)
    driver = {"name": "fitcard", "rules": [{"id": kind.id, "help": {"text": kind.page()}} for kind in kinds]}
    run = {"tool": {"driver": driver}, "results": [_sarif_result(problem) for problem in problems]}
    return to_json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


FORMATS: Mapping[str, Callable[[list[Problem]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


def _full_message(problem: Problem) -> str:
    related = [f"{related.message}: {related.position}" for related in problem.related]
    return show(". ".join([problem.message, *related, *([problem.hint] if problem.hint else [])]))


def _annotation(problem: Problem) -> str:
    properties = {"title": problem.code}
    if problem.position:
        position = problem.position
        properties |= {"file": position.file, "line": str(position.line), "col": str(position.column)}
    listed = ",".join(f"{key}={_escape(value, ':', ',')}" for key, value in properties.items())
    command = "notice" if problem.severity is Severity.NOTE else str(problem.severity)
    return f"::{command} {listed}::{_escape(_full_message(problem))}"


def _escape(text: str, *delimiters: str) -> str:
    """Text in a workflow command."""
    text = show(text)
    for character in ("%", "\r", "\n", *delimiters):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _sarif_result(problem: Problem) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "level": str(problem.severity),
        "message": {"text": _full_message(problem).replace("](", "] (")},  # would be a link
    }
    if problem.position:
        position = problem.position
        region = {"startLine": position.line, "startColumn": position.column}
        location = {"artifactLocation": {"uri": quote(show(position.file), safe="/:")}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
