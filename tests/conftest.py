"""What tests share: the project's own rulebook, a copy to change, and a small rulebook about another subject."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from fewer_entries import with_fewer_entries
from fitcard.answer.question import read_question
from fitcard.answer.render import answer_question
from fitcard.compiler.engine import Engine, compile_rulebook
from fitcard.problems import Problem
from fitcard.rulebook.loader import load, load_with_problems
from fitcard.source.folders import Folders, find_folders
from transcripts import lay_out_parcels

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine that runs the tests has set is not what they are about."""
    for name in ("GITHUB_ACTIONS", "FITCARD_RULES", "FITCARD_CATALOGS", "FITCARD_SCHEMAS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return compile_rulebook(load(find_folders()))


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


@pytest.fixture
def whole_copy(tmp_path: Path) -> Workplace:
    """A copy of the project's own rules and catalogs."""
    here = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(here, name), tmp_path / name)
    return Workplace(Folders(tmp_path / "rules", tmp_path / "catalogs", tmp_path / "schemas"))


@pytest.fixture
def copy(whole_copy: Workplace) -> Workplace:
    """A copy of the project's own rules, over those entries of the catalogs that they and their tests name."""
    return Workplace(with_fewer_entries(whole_copy.folders))


@pytest.fixture
def parcels(tmp_path: Path) -> Workplace:
    """A small rulebook about parcels and vans, of which the engine has never heard."""
    lay_out_parcels(tmp_path)
    return Workplace(Folders(tmp_path / "rules", tmp_path / "catalogs", tmp_path / "schemas"))


@pytest.fixture
def ask(engine: Engine) -> Callable[..., dict[str, object]]:
    """Asks the project's rulebook a question: `ask("yi-1.5-9b", "l4-24gb", quant="Q2_K")`."""

    def asked(model: str, device: str, *, explain: bool = False, **parameters: str) -> dict[str, object]:
        question = read_question(engine.rulebook, {"model": model, "device": device, **parameters})
        return answer_question(engine, question, explain=explain)

    return asked
