"""`fitcard watch`: on each save, shows errors, failing tests and changed figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from fitcard.cli.output import MISUSE, exit_with_problems
from fitcard.lint.watch import Watcher, change_lines, first_lines
from fitcard.problems import ProblemsError
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.loader import load_with_problems
from fitcard.source.folders import FILE_PATTERNS, Folders, fingerprint

SETTLE, STEP, AT_LEAST = 60, 20, 500  # milliseconds: to wait for one save to end, to look, and to look in any case


@click.command("watch")
@click.option("--pin", "pins", multiple=True, metavar="QUESTION", help="Also show this question. Repeatable.")
@click.pass_context
def command(ctx: click.Context, /, pins: tuple[str, ...]) -> None:
    """Check, test and compare on each save, until Ctrl-C.

    QUESTION has the arguments of `fitcard show`, in quotes: "qwen-3-14b m1-16gb".
    """
    folders: Folders = ctx.obj
    watcher = Watcher(folders, tuple(_asked(folders, pin) for pin in pins))
    try:
        first = before = watcher.check()
    except ProblemsError as found:
        exit_with_problems(found.problems, MISUSE)
    _print(first_lines(first))
    click.echo(f"watching {folders.description}; Ctrl-C to stop")
    for files in _saves(folders):
        started = time.perf_counter()
        now = watcher.check()
        click.echo()
        click.secho(f"{time.strftime('%H:%M:%S')} {', '.join(files)}", bold=True)
        _print(change_lines(first, before, now))
        click.echo(f"{time.perf_counter() - started:.2f} s")
        if now.has_figures:
            before = now


def _asked(folders: Folders, pin: str) -> dict[str, str]:
    """The question that these words ask: one for each axis that must be named."""
    rulebook, _ = load_with_problems(folders, FileCache())
    axes = [axis.name for axis in rulebook.question_fields.axes.values() if axis.required] if rulebook else []
    words = pin.split()
    if rulebook is not None and len(words) != len(axes):
        raise click.UsageError(f"--pin takes {' '.join(axis.upper() for axis in axes)} in quotes, not `{pin}`")
    return dict(zip(axes, words, strict=False))


def _saves(folders: Folders) -> Iterator[list[str]]:
    """The files of each save, or of what came of several within a moment, whether or not the system told of them."""
    try:
        from watchfiles import watch  # noqa: PLC0415 - only this command needs it, and it is an extra
    except ImportError:
        raise click.ClickException(
            "`fitcard watch` requires the package watchfiles: pip install 'fitcard[tune]'"
        ) from None
    seen = fingerprint(folders)
    ticks = watch(*folders.all, debounce=SETTLE, step=STEP, rust_timeout=AT_LEAST, yield_on_timeout=True)
    for changes in ticks:
        found = fingerprint(folders)
        if found != seen:
            seen = found
            paths = {Path(path) for _, path in changes}
            yield sorted({path.name for path in paths if any(path.match(one) for one in FILE_PATTERNS)}) or [
                "files have changed"
            ]


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)
