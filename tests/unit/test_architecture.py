"""The architecture: layers, what is in rules and catalogs and never in Python, extras, schemas for editors."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

from fitcard.compiler.engine import Engine
from helpers.workplace import PROJECT

PACKAGE = PROJECT / "engine" / "fitcard"
LAYERS = (  # imports point to the left
    "source", "catalog", "language", "rulebook", "compiler", "answer", "importers", "calibration", "testing", "diff",
    "lint", "sweep", "web", "mcp", "cli",
)  # fmt: skip
PLAIN_NUMBERS = {0, 1, 2, 3, -1, 8, 10, 16, 100, 500}  # indices, bases of numbers, percent, an HTTP status
SHOWN_RULES = {"decode_tok_s", "kv_cache", "safe_context", "over_capacity"}  # keys of the answer and of labels
SENTENCE = re.compile(r"[A-Z][a-z]+ .+ .+[.!?]$")


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax trees of all modules by their paths in the package."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def modules_outside(*places: str) -> Iterator[tuple[str, ast.Module]]:
    """All modules but those of these folders and files."""
    for path, tree in modules().items():
        folder, _, name = path.rpartition("/")
        if folder not in places and name not in places:
            yield path, tree


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


def test_every_folder_of_the_package_is_a_layer() -> None:
    assert {path.split("/")[0] for path in modules() if "/" in path} == set(LAYERS)


def test_imports_point_to_lower_layers() -> None:
    upward = [
        f"{path} imports {node.module}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and "/" in path
        for there in [node.module.removeprefix("fitcard.").split(".")[0]]
        if node.module.startswith("fitcard.") and there in LAYERS
        if LAYERS.index(there) > LAYERS.index(path.split("/")[0])
    ]
    assert upward == []


def test_no_number_of_a_rule_is_in_python() -> None:
    found = [  # but for ports, widths and exit codes of commands, and sizes that a format leaves out
        f"{path}:{line}: {number}"
        for path, tree in modules_outside("cli", "importers")
        for line, number in numbers(tree)
        if number not in PLAIN_NUMBERS
    ]
    assert found == []


def test_no_sentence_of_an_answer_is_in_python() -> None:
    found = [  # but for help of commands, tools and schemas
        f"{path}:{line}: {text}"
        for path, tree in modules_outside("cli", "mcp", "schema.py")
        for line, text in texts(tree)
        if SENTENCE.fullmatch(text)
    ]
    assert found == []


def test_no_model_device_or_rule_is_named_in_python(engine: Engine) -> None:
    entries = {
        word
        for catalog in engine.rulebook.catalogs.values()
        for entry in catalog.entries.values()
        for word in (entry.id, entry.name)
    }
    rules = {name for name in engine.rulebook.rule_set.definitions if "_" in name}
    names = (entries - {"chat", "coding"}) | (rules - SHOWN_RULES)
    found = [  # but for names in a format, and examples of a tool
        f"{path}:{line}: {text}"
        for path, tree in modules_outside("importers", "mcp")
        for line, text in texts(tree)
        if text in names
    ]
    assert found == []


def test_every_label_is_drawn_by_a_page_or_a_command(engine: Engine) -> None:
    sources = [path for path in PACKAGE.rglob("*.*") if path.suffix in (".py", ".html", ".svg")]
    drawn = "".join(path.read_text("utf-8") for path in sources if path.name != "labels.py")
    assert set(engine.rulebook.messages.labels) <= set(re.findall(r"""["']([a-z_]+)["']""", drawn))


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


def test_every_definition_has_a_description_and_a_unit(engine: Engine) -> None:
    for definition in engine.rulebook.rule_set.definitions.values():
        assert definition.about.endswith("."), definition.name
        assert definition.unit, definition.name


def test_no_module_needs_an_extra_to_be_imported() -> None:
    """A module that uses a package of an extra imports it where it is used."""
    extras = ["matplotlib", "scipy", "watchfiles", "gunicorn", "mcp", "pyarrow", "distributed", "polars", "pandas"]
    extras += ["fcntl", "resource", "termios"]  # not on Windows
    hide = f"import sys; sys.modules.update(dict.fromkeys({extras!r}))"
    code = f"{hide}; from fitcard.problems import all_codes; print(len(all_codes()))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 50
