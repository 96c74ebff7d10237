"""Commands whose options come from the rulebook, and the arguments that several commands share."""

from __future__ import annotations

from collections.abc import Iterable

import click

from fitcard.cli.completion import (
    Outline,
    complete_entries,
    complete_languages,
    complete_profiles,
    folders_of,
    read_outline,
)
from fitcard.cli.output import FAILED, load_or_exit
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.language.definitions import DIMENSIONLESS
from fitcard.language.question_fields import PROFILE, Axis, Input
from fitcard.language.rule_set import RuleSet
from fitcard.problems import ProblemsError
from fitcard.rulebook.backtest import Backtest
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.suggest import closest, did_you_mean


def load_for_command(ctx: click.Context) -> Engine:
    """The engine of this call, loaded on first use; during completion without checks and messages."""
    root = ctx.find_root()
    if not isinstance(root.obj, Engine):
        root.obj = _load_quietly(ctx) if ctx.resilient_parsing else load_or_exit(folders_of(ctx))
    return root.obj


def _load_quietly(ctx: click.Context) -> Engine:
    try:
        return compile_rulebook(load(folders_of(ctx)))
    except ProblemsError:
        ctx.exit(FAILED)


def outline_for_command(ctx: click.Context) -> Rulebook | Outline:
    """The rulebook of this call; during completion only the part that options are built from."""
    return read_outline(folders_of(ctx)) if ctx.resilient_parsing else load_for_command(ctx).rulebook


def required_axes(rulebook: Rulebook | Outline) -> list[str]:
    """The axes without a default, in order."""
    return [axis.name for axis in rulebook.question_fields.axes.values() if axis.required]


def find_profile(rulebook: Rulebook, name: str) -> RuleSet:
    """The rules of a profile. Raises UsageError for an unknown name."""
    if name not in rulebook.rule_sets:
        near = did_you_mean(closest(name, rulebook.rule_sets)) or f"there are {', '.join(rulebook.rule_sets)}"
        raise click.UsageError(f"there is no profile `{name}`; {near}")
    return rulebook.rule_sets[name]


def require_backtest(rulebook: Rulebook) -> Backtest:
    """The backtest of the rulebook. Raises UsageError if it has none."""
    if rulebook.backtest is None:
        raise click.UsageError("the rules folder has no file of `kind: backtest`")
    return rulebook.backtest


class QuestionOptionsCommand(click.Command):
    """A command with an option for each axis with a default, each input, and the profile."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own arguments, the rulebook's options, then the command's own options."""
        own = super().get_params(ctx)
        arguments = [param for param in own if isinstance(param, click.Argument)]
        rulebook = outline_for_command(ctx)
        optional = [axis.name for axis in rulebook.question_fields.axes.values() if not axis.required]
        return [*arguments, *question_options(rulebook, optional), *(param for param in own if param not in arguments)]


class QuestionCommand(QuestionOptionsCommand):
    """A command with an argument for each required axis, and an option for each other field of a question."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The arguments, then the options."""
        rulebook = outline_for_command(ctx)
        axes = [rulebook.question_fields.axes[name] for name in required_axes(rulebook)]
        arguments = [click.Argument([axis.name], shell_complete=complete_entries(axis.catalog)) for axis in axes]
        return [*arguments, *super().get_params(ctx)]


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """The values of `NAME=VALUE` by name. Raises UsageError for another form or a repeated name."""
    pairs = [setting.partition("=") for setting in settings]
    if any(not (name and equals and value) for name, equals, value in pairs):
        raise click.UsageError("--set requires NAME=VALUE, such as headroom_share=0.1")
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise click.UsageError("--set has the same name twice")
    return {name: value.strip() for name, (_, _, value) in zip(names, pairs, strict=True)}


set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Override a constant, or a catalog figure as AXIS.FIELD. Repeatable.",
)
language_option = click.option(
    "--lang",
    metavar="LANGUAGE",
    shell_complete=complete_languages,
    help="Language of the answer, such as de. [default: that of the rulebook]",
)


def question_options(
    rulebook: Rulebook | Outline, axis_names: Iterable[str], *, several: bool = False, best: str = ""
) -> list[click.Parameter]:
    """An option for each of these axes, each input, and the profile.

    Required axes have required options. With `several`, the options of axes are repeatable, and axes to sweep default
    to all entries. The axis `best` defaults to the best entry for each row of a ranking.
    """
    fields = rulebook.question_fields
    axes = {name: fields.axes[name] for name in axis_names}
    required = {name for name, axis in axes.items() if axis.required and not several and name != best}
    help_texts = {
        name: axis.about if name in required else f"{axis.about} [{_default(axis, several, best)}]"
        for name, axis in axes.items()
    }
    help_texts[PROFILE] = f"Rule profile: {', '.join(rulebook.rule_sets)}. [default: {rulebook.default_profile}]"
    help_texts |= {number.name: f"{number.about}{_unit_and_default(number)}" for number in fields.inputs.values()}
    completers = {name: complete_entries(axis.catalog) for name, axis in fields.axes.items()}
    completers[PROFILE] = complete_profiles
    return [
        click.Option(
            [f"--{name.replace('_', '-')}", name],
            multiple=several and name in fields.axes,
            required=name in required,
            help=text,
            shell_complete=completers.get(name),
        )
        for name, text in help_texts.items()
    ]


def _default(axis: Axis, several: bool, best: str) -> str:
    if several and (axis.swept or axis.required):
        return "default: all"
    if axis.name == best:
        return "default: the best for each row"
    return f"default: {axis.default or f'by {axis.default_by}'}"


def _unit_and_default(number: Input) -> str:
    default = "" if number.default is None else f"default: {number.default:g}"
    notes = [*([] if number.unit in DIMENSIONLESS else [number.unit]), *([default] if default else [])]
    return f" [{'; '.join(notes)}]" if notes else ""
