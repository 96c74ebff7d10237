"""Coverage: each formula, both sides of each condition, each row of each table, and where the rest stands."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.testing.coverage import Coverage, coverage
from fitcard.testing.rule_tests import rule_tests, run_test
from helpers.workplace import Workplace

HEAD = "kind: tests\ntitle: Parcels\ntests:\n"
A_TRIP = "  - {name: a trip, given: {parcel: piano, van: large}, expect: {room: enough}}\n"


def covered(work: Workplace, tests: str, *, measured: bool = False) -> Coverage:
    """What these tests reach; where it is `measured`, what the runs of the back-test reach too."""
    if not measured:
        work.path("rules/backtest.yaml").unlink()
    work.write("rules/trip.test.yaml", HEAD + tests)
    engine = work.load()
    return coverage(engine, (row for test in rule_tests(engine.rulebook) for row in run_test(engine, test).rows))


def missing(work: Workplace, tests: str, *, measured: bool = False) -> list[str]:
    return [part.what for part in covered(work, tests, measured=measured).missing]


def test_what_no_test_reaches_is_listed_in_the_order_of_lines(parcels: Workplace) -> None:
    assert missing(parcels, A_TRIP) == [
        "the formula `goes_in`",
        "the formula `time`",
        "row 1 of `room`",
        "row 3 of `room`",
        "the row `small` of `fee`",
        "the row `large` of `fee`",
    ]


def test_what_a_measured_run_needs_is_reached(parcels: Workplace) -> None:
    assert missing(parcels, A_TRIP, measured=True) == [
        "row 1 of `room`",
        "row 3 of `room`",
        "the row `small` of `fee`",
        "the row `large` of `fee`",
    ]


def test_what_is_given_is_not_reached(parcels: Workplace) -> None:
    assert "the formula `room_share`" in missing(
        parcels, "  - {name: it fits, given: {room_share: 1}, expect: {room: enough}}\n"
    )


def test_both_sides_of_a_condition_count(parcels: Workplace) -> None:
    parcels.edit(
        "rules/trip.yaml",
        "question.distance / min(van.speed, town_speed)",
        "question.distance / (van.speed if van.speed < town_speed else town_speed)",
    )
    problems = covered(parcels, "  - {name: a trip, given: {van: large}, expect: {time: 2}}\n").warnings()
    side = next(problem for problem in problems if "being" in problem.message)
    assert side.message == "no test covers `van.speed < town_speed` being true"
    assert side.position is not None
    assert side.source_line[side.position.column - 1 :].startswith("van.speed < town_speed")


@pytest.mark.parametrize(("score", "row"), [(90, "row 1 of `mark`"), (70, "row 2 of `mark`"), (69, "row 3 of `mark`")])
def test_rows_are_counted_as_they_are_written(parcels: Workplace, score: int, row: str) -> None:
    table = """
  mark:
    kind: bands
    input: time
    unit: word
    about: A mark for the time of a trip.
    rows:
      - {at_least: 85, gives: S}
      - {at_least: 70, gives: A}
      - {otherwise: F}
  worth:
    kind: knots
    input: time
    unit: EUR
    about: What the time of a trip is worth.
    rows: [[0, 0], [70, 7], [85, 9]]
    beyond: hold
"""
    parcels.write("rules/trip.yaml", parcels.path("rules/trip.yaml").read_text("utf-8") + table)
    marks = {
        name
        for name in missing(parcels, f"  - {{name: a mark, given: {{time: {score}}}, expect: {{worth: 7, mark: A}}}}\n")
        if "mark" in name
    }
    assert marks == {"row 1 of `mark`", "row 2 of `mark`", "row 3 of `mark`"} - {row}


def test_the_command_fails_below_the_least(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [*parcels.options, "test", "--coverage"]
    ended = CliRunner().invoke(main, command)
    assert ended.exit_code == 0
    assert "covered: 5 of 8, 62.5 %" in ended.output
    assert "warning: no test covers row 1 of `room` [test-coverage]" in ended.output
    parcels.edit("rules/rulebook.yaml", "profiles:", "test_coverage: 80\nprofiles:")
    assert CliRunner().invoke(main, command).exit_code == 1


def test_the_tests_of_the_rules_reach_what_the_rulebook_asks() -> None:
    assert CliRunner().invoke(main, ["test", "--coverage"]).exit_code == 0
