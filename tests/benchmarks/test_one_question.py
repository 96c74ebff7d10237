"""How long one question takes in process. Run: `pytest tests/benchmarks --benchmark-only`.

Beside it stands the same question's JSON alone, as a measure of the machine: ratios are what to compare.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.rulebook.loader import load
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import find_folders

PARAMETERS = {"model": "llama-3.1-405b", "device": "h20-96gb"}


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load(find_folders())


@pytest.mark.benchmark(group="one question")
def test_question_and_answer(benchmark: Any, rulebook: Rulebook) -> None:
    built = benchmark(lambda: answer_question(rulebook, read_question(rulebook, PARAMETERS)).to_dict())
    assert built["grade"] == "F"


@pytest.mark.benchmark(group="one question")
def test_question_and_answer_explained(benchmark: Any, rulebook: Rulebook) -> None:
    built = benchmark(lambda: answer_question(rulebook, read_question(rulebook, PARAMETERS), explained=True).to_dict())
    assert built["trace"]


@pytest.mark.benchmark(group="one question")
def test_writing_the_answer_as_json(benchmark: Any, rulebook: Rulebook) -> None:
    built = answer_question(rulebook, read_question(rulebook, PARAMETERS)).to_dict()
    assert benchmark(json.dumps, built)


@pytest.mark.benchmark(group="loading")
def test_reading_and_checking_all_files(benchmark: Any) -> None:
    assert benchmark(lambda: load(find_folders())).rule_sets
