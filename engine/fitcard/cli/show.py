"""`fitcard show`: the answer to one question, as a page in the terminal or as JSON."""

from __future__ import annotations

from typing import Any

import click

from fitcard.answer.answer import answer_question
from fitcard.answer.question import in_language, read_question
from fitcard.cli.options import QuestionCommand, language_option, load_for_command, parse_settings, set_option
from fitcard.cli.output import MISUSE, exit_with_problems, print_json
from fitcard.problems import ProblemsError


@click.command("show", cls=QuestionCommand)
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--explain", is_flag=True, help="Show how each figure is computed.")
@language_option
@click.option("--svg", type=click.Path(dir_okay=False, writable=True), help="Also save the page as an SVG file.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    settings: tuple[str, ...],
    as_json: bool,
    explain: bool,
    lang: str | None,
    svg: str | None,
    **parameters: Any,
) -> None:
    """Estimate whether and how MODEL runs on DEVICE.

    Both are given by id, name or alias. `own` as MODEL or DEVICE, with --set, describes a custom entry.
    """
    if as_json and svg:
        raise click.UsageError("--json and --svg cannot be combined")
    engine, overrides = load_for_command(ctx), parse_settings(settings)
    try:
        engine = in_language(engine, lang)
        question = read_question(engine.rulebook, parameters, overrides)
        answer = answer_question(engine, question, explained=explain).data
    except ProblemsError as error:
        exit_with_problems(error.problems, MISUSE, engine.rulebook.messages)
    if as_json:
        print_json(answer)
        return
    from fitcard.cli.drawing import draw_answer  # noqa: PLC0415 - not needed for JSON

    try:
        draw_answer(answer, engine.rulebook.messages, save_as=svg)
    except OSError as error:
        raise click.FileError(svg or "", error.strerror) from None
