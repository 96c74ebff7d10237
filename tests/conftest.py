"""Fixtures: the engine of the project's rules, copies to edit, and the small rulebook."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine
from fitcard.lint.run import MAX_QUESTIONS, run_checks
from fitcard.source.folders import Folders, find_folders
from helpers.fewer_entries import with_fewer_entries
from helpers.project import project_rules
from helpers.shared_files import shared_files
from helpers.small_rulebook import lay_out
from helpers.workplace import Workplace


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on the environment variables of the machine."""
    for name in ("GITHUB_ACTIONS", "FITCARD_RULES", "FITCARD_CATALOGS", "FITCARD_SCHEMAS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def files_are_parsed_once() -> Iterator[None]:
    """Copies of the rules share the files that they do not change."""
    with shared_files():
        yield


@pytest.fixture(scope="session", autouse=True)
def checks_try_fewer_questions() -> Iterator[None]:
    """Checks in tests sample a quarter of the questions that `fitcard check` samples."""
    (number,) = (name for name, default in run_checks.__kwdefaults__.items() if default == MAX_QUESTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(run_checks.__kwdefaults__, number, MAX_QUESTIONS // 4)
        yield


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine of the project's own rules."""
    return project_rules().engine


@pytest.fixture
def whole_copy(tmp_path: Path) -> Workplace:
    """A copy of the project's own rules and catalogs; a load takes 0.3 s, a check 1 s."""
    here = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(here, name), tmp_path / name)
    return Workplace(Folders(tmp_path / "rules", tmp_path / "catalogs", tmp_path / "schemas"))


@pytest.fixture
def copy(whole_copy: Workplace) -> Workplace:
    """A copy of the project's rules with the catalog entries that they and their tests name; a check takes 0.4 s."""
    return Workplace(with_fewer_entries(whole_copy.folders))


@pytest.fixture
def small(tmp_path: Path) -> Workplace:
    """A copy of the small rulebook; a check takes 0.01 s."""
    lay_out(tmp_path)
    return Workplace(Folders(tmp_path / "rules", tmp_path / "catalogs", tmp_path / "schemas"))


@pytest.fixture
def ask(engine: Engine) -> Callable[..., dict[str, object]]:
    """Asks the project's rulebook a question: `ask("yi-1.5-9b", "l4-24gb", quant="Q2_K")`."""

    def asked(model: str, device: str, *, explain: bool = False, **parameters: str) -> dict[str, object]:
        question = read_question(engine.rulebook, {"model": model, "device": device, **parameters})
        return answer_question(engine, question, explained=explain).to_dict()

    return asked
