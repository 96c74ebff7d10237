"""Output shared by commands: problems, JSON, progress bars and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

import click

from fitcard.answer.problems import word_problems
from fitcard.compiler.engine import Engine
from fitcard.lint.run import load_checked
from fitcard.problems import Problem, ProblemsError, Severity
from fitcard.reports import format_problem, to_json, without_commands
from fitcard.rulebook.messages import Messages
from fitcard.source.folders import Folders
from fitcard.source.text import show

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

OK, FAILED, MISUSE = 0, 1, 2  # exit codes

Step = Callable[[str, int, int], None]  # what is computed, the number done, and the total


def echo(text: str = "", *, nl: bool = True, err: bool = False, **style: Any) -> None:
    """Prints text, in which files and questions cannot put escape sequences or workflow commands."""
    shown = without_commands(show(text))
    click.echo(click.style(shown, **style) if style else shown, nl=nl, err=err)


def new_console(**options: Any) -> Console:
    """A console like `echo`, in which texts have no markup."""
    from rich.console import Console as RichConsole  # noqa: PLC0415 - few commands draw

    class SafeConsole(RichConsole):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=show(segment.text))

    options = {"markup": False, "emoji": False, "highlight": False, **options}
    stream = _WithoutCommands(sys.stderr if options.get("stderr") else sys.stdout)
    return SafeConsole(file=cast("TextIO", stream), **options)


class _WithoutCommands:
    """A stream for `rich`, which may wrap text so that a line starts with a workflow command."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_commands(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
        first, _, rest = without_commands(format_problem(problem)).partition("\n")
        click.echo(click.style(first, fg=color, bold=True) + (f"\n{rest}" if rest else ""), err=to_stderr)


def exit_with_problems(problems: Iterable[Problem], code: int, messages: Messages | None = None) -> NoReturn:
    """Prints the problems, those of questions worded by `messages`, and exits with `code`."""
    print_problems(word_problems(problems, messages) if messages else problems)
    raise SystemExit(code)


def print_json(data: Any) -> None:
    """Prints data as indented JSON."""
    click.echo(to_json(data))


@contextmanager
def progress_bars() -> Iterator[Step]:
    """Draws a progress bar for each label on standard error, if that is a terminal."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,} of {task.total:,}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=new_console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, TaskID] = {}

        def step(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done)

        yield step
