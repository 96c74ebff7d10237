"""`fitcard show`: one question answered, drawn as a page or printed as JSON.

Arguments and options are those of the rulebook: an axis that must be named is an argument, all others are options.
"""

from __future__ import annotations

from typing import Any

import click

from engine.answer.build import answer
from engine.answer.question import PROFILE, read_question
from engine.commands.output import MISUSE, leave, load_or_leave, print_json
from engine.problems import ProblemsFound
from engine.read.folders import find_folders
from engine.rulebook.rulebook import Rulebook


class QuestionCommand(click.Command):
    """A command whose parameters are what the rulebook can be asked."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The rulebook's axes and inputs, then the command's own options."""
        rulebook = load_once(ctx)
        axes = rulebook.subject.axes.values()
        arguments = [click.Argument([axis.name]) for axis in axes if axis.default is None]
        options = [
            click.Option([f"--{axis.name}"], default=None, help=f"{axis.about} [default: {axis.default}]")
            for axis in axes
            if axis.default is not None
        ]
        profiles = ", ".join(rulebook.rule_sets)
        about = f"The beliefs that answer: {profiles}. [default: {rulebook.default_profile}]"
        options.append(click.Option([f"--{PROFILE}"], default=None, help=about))
        inputs = rulebook.subject.inputs.values()
        options += [
            click.Option([f"--{asked.name}"], default=None, help=f"{asked.about} [{asked.unit}]") for asked in inputs
        ]
        return [*arguments, *options, *super().get_params(ctx)]


def load_once(ctx: click.Context) -> Rulebook:
    """The rulebook of this call, loaded the first time it is needed."""
    root = ctx.find_root()
    if not isinstance(root.obj, Rulebook):
        root.obj = load_or_leave(root.obj or find_folders())
    return root.obj


@click.command("show", cls=QuestionCommand)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option("--explain", is_flag=True, help="Show how each number came about.")
@click.option("--svg", type=click.Path(dir_okay=False, writable=True), help="Save the page as a picture too.")
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, explain: bool, svg: str | None, **parameters: Any) -> None:
    """Answer a question, drawn as a page."""
    rulebook = load_once(ctx)
    try:
        built = answer(rulebook, read_question(rulebook, parameters), explain=explain)
    except ProblemsFound as found:
        leave(found.problems, MISUSE)
    if as_json:
        print_json(built)
        return
    from engine.draw.terminal import draw_answer  # noqa: PLC0415 - drawing is not needed for JSON

    draw_answer(built, rulebook.messages, save_as=svg)
