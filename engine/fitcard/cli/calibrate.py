"""`fitcard calibrate`: fits constants to measured runs."""

from __future__ import annotations

import datetime
from functools import partial

import click

from fitcard.calibration.calibrate import Holdout, calibrate
from fitcard.calibration.parameters import parameters_of, spreads_of
from fitcard.calibration.report import calibration_data, draw_calibration
from fitcard.calibration.write import write_calibration
from fitcard.cli.options import find_profile, require_backtest
from fitcard.cli.output import (
    FAILED,
    OK,
    echo,
    exit_with_problems,
    load_or_exit,
    new_console,
    print_json,
    progress_bars,
)
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
    profile = profile or rulebook.default_profile
    _check_arguments(rulebook, names, profile, axis)
    try:
        with progress_bars() as step:
            calibration = calibrate(engine, profile, names, Holdout(axis, folds or 0, seed), partial(step, "held out"))
    except ImportError:
        raise click.ClickException(
            "`fitcard calibrate` requires the package scipy: pip install 'fitcard[tune]'"
        ) from None
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    if as_json:
        print_json(calibration_data(calibration))
        raise SystemExit(FAILED if calibration.problems else OK)
    draw_calibration(calibration, rulebook, new_console())
    echo(f"rules: {folders.description}")
    if calibration.problems:
        exit_with_problems(calibration.problems, FAILED)
    if yes or click.confirm("Write these values?"):
        today = datetime.date.today().isoformat()
        for file in write_calibration(calibration, require_backtest(rulebook), today, why):
            echo(f"written: {file}")
        echo("to see the effect on every answer: fitcard diff HEAD")


def _check_arguments(rulebook: Rulebook, names: tuple[str, ...], profile: str, axis: str) -> None:
    """Raises UsageError for an unknown profile, axis or parameter, and for rules without a backtest."""
    require_backtest(rulebook)
    rules = find_profile(rulebook, profile)
    if axis not in rulebook.question_fields.axes:
        raise click.UsageError(f"there is no axis `{axis}`; the axes are: {', '.join(rulebook.question_fields.axes)}")
    fitted = [*dict.fromkeys(parameter.definition.name for parameter in parameters_of(rules))]
    fitted += [spread.label for spread in spreads_of(rules)]
    for name in names:
        if name not in fitted:
            near = did_you_mean(closest(name, fitted)) or "`fitcard calibrate --json` lists all parameters"
            raise click.UsageError(f"`{name}` does not declare `calibrate`; {near}")
    if not fitted:
        raise click.UsageError("no constant and no table declares `calibrate`")
