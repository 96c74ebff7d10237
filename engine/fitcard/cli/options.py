"""Commands that ask a question: their options are what the rulebook can be asked."""

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
from fitcard.problems import ProblemsError
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook


def load_for_command(ctx: click.Context) -> Engine:
    """The engine of this call, loaded the first time it is needed.

    During completion it is not checked, and its problems are not printed.
    """
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
    """The rulebook of this call; during completion the part of it that options are made of."""
    return read_outline(folders_of(ctx)) if ctx.resilient_parsing else load_for_command(ctx).rulebook


def required_axes(rulebook: Rulebook | Outline) -> list[str]:
    """The axes that a question must name, in their order."""
    return [axis.name for axis in rulebook.question_fields.axes.values() if axis.required]


class QuestionOptionsCommand(click.Command):
    """A command with an option for each axis that has a default, for each input, and for the profile."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own arguments, the rulebook's options, then the command's own options."""
        own = super().get_params(ctx)
        arguments = [param for param in own if isinstance(param, click.Argument)]
        rulebook = outline_for_command(ctx)
        optional = [axis.name for axis in rulebook.question_fields.axes.values() if not axis.required]
        return [*arguments, *question_options(rulebook, optional), *(param for param in own if param not in arguments)]


class QuestionCommand(QuestionOptionsCommand):
    """Such a command with an argument for each axis that must be named."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """An argument for each axis that must be named, then the rest."""
        rulebook = outline_for_command(ctx)
        axes = [rulebook.question_fields.axes[name] for name in required_axes(rulebook)]
        arguments = [click.Argument([axis.name], shell_complete=complete_entries(axis.catalog)) for axis in axes]
        return [*arguments, *super().get_params(ctx)]


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` by name. Raises UsageError where there is no `=`, or a name stands twice."""
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
    rulebook: Rulebook | Outline, axes: Iterable[str], *, several: bool = False, best: str = ""
) -> list[click.Parameter]:
    """An option for each of these axes, for each input, and for the profile.

    With `several`, an option for an axis is repeatable; without it all entries are meant if the axis is swept. On the
    axis `best`, the best entry is taken where none is given.
    """
    fields, profiles = rulebook.question_fields, ", ".join(rulebook.rule_sets)
    told = {name: f"{fields.axes[name].about} [{_default(fields.axes[name], several, best)}]" for name in axes}
    told[PROFILE] = f"Rule profile: {profiles}. [default: {rulebook.default_profile}]"
    told |= {number.name: f"{number.about}{_unit_and_default(number)}" for number in fields.inputs.values()}
    spelled = {name: [f"--{name.replace('_', '-')}", name] for name in told}
    many = set(fields.axes) if several else set()
    completers = {name: complete_entries(axis.catalog) for name, axis in fields.axes.items()}
    completers[PROFILE] = complete_profiles
    return [
        click.Option(
            spelled[name],
            default=None,
            multiple=name in many,
            help=told[name],
            shell_complete=completers.get(name),
        )
        for name in told
    ]


def _default(axis: Axis, several: bool, best: str) -> str:
    if several and (axis.swept or axis.required):
        return "default: all"
    if axis.name == best:
        return "default: the best for each row"
    return "required" if axis.required else f"default: {axis.default or f'by {axis.default_by}'}"


def _unit_and_default(number: Input) -> str:
    default = "" if number.default is None else f"default: {number.default:g}"
    notes = [*([] if number.unit in DIMENSIONLESS else [number.unit]), *([default] if default else [])]
    return f" [{'; '.join(notes)}]" if notes else ""
