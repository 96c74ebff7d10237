"""Imports of another subject: what a file of `kind: import` can say, tried on tickets of a weighbridge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conftest import Workplace
from fitcard.cli.main import main

HEAD = """\
kind: import
title: Tickets
about: Vans as a weighbridge prints them.
word: van
catalog: vans
reads: records
needs: [plate]
"""
TICKETS = """\
within: [van]
keys:
  plate: [Plate, plate]
  kilograms: weight.kg
  make: make
  seats: seats
values:
  doors: {count: seats, words: [door]}
  heavy: kilograms > 2000
fields:
  name: {text: "Van {plate}"}
  room: [kilograms / 500, {when: doors > 1, value: doors * 2}]
  speed: [{when: heavy, gives: 80}, {gives: 100, guess: true}]
  payload: {when: heavy, value: kilograms / 2}
"""
TICKET = {"van": {"plate": "AB 1"}, "Plate": "none", "weight": {"kg": 3000}, "seats": ["door", "middle", "door"]}


def run(place: Workplace, tmp_path: Path, record: Any, *words: str) -> Result:
    place.write("rules/tickets.yaml", HEAD + TICKETS)
    (tmp_path / "ticket.json").write_text(json.dumps(record))
    return CliRunner().invoke(main, [*place.options, "import", "van", str(tmp_path / "ticket.json"), *words])


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


@pytest.mark.parametrize(
    ("record", "entry"),
    [
        (TICKET, "name: Van none\n  room: 6\n  speed: 80\n  payload: 1500\n"),  # the first path of a key goes first
        (without(TICKET, "Plate"), "name: Van AB 1\n  room: 6\n  speed: 80\n  payload: 1500\n"),
        (without(TICKET, "weight"), "name: Van none\n  room: 4\n  speed: 100\n"),
    ],
)
def test_paths_lists_and_conditions_make_an_entry(
    parcels: Workplace, tmp_path: Path, record: dict[str, Any], entry: str
) -> None:
    ended = run(parcels, tmp_path, record, "--name=huge", "--dry-run")
    assert ended.stdout == f"huge:\n  {entry}"


def test_what_is_guessed_and_what_is_not_read_is_told(parcels: Workplace, tmp_path: Path) -> None:
    ended = run(parcels, tmp_path, without(TICKET, "weight", "seats"), "--name=huge", "--dry-run")
    assert "huge: guessed: speed\n" in ended.stderr
    assert "huge: not read: room\n" in ended.stderr
    assert "fields of a van that were not read are required, such as" in ended.stderr


def test_what_would_not_pass_the_check_is_not_written(parcels: Workplace, tmp_path: Path) -> None:
    before = parcels.path("catalogs/vans.yaml").read_text("utf-8")
    ended = run(parcels, tmp_path, TICKET, "--name=huge")
    assert ended.exit_code == 1
    assert "there is no row for `huge`" in ended.output
    assert parcels.path("catalogs/vans.yaml").read_text("utf-8") == before


def test_an_entry_without_a_name_asks_for_one(parcels: Workplace, tmp_path: Path) -> None:
    ended = run(parcels, tmp_path, TICKET)
    assert ended.exit_code == 2
    assert "requires an id: --name ID" in ended.output


def test_a_rulebook_without_imports_says_that_there_are_none(parcels: Workplace) -> None:
    ended = CliRunner().invoke(main, [*parcels.options, "import", "van", "ticket.json"])
    assert ended.exit_code == 2
    assert "cannot import `van`: there are no importers" in ended.output


def test_imports_change_no_answer(parcels: Workplace) -> None:
    before = parcels.load().rulebook.sha256
    parcels.write("rules/tickets.yaml", HEAD + TICKETS)
    assert parcels.load().rulebook.sha256 == before
    assert [one.title for one in parcels.load().rulebook.imports] == ["Tickets"]
