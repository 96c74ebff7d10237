"""`fitcard watch`: on each save, shows errors, failing tests and changed figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from fitcard.cli.options import required_axes
from fitcard.cli.output import MISUSE, echo, exit_with_problems
from fitcard.lint.watch import Watcher, change_lines, first_lines
from fitcard.problems import ProblemsError
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.loader import load_with_problems
from fitcard.source.folders import FILE_PATTERNS, Folders, fingerprint

# In milliseconds: the pause after which a save has ended, the interval between looks, and the longest wait for an
# event, after which files are compared anyway.
DEBOUNCE, STEP, TIMEOUT = 60, 20, 500
MS_PER_S = 1000


@click.command("watch")
@click.option("--pin", "pins", multiple=True, metavar="QUESTION", help="Also show this question. Repeatable.")
@click.pass_context
def command(ctx: click.Context, /, pins: tuple[str, ...]) -> None:
    """Check, test and compare on each save, until Ctrl-C.

    QUESTION has the arguments of `fitcard show`, in quotes: "qwen-3-14b m1-16gb".
    """
    folders: Folders = ctx.obj
    watcher = Watcher(folders, tuple(_read_question(folders, pin) for pin in pins))
    try:
        first = before = watcher.check()
    except ProblemsError as error:
        exit_with_problems(error.problems, MISUSE)
    _print(first_lines(first))
    echo(f"watching {folders.description}; Ctrl-C to stop")
    for files in _saves(folders):
        started = time.perf_counter()
        try:
            now = watcher.check()
        except OSError as error:  # such as a folder that is moved while it is read
            echo(f"files cannot be read: {error}", fg="yellow", err=True)
            continue
        echo()
        echo(f"{time.strftime('%H:%M:%S')} {', '.join(files)}", bold=True)
        _print(change_lines(first, before, now))
        echo(f"{time.perf_counter() - started:.2f} s")
        if now.has_figures:
            before = now


def _read_question(folders: Folders, pin: str) -> dict[str, str]:
    """The question of a pin: an entry for each required axis, separated by spaces."""
    rulebook, _ = load_with_problems(folders, FileCache())
    axes = required_axes(rulebook) if rulebook else []
    words = pin.split()
    if rulebook is not None and len(words) != len(axes):
        raise click.UsageError(f"--pin takes {' '.join(axis.upper() for axis in axes)} in quotes, not `{pin}`")
    return dict(zip(axes, words, strict=False))


def _saves(folders: Folders) -> Iterator[list[str]]:
    """The names of the files of each save. Saves in quick succession count as one; missed events are noticed later."""
    try:
        from watchfiles import watch  # noqa: PLC0415 - only this command needs it, and it is an extra
    except ImportError:
        raise click.ClickException(
            "`fitcard watch` requires the package watchfiles: pip install 'fitcard[tune]'"
        ) from None
    seen = fingerprint(folders)
    while True:
        try:
            for changes in watch(
                *folders.all, debounce=DEBOUNCE, step=STEP, rust_timeout=TIMEOUT, yield_on_timeout=True
            ):
                current = fingerprint(folders)
                if current != seen:
                    seen = current
                    paths = [Path(path) for _, path in changes]
                    names = {path.name for path in paths if any(path.match(pattern) for pattern in FILE_PATTERNS)}
                    yield sorted(names) or ["files have changed"]
            return  # Ctrl-C
        except (OSError, RuntimeError) as error:  # a folder that is moved, or a name that is no text
            echo(f"files cannot be watched, trying again: {error}", fg="yellow", err=True)
            time.sleep(TIMEOUT / MS_PER_S)


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        echo(line)
