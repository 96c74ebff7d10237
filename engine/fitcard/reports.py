"""Problems as text with a caret, as JSON, as GitHub annotations and as SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fitcard.language.definitions import DIMENSIONLESS
from fitcard.problems import Problem, Severity

MAX_WIDTH = 150  # characters of a line that are shown
CUT = "..."


def problem_text(problem: Problem) -> str:
    """Several lines for one problem; the first starts with `file:line:column:` where there is one."""
    place = f"{problem.position}: " if problem.position else ""
    lines = [f"{place}{problem.severity}: {problem.message} [{problem.code}]"]
    if problem.position and problem.source_line:
        number = str(problem.position.line)
        source, column = _around(problem.source_line, problem.position.column)
        lines.append(f"  {number} | {source}")
        lines.append(f"  {' ' * len(number)} | {' ' * (column - 1)}^")
    lines += [f"  {related.position}: {related.message}" for related in problem.related]
    if problem.hint:
        lines.append(f"  {problem.hint}")
    return "\n".join(lines)


def _around(line: str, column: int) -> tuple[str, int]:
    """The line, or what of a long one stands around the column; and the column in that."""
    start = max(0, min(column - 1 - MAX_WIDTH // 2, len(line) - MAX_WIDTH))
    before, after = (CUT if start else ""), (CUT if len(line) > start + MAX_WIDTH else "")
    return before + line[start : start + MAX_WIDTH] + after, column - start + len(before)


def summary_text(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`."""
    found = [problem.severity for problem in problems]
    counts = [(found.count(severity), severity) for severity in (Severity.ERROR, Severity.WARNING)]
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for count, severity in counts)


def trace_lines(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """How numbers came about, a line each: name, value, unit, what it is made of, and where that is written."""
    return [
        f"{step['name']} = {with_unit(step)}"
        + (f"  <- {origin(step)}" if origin(step) else "")
        + (f"  ({step['file']}:{step['line']})" if "file" in step else "")
        for step in steps
    ]


def origin(step: Mapping[str, Any]) -> str:
    """The expression of a formula and its unit, the input of a table and its value, the entry of a catalog figure; or
    nothing."""
    if "by" in step:
        return f"{step['by']} = {format_value(step['inputs'][step['by']])}"
    if "computed_in" in step:
        return f"{step['expr']} in {step['computed_in']}"
    return str(step.get("expr") or step.get("entry") or "")


def with_unit(step: Mapping[str, Any]) -> str:
    """The value of a step and what it is counted in; plain ratios, words and conditions are counted in nothing."""
    unit = step.get("unit", "") if step["value"] is not None else ""
    return format_value(step["value"]) + (f" {unit}" if unit not in ("", *DIMENSIONLESS) else "")


def format_value(value: Any) -> str:
    """A value as a person reads it in a trace."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


MAX_ANNOTATIONS = 10  # GitHub shows so many of each severity a step, and drops the rest without a word
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(problems: list[Problem]) -> str:
    """Each problem with source line and caret, and the count of them."""
    return "\n".join([*(problem_text(problem) for problem in problems), summary_text(problems)])


def as_json(problems: list[Problem]) -> str:
    """A list of objects."""
    return json.dumps([problem.as_dict() for problem in problems], indent=2, ensure_ascii=False)


def as_github(problems: list[Problem]) -> str:
    """Workflow commands that annotate a pull request: errors first, so many of each severity, and the count of all."""
    lines = []
    for severity in Severity:
        of_this = [problem for problem in problems if problem.severity is severity]
        lines += [_annotation(problem) for problem in of_this[:MAX_ANNOTATIONS]]
        if len(of_this) > MAX_ANNOTATIONS:
            lines.append(f"{len(of_this) - MAX_ANNOTATIONS} more {severity}s are not annotated")
    return "\n".join([*lines, summary_text(problems)])


def as_sarif(problems: list[Problem]) -> str:
    """One run of SARIF 2.1.0."""
    kinds = sorted({problem.kind for problem in problems}, key=lambda kind: kind.id)
    driver = {"name": "fitcard", "rules": [{"id": kind.id, "help": {"text": kind.page()}} for kind in kinds]}
    run = {"tool": {"driver": driver}, "results": [_result(problem) for problem in problems]}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


FORMATS: Mapping[str, Callable[[list[Problem]], str]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


def _whole_message(problem: Problem) -> str:
    related = [f"{related.message}: {related.position}" for related in problem.related]
    return ". ".join([problem.message, *related, *([problem.hint] if problem.hint else [])])


def _annotation(problem: Problem) -> str:
    place = {"title": problem.code}
    if problem.position:
        position = problem.position
        place |= {"file": position.file, "line": str(position.line), "col": str(position.column)}
    properties = ",".join(f"{key}={_escaped(value, ':', ',')}" for key, value in place.items())
    command = "notice" if problem.severity is Severity.NOTE else str(problem.severity)
    return f"::{command} {properties}::{_escaped(_whole_message(problem))}"


def _escaped(text: str, *more: str) -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _result(problem: Problem) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": problem.code,
        "level": str(problem.severity),
        "message": {"text": _whole_message(problem)},
    }
    if problem.position:
        position = problem.position
        region = {"startLine": position.line, "startColumn": position.column}
        location = {"artifactLocation": {"uri": position.file}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result
