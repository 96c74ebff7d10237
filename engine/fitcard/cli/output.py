"""Output shared by commands: problems, JSON, progress bars and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from fitcard.answer.problems import word_problems
from fitcard.compiler.engine import Engine
from fitcard.lint.run import load_checked
from fitcard.problems import Problem, ProblemsError, Severity
from fitcard.reports import format_problem
from fitcard.rulebook.messages import Messages
from fitcard.source.folders import Folders

OK, FAILED, MISUSE = 0, 1, 2  # exit codes

Step = Callable[[str, int, int], None]  # what is computed, the number done, and the total


def load_or_exit(folders: Folders) -> Engine:
    """The engine of these folders. If they have errors, prints them and exits with FAILED."""
    try:
        return load_checked(folders)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)


def print_problems(problems: Iterable[Problem], *, to_stderr: bool = True) -> None:
    """Prints each problem with its source line, the first line in red (errors) or yellow."""
    for problem in problems:
        color = "red" if problem.severity is Severity.ERROR else "yellow"
        first, _, rest = format_problem(problem).partition("\n")
        click.echo(click.style(first, fg=color, bold=True) + (f"\n{rest}" if rest else ""), err=to_stderr)


def exit_with_problems(problems: Iterable[Problem], code: int, messages: Messages | None = None) -> NoReturn:
    """Prints the problems, those of questions worded by `messages`, and exits with `code`."""
    print_problems(word_problems(problems, messages) if messages else problems)
    raise SystemExit(code)


def print_json(data: Any) -> None:
    """Prints data as indented JSON, with non-ASCII characters unescaped."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def progress_bars() -> Iterator[Step]:
    """Draws a progress bar for each label on standard error, if that is a terminal."""
    from rich.console import Console  # noqa: PLC0415 - few commands draw
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, TaskID] = {}

        def step(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done)

        yield step
