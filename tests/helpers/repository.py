"""A git repository with a copy of a rulebook, for comparisons of its revisions."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from fitcard.source.schemas import Schemas
from helpers.workplace import PROJECT, Workplace


@dataclass(frozen=True)
class Repository:
    """A git repository that holds a copy of a rulebook, with one commit."""

    place: Workplace

    @property
    def top(self) -> Path:
        return self.place.folders.rules.parent

    def git(self, *words: str) -> None:
        author = ["-c", "user.name=tuner", "-c", "user.email=tuner@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *author, *words], cwd=self.top, check=True, capture_output=True)

    def diff(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*self.place.options, "diff", *words], env={"COLUMNS": "150"})

    def data(self, *words: str) -> dict[str, Any]:
        """The comparison of the commit with the files as they are, which must be as its schema says."""
        ended = self.diff(*(words or ("HEAD",)), "--format", "json")
        found: dict[str, Any] = json.loads(ended.output)
        Schemas.load(PROJECT / "schemas").validator("diff").validate(found)
        return found


def repository(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The repository around the folders of `place`, in which the test runs from now on."""
    made = Repository(place)
    made.git("init", "-q", "-b", "main")
    made.git("add", ".")
    made.git("commit", "-qm", "rules")
    monkeypatch.chdir(made.top)
    return made
