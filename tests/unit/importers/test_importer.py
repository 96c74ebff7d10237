"""All importers: lookup of keys, missing fields, and the keys that their docstrings list."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.importers import huggingface, huggingface_params
from fitcard.importers.entries import import_entries
from fitcard.importers.importer import INAPPLICABLE, Guess, Importer, Reading, RecordReader, run_id
from fitcard.importers.machine import machine_records
from fitcard.importers.records import SourceKind
from fitcard.importers.registry import IMPORTERS, recognise
from helpers.workplace import PROJECT, Workplace

CONFIGS = PROJECT / "tests" / "unit" / "importers" / "samples" / "configs"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LOOK_UPS = {
    **dict.fromkeys(("value", "number", "number_or_absent", "largest", "per_layer", "text", "scalar", "flag"), 0),
    **dict.fromkeys(("find", "override_or_number", "override_or_text"), 1),
}
MODULES = {inspect.getmodule(importer.read) for importer in IMPORTERS} | {huggingface_params}


def keys_read(tree: ast.AST) -> Iterator[str]:
    """The keys that a module looks up in a record, where they are written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOK_UPS:
            arguments = node.args[LOOK_UPS[node.func.attr] :]
            yield from (part.value for part in arguments if isinstance(part, ast.Constant))


@pytest.mark.parametrize("module", sorted(MODULES, key=str), ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_docstring_of_an_importer_lists_every_key_that_it_reads(module: ModuleType) -> None:
    listed = inspect.getdoc(module) or ""
    keys = set(keys_read(ast.parse(inspect.getsource(module))))
    assert {key for key in keys if key not in listed and f".{key.rpartition('.')[2]}" not in listed} == set()


def test_every_module_with_an_importer_is_registered() -> None:
    folder = PROJECT / "engine" / "fitcard" / "importers"
    modules = {path.stem for path in folder.glob("*.py") if "\nIMPORTER = " in path.read_text("utf-8")}
    assert modules == {inspect.getmodule(importer.read).__name__.rpartition(".")[2] for importer in IMPORTERS}


def test_each_fixture_is_recognised_by_exactly_one_importer() -> None:
    for path in CONFIGS.glob("*.json"):
        records = [json.loads(path.read_text("utf-8"))]
        assert [one.title for one in IMPORTERS if recognise([one], SourceKind.RECORDS, records)] == [
            huggingface.IMPORTER.title
        ], path


def test_the_first_of_several_keys_counts_and_sections_go_before_the_record() -> None:
    record = {"a": 1, "b": "2", "text": {"a": 3, "part": {"c": 4}}, "dotted.key": 5}
    reader = RecordReader(record, sections=("text",))
    assert (reader.number("a"), reader.number("b", "a"), reader.number("x", "part.c")) == (3, 2, 4)
    assert reader.number("dotted.key") == 5
    assert reader.value("text.a") == 3
    assert reader.value("x") is None
    assert reader.number("x") != reader.number("x")  # NaN


def reader_of(reading: Reading) -> Importer:
    return Importer(
        "Test", "model", "models", SourceKind.RECORDS, lambda record: True, lambda records, overrides: [reading]
    )


def test_fields_are_absent_guessed_or_do_not_apply(engine: Engine) -> None:
    fields = {"layers": 32.0, "heads": float("nan"), "window": INAPPLICABLE, "modality": Guess("text"), "name": None}
    (entry,) = import_entries(reader_of(Reading(fields)), [{}], engine.rulebook.catalogs, today="2026-11-25")
    assert entry.data == {"layers": 32, "modality": "text", "checked_on": "2026-11-25"}
    assert (entry.absent, entry.guessed) == (("heads", "name"), ("modality",))


def test_fields_that_are_set_beside_a_file_override_it_and_are_no_guesses(engine: Engine) -> None:
    fields = {"layers": 32, "experts.total": INAPPLICABLE, "modality": Guess("text")}
    overrides = {"modality": "vision", "experts.total": 8, "experts.active": 2}
    (entry,) = import_entries(reader_of(Reading(fields)), [{}], engine.rulebook.catalogs, overrides, "2026-11-25")
    assert entry.data["experts"] == {"total": 8, "active": 2}
    assert entry.data["modality"] == "vision"
    assert (entry.absent, entry.guessed) == ((), ())


def test_a_size_set_beside_a_config_counts_in_its_parameters(engine: Engine) -> None:
    record = json.loads((CONFIGS / "llama-3.1-8b.json").read_text("utf-8"))
    half, whole = (
        import_entries(huggingface.IMPORTER, [record], engine.rulebook.catalogs, {"layers": layers})[0].data["params"]
        for layers in (16, 32)
    )
    assert half == pytest.approx(whole - 16 * 0.218, abs=0.02)  # a layer of Llama 3.1 8B has 218 million


def test_the_id_of_a_run_needs_its_device_its_model_and_its_quant() -> None:
    fields = {"device": "l4-24gb", "model": "qwen-3-14b", "quant": "Q4_K_M", "gpus": 2}
    assert run_id(fields, "tg128") == "2x-l4-24gb_qwen-3-14b_Q4_K_M_tg128"
    assert run_id({**fields, "gpus": 1}) == "l4-24gb_qwen-3-14b_Q4_K_M"
    assert run_id({**fields, "quant": None}, "tg128") == ""
    assert run_id(fields, None) == ""


def test_an_entry_without_an_id_requires_one(copy: Workplace) -> None:
    ended = CliRunner().invoke(main, [*copy.options, "import", "model", str(CONFIGS / "qwen-3-14b.json")])
    assert ended.exit_code == 2
    assert "requires an id: --name ID" in ended.output


def test_a_kind_of_file_that_an_earlier_version_read_is_ignored(copy: Workplace) -> None:
    before = copy.load()
    schema = {
        "$schema": DRAFT,
        "$id": "import.schema.json",
        "type": "object",
        "properties": {"kind": {"const": "import"}},
    }
    copy.write("schemas/import.schema.json", json.dumps(schema))
    copy.write("rules/imports/tickets.yaml", "kind: import\ntitle: Tickets\n")
    assert copy.problems() == []
    assert copy.load().rulebook.sha256 == before.rulebook.sha256


def test_outputs_of_programs_that_are_missing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text(" one \n\n", "utf-8")
    machine = {
        "printed": (sys.executable, "-c", "print('a'); print('b')"),
        "failed": (sys.executable, "-c", "raise SystemExit(1)"),
        "missing": ("a-program-that-nobody-has",),
        "file": tmp_path / "there.txt",
    }
    assert machine_records(machine, "", None) == [{"printed": "a\nb", "file": "one"}]
    assert [record["printed"] for record in machine_records(machine, "printed", None)] == ["a", "b"]
    assert machine_records({"there": ("x",), "missing": ("x",)}, "", tmp_path) == [{"there": "one"}]
