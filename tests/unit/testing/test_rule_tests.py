"""Tests in YAML: near enough or not, told at the line with what came out and how."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.testing.rule_tests import Outcome, rule_tests, run_test
from helpers.workplace import Workplace

HEAD = "kind: tests\ntitle: Parcels\ntests:\n"


def outcomes(work: Workplace, tests: str) -> list[Outcome]:
    work.write("rules/trip.test.yaml", HEAD + tests)
    engine = work.load()
    return [run_test(engine, test) for test in rule_tests(engine.rulebook)]


@pytest.mark.parametrize(
    ("given", "expect", "within", "passes"),
    [
        ("{parcel: piano, distance: 120}", "{time: 2.4}", "0", True),
        ("{parcel: piano, distance: 121}", "{time: 2.4}", "0.01", False),
        ("{parcel: piano, distance: 121}", "{time: 2.4}", "0.02", True),
        ("{parcel: piano, distance: 121}", "{time: 2.4}", "1 %", True),
        ("{parcel: piano, distance: 121}", "{time: 2.4}", "0.5 %", False),
        ("{parcel: piano, distance: 121}", "{time: 2.4}", "printed", True),
        ("{parcel: piano, distance: 121}", "{time: 2.40}", "printed", False),
        ("{parcel: piano, distance: 121}", "{time: 2.42}", "{time: printed}", True),
        ("{room_share: 0.4}", "{room: plenty}", "0", True),
        ("{room_share: 0.6}", "{room: plenty}", "0", False),
        ("{parcel.volume: 100, van: small}", "{room_share: 0.033}", "printed", True),
        ("{parcel.weight: 9, van: large, room_share: 1}", "{goes_in: true}", "0", True),
    ],
)
def test_a_figure_agrees_when_it_is_near_enough(
    parcels: Workplace, given: str, expect: str, within: str, passes: bool
) -> None:
    test = f"  - {{name: a parcel, given: {given}, expect: {expect}, within: {within}}}\n"
    assert [outcome.passed for outcome in outcomes(parcels, test)] == [passes]


def test_a_failure_tells_line_expected_got_and_how_it_came_about(parcels: Workplace) -> None:
    found = outcomes(
        parcels, "  - name: a day is enough\n    given: {parcel: letter, distance: 500}\n    expect: {time: 8}\n"
    )
    problem = found[0].problems[0]
    assert str(problem.position) == "rules/trip.test.yaml:6:20"
    assert problem.message == "`time` is 10, expected 8"
    steps = {step["name"]: step["value"] for step in found[0].trace}
    assert steps == {"question.distance": 500, "van.speed": 90, "town_speed": 50, "time": 10}


def test_a_known_difference_passes_until_it_agrees(parcels: Workplace) -> None:
    test = (
        "  - name: a trip\n    given: {{parcel: letter, distance: {}}}\n"
        "    differs: {{time: {{printed: 3.0, reason: the printed timetable is slower}}}}\n"
    )
    assert outcomes(parcels, test.format(100))[0].passed
    problem = outcomes(parcels, test.format(150))[0].problems[0]
    assert (problem.code, problem.hint) == ("test-agrees", "move it to `expect`")


@pytest.mark.parametrize(
    ("test", "code", "place"),
    [
        ("  - {name: a trip, given: {parcel: pianoo}, expect: {time: 2}}\n", "unknown-entry", "4:36"),
        ("  - {name: a trip, given: {parcel: piano}, expect: {tiem: 2}}\n", "name-unknown", "4:53"),
        ("  - {name: a trip, given: {parcel: piano, rom_share: 1}, expect: {time: 2}}\n", "name-unknown", "4:43"),
        ("  - {name: a trip, given: {room: 3}, expect: {room: none}}\n", "test-kind", "4:34"),
        ("  - {name: a trip, given: {goes_in: 1}, expect: {room: none}}\n", "test-kind", "4:37"),
        ("  - {name: a trip, given: {van: large}, expect: {room: none}}\n", "axis-missing", "4:12"),
        ("  - {name: a trip, given: {parcel: piano, distance: 0}, expect: {time: 2}}\n", "out-of-range", "4:53"),
    ],
)
def test_a_test_that_cannot_run_is_told_at_its_place(parcels: Workplace, test: str, code: str, place: str) -> None:
    problem = outcomes(parcels, test)[0].problems[0]
    assert (problem.code, str(problem.position)) == (code, f"rules/trip.test.yaml:{place}")


def test_the_command_counts_fails_and_selects(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = parcels.options
    parcels.edit("rules/trip.test.yaml", "fee: 20", "fee: 21")
    whole = CliRunner().invoke(main, [*folders, "test"])
    assert whole.exit_code == 1
    assert "1 passed, 1 failed" in whole.output
    assert "rules/trip.test.yaml:9:35: error: `fee` is 20, expected 21 [test-failed]" in whole.output
    assert "fee = 20 EUR  <- van.id = small  (rules/trip.yaml:31)" in whole.output
    assert CliRunner().invoke(main, [*folders, "test", "-k", "large"]).exit_code == 0
    assert CliRunner().invoke(main, [*folders, "test", "-k", "nothing"]).exit_code == 0
    assert CliRunner().invoke(main, [*folders, "test", "-k", "nothing", "--fail-on-empty"]).exit_code == 1


def test_build_servers_get_junit(parcels: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folders = parcels.options
    parcels.edit("rules/trip.test.yaml", "fee: 20", "fee: 21")
    assert CliRunner().invoke(main, [*folders, "test", "--junit", str(tmp_path / "out.xml")]).exit_code == 1
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "`fee` is 20, expected 21"
    assert "fee = 20 EUR" in (failure.text or "")
