"""Files that look as if they were read: other suffixes, names that cannot be shown, unreadable folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fitcard.problems import Severity
from fitcard.reports import FORMATS
from helpers.hostile_texts import CONTROLS, MULTILINE, assert_shown_safely
from helpers.workplace import Workplace

TEXT = "kind: rules\ntitle: More\nabout: More rules of devices.\nreference: {title: Nobody}\n"


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("more.yml", Severity.ERROR),
        ("more.YAML", Severity.ERROR),
        ("more.Yaml", Severity.ERROR),
        ("more.YML", Severity.ERROR),
        ("more.yaml~", Severity.WARNING),
        ("more.yaml.bak", Severity.WARNING),
        ("more.yaml.orig", Severity.WARNING),
        ("more.yaml ", Severity.WARNING),
        ("more.yml_", Severity.WARNING),
    ],
)
@pytest.mark.parametrize("folder", ["rules", "catalogs/deep"])
def test_a_file_with_another_suffix_is_a_problem(small: Workplace, folder: str, name: str, severity: Severity) -> None:
    small.write(f"{folder}/{name}", TEXT)
    problem = small.problem()
    assert (problem.code, problem.severity) == ("file-suffix", severity)
    assert problem.position is not None
    assert problem.position.file.endswith(f"/{name}".rstrip())


@pytest.mark.parametrize("name", ["readme.md", "notes.yamlish.md", ".hidden.yml", ".git/x.yml", "yaml", "data.json"])
def test_other_files_are_none_of_the_rules(small: Workplace, name: str) -> None:
    small.write(f"rules/{name}", TEXT)
    assert small.problems() == []


@pytest.mark.parametrize("text", [text for text in (*CONTROLS, *MULTILINE) if "\x00" not in text and "/" not in text])
def test_a_name_with_invisible_characters_is_a_problem(small: Workplace, text: str) -> None:
    name = os.fsdecode(f"{text}.yaml".encode("utf-8", "surrogateescape" if "\ud800" not in text else "surrogatepass"))
    small.write(f"rules/{name}", TEXT)
    problem = small.problem()
    assert problem.code == "file-name"
    assert_shown_safely(FORMATS["github"]([problem]).removeprefix("::").replace("##[", ""))
    assert len(FORMATS["text"]([problem]).split("\n")) == 3


def test_a_folder_that_cannot_be_read_is_a_problem(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    small.write("rules/closed/more.yaml", TEXT)
    scandir = os.scandir

    def refuse(path: str | Path = ".") -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    problem = next(problem for problem in small.problems() if problem.code == "file-unreadable")
    assert problem.message == "the folder cannot be read: Permission denied"
    assert problem.position is not None
    assert problem.position.file.endswith("rules/closed")


@pytest.mark.parametrize("place", ["rules/pipe.yaml", "schemas/pipe.schema.json"])
def test_a_pipe_is_not_read(small: Workplace, place: str) -> None:
    os.mkfifo(small.path(place))
    assert small.problem().message == "is not a regular file"


def test_a_folder_of_another_program_is_not_searched(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fitcard.source.folders.MAX_ENTRIES", 20)
    for number in range(30):
        small.write(f"rules/other/{number}.txt", "")
    assert (small.problem().code, small.problem().hint) == ("too-many", "check the path of the folder")


def test_too_many_files_are_not_read(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fitcard.rulebook.files.MAX_FILES", 20)
    for number in range(30):
        small.write(f"rules/{number:02}.yaml", "kind: tests\ntests: []\n")
    problem = small.problem()
    assert (problem.code, problem.message) == ("too-many", "more than 20 files")
