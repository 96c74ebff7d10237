"""The engine knows nothing of models and devices: it runs a rulebook about parcels and vans just as well."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from conftest import Workplace

from engine.answer.build import answer
from engine.answer.question import read_question
from engine.commands.main import main
from engine.problems import ProblemsFound
from engine.rule_tests import rule_tests, run


def test_a_question_about_parcels_is_answered_from_its_rules(parcels: Workplace) -> None:
    rulebook = parcels.load()
    built = answer(rulebook, read_question(rulebook, {"parcel": "piano", "van": "large", "distance": "200"}))
    assert built == {
        "parcel": "Piano",
        "verdict": "Piano just goes into Large van; the trip takes 4 hours.",
        "time_h": 4,
        "vans": [{"van": "large", "fee_eur": 35}],
        "rules": {"sha256": rulebook.sha256},
    }


def test_its_rule_tests_run(parcels: Workplace) -> None:
    rulebook = parcels.load()
    outcomes = [run(rulebook, test) for test in rule_tests(rulebook)]
    assert [outcome.problems for outcome in outcomes] == [(), ()]


def test_its_problems_are_told_in_its_own_words(parcels: Workplace) -> None:
    rulebook = parcels.load()
    with pytest.raises(ProblemsFound) as found:
        read_question(rulebook, {"van": "smal", "distance": "far", "colour": "red"})
    assert {problem.field: problem.message for problem in found.value.problems} == {
        "parcel": "Which parcel?",
        "van": "No van is called smal; there are small.",
        "distance": "distance is no number: far",
        "colour": "colour cannot be asked; parcel, van, distance, profile can.",
    }


def test_the_command_line_offers_its_axes(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = parcels.options
    shown = CliRunner().invoke(main, [*folders, "show", "letter", "--json"])
    assert shown.exit_code == 0, shown.output
    assert "Letter leaves plenty of room in Small van." in shown.output
    helped = CliRunner().invoke(main, [*folders, "show", "--help"])
    assert "PARCEL" in helped.output
    assert "--distance" in helped.output
