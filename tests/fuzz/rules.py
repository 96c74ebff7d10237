"""Targets of rule files: formulas, and whole files of YAML, each also put into a rulebook that is then loaded."""

from __future__ import annotations

import atexit
import random
import re
import tempfile
from functools import cache
from pathlib import Path

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.language.expression import ExpressionError, parse
from fitcard.lint.run import run_checks
from fitcard.problems import Problem, ProblemsError, errors
from fitcard.rulebook.files import FileCache
from fitcard.source.folders import Folders
from fitcard.source.yaml_reader import read_bytes
from helpers.small_rulebook import lay_out
from helpers.workplace import PROJECT, Workplace

LOADED = 0.2  # the share of inputs that are put into a rulebook
NAMES = (
    "weights", "kv_cache", "overhead", "memory_share", "runs", "load_time", "model.params", "device.memory", "a",
    "x.y", "question.context", "device.max_allocation", "true", "self", "None", "class", "__import__", "model",
    "\u00e4", "\uff41",
)  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "2.5",
    "1e9",
    "1e308",
    "1e999",
    "0x10",
    "1_000",
    "512 * MB",
    "3 * GB/s",
    "100 * %",
    "1 * week",
    ".5",
    "-1",
)
OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "<",
    "<=",
    ">",
    "==",
    "!=",
    "and",
    "or",
    "in",
    "is",
    "<<",
    "@",
    "->",
    ":=",
    "=",
)
FUNCTIONS = ("min", "max", "either", "ceil", "floor", "log2", "round", "known", "sum", "open", "print", "abs", "sqrt")
MARKS = (
    "(",
    ")",
    ",",
    ".",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "\n",
    "\t",
    "\0",
    "\u202e",
    "\u00a0",
    "#",
    ";",
    "`",
    "$",
    "\\",
    " ",
)
LINES = (
    "- a", "a:", "a: {", "]", "? a", "- - -", "&a b: *a", "*a", "!!python/object/apply:os.system ['true']",
    "<<: {a: 1}", "a: |", "a: >-", "  a: 1", "\ta: 1", "---", "...", "%YAML 1.1", "a: 0o17", "a: 1:30", "a: yes",
    "a: 1e999", "a: .nan", "kind: rules", "kind: profile", "kind: tests", "formulas:", "constants:", "tables:",
    "expr: 1 / 0", 'unit: "1"', "a: ''", "rows: []", "- {otherwise: none}", "name: x", "a: \u202e", "a: \x1b[2J",
    "given: {context: -1}", "expect: {a: 1}",
)  # fmt: skip
VALUES = (
    "0", "-1", "1.5", "1e308", "x", "true", "''", "[]", "{}", "[1, 2]", "weights", "weights / 0", "1 * GB", "GB",
    "s", "token/s", "${x}", "{x}", "{weights:gb}", "{weights:{x}}", "null", "~", "device.memory",
    "memory_share < 0.5", "m1-16gb", "*x", "!x y",
)  # fmt: skip


@cache
def _workplace() -> tuple[Workplace, FileCache, dict[Path, str]]:
    """The small rulebook in a folder of its own, a cache of its files, and their texts."""
    place = tempfile.TemporaryDirectory()
    atexit.register(place.cleanup)
    lay_out(Path(place.name))
    folders = Folders(*(Path(place.name) / name for name in ("rules", "catalogs", "schemas")))
    texts = {path: path.read_text("utf-8") for folder in folders.all[:2] for path in sorted(folder.rglob("*.yaml"))}
    return Workplace(folders), FileCache(), texts


@cache
def _files() -> list[bytes]:
    """The rule and catalog files of the project that are not long."""
    paths = [path for name in ("rules", "catalogs") for path in sorted((PROJECT / name).rglob("*.yaml"))]
    return [content for path in paths if len(content := path.read_bytes()) < 30_000]


def expressions(chance: random.Random) -> str:
    """A formula of names, numbers, operators and functions, some damaged; some are put into a rule."""
    formula = _formula(chance, chance.choice([1, 2, 3, 6]))
    for _ in range(chance.choice([0, 0, 1, 3])):
        place = chance.randrange(len(formula) + 1)
        formula = formula[:place] + chance.choice(MARKS) + formula[place + chance.choice([0, 0, 1, 3]) :]
    outcome = "accepted"
    try:
        parse(formula)
    except ExpressionError as error:
        outcome = error.faults[0].kind.id
        if not all(0 <= fault.offset <= len(formula) and fault.message for fault in error.faults):
            raise
    if chance.random() < LOADED:
        quoted = formula.replace("'", "''").replace("\n", "\n\n")
        return _load("rules/fit.yaml", r"expr: \(weights.*", f"expr: '{quoted}'")
    return outcome


def yaml(chance: random.Random) -> str:
    """A file with lines that are moved, cut, repeated or replaced; some are in a rulebook that is then checked."""
    if chance.random() < LOADED:
        workplace, _, texts = _workplace()
        path = chance.choice(list(texts))
        role = "rules" if path.is_relative_to(workplace.folders.rules) else "catalogs"
        content = _damaged(chance, texts[path].encode())
        return _load(f"{role}/{path.relative_to(getattr(workplace.folders, role)).as_posix()}", None, content)
    content = _damaged(chance, chance.choice(_files()))
    document, problems = read_bytes(content, "file.yaml")
    _check_positions(problems, content)
    assert document is not None or problems
    return problems[0].code if problems else "accepted"


def _load(file: str, pattern: str | None, replacement: str | bytes) -> str:
    """What becomes of the small rulebook with another text in a file: the code of a problem, or `accepted`."""
    workplace, cache, texts = _workplace()
    path = workplace.path(file)
    if pattern is None:
        assert isinstance(replacement, bytes)
        content = replacement
    else:
        assert isinstance(replacement, str)
        content = re.sub(pattern, lambda _: replacement, texts[path], count=1).encode("utf-8", "surrogatepass")
    path.write_bytes(content)
    try:
        engine, problems = run_checks(workplace.folders, cache=cache)
    finally:
        path.write_text(texts[path], "utf-8")
    _check_positions([each for each in problems if each.position and each.position.file.endswith(path.name)], content)
    if errors(problems):
        return f"not loaded: {errors(problems)[0].code}"
    assert engine is not None
    try:
        question = read_question(engine.rulebook, {"model": "llama-3.1-70b", "device": "h100-80gb"})
        answer_question(engine, question)
    except ProblemsError as error:
        return f"not answered: {error.problems[0].code}"
    return "loaded"


def _check_positions(problems: list[Problem], content: bytes) -> None:
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for problem in problems:
        assert problem.message
        assert problem.position is None or 1 <= problem.position.line <= lines + 1, problem


def _formula(chance: random.Random, depth: int) -> str:
    if depth <= 0:
        return chance.choice(chance.choice([NAMES, NAMES, NUMBERS]))
    kind = chance.randrange(7)
    parts = [_formula(chance, depth - chance.choice([1, 2, 3])) for _ in range(3)]
    if kind <= 2:
        return f"{parts[0]} {chance.choice(OPERATORS)} {parts[1]}"
    if kind == 3:
        return f"{chance.choice(FUNCTIONS)}({', '.join(parts[: chance.choice([0, 1, 2, 3])])})"
    if kind == 4:
        return f"{parts[0]} if {parts[1]} else {parts[2]}"
    return f"({parts[0]})" if kind == 5 else f"{chance.choice(['-', 'not ', '+', '~'])}{parts[0]}"


def _damaged(chance: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7]):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1:
                lines.insert(at, b" " * chance.choice([0, 2, 4, 6]) + chance.choice(LINES).encode())
            case 2:
                lines[at] = lines[at][: chance.randrange(len(lines[at]) + 1)]
            case 3:
                lines[at] = b" " * chance.choice([0, 1, 3, 8]) + lines[at].lstrip()
            case 4:
                lines[at:at] = lines[other : other + chance.choice([1, 3, 30])]
            case 5:
                place = chance.randrange(len(lines[at]) + 1)
                piece = chance.choice(
                    [mark.encode() for mark in MARKS] + [b"\xff", b": ", b"- ", b"&a ", b"*a", b"!x "]
                )
                lines[at] = lines[at][:place] + piece + lines[at][place:]
            case 7:
                lines[at] = re.sub(rb": [^{]+$", lambda _: b": " + chance.choice(VALUES).encode(), lines[at])
            case 6:
                del lines[at : at + chance.choice([1, 2, 10])]
                lines = lines or [b""]
    return b"\n".join(lines)
