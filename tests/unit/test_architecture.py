"""The rules of this house: what a tuner could want to change is in rules/ and catalogs/, never in Python."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fitcard.compiler.engine import Engine
from helpers.workplace import PROJECT

SOURCES = sorted([*(PROJECT / "engine" / "fitcard").rglob("*.py")])
PLAIN_NUMBERS = {0, 1, 2, 3, -1, 8, 10, 16, 100, 500}  # indices, bases of numbers, percent, an HTTP status
LAYERS = (  # imports point to the left
    "source", "catalog", "language", "rulebook", "compiler", "answer", "importers", "calibration", "testing", "diff",
    "lint", "sweep", "web", "mcp", "bench", "cli",
)  # fmt: skip
SENTENCE = re.compile(r"[A-Z][a-z]+ .+ .+[.!?]$")


def numbers(tree: ast.Module) -> Iterator[tuple[int, object]]:
    """Numbers in code, but for limits of the engine itself, which are constants in capitals."""
    limits = {
        constant
        for node in tree.body
        if isinstance(node, ast.Assign)
        and all(name.id.isupper() for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
        for constant in ast.walk(node.value)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node not in limits:
            yield node.lineno, node.value


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Text in code, but for docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_domain_number_is_in_python(path: Path) -> None:
    if path.parent.name in ("cli", "importers"):  # ports, widths and exit codes; sizes that a format leaves out
        return
    assert [found for found in numbers(ast.parse(path.read_text())) if found[1] not in PLAIN_NUMBERS] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_no_sentence_of_an_answer_is_in_python(path: Path) -> None:
    if path.parent.name in ("cli", "mcp") or path.name == "schema.py":  # help of commands, tools and callers
        return
    assert [found for found in texts(ast.parse(path.read_text())) if SENTENCE.fullmatch(found[1])] == []


def test_no_model_device_or_rule_is_named_in_the_engine(engine: Engine) -> None:
    entries = {
        word
        for catalog in engine.rulebook.catalogs.values()
        for entry in catalog.entries.values()
        for word in (entry.id, entry.name)
    }
    rules = {name for name in engine.rulebook.rule_set.definitions if "_" in name}
    shown = {
        "decode_tok_s",
        "kv_cache",
        "safe_context",
        "over_capacity",
    }  # keys of the answer and of labels, which the terminal draws
    for path in SOURCES:
        if path.parent.name in ("importers", "mcp"):  # names in a format, and examples in a tool, are a maintainer's
            continue
        words = {text for _, text in texts(ast.parse(path.read_text()))}
        assert not words & (entries - {"chat", "coding"}), path
        assert not words & (rules - shown), path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_point_to_lower_layers(path: Path) -> None:
    package = PROJECT / "engine" / "fitcard"
    here, *below = path.relative_to(package).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if below and isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fitcard."):
            there = node.module.split(".")[1]
            if (package / there).is_dir():
                assert LAYERS.index(there) <= LAYERS.index(here), f"{path} imports {node.module}"


def test_the_engine_says_nothing_that_only_messages_may_say(engine: Engine) -> None:
    package = PROJECT / "engine" / "fitcard"
    sources = [
        path for path in package.rglob("*.*") if path.suffix in (".py", ".html", ".svg") and path.name != "labels.py"
    ]
    drawn = "".join(path.read_text("utf-8") for path in sources)
    used = set(re.findall(r"""["']([a-z_]+)["']""", drawn))
    assert set(engine.rulebook.messages.labels) <= used, "labels that no page draws"


def test_every_file_of_rules_and_catalogs_names_its_schema_for_editors() -> None:
    for path in [*(PROJECT / "rules").rglob("*.yaml"), *(PROJECT / "catalogs").rglob("*.yaml")]:
        first = path.read_text("utf-8").split("\n")[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(.+)", first)
        assert found, path
        assert (path.parent / found[1]).resolve().is_file(), path


def matches(path: str, patterns: list[str]) -> bool:
    """Whether an editor takes the path for one of these globs; the last pattern that matches decides, `!` excludes."""
    matched = False
    for pattern in patterns:
        regex = re.escape(pattern.removeprefix("!")).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        regex = re.sub(r"\\{(.*?)\\}", lambda choices: f"({choices[1].replace(',', '|')})", regex)
        if re.fullmatch(regex, path):
            matched = not pattern.startswith("!")
    return matched


def test_the_editor_settings_map_every_file_to_its_schema() -> None:
    settings = json.loads((PROJECT / ".vscode" / "settings.json").read_text("utf-8"))["yaml.schemas"]
    globs = {schema: [found] if isinstance(found, str) else found for schema, found in settings.items()}
    for path in [*(PROJECT / "rules").rglob("*.yaml"), *(PROJECT / "catalogs").rglob("*.yaml")]:
        own = path.read_text("utf-8").split("\n")[0].rpartition("/")[2]
        mapped = [schema for schema in globs if matches(path.relative_to(PROJECT).as_posix(), globs[schema])]
        assert mapped == [f"./schemas/{own}"], path


def test_every_constant_and_formula_of_the_reference_says_where_it_comes_from(engine: Engine) -> None:
    for definition in engine.rulebook.rule_set.definitions.values():
        assert definition.about.endswith("."), definition.name
        assert definition.unit, definition.name


def test_every_module_is_there_without_the_extras() -> None:
    """What needs a package that is not in the base install imports it where it is used."""
    extras = [
        "matplotlib",
        "scipy",
        "gguf",
        "watchfiles",
        "mcp",
        "pyarrow",
        "distributed",
        "zen",
        "cel_expr_python",
    ]
    hide = f"import sys; sys.modules.update(dict.fromkeys({extras!r}))"
    code = f"{hide}; from fitcard.problems import all_codes; print(len(all_codes()))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 50
