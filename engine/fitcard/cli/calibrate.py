"""`fitcard calibrate`: fits constants to measured runs."""

from __future__ import annotations

import datetime

import click
from rich.console import Console
from rich.progress import Progress

from fitcard.calibration.calibrate import Calibration, Holdout, calibrate
from fitcard.calibration.parameters import parameters_of, spreads_of
from fitcard.calibration.report import calibration_data, draw_calibration
from fitcard.calibration.write import write_calibration
from fitcard.cli.output import FAILED, OK, exit_with_problems, load_or_exit, print_json
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.suggest import closest, did_you_mean


@click.command("calibrate")
@click.argument("names", nargs=-1)
@click.option("--profile", default="", help="Rule profile to fit. [default: the default profile]")
@click.option("--holdout", "axis", default="device", show_default=True, help="Axis by which runs are held out.")
@click.option("--folds", type=click.IntRange(min=2), help="Number of folds. [default: one per entry]")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed for the folds.")
@click.option("--why", default="", help="Reason for the new values, written beside them.")
@click.option("--yes", is_flag=True, help="Write without confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, and write nothing.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    profile: str,
    axis: str,
    folds: int | None,
    seed: int,
    why: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Fit the constants and tables NAMES, or all that declare `calibrate`, to measured runs.

    Shows the errors before, after, and of held-out runs. Writes nothing if a value ends at its bound, or if held-out
    runs are estimated worse than before.
    """
    folders: Folders = ctx.obj
    engine = load_or_exit(folders)
    rulebook = engine.rulebook
    profile = _chosen(rulebook, names, profile, axis)
    console = Console(highlight=False)
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("held out")
            found = calibrate(
                engine,
                profile,
                names,
                Holdout(axis, folds or 0, seed),
                lambda done, total: bar.update(task, completed=done, total=total),
            )
    except ImportError:
        raise click.ClickException(
            "`fitcard calibrate` requires the package scipy: pip install 'fitcard[tune]'"
        ) from None
    except ProblemsError as wrong:
        exit_with_problems(wrong.problems, FAILED)
    if as_json:
        print_json(calibration_data(found))
        raise SystemExit(FAILED if found.problems else OK)
    draw_calibration(found, rulebook, console)
    click.echo(f"rules: {folders.description}")
    if found.problems:
        exit_with_problems(found.problems, FAILED)
    _write(rulebook, found, why, yes=yes)


def _chosen(rulebook: Rulebook, names: tuple[str, ...], profile: str, axis: str) -> str:
    """The profile, once all that was named is there."""
    if rulebook.backtest is None:
        raise click.UsageError("the rules folder has no file of `kind: backtest`")
    profile = profile or rulebook.default_profile
    if profile not in rulebook.rule_sets:
        near = did_you_mean(closest(profile, rulebook.rule_sets)) or f"there are {', '.join(rulebook.rule_sets)}"
        raise click.UsageError(f"there is no profile `{profile}`; {near}")
    if axis not in rulebook.question_fields.axes:
        raise click.UsageError(f"there is no axis `{axis}`; the axes are: {', '.join(rulebook.question_fields.axes)}")
    rules = rulebook.rule_sets[profile]
    can = [*dict.fromkeys(one.definition.name for one in parameters_of(rules))]
    can += [one.label for one in spreads_of(rules)]
    for name in names:
        if name not in can:
            near = did_you_mean(closest(name, can)) or "`fitcard calibrate --json` lists all parameters"
            raise click.UsageError(f"`{name}` does not declare `calibrate`; {near}")
    if not can:
        raise click.UsageError("no constant and no table declares `calibrate`")
    return profile


def _write(rulebook: Rulebook, found: Calibration, why: str, *, yes: bool) -> None:
    assert rulebook.backtest is not None
    if not yes and not click.confirm("Write these values?"):
        raise SystemExit(OK)
    changed = write_calibration(found, rulebook.backtest, datetime.date.today().isoformat(), why)
    for file in changed:
        click.echo(f"written: {file}")
    click.echo("to see the effect on every answer: fitcard diff HEAD")
    raise SystemExit(OK)
