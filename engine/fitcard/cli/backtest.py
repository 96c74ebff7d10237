"""`fitcard backtest`: the errors of estimates against measured runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from fitcard.calibration.comparison import Comparison, compare
from fitcard.calibration.external_runs import with_external_runs
from fitcard.calibration.report import PLOT_SUFFIXES, backtest_data, draw_backtest, points_data, save_plot
from fitcard.cli.options import find_profile, require_backtest
from fitcard.cli.output import FAILED, OK, echo, exit_with_problems, load_or_exit, new_console, print_json
from fitcard.problems import ProblemsError
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders
from fitcard.suggest import closest, did_you_mean


@click.command("backtest")
@click.option(
    "--profile", "profile_list", default="", help="Comma-separated profiles to compare. [default: the default profile]"
)
@click.option("--by", "group", default="", help="Also group by an axis, or by a rule that gives words.")
@click.option(
    "--worst", type=click.IntRange(min=0), default=0, help="Also list this many runs with the largest errors."
)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Also save a plot (.svg, .png, .html).")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use the measured runs in this folder instead of the catalog.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    profile_list: str,
    group: str,
    worst: int,
    plot: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Compare estimates with measured runs."""
    folders: Folders = ctx.obj
    engine = load_or_exit(folders)
    rulebook = engine.rulebook
    profiles = [name for name in profile_list.split(",") if name] or [rulebook.default_profile]
    for name in profiles:
        rules = find_profile(rulebook, name)
        if group and group not in rules.question_fields.axes and rules.describe(group) is None:
            near = did_you_mean(closest(group, [*rules.question_fields.axes, *rules.definitions]))
            raise click.UsageError(f"there is no axis and no name `{group}`" + (f"; {near}" if near else ""))
    require_backtest(rulebook)
    if data is not None:
        external = with_external_runs(engine, data)
        engine = external.engine
        echo(f"runs: {external.used}, left out: {external.incomplete}", err=True)
        for name in external.unread:
            echo(f"not read: {name}", err=True)
    try:
        compared = {profile: compare(engine, profile) for profile in profiles}
        report = backtest_data(rulebook, compared, group, worst)
    except ProblemsError as error:
        exit_with_problems(error.problems, FAILED)
    if plot is not None:
        _plot(plot, rulebook, compared, group)
    if as_json:
        print_json(report)
    else:
        draw_backtest(report, new_console())
    raise SystemExit(OK)


def _plot(file: Path, rulebook: Rulebook, compared: Mapping[str, Sequence[Comparison]], group: str) -> None:
    """Saves a plot of each profile; with several profiles, their names are added to the file name."""
    if file.suffix not in PLOT_SUFFIXES:
        raise click.UsageError(f"`{file}` must end in {' or '.join(PLOT_SUFFIXES)}")
    for profile, comparisons in compared.items():
        name = file if len(compared) == 1 else file.with_stem(f"{file.stem}-{profile}")
        title = f"{rulebook.rule_sets[profile].title}: estimates against measured runs"
        try:
            save_plot(name, title, points_data(comparisons, group))
        except ImportError:
            raise click.ClickException("--plot requires the package matplotlib: pip install 'fitcard[tune]'") from None
        except OSError as error:
            raise click.FileError(str(name), error.strerror) from None
        echo(f"written: {name}", err=True)
