"""How many mistakes in the shipped rules are caught: each rule is broken in turn, in a copy, and checked and tested.

Run: `PYTHONPATH=tests python tests/benchmarks/mutation_score.py`; with a number, as in `... mutation_score.py 20`, only
each so many-th mistake is tried. Mistakes are a factor dropped, two names of different units swapped, a row of a table
removed, a constant renamed where it is defined, and a constant a third larger, in the rules and in each profile. What
changes no number of any profile, such as the two sides of a product, is no mistake. Questions are those over the
entries that rules and their tests name. Prints the score by kind, and each mistake that was not caught.
"""

from __future__ import annotations

import ast
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from fitcard.language.definitions import Constant, Definition, Formula, Table
from fitcard.language.rule_set import RuleSet
from fitcard.language.units import unit_problems
from fitcard.lint.invariants import invariant_problems
from fitcard.lint.run import MAX_QUESTIONS, finite_problems
from fitcard.lint.sample import Sample, samples_of
from fitcard.problems import errors
from fitcard.rulebook.files import FileCache
from fitcard.rulebook.loader import load_with_problems
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.document import Document
from fitcard.source.folders import Folders, find_folders
from fitcard.testing.rule_tests import rule_tests, run_test
from fitcard.values import Column, WordColumn
from helpers.fewer_entries import with_fewer_entries

LARGER = 1 + 1 / 3


@dataclass(frozen=True)
class Mistake:
    """The text between two offsets of a file, and what stands there instead."""

    kind: str
    document: Document
    start: int
    end: int
    text: str
    about: str

    def __str__(self) -> str:
        return f"{self.document.path}: {self.kind}: {self.about}"


def mistakes(rulebook: Rulebook) -> Iterator[Mistake]:
    """Every mistake of these kinds that the rules of all profiles can hold, once."""
    done: set[tuple[str, tuple[str | int, ...]]] = set()
    for rule_set in rulebook.rule_sets.values():
        for definition in rule_set.definitions.values():
            place = (definition.document.path, definition.path)
            if place in done:
                continue
            done.add(place)
            if isinstance(definition, Constant):
                yield from _constant(definition)
            elif isinstance(definition, Formula):
                yield from _formula(definition, rule_set)
            elif isinstance(definition, Table):
                yield from _rows(definition)


def _constant(constant: Constant) -> Iterator[Mistake]:
    place = constant.document.places[(*constant.path, "value")]
    larger = f"{constant.value * LARGER:g}"
    about = f"{constant.name}: {constant.value:g} -> {larger}"
    yield Mistake("a constant a third larger", constant.document, place.start, place.end, larger, about)
    start = _start(constant)
    about = f"{constant.name} -> {constant.name}_x"
    yield Mistake(
        "a constant renamed", constant.document, start, start + len(constant.name), f"{constant.name}_x", about
    )


def _formula(formula: Formula, rule_set: RuleSet) -> Iterator[Mistake]:
    tree = formula.expression.tree
    factors = [
        node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
    ]
    for node in factors:
        yield _rewritten("a factor dropped", formula, _replaced(tree, {id(node): node.left}))
        if isinstance(node.op, ast.Mult):
            yield _rewritten("a factor dropped", formula, _replaced(tree, {id(node): node.right}))
    for one, other in combinations(formula.expression.names, 2):
        units = [info.unit for name in (one, other) if (info := rule_set.describe(name))]
        if len(set(units)) == 2:
            swapped = {one: other, other: one}
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in swapped]
            new = _replaced(tree, {id(node): ast.Name(swapped[node.id], ast.Load()) for node in nodes})
            yield _rewritten("two names swapped", formula, new)


def _rows(table: Table) -> Iterator[Mistake]:
    document, path = table.document, (*table.path, "rows")
    rows = table.data["rows"]
    for key in rows if isinstance(rows, dict) else range(len(rows)):
        place = document.places[(*path, key)]
        first = place.key_line if place.key_line is not None else place.line
        lines = document.text.split("\n")
        if lines[first].strip().startswith(("-", str(key))):  # a line of its own
            start = sum(len(line) + 1 for line in lines[:first])
            end = start + len(lines[first]) + 1
            yield Mistake("a row removed", document, start, end, "", f"{table.name}: {lines[first].strip()}")


def _replaced(tree: ast.expr, new: dict[int, ast.expr]) -> str:
    """The text of the tree with some nodes replaced; the tree itself stays as it is."""

    def copied(value: object) -> object:
        if isinstance(value, list):
            return [copied(part) for part in value]
        if not isinstance(value, ast.AST):
            return value
        if id(value) in new:
            return new[id(value)]
        return type(value)(**{name: copied(part) for name, part in ast.iter_fields(value)})

    changed = copied(tree)
    assert isinstance(changed, ast.AST)
    return ast.unparse(changed)


def _rewritten(kind: str, formula: Formula, source: str) -> Mistake:
    place = formula.document.places[(*formula.path, "expr")]
    text = f'"{source}"' + ("\n" if place.block else "")
    return Mistake(kind, formula.document, place.start, place.end, text, f"{formula.name}: {source}")


def _start(definition: Definition) -> int:
    """The offset of the name in the text."""
    lines = definition.document.text.split("\n")
    return sum(len(line) + 1 for line in lines[: definition.position.line - 1]) + definition.position.column - 1


def caught(folders: Folders, kept: FileCache) -> bool:
    """Whether check or the rule tests have anything against the rules; the quickest are asked first."""
    rulebook, problems = load_with_problems(folders, kept)
    if (
        rulebook is None
        or errors(problems)
        or unit_problems(rulebook.document, rulebook.units, rulebook.rule_sets.values())
    ):
        return True
    if not all(run_test(rulebook, test).passed for test in rule_tests(rulebook)):
        return True
    trials = samples_of(rulebook.rule_sets.values(), MAX_QUESTIONS)
    return bool(finite_problems(trials)) or any(invariant_problems(rulebook, trials))


def changes_nothing(folders: Folders, kept: FileCache, before: list[Sample]) -> bool:
    """Whether every number and word of every profile is what it was, for the same questions."""
    rulebook, _ = load_with_problems(folders, kept)
    assert rulebook is not None
    return all(
        _same(column, after[name])
        for trial in before
        if (after := replace(trial, rule_set=rulebook.rule_sets[trial.rule_set.profile], baseline=None).evaluation.columns)
        for name, column in trial.evaluation.columns.items()
        if name in after
    )


def _same(one: Column, other: Column) -> bool:
    if isinstance(one, WordColumn) and isinstance(other, WordColumn):
        return bool(np.all(_words(one) == _words(other)))
    return bool(np.allclose(one, other, rtol=1e-12, atol=0, equal_nan=True))


def _words(column: WordColumn) -> Any:
    return np.array([*column.words, None], dtype=object)[column.codes]  # the last of them, -1, where there is none


def main() -> None:
    """Prints the score."""
    each = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as place:
        folders = with_fewer_entries(_copied(Path(place)))
        kept = FileCache()
        rulebook, _ = load_with_problems(folders, kept)
        assert rulebook is not None
        before = samples_of(rulebook.rule_sets.values(), MAX_QUESTIONS)
        tried: Counter[str] = Counter()
        missed: list[Mistake] = []
        for mistake in list(mistakes(rulebook))[::each]:
            file = mistake.document.file
            assert file is not None
            text = mistake.document.text
            file.write_text(text[: mistake.start] + mistake.text + text[mistake.end :], "utf-8")
            if caught(folders, kept):
                tried[mistake.kind] += 1
            elif not changes_nothing(folders, kept, before):
                tried[mistake.kind] += 1
                missed.append(mistake)
            file.write_text(text, "utf-8")
            print(f"\r{sum(tried.values())}", end="", file=sys.stderr)
    print(file=sys.stderr)
    lost = Counter(mistake.kind for mistake in missed)
    for kind, count in sorted(tried.items()):
        print(f"{kind}: {count - lost[kind]} of {count}")
    print(f"caught: {1 - len(missed) / sum(tried.values()):.1%} of {sum(tried.values())}")
    for mistake in missed:
        print(f"missed: {mistake}")


def _copied(place: Path) -> Folders:
    """A copy of the project's own rules and catalogs, to break."""
    here = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(here, name), place / name)
    return Folders(place / "rules", place / "catalogs", place / "schemas")


if __name__ == "__main__":
    main()
