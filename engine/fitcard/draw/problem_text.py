"""A problem as text: position first, what is wrong, the source line with a caret, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fitcard.problems import Problem, Severity
from fitcard.rulebook.definitions import UNCOUNTED

WIDEST = 150  # characters of a line that are shown
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
    start = max(0, min(column - 1 - WIDEST // 2, len(line) - WIDEST))
    before, after = (CUT if start else ""), (CUT if len(line) > start + WIDEST else "")
    return before + line[start : start + WIDEST] + after, column - start + len(before)


def summary_text(problems: Iterable[Problem]) -> str:
    """`2 errors, 1 warning`."""
    found = [problem.severity for problem in problems]
    counts = [(found.count(severity), severity) for severity in (Severity.ERROR, Severity.WARNING)]
    return ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for count, severity in counts)


def trace_lines(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """How numbers came about, a line each: name, value, unit, what it is made of, and where that is written."""
    return [
        f"{step['name']} = {with_unit(step)}"
        + (f"  <- {made_of(step)}" if made_of(step) else "")
        + (f"  ({step['file']}:{step['line']})" if "file" in step else "")
        for step in steps
    ]


def made_of(step: Mapping[str, Any]) -> str:
    """The expression of a formula, the input of a table and its value, the entry of a catalog figure; or nothing."""
    if "by" in step:
        return f"{step['by']} = {shown_value(step['inputs'][step['by']])}"
    return str(step.get("expr") or step.get("entry") or "")


def with_unit(step: Mapping[str, Any]) -> str:
    """The value of a step and what it is counted in; plain ratios, words and conditions are counted in nothing."""
    unit = step.get("unit", "") if step["value"] is not None else ""
    return shown_value(step["value"]) + (f" {unit}" if unit not in ("", *UNCOUNTED) else "")


def shown_value(value: Any) -> str:
    """A value as a person reads it in a trace."""
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
