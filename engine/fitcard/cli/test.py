"""`fitcard test`: runs the rule tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO
from xml.etree import ElementTree

import click

from fitcard.calibration.comparison import aim_problems
from fitcard.cli.output import FAILED, OK, echo, load_or_exit, print_json, print_problems
from fitcard.compiler.engine import Engine
from fitcard.problems import Problem, ProblemsError
from fitcard.reports import for_xml, format_problem, format_trace
from fitcard.testing.coverage import coverage
from fitcard.testing.rule_tests import Outcome, rule_tests, run_test
from fitcard.testing.update import expectation_updates, write_updates

PERCENT = 100


@click.command("test")
@click.option("-k", "containing", default="", help="Only run tests whose name or file contains TEXT.")
@click.option("--fail-on-empty", is_flag=True, help="Fail if no tests are found.")
@click.option("--coverage", "with_coverage", is_flag=True, help="Show what no test covers; fail below `test_coverage`.")
@click.option("--update", is_flag=True, help="Propose new values for failed expectations.")
@click.option("--yes", is_flag=True, help="With --update, write them without confirmation.")
@click.option("--junit", type=click.File("w", encoding="utf-8"), help="Also write the results as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    containing: str,
    fail_on_empty: bool,
    with_coverage: bool,
    update: bool,
    yes: bool,
    junit: TextIO | None,
    as_json: bool,
) -> None:
    """Run the rule tests (`*.test.yaml`) and check the accuracy targets of the back-test."""
    engine = load_or_exit(ctx.obj)
    outcomes = [run_test(engine, test) for test in rule_tests(engine.rulebook, containing)]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    missed = [] if containing else _missed_targets(engine)
    if as_json:
        print_json([_as_dict(outcome) for outcome in outcomes])
    else:
        for outcome in failed:
            _print_failure(outcome)
        known = sum(len(outcome.test.data.get("differs", {})) for outcome in outcomes)
        echo(f"known differences: {known}")
        echo(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed in {ctx.obj.description}")
        print_problems(missed, to_stderr=False)
    if update and failed:
        _update(failed, yes=yes)
    if junit is not None:
        junit.write(junit_xml(outcomes))
    below = with_coverage and not _covers(engine, outcomes, quiet=as_json)
    raise SystemExit(FAILED if failed or missed or below or (fail_on_empty and not outcomes) else OK)


def junit_xml(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as JUnit XML: a case per test, with problems and trace in its failure."""
    failed = sum(not outcome.passed for outcome in outcomes)
    suite = ElementTree.Element("testsuite", name="fitcard test", tests=str(len(outcomes)), failures=str(failed))
    for outcome in outcomes:
        at = outcome.test.document.position(outcome.test.path)
        case = ElementTree.SubElement(
            suite,
            "testcase",
            name=for_xml(outcome.test.name),
            classname=for_xml(at.file),
            file=for_xml(at.file),
            line=str(at.line),
        )
        if not outcome.passed:
            failure = ElementTree.SubElement(case, "failure", message=for_xml(outcome.problems[0].message))
            lines = [format_problem(problem) for problem in outcome.problems] + format_trace(outcome.trace)
            failure.text = for_xml("\n".join(lines))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _missed_targets(engine: Engine) -> list[Problem]:
    """The accuracy targets that the back-test misses, or the problems that stop it."""
    try:
        return list(aim_problems(engine))
    except ProblemsError as error:
        return list(error.problems)


def _update(failed: list[Outcome], *, yes: bool) -> None:
    """Prints each update of an expectation, and writes them with `yes` or after confirmation."""
    updates = list(expectation_updates(failed))
    for change in updates:
        inputs = f"  <- {change.inputs}" if change.inputs else ""
        echo(f"{change.position}: {change.name}: {change.old} -> {change.new}{inputs}")
    if updates and (yes or click.confirm(f"Write {len(updates)} new expectations?")):
        echo(f"written: {write_updates(updates)}")


def _covers(engine: Engine, outcomes: list[Outcome], *, quiet: bool) -> bool:
    """Whether the tests reach the coverage that the rulebook requires; prints the parts without a test."""
    covered = coverage(engine, (row for outcome in outcomes for row in outcome.rows))
    percent = covered.share * PERCENT
    if not quiet:
        print_problems(covered.warnings(), to_stderr=False)
        echo(f"covered: {len(covered.parts) - len(covered.missing)} of {len(covered.parts)}, {percent:.1f} %")
        echo(f"required: {engine.rulebook.test_coverage:g} %")
    return percent >= engine.rulebook.test_coverage


def _print_failure(outcome: Outcome) -> None:
    echo(f"FAILED {outcome.test.name}", fg="red", bold=True)
    for problem in outcome.problems:
        echo(format_problem(problem))
    for line in format_trace(outcome.trace):
        echo(f"    {line}")


def _as_dict(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.test.name,
        "file": outcome.test.document.path,
        "line": outcome.test.document.position(outcome.test.path).line,
        "passed": outcome.passed,
        "problems": [problem.as_dict() for problem in outcome.problems],
    }
