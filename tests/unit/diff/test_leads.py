"""Names that lead questions to another entry, and the order of entries, are what a comparison reports."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.repository import Repository, repository
from helpers.workplace import Workplace

DEVICES = "catalogs/devices.yaml"
RTX, H100 = "name: RTX 4090 24GB", "name: H100 80GB"


@pytest.fixture
def repo(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    return repository(small, monkeypatch)


def leads(data: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    return [(lead["typed"], lead["old"], lead["new"]) for lead in data["leads"]]


def test_a_new_entry_takes_names_from_another(repo: Repository) -> None:
    line = "  rtx-4090: {name: RTX 4090, memory: 12, bandwidth: 500}\n"
    path = repo.place.path(DEVICES)
    path.write_text(path.read_text("utf-8") + line, "utf-8")
    repo.place.edit("rules/fit.yaml", "h100-80gb: 30000", "h100-80gb: 30000, rtx-4090: 900")
    data = repo.data()
    found = leads(data)
    assert ("RTX 4090", "rtx-4090-24gb", "rtx-4090") in found
    assert ("4090", "rtx-4090-24gb", "rtx-4090") in found
    assert all(new != old for _, old, new in found)
    text = repo.diff("HEAD").output
    assert f"{len(found)} names that people type lead to another entry" in text
    assert "no answer moves" not in text
    assert "RTX 4090  rtx-4090-24gb  rtx-4090" in " ".join(text.split(" ")).replace("   ", "  ")


def test_a_name_that_moves_to_another_entry_is_behaviour(repo: Repository) -> None:
    repo.place.edit(DEVICES, RTX, "name: Ada 24GB")
    repo.place.edit(DEVICES, "rtx-4090-24gb:", "ada-24gb:")
    repo.place.edit(DEVICES, H100, "name: H100 80GB RTX 4090 24GB")
    for file in ("rules/fit.yaml", "rules/fit.test.yaml"):
        path = repo.place.path(file)
        path.write_text(path.read_text("utf-8").replace("rtx-4090-24gb", "ada-24gb"), "utf-8")
    data = repo.data()
    assert ("RTX 4090 24GB", "rtx-4090-24gb", "h100-80gb") in leads(data)
    changed = {change["name"]: change for change in data["changes"] if change["what"] == "entry"}
    assert changed["h100-80gb"]["effect"] == "answers"
    assert changed["h100-80gb"]["renames"] is True


def test_another_spelling_of_the_same_name_is_wording(repo: Repository) -> None:
    repo.place.edit(DEVICES, RTX, "name: RTX 4090 (24 GB)")
    data = repo.data()
    assert leads(data) == []
    assert data["counts"] == {"answers": 0, "checks": 0, "wording": 1}
    assert "no answer moves" in repo.diff("HEAD").output


def test_a_name_that_is_gone_leads_nowhere(repo: Repository) -> None:
    repo.place.edit(DEVICES, RTX, "name: Ada Lovelace")
    repo.place.edit(DEVICES, H100, "name: Hopper 80GB")
    assert ("RTX 4090 24GB", "rtx-4090-24gb", None) not in leads(repo.data())  # its id has all the words
    repo.git("commit", "-qam", "ids alone")
    repo.place.edit(DEVICES, "name: Hopper 80GB", "name: H100 80GB")
    found = leads(repo.data())
    assert ("Hopper 80GB", "h100-80gb", None) in found
    assert ("80GB", "h100-80gb", "h100-80gb") not in found


def test_the_order_of_entries_is_behaviour(repo: Repository) -> None:
    lines = repo.place.path(DEVICES).read_text("utf-8").splitlines(keepends=True)
    repo.place.write(DEVICES, "".join([*lines[:-2], lines[-1], lines[-2]]))
    data = repo.data()
    (change,) = data["changes"]
    assert (change["what"], change["effect"]) == ("file", "answers")
    assert [detail["field"] for detail in change["details"]] == ["order of devices"]
    assert change["line"] == len(lines) - 1


def test_the_order_of_fields_is_wording(repo: Repository) -> None:
    repo.place.edit(DEVICES, "memory: 24, bandwidth: 1008", "bandwidth: 1008, memory: 24")
    assert repo.data()["counts"] == {"answers": 0, "checks": 0, "wording": 1}
