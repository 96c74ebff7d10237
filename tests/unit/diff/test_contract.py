"""Contract cases: whose figures move says why in the same change, with the figures as they were and as they are."""

from __future__ import annotations

import pytest

from helpers.repository import Repository, repository
from helpers.workplace import Workplace

CHANGES = "# yaml-language-server: $schema=../schemas/changes.schema.json\nkind: changes\ntitle: Changes\nchanges: []\n"
ENTRY = """\
changes:
  - case: a piano needs a large van
    why: The speed limit in town was lowered.
    figures:
      time: {old: 2, new: 4}
"""
WHY = "The speed limit in town was lowered."


@pytest.fixture
def repo(parcels: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    parcels.edit(
        "rules/trip.test.yaml",
        "  - name: a piano needs a large van\n",
        "  - name: a piano needs a large van\n    contract: true\n",
    )
    parcels.write("rules/changes.yaml", CHANGES)
    return repository(parcels, monkeypatch)


def slower(repo: Repository) -> None:
    repo.place.edit("rules/trip.yaml", "value: 50,", "value: 25,")


def test_a_figure_that_moves_without_a_word_fails_the_change(repo: Repository) -> None:
    slower(repo)
    ended = repo.diff("HEAD", "--format", "github")
    assert ended.exit_code == 1
    first = ended.output.splitlines()[0]
    assert first.startswith("::error title=contract-changed,file=rules/trip.test.yaml,line=4,col=11::")
    assert "changed without a reason: time 2 -> 4" in first
    contract = repo.data()["contract"]
    assert contract["cases"] == 1
    assert contract["moved"][0]["figures"] == {"time": {"old": "2", "new": "4"}}


def test_with_its_reason_and_both_figures_it_passes(repo: Repository) -> None:
    slower(repo)
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    assert repo.diff("HEAD").exit_code == 0
    assert repo.data()["contract"]["moved"][0]["why"] == WHY


def test_an_entry_that_was_there_before_says_nothing_about_this_change(repo: Repository) -> None:
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    repo.git("commit", "-qam", "an old entry")
    slower(repo)
    assert repo.diff("HEAD").exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("new: 4}", "new: 3}", "rules/changes.yaml:8:27: error: `time` is stated as 3, but is 4"),
        ("old: 2,", "old: 1,", "rules/changes.yaml:8:19: error: `time` is stated as 1, but is 2"),
        ("time: {", "fee: {", "error: `time` moves as well: 2 -> 4"),
        (
            "a large van",
            "a large vna",
            "warning: `a piano needs a large vna` is acknowledged as changed, but did not change",
        ),
    ],
)
def test_an_entry_that_says_something_else_is_told_at_its_place(
    repo: Repository, old: str, new: str, told: str
) -> None:
    slower(repo)
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    repo.place.edit("rules/changes.yaml", old, new)
    problems = repo.data()["problems"]
    said = [f"{one['file']}:{one['line']}:{one['column']}: {one['severity']}: {one['message']}" for one in problems]
    assert any(told in line for line in said), said
    assert repo.diff("HEAD").exit_code == 1


def test_why_writes_the_entries(repo: Repository) -> None:
    slower(repo)
    ended = repo.diff("HEAD", "--why", WHY)
    assert ended.exit_code == 0
    assert repo.place.path("rules/changes.yaml").read_text("utf-8") == CHANGES.replace("changes: []\n", ENTRY)
    repo.git("commit", "-qam", "slower")
    repo.place.edit("rules/trip.yaml", "value: 25,", "value: 20,")
    assert repo.diff("HEAD", "--why", "Lowered once more, for the children.").exit_code == 0
    assert (
        repo.place.path("rules/changes.yaml")
        .read_text("utf-8")
        .endswith("""\
      time: {old: 2, new: 4}
  - case: a piano needs a large van
    why: Lowered once more, for the children.
    figures:
      time: {old: 4, new: 5}
""")
    )


def test_a_case_that_is_withdrawn_needs_a_reason_too(repo: Repository) -> None:
    repo.place.edit("rules/trip.test.yaml", "    contract: true\n", "")
    ended = repo.diff("HEAD", "--format", "github")
    assert ended.exit_code == 1
    assert "the contract case `a piano needs a large van` was removed" in ended.output
    assert repo.diff("HEAD", "--why", "Nobody carries pianos any more.").exit_code == 0
    assert "    withdrawn: true\n" in repo.place.path("rules/changes.yaml").read_text("utf-8")


def test_figures_move_where_they_are_printed_otherwise(repo: Repository) -> None:
    repo.place.edit("rules/trip.yaml", "value: 50,", "value: 49.9,")  # 2.004 hours are printed as 2
    assert repo.data()["contract"]["moved"] == []
    assert repo.data()["impact"][0]["moved"] > 0


def test_the_file_of_changes_is_not_among_what_can_change_an_answer(repo: Repository) -> None:
    before = repo.place.load().rulebook.sha256
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    assert repo.place.load().rulebook.sha256 == before
