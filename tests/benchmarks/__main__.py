"""Benchmarks: `python tests/benchmarks`, or with names, as in `python tests/benchmarks load 'formulas-*' --quick`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.benches import BENCHMARKS
from benchmarks.harness import FULL, QUICK, Benchmark, NotComparable, Setup, measure
from benchmarks.report import draw_benchmark, draw_changes
from benchmarks.results import Results, changes
from fitcard.problems import ProblemsError
from fitcard.reports import format_problem
from fitcard.suggest import closest, did_you_mean

OK, FAILED = 0, 1
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
SAVED_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("benchmarks")
@click.argument("names", nargs=-1)
@click.option("--save", type=NEW_FILE, help="Save the run to this file, as JSON.")
@click.option("--compare", "saved", type=SAVED_FILE, help="Compare with a saved run; fails where a ratio got worse.")
@click.option("--quick", is_flag=True, help="Fewer rounds and less work.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(names: tuple[str, ...], save: Path | None, saved: Path | None, quick: bool, as_json: bool) -> None:
    """Time what matters, each beside a yardstick that is timed in turn with it.

    NAMES are those of benchmarks, such as `load` or `formulas-*`. [default: all] Ratios are what counts: they do not
    depend on the machine, and --compare goes by them.
    """
    sys.exit(run(select(BENCHMARKS, names), Setup(Setup.of_project().folders, quick), save, saved, as_json=as_json))


def run(
    benchmarks: Sequence[Benchmark],
    setup: Setup,
    save: Path | None = None,
    saved: Path | None = None,
    *,
    as_json: bool = False,
) -> int:
    """Runs the benchmarks and prints their results; the exit code. Raises ClickException where one cannot be run."""
    before = _read(saved) if saved else None
    results, console = Results(), Console(highlight=False)
    try:
        for benchmark in benchmarks:
            try:
                with benchmark.set_up(setup) as comparison:
                    results.add(benchmark, comparison, measure(comparison, QUICK if setup.quick else FULL))
            except NotComparable as reason:
                if not benchmark.optional:
                    raise
                click.echo(f"skipped: {benchmark.name}: {reason}", err=True)
                continue
            if not as_json:
                draw_benchmark(benchmark.name, results.as_dict()["benchmarks"][benchmark.name], console)
    except ProblemsError as error:
        raise click.ClickException("\n".join(map(format_problem, error.problems))) from None
    except NotComparable as error:
        raise click.ClickException(str(error)) from None
    data = results.as_dict()
    if save:
        save.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    changed = list(changes(before, data)) if before else []
    if as_json:
        click.echo(json.dumps(data, indent=2))
    draw_changes(changed, Console(highlight=False, stderr=as_json))
    return FAILED if any(change.worse for change in changed) else OK


def select(benchmarks: Sequence[Benchmark], names: Sequence[str]) -> list[Benchmark]:
    """The benchmarks of these names, all where there are none. Raises UsageError for an unknown name."""
    known = [benchmark.name for benchmark in benchmarks]
    for name in names:
        if not any(fnmatch(other, name) for other in known):
            hint = did_you_mean(closest(name, known)) or f"the benchmarks are {', '.join(known)}"
            raise click.UsageError(f"there is no benchmark `{name}`; {hint}")
    return [each for each in benchmarks if not names or any(fnmatch(each.name, name) for name in names)]


def _read(file: Path) -> Any:
    """A saved run. Raises UsageError where the file holds none."""
    try:
        data = json.loads(file.read_text("utf-8"))
        list(changes(data, data))
    except (ValueError, KeyError, TypeError):
        raise click.UsageError(f"{file} is not a saved run of the benchmarks") from None
    return data


if __name__ == "__main__":
    main()
