"""Counts: how many entries of a catalog say what a question says, by axes and by inputs."""

from __future__ import annotations

import numpy as np
import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.batch import QuestionGrid
from fitcard.compiler.evaluation import evaluate
from helpers.workplace import Workplace

COUNT = """counts:
  trips_alike:
    catalog: trips
    same: [van, question.distance]
    having: measured.time
    unit: "1"
    about: Trips of this van over this very distance.
"""
TRIPS = [("small", 100), ("small", None), ("small", 300), ("large", 100), ("large", 40.5), ("large", 40.5), (None, 100)]


@pytest.fixture
def trips(parcels: Workplace) -> Workplace:
    """Parcels with a count of trips, some of which say nothing of their distance, or of their van."""
    rules = parcels.path("rules/trip.yaml")
    rules.write_text(rules.read_text("utf-8") + COUNT, "utf-8")
    lines = ["kind: trips", "title: Measured trips", "entries:"]
    for at, (van, distance) in enumerate(TRIPS):
        said = "".join(f"{key}: {value}, " for key, value in (("van", van), ("distance", distance)) if value)
        lines.append(f"  trip-{at}: {{parcel: letter, {said}measured: {{time: 1}}, log: written}}")
    parcels.write("catalogs/trips.yaml", "\n".join(lines) + "\n")
    return parcels


def test_entries_count_that_say_the_same_and_one_that_says_nothing_of_an_input_has_its_default(
    trips: Workplace,
) -> None:
    engine = trips.load()
    default = engine.rulebook.question_fields.inputs["distance"].default
    vans, distances = ("small", "large"), np.array([1.0, 40.5, 100.0, 300.0, 1000.0])
    for distance in (*distances, None):
        grid = QuestionGrid.of(engine.rulebook.question_fields, engine.columns, {"parcel": ("letter",), "van": vans})
        inputs = {} if distance is None else {"distance": distance}
        evaluation = evaluate(engine.default_rules, grid, ["trips_alike"], inputs)
        wanted = default if distance is None else distance
        for at, van in enumerate(vans):
            found = evaluation.value("trips_alike", (0, at))
            assert found == sum(one == van and (far or default) == wanted for one, far in TRIPS)


def test_a_list_of_matching_entries_holds_those_that_are_counted(trips: Workplace) -> None:
    matching = "{matching: trips, same: [van, question.distance], having: measured.time, item: {trip: id}}"
    trips.edit("rules/answer.yaml", "  time_h: time\n", f"  time_h: time\n  count: trips_alike\n  alike: {matching}\n")
    engine = trips.load()
    for van in ("small", "large"):
        for distance in ("40.5", "100", "77"):
            told = answer_question(
                engine, read_question(engine.rulebook, {"parcel": "letter", "van": van, "distance": distance})
            ).to_dict()
            named = [f"trip-{at}" for at, (one, far) in enumerate(TRIPS) if (one, far or 100) == (van, float(distance))]
            assert [one["trip"] for one in told["alike"]] == named
            assert told["count"] == len(named)


def test_an_input_that_is_not_there_is_told_with_the_closest(trips: Workplace) -> None:
    trips.edit("rules/trip.yaml", "question.distance]", "question.distanse]")
    problem = trips.problem()
    assert problem.message == "undefined name `question.distanse`"
    assert problem.closest == ("question.distance",)


def test_entries_that_cannot_say_an_input_are_told(trips: Workplace) -> None:
    trips.edit(
        "rules/rulebook.yaml",
        "inputs:\n",
        'inputs:\n  stops: {unit: "1", minimum: 0, maximum: 9, about: Stops on the way.}\n',
    )
    trips.edit("rules/trip.yaml", "question.distance]", "question.stops]")
    messages = [problem.message for problem in trips.problems()]
    assert "entries of `trips` have no number `stops`" in messages
