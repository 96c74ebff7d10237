"""`fitcard catalog`: statistics of the catalogs, and errors that the checks of catalogs find."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.answer.catalog_api import catalog_stats
from fitcard.catalog.catalog import Entry, decimal_year
from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.lint.catalog_checks import catalog_problems, check_catalogs
from fitcard.source.folders import find_folders
from fitcard.source.schemas import Schemas
from helpers.workplace import Workplace

NOT_FOUND_SOMEWHERE = ("modes", "workloads")  # what people want is nobody's measurement


def data_of(arguments: Sequence[str]) -> Any:
    ended = CliRunner().invoke(main, ["catalog", *arguments, "--json"])
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.output)


def entries_of(engine: Engine) -> list[tuple[str, Entry]]:
    return [(kind, entry) for kind, catalog in engine.rulebook.catalogs.items() for entry in catalog.entries.values()]


def test_no_row_of_the_catalogs_disagrees_without_a_reason() -> None:
    found = data_of(["verify"])
    assert found["problems"] == []
    for check in found["checks"]:
        assert check["entries"] > 0, f"{check['name']} compares nothing"


@pytest.mark.parametrize(
    ("file", "old", "new", "check"),
    [
        ("models/llama.yaml", "    params: 8.03\n", "    params: 80.3\n", "counted_as_named"),
        ("models/llama.yaml", "    hidden: 4096\n", "    hidden: 14336\n", "shape_gives_params"),
        ("models/llama.yaml", "    kv_heads: 8\n", "    kv_heads: 7\n", "heads_share_keys"),
        ("models/gpt-oss.yaml", "    full_layers: 12\n", "    full_layers: 21\n", "layers_of_each_kind"),
        ("models/gpt-oss.yaml", "    active_params: 3.6\n", "    active_params: 36\n", "active_of_all"),
        ("devices/nvidia-geforce.yaml", "bandwidth: 1008\n", "bandwidth: 10080\n", "memory_read_in_time"),
        ("devices/nvidia-geforce.yaml", "    memory: 24\n", "    memory: 2.4\n", "memory_read_in_time"),
        ("quants.yaml", "    bits_per_weight: 4.82\n", "    bits_per_weight: 3.82\n", "bits_as_named"),
        ("measurements/file-sizes.yaml", "{file_size: 42.52}", "{file_size: 24.52}", "file_as_its_bits"),
    ],
)  # fmt: skip
def test_an_error_in_a_row_is_found(whole_copy: Workplace, file: str, old: str, new: str, check: str) -> None:
    whole_copy.edit(f"catalogs/{file}", old, new)
    found = catalog_problems(whole_copy.load().rulebook)
    assert any(problem.message.startswith(f"`{check}`: ") for problem in found), found
    assert all(
        problem.position and problem.position.file.endswith(file) for problem in found if check in problem.message
    )


def test_a_device_that_is_entered_twice_is_found(whole_copy: Workplace) -> None:
    path = whole_copy.path("catalogs/devices/nvidia-geforce.yaml")
    row = path.read_text("utf-8").partition("  rtx-4090-24gb:\n")[2].partition("\n  rtx")[0]
    row = "\n".join(line for line in row.split("\n") if not line.strip().startswith(("name:", "aliases:")))
    path.write_text(f"{path.read_text('utf-8')}  ada-top-24gb:\n    name: Ada Top 24GB\n{row}\n", "utf-8")
    expected = [problem.message for problem in catalog_problems(whole_copy.load().rulebook)]
    assert expected == ["`same_device`: `ada-top-24gb` has the same figures as `rtx-4090-24gb`"]


def test_a_check_skips_entries_without_the_figure(small: Workplace) -> None:
    small.write(
        "rules/checks.yaml",
        "kind: checks\ntitle: Checks\nchecks:\n"
        "  allocation: {of: devices, about: Allocations are large., figure: max_allocation, at_least: 10}\n"
        "  of_runs: {of: runs, about: Allocations are large., figure: device.max_allocation, at_least: 10}\n",
    )
    done, problems = check_catalogs(small.load().rulebook)
    assert problems == []
    assert [(checked.check.name, checked.compared) for checked in done] == [("allocation", 1), ("of_runs", 2)]


@pytest.mark.parametrize(
    ("day", "years"), [("2026-01-01", 2026.0), ("2026-01", 2026.0), ("2024-07-02", 2024.5), ("2025-12-31", 2025.99726)]
)  # fmt: skip
def test_a_day_is_counted_in_years(day: str, years: float) -> None:
    assert decimal_year(day) == pytest.approx(years)


def test_every_row_fits_its_schema_without_so_much_as_a_warning(engine: Engine) -> None:
    schemas = Schemas.load(find_folders().schemas)
    documents = {entry.document.path: (kind, entry.document) for kind, entry in entries_of(engine)}
    assert len(documents) > 30
    for kind, document in documents.values():
        assert schemas.check(document, kind) == [], document.path


def test_every_row_has_a_source_and_a_date(engine: Engine) -> None:
    for kind, entry in entries_of(engine):
        if kind not in NOT_FOUND_SOMEWHERE:
            assert all(source.strip() for source in entry.data["source"]), entry.position
            assert date.fromisoformat(entry.data["checked_on"]), entry.position


def test_every_row_is_found_by_id_name_and_alias(engine: Engine) -> None:
    for kind, entry in entries_of(engine):
        for word in (entry.id, entry.name, *entry.data.get("aliases", ())):
            assert engine.rulebook.catalogs[kind].find(word) is entry, (kind, word)


def test_groups_count_each_entry_once_and_shares_are_shares(engine: Engine) -> None:
    catalogs = data_of(["stats"])["catalogs"]
    assert catalogs.keys() == {kind for kind, catalog in engine.rulebook.catalogs.items() if catalog.entries}
    for kind, catalog in catalogs.items():
        assert catalog["entries"] == len(engine.rulebook.catalogs[kind].entries)
        assert all(0 <= share <= 1 for share in catalog["known"].values())
    for kind, group in (("devices", "family"), ("models", "family"), ("quants", "family"), ("measurements", "tier")):
        assert sum(catalogs[kind]["groups"][group].values()) == catalogs[kind]["entries"]
    prices = sum(entry.value("price") is not None for entry in engine.rulebook.catalogs["devices"].entries.values())
    assert catalogs["devices"]["known"]["price"] == pytest.approx(prices / catalogs["devices"]["entries"])


def test_ages_are_shown_from_the_oldest_to_the_newest(engine: Engine) -> None:
    days = catalog_stats(engine.rulebook, date(2027, 1, 1))["catalogs"]["devices"]["days"]
    assert days.keys() == {"checked_on", "price_checked_on"}
    for expected in days.values():
        assert expected["oldest"]["day"] <= expected["median"]["day"] <= expected["newest"]["day"]
        for one in expected.values():
            assert one["days_ago"] == (date(2027, 1, 1) - date.fromisoformat(one["day"])).days


def test_the_numbers_are_drawn_for_people() -> None:
    ended = CliRunner().invoke(main, ["catalog", "stats"], env={"COLUMNS": "300"})
    assert ended.exit_code == 0
    assert "geforce " in ended.output
    assert "price_checked_on  oldest 20" in ended.output
