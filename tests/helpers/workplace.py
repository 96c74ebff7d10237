"""A copy of a rulebook's folders that a test may change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.problems import Problem
from fitcard.rulebook.loader import load, load_with_problems
from fitcard.source.folders import Folders

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Workplace:
    """A copy of a rulebook's folders that a test may change."""

    folders: Folders

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.path(file)
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), "utf-8")

    def write(self, file: str, text: str) -> None:
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def path(self, file: str) -> Path:
        folder, _, rest = file.partition("/")
        return Path(getattr(self.folders, folder)) / rest

    @property
    def options(self) -> list[str]:
        """The command line's own words for these folders."""
        names = ("rules", "catalogs", "schemas")
        return [word for name in names for word in (f"--{name}", str(getattr(self.folders, name)))]

    def load(self) -> Engine:
        return compile_rulebook(load(self.folders))

    def problems(self) -> list[Problem]:
        return sorted(load_with_problems(self.folders)[1], key=lambda problem: problem.sort_key)

    def problem(self) -> Problem:
        """The only problem there is."""
        problems = self.problems()
        assert len(problems) == 1, problems
        return problems[0]
