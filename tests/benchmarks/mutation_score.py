"""Mutation score of the rules: the share of mutations of the shipped rules that checks or rule tests detect.

Run: `PYTHONPATH=tests python tests/benchmarks/mutation_score.py`; with a number, as in `... mutation_score.py 20`, only
every 20th mutation is tried. Mutations drop a factor, swap two names of different units, remove a row of a table,
rename a constant where it is defined, or enlarge a constant by a third, in the rules and in each profile. Equivalent
mutations, which change no figure of any profile, do not count. Questions are those over the entries that rules and
their tests name. Prints the score by kind, and each mutation that survived.
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

from fitcard.compiler.engine import compile_rulebook
from fitcard.language.definitions import Constant, Definition, Formula, Table
from fitcard.language.expression import parse
from fitcard.language.rule_set import RuleSet
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
class Mutation:
    """A text that replaces what stands between two offsets of a file."""

    kind: str
    document: Document
    start: int
    end: int
    text: str
    about: str

    def __str__(self) -> str:
        return f"{self.document.path}: {self.kind}: {self.about}"


def mutations(rulebook: Rulebook) -> Iterator[Mutation]:
    """Every mutation of the rules of all profiles, once."""
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


def _constant(constant: Constant) -> Iterator[Mutation]:
    place = constant.document.spans[(*constant.path, "value")]
    larger = f"{constant.value * LARGER:g}"
    about = f"{constant.name}: {constant.value:g} -> {larger}"
    yield Mutation("constant enlarged by a third", constant.document, place.start, place.end, larger, about)
    start = _start(constant)
    about = f"{constant.name} -> {constant.name}_x"
    yield Mutation(
        "constant renamed", constant.document, start, start + len(constant.name), f"{constant.name}_x", about
    )


def _formula(formula: Formula, rule_set: RuleSet) -> Iterator[Mutation]:
    tree = parse(formula.expression.source).tree  # as it is written, before units are converted
    factors = [
        node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div)
    ]
    for node in factors:
        yield _rewritten("factor dropped", formula, _replaced(tree, {id(node): node.left}))
        if isinstance(node.op, ast.Mult):
            yield _rewritten("factor dropped", formula, _replaced(tree, {id(node): node.right}))
    for one, other in combinations(formula.expression.names, 2):
        units = [info.unit for name in (one, other) if (info := rule_set.describe(name))]
        if len(set(units)) == 2:
            swapped = {one: other, other: one}
            nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in swapped]
            new = _replaced(tree, {id(node): ast.Name(swapped[node.id], ast.Load()) for node in nodes})
            yield _rewritten("two names swapped", formula, new)


def _rows(table: Table) -> Iterator[Mutation]:
    document, path = table.document, (*table.path, "rows")
    rows = table.data["rows"]
    for key in rows if isinstance(rows, dict) else range(len(rows)):
        place = document.spans[(*path, key)]
        first = place.key_line if place.key_line is not None else place.line
        lines = document.text.split("\n")
        if lines[first].strip().startswith(("-", str(key))):  # a line of its own
            start = sum(len(line) + 1 for line in lines[:first])
            end = start + len(lines[first]) + 1
            yield Mutation("row removed", document, start, end, "", f"{table.name}: {lines[first].strip()}")


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


def _rewritten(kind: str, formula: Formula, source: str) -> Mutation:
    place = formula.document.spans[(*formula.path, "expr")]
    text = f'"{source}"' + ("\n" if place.block else "")
    return Mutation(kind, formula.document, place.start, place.end, text, f"{formula.name}: {source}")


def _start(definition: Definition) -> int:
    """The offset of the name in the text."""
    lines = definition.document.text.split("\n")
    return sum(len(line) + 1 for line in lines[: definition.position.line - 1]) + definition.position.column - 1


def detected(folders: Folders, files: FileCache) -> bool:
    """Whether a check or a rule test fails; the quickest come first."""
    rulebook, problems = load_with_problems(folders, files)
    if rulebook is None or errors(problems):
        return True
    engine = compile_rulebook(rulebook)
    if not all(run_test(engine, test).passed for test in rule_tests(rulebook)):
        return True
    samples = samples_of(engine.rules.values(), MAX_QUESTIONS)
    return bool(finite_problems(samples)) or any(invariant_problems(rulebook, samples))


def equivalent(folders: Folders, files: FileCache, before: list[Sample]) -> bool:
    """Whether every number and word of every profile is as `before`, for the same questions."""
    rulebook, _ = load_with_problems(folders, files)
    assert rulebook is not None
    rules = compile_rulebook(rulebook).rules
    return all(
        _same(column, after[name])
        for sample in before
        if (after := replace(sample, rules=rules[sample.rules.profile], baseline=None).evaluation.columns)
        for name, column in sample.evaluation.columns.items()
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
        folders = with_fewer_entries(_copy(Path(place)))
        files = FileCache()
        rulebook, _ = load_with_problems(folders, files)
        assert rulebook is not None
        engine = compile_rulebook(rulebook)
        before = samples_of(engine.rules.values(), MAX_QUESTIONS)
        tried: Counter[str] = Counter()
        survived: list[Mutation] = []
        for mutation in list(mutations(engine.rulebook))[::each]:
            file = mutation.document.file
            assert file is not None
            text = mutation.document.text
            file.write_text(text[: mutation.start] + mutation.text + text[mutation.end :], "utf-8")
            if detected(folders, files):
                tried[mutation.kind] += 1
            elif not equivalent(folders, files, before):
                tried[mutation.kind] += 1
                survived.append(mutation)
            file.write_text(text, "utf-8")
            print(f"\r{sum(tried.values())}", end="", file=sys.stderr)
    print(file=sys.stderr)
    remaining = Counter(mutation.kind for mutation in survived)
    for kind, count in sorted(tried.items()):
        print(f"{kind}: {count - remaining[kind]} of {count}")
    print(f"detected: {1 - len(survived) / sum(tried.values()):.1%} of {sum(tried.values())}")
    for mutation in survived:
        print(f"survived: {mutation}")


def _copy(place: Path) -> Folders:
    """A copy of the project's folders."""
    here = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(here, name), place / name)
    return Folders(place / "rules", place / "catalogs", place / "schemas")


if __name__ == "__main__":
    main()
