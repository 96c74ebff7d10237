"""`fitcard rank`: models or devices, best first, with the greatest strength and weakness of each."""

from __future__ import annotations

from typing import Any

import click

from fitcard.answer.question import in_language
from fitcard.answer.ranking import rank, read_ranking
from fitcard.cli.main import SuggestingGroup
from fitcard.cli.options import language_option, load_for_command, parse_settings, question_options, set_option
from fitcard.cli.output import MISUSE, exit_with_problems, print_json
from fitcard.problems import ProblemsError
from fitcard.rulebook.rankings import HOLDS, LIMIT, Filter


class RankingCommand(click.Command):
    """The command of one ranking, with options for the axes other than the ranked one, the inputs and the filters."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The rulebook's options and those of the ranking, then the command's own."""
        rulebook = load_for_command(ctx).rulebook
        ranking = rulebook.rankings[str(self.name)]
        axes = [axis for axis in rulebook.question_fields.axes if axis != ranking.over]
        filters = [_filter_option(condition) for condition in ranking.filters.values()]
        limit = click.Option(
            [f"--{LIMIT}"], default=None, help=f"Maximum number of rows. [default: {ranking.default_limit}]"
        )
        best = ranking.best.axis if ranking.best else ""
        return [*question_options(rulebook, axes, best=best), *filters, limit, *super().get_params(ctx)]


class RankingGroup(SuggestingGroup):
    """A command for each ranking of the rulebook."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the rankings, in file order."""
        return list(load_for_command(ctx).rulebook.rankings)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a ranking; None for an unknown name."""
        ranking = load_for_command(ctx).rulebook.rankings.get(cmd_name)
        if ranking is None:
            return None
        command = RankingCommand(cmd_name, callback=_rank, help=ranking.about)
        for option in (click.option("--json", "as_json", is_flag=True, help="Print JSON."), language_option):
            command = option(command)
        return set_option(command)


@click.command("rank", cls=RankingGroup)
def command() -> None:
    """Rank models for a device, devices for a model, or the cheapest ways to run a model."""


@click.pass_context
def _rank(ctx: click.Context, /, settings: tuple[str, ...], as_json: bool, lang: str | None, **parameters: Any) -> None:
    engine, overrides = load_for_command(ctx), parse_settings(settings)
    try:
        engine = in_language(engine, lang)
        ranked = rank(engine, read_ranking(engine.rulebook, str(ctx.command.name), parameters, overrides))
    except ProblemsError as error:
        exit_with_problems(error.problems, MISUSE, engine.rulebook.messages)
    if as_json:
        print_json(ranked)
        return
    from fitcard.cli.drawing import draw_ranking  # noqa: PLC0415 - not needed for JSON

    draw_ranking(ranked)


def _filter_option(condition: Filter) -> click.Option:
    names = [f"--{condition.name.replace('_', '-')}", condition.name]
    if condition.operator != HOLDS:
        return click.Option(names, default=None, help=condition.about)
    return click.Option(names, default=None, is_flag=False, flag_value="1", help=condition.about)
