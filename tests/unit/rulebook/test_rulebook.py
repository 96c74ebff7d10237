"""A rulebook is immutable: answers, rankings and sweeps leave its whole object graph as it was loaded."""

from __future__ import annotations

import dataclasses

import pytest

import fitcard
from helpers.snapshot import snapshot
from helpers.workplace import Workplace

PAIR = ("qwen-3-14b", "m1-16gb")


def test_answers_rankings_and_sweeps_leave_the_rules_unchanged(copy: Workplace) -> None:
    rulebook = fitcard.load(*copy.folders.all)
    loaded = snapshot(rulebook)
    assert len(loaded) > 50_000

    answer = fitcard.ask(*PAIR, rulebook=rulebook, language="de", users=4, overrides={"host_mbu": 0.5})
    answer.explain()
    fitcard.ask(
        {"like": PAIR[0], "layers": 20}, {"like": PAIR[1], "memory": 64}, rulebook=rulebook, profile="reference"
    )
    questions = [{"model": PAIR[0], "device": PAIR[1], "workload": workload} for workload in ("chat", "coding")]
    fitcard.ask_many(questions, rulebook=rulebook)
    fitcard.rank("models", rulebook=rulebook, device=PAIR[1])
    columns, where = ["grade", "decode_tok_s"], "decode_tok_s > 1"
    table = fitcard.ask_all(rulebook=rulebook, model=PAIR[0], device=PAIR[1], columns=columns, where=where)
    assert len(table)
    assert snapshot(rulebook) == loaded


def test_a_refused_question_leaves_the_rules_unchanged(small: Workplace) -> None:
    rulebook = fitcard.load(*small.folders.all)
    loaded = snapshot(rulebook)
    with pytest.raises(fitcard.ProblemsError):
        fitcard.ask("llama-3.1-8b", "m1-61gb", rulebook=rulebook, users="many")
    assert snapshot(rulebook) == loaded


def test_no_field_of_a_rulebook_can_be_assigned(small: Workplace) -> None:
    rulebook = fitcard.load(*small.folders.all)
    for field in dataclasses.fields(rulebook):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(rulebook, field.name, None)


def test_a_snapshot_shows_a_change_anywhere_in_the_graph(small: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    rulebook = fitcard.load(*small.folders.all)
    loaded = snapshot(rulebook)
    monkeypatch.setitem(rulebook.catalogs["devices"].entries["m1-16gb"].data, "memory", 17)
    changed = snapshot(rulebook)
    (path,) = {path for path in loaded if loaded[path] != changed[path]}
    assert (path.endswith("['m1-16gb']['memory']"), changed[path]) == (True, "17")
