"""Names are found when rules are read: what is unknown, circular or twice is told with its place and its cure."""

from __future__ import annotations

import pytest

from fitcard.compiler.engine import Engine
from fitcard.lint.run import run_checks
from fitcard.reports import format_problem
from helpers.workplace import Workplace


def test_an_unknown_name_points_at_itself_and_offers_the_closest(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "min(van.speed, town_speed)", "min(van.speed, town_sped)")
    assert format_problem(parcels.problem()) == (
        "rules/trip.yaml:20:46: error: undefined name `town_sped` [name-unknown]\n"
        "  20 |     expr: question.distance / min(van.speed, town_sped)\n"
        "     |                                              ^\n"
        "  did you mean `town_speed`?"
    )


def test_an_unknown_field_offers_the_fields_of_that_catalog(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "van.speed", "van.sped")
    problem = parcels.problem()
    assert (problem.code, problem.closest[0]) == ("name-unknown", "van.speed")


def test_an_unknown_input_of_the_question_is_found(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "question.distance", "question.distanse")
    assert parcels.problem().closest == ("question.distance",)


def test_a_circle_is_told_as_a_path(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "expr: parcel.volume /", "expr: time * parcel.volume /")
    parcels.edit("rules/trip.yaml", "expr: question.distance /", "expr: room_share * question.distance /")
    problem = parcels.problem()
    assert problem.code == "name-cycle"
    assert "room_share -> time -> room_share" in problem.message


def test_a_name_defined_in_two_files_has_both_places(parcels: Workplace) -> None:
    parcels.write(
        "rules/zones.yaml",
        "kind: rules\ntitle: Zones\nabout: Speeds by zone of a town.\nreference: {title: Signs}\nconstants:\n"
        "  town_speed: {value: 30, unit: km/h, about: Speed in a quiet zone.}\n",
    )
    problem = parcels.problem()
    assert (problem.code, str(problem.position)) == ("name-twice", "rules/zones.yaml:6:3")
    assert str(problem.related[0].position) == "rules/trip.yaml:7:3"


def test_a_name_that_already_means_something_is_refused(parcels: Workplace) -> None:
    for name in ("van", "question", "min"):
        text = parcels.path("rules/trip.yaml").read_text()
        parcels.edit(
            "rules/trip.yaml",
            "  town_speed: {",
            f"  {name}: {{value: 1, unit: h, about: A name that is taken.}}\n  town_speed: {{",
        )
        assert parcels.problem().code == "name-reserved"
        parcels.write("rules/trip.yaml", text)


def test_a_condition_says_so_in_its_unit(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "unit: condition", "unit: kg")
    assert parcels.problem().code == "unit-kind"


def test_all_problems_of_all_files_come_together(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "van.speed", "van.sped")
    parcels.edit("rules/trip.yaml", "room_share <= 1", "room_share <= 1 ^ 2")
    parcels.edit("rules/trip.yaml", "unit: EUR", "unti: EUR")
    parcels.edit("catalogs/vans.yaml", "room: 3", "room: -3")
    parcels.edit("catalogs/parcels.yaml", "weight: 300", "weight: heavy")
    codes = [problem.code for problem in parcels.problems()]
    assert codes == ["schema-type", "schema-range", "schema-unknown-key"]
    parcels.edit("rules/trip.yaml", "unti: EUR", "unit: EUR")
    codes = [problem.code for problem in parcels.problems()]
    assert codes == ["schema-type", "schema-range", "expression-refused", "name-unknown"]


def test_a_profile_replaces_by_name(parcels: Workplace) -> None:
    parcels.write(
        "rules/profiles/quiet.yaml",
        "kind: profile\ntitle: Quiet\nabout: Slower speeds for quiet towns.\nreference: {title: Signs}\nconstants:\n"
        "  town_speed: {value: 25, unit: km/h, about: Speed in a quiet town.}\n",
    )
    engine = parcels.load()
    speeds = {name: rules.definitions["town_speed"].value for name, rules in engine.rulebook.rule_sets.items()}  # type: ignore[attr-defined]
    assert speeds == {"plain": 50, "quiet": 25}


def test_a_profile_can_replace_only_what_is_there(parcels: Workplace) -> None:
    parcels.edit(
        "rules/profiles/plain.yaml",
        "stand.",
        "stand.\nreference: {title: Signs}\nconstants:\n  town_sped: {value: 25, unit: km/h, about: Speed in town.}",
    )
    problem = parcels.problem()
    assert (problem.code, problem.closest) == ("profile-unknown-name", ("town_speed",))


def test_an_axis_whose_default_is_not_in_its_catalog_is_found(parcels: Workplace) -> None:
    parcels.edit("rules/rulebook.yaml", "default: small", "default: smal")
    assert parcels.problem().closest == ("small",)


def test_a_default_profile_that_is_not_there_is_found(parcels: Workplace) -> None:
    parcels.edit("rules/rulebook.yaml", "default: plain", "default: plane")
    assert parcels.problem().closest == ("plain",)


def test_an_id_in_two_files_has_both_places(parcels: Workplace) -> None:
    parcels.write(
        "catalogs/more.yaml", "kind: vans\ntitle: More\nentries:\n  small: {name: Tiny, room: 1, speed: 45}\n"
    )
    problem = parcels.problem()
    assert problem.code == "catalog-duplicate-id"
    assert problem.related[0].position.file == "catalogs/more.yaml" or problem.position is not None


def test_sentences_and_layout_are_checked_too(parcels: Workplace) -> None:
    parcels.edit("catalogs/messages.yaml", "{time:whole}", "{tiem:whole}")
    assert parcels.problem().closest == ("time",)
    parcels.edit("catalogs/messages.yaml", "{tiem:whole}", "{time}")
    assert parcels.problem().code == "message-format"
    parcels.edit("catalogs/messages.yaml", "{time}", "{time:hole}")
    assert parcels.problem().closest == ("whole",)
    parcels.edit("catalogs/messages.yaml", "{time:hole}", "{time:whole}")
    parcels.edit("catalogs/messages.yaml", "      none:", "      nothing:")
    assert {problem.code for problem in parcels.problems()} == {"message-incomplete", "message-unused"}
    parcels.edit("catalogs/messages.yaml", "      nothing:", "      none:")
    parcels.edit("rules/answer.yaml", "time_h: time", "time_h: tmie")
    assert parcels.problem().code == "layout-unknown"
    parcels.edit("rules/answer.yaml", "time_h: tmie", "time_h: {message: verdct}")
    assert parcels.problem().closest == ("verdict",)
    parcels.edit("rules/answer.yaml", "{message: verdct}", "time")
    parcels.edit("rules/answer.yaml", "where: goes_in", "where: room_share")
    assert parcels.problem().code == "layout-kind"


def test_a_file_with_another_suffix_is_not_passed_over_in_silence(parcels: Workplace) -> None:
    parcels.path("rules/trip.yaml").rename(parcels.path("rules/trip.yml"))
    problem = parcels.problem()
    assert (problem.code, str(problem.position)) == ("file-suffix", "rules/trip.yml:1:1")


def test_two_entries_that_share_a_name_are_told_apart_by_nobody(copy: Workplace) -> None:
    copy.edit("catalogs/quants.yaml", "aliases: [FP16]", "aliases: [q8-0]")
    problem = copy.problem()
    assert (problem.code, problem.message) == ("catalog-ambiguous", "`q8-0` also refers to `Q8_0`")


def test_a_bad_slot_has_its_caret_under_it(parcels: Workplace) -> None:
    parcels.edit("catalogs/messages.yaml", "{time:whole}", "{tiem:whole}")
    problem = parcels.problem()
    assert problem.position is not None
    assert problem.source_line[problem.position.column - 1 :].startswith("tiem:whole}")


@pytest.mark.parametrize("kind", ["quants", "hosts", "runtimes"])
def test_a_catalog_that_is_gone_is_told_once(copy: Workplace, kind: str) -> None:
    copy.path(f"catalogs/{kind}.yaml").unlink()
    assert copy.problem().code == "axis-empty"


@pytest.mark.parametrize("kind", ["quants", "hosts", "runtimes"])
def test_what_is_wrong_in_a_catalog_is_told_and_not_that_its_entries_are_gone(copy: Workplace, kind: str) -> None:
    copy.edit(f"catalogs/{kind}.yaml", "    name: ", "    nmae: ")
    assert copy.problem().code == "schema-unknown-key"


def test_a_rule_that_nothing_is_made_of_is_a_warning(parcels: Workplace) -> None:
    parcels.edit("rules/answer.yaml", "  time_h: time\n", "")
    parcels.edit("catalogs/messages.yaml", "; the trip takes {time:whole} hours", "")
    parcels.path("rules/backtest.yaml").unlink(missing_ok=True)  # what is held against measured trips is of use
    problems = run_checks(parcels.folders)[1]
    assert [(problem.message, problem.severity) for problem in problems] == [
        ("`town_speed` is not used", "warning"),
        ("`time` is not used", "warning"),
    ]


def test_a_misspelt_word_of_a_table_is_told_with_the_words_it_gives(parcels: Workplace) -> None:
    parcels.edit("rules/trip.yaml", "gives: plenty", "gives: plentty")
    hints = {problem.code: problem.hint for problem in parcels.problems()}
    assert hints["message-unused"] == "it gives: plentty, enough, none"


@pytest.mark.parametrize(
    ("said", "first"), [("m1-61gb", "m1-16gb"), ("rtx-4009-24gb", "rtx-4090-24gb"), ("rtx 4090 42gb", "rtx-4090-24gb")]
)
def test_two_figures_the_other_way_round_are_one_slip(engine: Engine, said: str, first: str) -> None:
    assert engine.rulebook.catalog_of("device").nearest(said)[0] == first
