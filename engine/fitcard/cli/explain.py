"""`fitcard explain`: a rule with its dependencies, or the values that a figure of an answer is computed from."""

from __future__ import annotations

from typing import Any

import click

from fitcard.answer.catalog_api import rule_detail
from fitcard.answer.explain import explain
from fitcard.answer.question import read_question
from fitcard.cli.completion import complete_question
from fitcard.cli.options import QuestionOptionsCommand, load_for_command, parse_settings, required_axes, set_option
from fitcard.cli.output import MISUSE, exit_with_problems, print_json
from fitcard.language.question_fields import PROFILE
from fitcard.problems import ProblemsError


@click.command("explain", cls=QuestionOptionsCommand)
@click.argument("words", nargs=-1, required=True, metavar="NAME | QUESTION...", shell_complete=complete_question)
@set_option
@click.option("--of", "names", multiple=True, help="Rule to explain. Repeatable. [default: all]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    settings: tuple[str, ...],
    names: tuple[str, ...],
    as_json: bool,
    **parameters: Any,
) -> None:
    """Explain a rule, or how a figure is computed.

    With NAME: its formula, unit, reference, dependencies and dependents. With the arguments of `fitcard show`: the
    tree of values down to catalog figures and their sources.
    """
    from fitcard.cli.drawing import draw_rule, draw_tree  # noqa: PLC0415 - not needed for completion

    engine = load_for_command(ctx)
    rulebook = engine.rulebook
    axes = required_axes(rulebook)
    if len(words) not in (1, len(axes)):
        expected = " ".join(axis.upper() for axis in axes)
        raise click.UsageError(f"expected the name of a rule, or {expected}; got {len(words)} arguments")
    try:
        if len(words) == 1 and (len(axes) > 1 or words[0] in rulebook.rule_set.definitions):
            detail = rule_detail(rulebook, words[0], parameters.get(PROFILE) or "")
            print_json(detail) if as_json else draw_rule(detail)
            return
        parameters |= zip(axes, words, strict=True)
        steps = explain(engine, read_question(rulebook, parameters, parse_settings(settings)), names)
    except ProblemsError as error:
        exit_with_problems(error.problems, MISUSE, engine.rulebook.messages)
    print_json(steps) if as_json else draw_tree(steps, names)
