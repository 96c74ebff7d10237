"""Problems for other programs: JSON, GitHub annotations, and SARIF 2.1.0 for code scanning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from fitcard.draw.problem_text import problem_text, summary_text
from fitcard.problems import Problem, Severity

MOST_ANNOTATIONS = 10  # GitHub shows so many of each severity a step, and drops the rest without a word
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
        lines += [_annotation(problem) for problem in of_this[:MOST_ANNOTATIONS]]
        if len(of_this) > MOST_ANNOTATIONS:
            lines.append(f"{len(of_this) - MOST_ANNOTATIONS} more {severity}s are not annotated")
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
