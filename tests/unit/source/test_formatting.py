"""`fitcard fmt`: one format for each file; keys move with their comments, and nothing else changes."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fitcard.cli.main import main
from fitcard.rulebook.files import read_each_file
from fitcard.source.document import Document
from fitcard.source.folders import find_folders
from fitcard.source.formatting import format_document
from fitcard.source.schemas import Schemas
from fitcard.source.yaml_edit import reorder_keys
from fitcard.source.yaml_reader import read_text
from helpers.workplace import PROJECT, Workplace

FOLDERS = find_folders()
SCHEMAS = Schemas.load(FOLDERS.schemas, "schemas")
SHIPPED = [(read.document, read.kind) for read in read_each_file(FOLDERS, SCHEMAS) if read.document]
DEFINING = [(document, kind) for document, kind in SHIPPED if kind in ("rules", "devices", "models", "workloads")]


def written(text: str, kind: str = "rules") -> str:
    """The text as the command would write it, but for the line for editors."""
    document, problems = read_text(text, "rules/here.yaml")
    assert document, problems
    return format_document(document, kind, SCHEMAS, FOLDERS.schemas)


def shuffled(document: Document, seed: int) -> str:
    """The same file with the keys of each rule or entry, and then of the whole file, in another order."""
    order = random.Random(seed)
    inner = {}
    for section, names in document.data.items():
        for name, fields in names.items() if isinstance(names, dict) else ():
            if isinstance(fields, dict) and section != "rows" and len(fields) > 1:
                inner[(section, name)] = order.sample(list(fields), len(fields))
    text = reorder_keys(document, inner)
    again, problems = read_text(text, document.path, document.file)
    assert again, problems
    return reorder_keys(again, {(): order.sample(list(again.data), len(again.data))})


@pytest.mark.parametrize(("document", "kind"), SHIPPED, ids=[document.path for document, _ in SHIPPED])
def test_every_file_of_the_project_is_formatted(document: Document, kind: str) -> None:
    assert format_document(document, kind, SCHEMAS, FOLDERS.schemas) == document.text


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(DEFINING), st.integers(0, 10**6))
def test_the_result_does_not_depend_on_the_order_of_keys_and_loses_nothing(
    shipped: tuple[Document, str], seed: int
) -> None:
    document, kind = shipped
    text = shuffled(document, seed)
    mixed, problems = read_text(text, document.path, document.file)
    assert mixed, problems
    assert mixed.data == document.data
    new = format_document(mixed, kind, SCHEMAS, FOLDERS.schemas)
    again, _ = read_text(new, document.path, document.file)
    assert again
    assert again.data == document.data
    assert format_document(again, kind, SCHEMAS, FOLDERS.schemas) == new
    assert Counter("".join(new.split())) == Counter("".join(document.text.split()))
    order = {path: list(value) for path, value in maps(again)}
    assert order == {path: list(value) for path, value in maps(document)}


def maps(document: Document) -> list[tuple[tuple[str, ...], dict[str, object]]]:
    """The whole file and each rule or entry."""
    found: list[tuple[tuple[str, ...], dict[str, object]]] = [((), document.data)]
    for section, names in document.data.items():
        for name, fields in names.items() if isinstance(names, dict) else ():
            if isinstance(fields, dict):
                found.append(((section, name), fields))
    return found


def test_a_comment_goes_with_the_key_below_it_and_at_the_end_of_its_line() -> None:
    text = """# about the file
kind: rules
formulas:
  # about the whole formula
  twice:
    expr: 2 * model.layers  # for now
    # why layers: each is counted
    unit: "1"
    about: Twice.
about: Layers.
title: Layers
"""
    assert (
        written(text)
        == """# about the file
kind: rules
title: Layers
about: Layers.
formulas:
  # about the whole formula
  twice:
    # why layers: each is counted
    unit: "1"
    about: Twice.
    expr: 2 * model.layers  # for now
"""
    )


def test_folds_and_blocks_and_braces_stay_as_they_were_written() -> None:
    text = """kind: rules
title: Folded

about: |
  First.


  Second, after two empty lines.

constants:
  one: {about: One., unit: "1", value: 1}
"""
    assert written(text) == text.replace('{about: One., unit: "1", value: 1}', '{value: 1, unit: "1", about: One.}')


def test_spaces_at_the_ends_of_lines_and_empty_lines_in_a_row_go() -> None:
    assert written("kind: rules   \ntitle: A\n\n\nabout: B.\n\n") == "kind: rules\ntitle: A\n\nabout: B.\n"


def test_a_text_that_a_line_feed_would_change_stays() -> None:
    text = "kind: rules\ntitle: A\nabout: |-\n  B.\n  C."
    assert written(text) == text + "\n"  # `|-` drops the line feed anyway
    text = "kind: rules\ntitle: A\nabout: |\n  B.\n  C."
    assert written(text) == text


def test_the_command_writes_files_and_lists_them(copy: Workplace) -> None:
    copy.edit("rules/physics/prefill.yaml", "kind: rules\n", "")
    copy.edit("rules/physics/prefill.yaml", "formulas:", "kind: rules\nformulas:")
    before = (PROJECT / "rules" / "physics" / "prefill.yaml").read_text("utf-8")
    refused = CliRunner().invoke(main, [*copy.options, "fmt", "--check"])
    assert refused.exit_code == 1
    assert (
        "rules/physics/prefill.yaml:2:1: warning: formatted differently: `kind: rules` [not-formatted]"
        in refused.output
    )
    written = CliRunner().invoke(main, [*copy.options, "fmt"])
    assert written.exit_code == 0
    assert "written: rules/physics/prefill.yaml" in written.output
    assert copy.path("rules/physics/prefill.yaml").read_text("utf-8").split() == before.split()
    assert CliRunner().invoke(main, [*copy.options, "fmt", "--check"]).exit_code == 0


def test_only_the_files_that_are_named_are_written(copy: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prefill", "memory"):
        copy.edit(f"rules/physics/{name}.yaml", "\nformulas:", "\n\n\nformulas:")
    monkeypatch.chdir(copy.folders.rules.parent)
    ended = CliRunner().invoke(main, [*copy.options, "fmt", "rules/physics/memory.yaml"])
    assert ended.output == "written: rules/physics/memory.yaml\n1 of 1 files reformatted in rules\n"
    Path("elsewhere.yaml").write_text("kind: rules\n", "utf-8")
    refused = CliRunner().invoke(main, [*copy.options, "fmt", "elsewhere.yaml"])
    assert refused.exit_code == 2
    assert "elsewhere.yaml is not in the rules or catalogs folder" in refused.output


def test_a_file_with_errors_is_reported_and_left_unchanged(copy: Workplace) -> None:
    copy.edit("rules/physics/prefill.yaml", "    unit: ms\n", "    unti: ms\n")
    before = copy.path("rules/physics/prefill.yaml").read_text("utf-8")
    ended = CliRunner().invoke(main, [*copy.options, "fmt"])
    assert ended.exit_code == 1
    assert "did you mean `unit`?" in ended.output
    assert copy.path("rules/physics/prefill.yaml").read_text("utf-8") == before


def test_where_no_schemas_lie_beside_the_rules_no_file_points_to_them(copy: Workplace) -> None:
    file = copy.path("rules/physics/memory.yaml")
    rest = file.read_text("utf-8").partition("\n")[2]
    file.write_text(rest, "utf-8")
    shutil.rmtree(copy.folders.schemas)
    folders = ["--rules", str(copy.folders.rules), "--catalogs", str(copy.folders.catalogs)]
    assert CliRunner().invoke(main, [*folders, "fmt", "--check"]).exit_code == 0


def test_a_file_without_the_line_for_editors_gets_it(copy: Workplace) -> None:
    file: Path = copy.path("rules/physics/memory.yaml")
    first, _, rest = file.read_text("utf-8").partition("\n")
    file.write_text(rest, "utf-8")
    CliRunner().invoke(main, [*copy.options, "fmt"])
    assert file.read_text("utf-8") == f"{first}\n{rest}"
