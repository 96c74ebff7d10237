"""`fitcard bench`: how long things take beside a yardstick, and whether that has become worse."""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from fitcard.cli.output import FAILED, OK, exit_with_problems, print_json
from fitcard.problems import ProblemsError
from fitcard.suggest import closest, did_you_mean
from suite.contest import Bench, NotComparable, Setting
from suite.every import all_benches
from suite.measure import QUICK, WHOLE, measured
from suite.saved import Results, as_data, moved
from suite.view import draw_bench, draw_moved

FILE = click.Path(dir_okay=False, path_type=Path)
THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("bench")
@click.argument("names", nargs=-1)
@click.option("--save", "save", type=FILE, help="Save the run to this file, as JSON.")
@click.option("--compare", "before", type=THERE, help="Compare with a saved run; fails where a ratio got worse.")
@click.option("--cases", "files", type=THERE, multiple=True, help="Also what this file of Python compares.")
@click.option("--quick", is_flag=True, help="Fewer rounds and less work.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    save: Path | None,
    before: Path | None,
    files: tuple[Path, ...],
    quick: bool,
    as_json: bool,
) -> None:
    """Time what matters, each beside a yardstick that is timed in turn with it.

    NAMES are those of benches, such as `load` or `formulas-*`; all of them where none is named. What counts are the
    ratios: they hold on any machine, and from them --compare decides.
    """
    known = _saved(before) if before else None
    setting, results, console = Setting(ctx.obj, quick), Results(), Console(highlight=False)
    try:
        for bench in _chosen(names, files):
            try:
                with bench.set_up(setting) as contest:
                    results.add(bench, contest, measured(contest, QUICK if quick else WHOLE))
            except NotComparable as found:
                if not bench.optional:
                    raise
                click.echo(f"left out: {bench.name}: {found}", err=True)
                continue
            if not as_json:
                draw_bench(bench.name, as_data(results)["benches"][bench.name], console)
    except ProblemsError as found:
        exit_with_problems(found.problems, FAILED)
    except NotComparable as found:
        raise click.ClickException(str(found)) from None
    data = as_data(results)
    if save:
        save.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    changes = list(moved(known, data)) if known else []
    if as_json:
        print_json(data)
    draw_moved(changes, Console(highlight=False, stderr=as_json))
    sys.exit(FAILED if any(change.worse for change in changes) else OK)


def _chosen(names: tuple[str, ...], files: tuple[Path, ...]) -> list[Bench]:
    """The benches of these names. Raises UsageError for a name that none has."""
    benches = list(all_benches(files))
    known = [bench.name for bench in benches]
    for name in names:
        if not any(fnmatch(one, name) for one in known):
            near = did_you_mean(closest(name, known)) or f"there are {', '.join(known)}"
            raise click.UsageError(f"there is no bench `{name}`; {near}")
    return [bench for bench in benches if not names or any(fnmatch(bench.name, name) for name in names)]


def _saved(file: Path) -> Any:
    """A saved run. Raises UsageError where the file holds none."""
    try:
        found = json.loads(file.read_text("utf-8"))
        list(moved(found, found))
    except (ValueError, KeyError, TypeError):
        raise click.UsageError(f"{file} is no saved run of `fitcard bench`") from None
    return found
