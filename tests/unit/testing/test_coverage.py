"""Coverage of rule tests: each formula, both sides of each condition, each row of each table."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.testing.coverage import Coverage, coverage
from fitcard.testing.rule_tests import rule_tests, run_test
from helpers.workplace import Workplace

HEAD = "kind: tests\ntitle: Fit\ntests:\n"
LARGE = "  - {name: Llama 70B, given: {model: llama-3.1-70b, device: h100-80gb}, expect: {fit: tight}}\n"


def covered(small: Workplace, tests: str, *, backtest: bool = False) -> Coverage:
    """What these tests cover, with the runs of the back-test or without."""
    if not backtest:
        small.path("rules/backtest.yaml").unlink()
    small.write("rules/fit.test.yaml", HEAD + tests)
    engine = small.load()
    return coverage(engine, (row for test in rule_tests(engine.rulebook) for row in run_test(engine, test).rows))


def missing(small: Workplace, tests: str, *, backtest: bool = False) -> list[str]:
    return [part.what for part in covered(small, tests, backtest=backtest).missing]


def test_missing_coverage_is_listed_in_the_order_of_lines(small: Workplace) -> None:
    assert missing(small, LARGE) == [
        "the formula `runs`",
        "the formula `load_time`",
        "row 1 of `fit`",
        "row 3 of `fit`",
        "the row `m1-16gb` of `price`",
        "the row `rtx-4090-24gb` of `price`",
        "the row `h100-80gb` of `price`",
    ]


def test_the_back_test_covers_the_rules_that_its_runs_use(small: Workplace) -> None:
    assert missing(small, LARGE, backtest=True) == [
        "row 1 of `fit`",
        "row 3 of `fit`",
        "the row `m1-16gb` of `price`",
        "the row `rtx-4090-24gb` of `price`",
        "the row `h100-80gb` of `price`",
    ]


def test_a_rule_that_a_test_sets_is_not_covered(small: Workplace) -> None:
    test = "  - {name: no room, given: {memory_share: 1}, expect: {fit: tight}}\n"
    assert "the formula `memory_share`" in missing(small, test)


def test_both_sides_of_a_condition_count(small: Workplace) -> None:
    small.edit(
        "rules/fit.yaml",
        "min(device.bandwidth, storage_bandwidth)",
        "(device.bandwidth if device.bandwidth < storage_bandwidth else storage_bandwidth)",
    )
    test = "  - {name: an M1, given: {model: llama-3.1-8b}, expect: {load_time: 1.2}}\n"
    problem = next(problem for problem in covered(small, test).warnings() if "being" in problem.message)
    assert problem.message == "no test covers `device.bandwidth < storage_bandwidth` being true"
    assert problem.position is not None
    assert problem.source_line[problem.position.column - 1 :].startswith("device.bandwidth < storage_bandwidth")


@pytest.mark.parametrize(("value", "row"), [(90, "row 1 of `mark`"), (70, "row 2 of `mark`"), (69, "row 3 of `mark`")])
def test_rows_of_bands_are_counted_in_the_order_of_the_file(small: Workplace, value: int, row: str) -> None:
    tables = """\
tables:
  mark:
    kind: bands
    input: load_time
    unit: word
    about: A mark for the load time.
    rows:
      - {at_least: 85, gives: S}
      - {at_least: 70, gives: A}
      - {otherwise: F}
  cost:
    kind: knots
    input: load_time
    unit: USD
    about: What the load time costs.
    rows: [[0, 0], [70, 7], [85, 9]]
    beyond: hold
"""
    small.edit("rules/fit.yaml", "tables:\n", tables)
    test = f"  - {{name: a mark, given: {{load_time: {value}}}, expect: {{cost: 7, mark: A}}}}\n"
    marks = {name for name in missing(small, test) if "mark" in name}
    assert marks == {"row 1 of `mark`", "row 2 of `mark`", "row 3 of `mark`"} - {row}


def test_the_command_fails_below_the_required_coverage(small: Workplace) -> None:
    command = [*small.options, "test", "--coverage"]
    ended = CliRunner().invoke(main, command)
    assert ended.exit_code == 0
    assert "covered: 7 of 11, 63.6 %" in ended.output
    assert "warning: no test covers row 1 of `fit` [test-coverage]" in ended.output
    small.edit("rules/rulebook.yaml", "profiles:", "test_coverage: 80\nprofiles:")
    assert CliRunner().invoke(main, command).exit_code == 1


def test_the_rule_tests_of_the_project_reach_the_required_coverage() -> None:
    assert CliRunner().invoke(main, ["test", "--coverage"]).exit_code == 0
