"""Hostile formulas: each is refused when it is parsed, with a position and a hint, and none is run."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from pathlib import Path

import pytest

from fitcard.language.expression import ExpressionError, Fault, parse
from fitcard.problems import Problem
from fitcard.rulebook.loader import load_with_problems
from helpers.hostile_formulas import FORMULAS
from helpers.workplace import Workplace

HEAD = "kind: rules\ntitle: Hostile\nabout: Formulas that must not load.\nformulas:\n"
EACH = 'hostile_{at}: {{unit: "1", about: Hostile., expr: {expr}}}\n'
SHORT = [formula for formula in FORMULAS if len(formula) < 1000]


def parsed(formula: str) -> tuple[tuple[str, ...], list[Fault]]:
    """The names in a formula, or its faults. Any other exception fails the test."""
    try:
        return parse(formula).names, []
    except ExpressionError as found:
        return (), found.faults


def in_yaml(text: str) -> str:
    """The text in double quotes, with escapes."""
    return '"' + "".join(json.dumps(one)[1:-1] if ord(one) < 1 << 16 else f"\\U{ord(one):08X}" for one in text) + '"'


def test_every_formula_is_refused_with_message_position_and_hint(
    small: Workplace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [EACH.format(at=at, expr=in_yaml(formula)) for at, formula in enumerate(SHORT)]
    small.write("rules/hostile.yaml", HEAD + "".join(f"  {line}" for line in lines))
    rulebook, problems = load_with_problems(small.folders)
    assert rulebook is None
    by_formula: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        assert problem.position
        assert problem.position.file == "rules/hostile.yaml"
        by_formula[problem.position.line - HEAD.count("\n") - 1].append(problem)
    assert [formula for at, formula in enumerate(SHORT) if not by_formula[at]] == []
    assert [
        problem for found in by_formula.values() for problem in found if not problem.message or not problem.hint
    ] == []
    assert not Path("canary").exists()


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: ascii(formula[:30]))
def test_parsing_neither_crashes_nor_warns(formula: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names, faults = parsed(formula)
    assert all(0 <= fault.offset <= len(formula) and fault.hint for fault in faults)
    assert faults or names or formula == "True + 1"  # names are unknown; a condition is no number


@pytest.mark.parametrize(
    ("formula", "offset"),
    [("4000000**4000000", 0), ("a + 9**9**9**9", 7), ("min(a, 1/0)", 7), ("a if b > 0 else 1e300*1e300", 16)],
)
def test_infinite_constants_are_refused_before_evaluation(formula: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as found:
        parse(formula)
    assert [(fault.kind.id, fault.offset) for fault in found.value.faults] == [("expression-number", offset)]
