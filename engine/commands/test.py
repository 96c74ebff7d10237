"""`fitcard test`: the tests that stand beside the rules."""

from __future__ import annotations

import click

from engine.commands.output import GOOD, PROBLEMS_FOUND, load_or_leave, print_json
from engine.draw.problem_text import problem_text, trace_lines
from engine.rule_tests import Outcome, rule_tests, run


@click.command("test")
@click.option("-k", "containing", default="", help="Only tests whose name or file contains this.")
@click.option("--fail-on-empty", is_flag=True, help="Fail where no test is found.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.pass_context
def command(ctx: click.Context, containing: str, fail_on_empty: bool, as_json: bool) -> None:
    """Run the tests that stand beside the rules."""
    rulebook = load_or_leave(ctx.obj)
    outcomes = [run(rulebook, test) for test in rule_tests(rulebook, containing)]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if as_json:
        print_json([_as_dict(outcome) for outcome in outcomes])
    else:
        for outcome in failed:
            _print_failure(outcome)
        known = sum(len(outcome.test.data.get("differs", {})) for outcome in outcomes)
        click.echo(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
        click.echo(f"known differences: {known}")
    raise SystemExit(PROBLEMS_FOUND if failed or (fail_on_empty and not outcomes) else GOOD)


def _print_failure(outcome: Outcome) -> None:
    click.secho(f"FAILED {outcome.test.name}", fg="red", bold=True)
    for problem in outcome.problems:
        click.echo(problem_text(problem))
    for line in trace_lines(outcome.trace):
        click.echo(f"    {line}")


def _as_dict(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.test.name,
        "file": outcome.test.document.path,
        "line": outcome.test.document.position(outcome.test.path).line,
        "passed": outcome.passed,
        "problems": [problem.as_dict() for problem in outcome.problems],
    }
