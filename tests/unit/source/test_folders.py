"""Which folders are read: those given, those of the project around the working directory, or the installed ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fitcard.source.folders import Folders, find_folders
from helpers.workplace import Workplace


def test_a_linked_rules_folder_belongs_to_the_project_that_has_the_link(
    small: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "catalogs").mkdir(parents=True)
    (project / "rules").symlink_to(small.folders.rules)
    monkeypatch.chdir(project)
    discovered = find_folders()
    assert discovered.catalogs == project / "catalogs"
    assert find_folders("rules").catalogs.resolve() == discovered.catalogs
    monkeypatch.setenv("FITCARD_RULES", str(project / "rules"))
    assert find_folders().catalogs == discovered.catalogs


def test_a_project_may_be_given_in_place_of_its_rules(small: Workplace) -> None:
    assert find_folders(small.folders.rules.parent) == small.folders


def test_without_a_working_directory_the_installed_rules_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    installed = find_folders()
    gone.rmdir()
    assert find_folders().rules.name == installed.rules.name
    assert isinstance(find_folders().description, str)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_rules_that_cannot_be_read_are_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir(mode=0)
    monkeypatch.chdir(tmp_path)
    assert isinstance(find_folders(), Folders)
