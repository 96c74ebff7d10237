"""What all commands do with problems: print them and leave with the code for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

import click

from fitcard.compiler.engine import Engine
from fitcard.lint.run import load_checked
from fitcard.problems import Problem, ProblemsError, Severity
from fitcard.reports import problem_text
from fitcard.source.folders import Folders

OK, FAILED, MISUSE = 0, 1, 2


def load_or_exit(folders: Folders) -> Engine:
    """The engine of these folders; where it has errors they are printed and the command ends with code 1."""
    try:
        return load_checked(folders)
    except ProblemsError as found:
        exit_with_problems(found.problems, FAILED)


def print_problems(problems: Iterable[Problem], *, to_stderr: bool = True) -> None:
    """Each problem with its caret, in red where it is an error."""
    for problem in problems:
        color = "red" if problem.severity is Severity.ERROR else "yellow"
        text = problem_text(problem)
        first, _, rest = text.partition("\n")
        click.echo(click.style(first, fg=color, bold=True) + (f"\n{rest}" if rest else ""), err=to_stderr)


def exit_with_problems(problems: Iterable[Problem], code: int) -> NoReturn:
    """Prints the problems and ends the command with `code`."""
    print_problems(problems)
    raise SystemExit(code)


def print_json(data: Any) -> None:
    """Data as JSON, indented for people, with non-ASCII characters as they are."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))
