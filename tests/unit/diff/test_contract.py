"""Contract cases: a change that moves their figures states the reason, with the old and the new figures."""

from __future__ import annotations

import pytest

from helpers.repository import Repository, repository
from helpers.workplace import Workplace

CHANGES = "# yaml-language-server: $schema=../schemas/changes.schema.json\nkind: changes\ntitle: Changes\nchanges: []\n"
ENTRY = """\
changes:
  - case: Llama 70B needs an H100
    why: The storage is half as fast.
    figures:
      load_time: {old: 9.55, new: 19.10}
"""
WHY = "The storage is half as fast."


@pytest.fixture
def repo(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    small.edit(
        "rules/fit.test.yaml",
        "  - name: Llama 70B needs an H100\n",
        "  - name: Llama 70B needs an H100\n    contract: true\n",
    )
    small.write("rules/changes.yaml", CHANGES)
    return repository(small, monkeypatch)


def slower(repo: Repository) -> None:
    repo.place.edit("rules/fit.yaml", "value: 5,", "value: 2.5,")


def test_a_moved_contract_figure_without_a_reason_fails(repo: Repository) -> None:
    slower(repo)
    ended = repo.diff("HEAD", "--format", "github")
    assert ended.exit_code == 1
    first = ended.output.splitlines()[0]
    assert first.startswith("::error title=contract-changed,file=rules/fit.test.yaml,line=4,col=11::")
    assert "changed without a reason: load_time 9.55 -> 19.1" in first
    contract = repo.data()["contract"]
    assert contract["cases"] == 1
    assert contract["moved"][0]["figures"] == {"load_time": {"old": "9.55", "new": "19.10"}}


def test_a_moved_contract_figure_with_reason_and_both_figures_passes(repo: Repository) -> None:
    slower(repo)
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    assert repo.diff("HEAD").exit_code == 0
    assert repo.data()["contract"]["moved"][0]["why"] == WHY


def test_an_entry_of_an_earlier_change_does_not_count(repo: Repository) -> None:
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    repo.git("commit", "-qam", "an old entry")
    slower(repo)
    assert repo.diff("HEAD").exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("new: 19.10}", "new: 18.10}", "rules/changes.yaml:8:35: error: `load_time` is stated as 18.10, but is 19.10"),
        ("old: 9.55,", "old: 9,", "rules/changes.yaml:8:24: error: `load_time` is stated as 9, but is 9.55"),
        ("load_time: {", "price: {", "error: `load_time` moves as well: 9.55 -> 19.1"),
        (
            "needs an H100",
            "needs an H010",
            "warning: `Llama 70B needs an H010` is acknowledged as changed, but did not change",
        ),
    ],
)
def test_an_entry_that_differs_from_the_change_is_reported_at_its_position(
    repo: Repository, old: str, new: str, message: str
) -> None:
    slower(repo)
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    repo.place.edit("rules/changes.yaml", old, new)
    problems = repo.data()["problems"]
    lines = ["{file}:{line}:{column}: {severity}: {message}".format(**problem) for problem in problems]
    assert any(message in line for line in lines), lines
    assert repo.diff("HEAD").exit_code == 1


def test_why_writes_the_entries(repo: Repository) -> None:
    slower(repo)
    ended = repo.diff("HEAD", "--why", WHY)
    assert ended.exit_code == 0
    assert repo.place.path("rules/changes.yaml").read_text("utf-8") == CHANGES.replace("changes: []\n", ENTRY)
    repo.git("commit", "-qam", "slower")
    repo.place.edit("rules/fit.yaml", "value: 2.5,", "value: 2,")
    assert repo.diff("HEAD", "--why", "A disk instead of an SSD.").exit_code == 0
    assert (
        repo.place.path("rules/changes.yaml")
        .read_text("utf-8")
        .endswith("""\
      load_time: {old: 9.55, new: 19.10}
  - case: Llama 70B needs an H100
    why: A disk instead of an SSD.
    figures:
      load_time: {old: 19.10, new: 23.88}
""")
    )


def test_a_removed_contract_case_needs_a_reason(repo: Repository) -> None:
    repo.place.edit("rules/fit.test.yaml", "    contract: true\n", "")
    ended = repo.diff("HEAD", "--format", "github")
    assert ended.exit_code == 1
    assert "the contract case `Llama 70B needs an H100` was removed" in ended.output
    assert repo.diff("HEAD", "--why", "The H100 is no longer rented.").exit_code == 0
    assert "    withdrawn: true\n" in repo.place.path("rules/changes.yaml").read_text("utf-8")


def test_contract_figures_move_only_where_their_printed_digits_do(repo: Repository) -> None:
    repo.place.edit("rules/fit.yaml", "value: 5,", "value: 4.9999,")  # 9.5502 s is printed as 9.55
    assert repo.data()["contract"]["moved"] == []
    assert repo.data()["impact"][0]["moved"] > 0


def test_the_changes_file_is_not_part_of_the_rules_hash(repo: Repository) -> None:
    before = repo.place.load().rulebook.sha256
    repo.place.edit("rules/changes.yaml", "changes: []\n", ENTRY)
    assert repo.place.load().rulebook.sha256 == before
