"""`fitcard import model`: a published config or a GGUF header gives the entry of the catalog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.importers.entries import ImportedEntry, import_entries
from fitcard.importers.records import records_of
from fitcard.importers.registry import IMPORTERS, recognise
from helpers.gguf_file import gguf_file
from helpers.workplace import PROJECT, Workplace

CONFIGS = PROJECT / "tests" / "unit" / "importers" / "samples" / "configs"
SHAPE = (
    "layers", "hidden", "heads", "kv_heads", "head_dim", "attention", "latent_width", "full_layers", "window_layers",
    "window", "linear_layers", "fixed_state", "experts", "vocabulary", "tied_embeddings", "context", "modality",
)  # fmt: skip
NOT_IN_THE_CATALOG = ("command-r7b", "command-r-plus-104b", "jamba-1.5-mini")
IN_THE_CATALOG = sorted(path.stem for path in CONFIGS.glob("*.json") if path.stem not in NOT_IN_THE_CATALOG)
NEMO = ["name=Nemo", "family=Mistral", "nominal_params=12", "source=its config.json"]
LLAMA_GGUF = {
    "block_count": 32, "embedding_length": 4096, "attention.head_count": 32, "attention.head_count_kv": 8,
    "context_length": 131072, "vocab_size": 128256, "rope.dimension_count": 128,
}  # fmt: skip


def imported(engine: Engine, file: Path) -> ImportedEntry:
    source, records = records_of(file)
    importer = recognise((one for one in IMPORTERS if one.word == "model"), source, records)
    assert importer is not None
    (entry,) = import_entries(importer, records, engine.rulebook.catalogs, today="2026-11-25")
    return entry


@pytest.mark.parametrize("model", IN_THE_CATALOG)
def test_the_config_of_a_model_gives_the_shape_that_the_catalog_has(engine: Engine, model: str) -> None:
    entry = engine.rulebook.catalogs["models"].entries[model].data
    read = imported(engine, CONFIGS / f"{model}.json")
    assert {key: read.data.get(key) for key in SHAPE} == {key: entry.get(key) for key in SHAPE}
    assert read.absent == ()


@pytest.mark.parametrize("model", IN_THE_CATALOG)
def test_parameters_counted_from_the_shape_are_within_a_hundredth_of_those_published(
    engine: Engine, model: str
) -> None:
    entry = engine.rulebook.catalogs["models"].entries[model].data
    read = imported(engine, CONFIGS / f"{model}.json").data
    if entry["modality"] == "vision":
        assert "params" not in read  # what sees pictures is not counted
    else:
        assert read["params"] == pytest.approx(entry["params"], rel=0.01)
    if "active_params" in read:  # names of models round these to a whole number, mostly down
        assert read["active_params"] == pytest.approx(entry["active_params"], abs=0.9)


def test_a_hybrid_of_mamba_and_attention_with_experts_in_every_second_layer_is_read(engine: Engine) -> None:
    read = imported(engine, CONFIGS / "jamba-1.5-mini.json").data
    assert (read["attention"], read["full_layers"], read["linear_layers"]) == ("hybrid", 4, 28)
    assert read["experts"] == {"total": 16, "active": 2}
    assert read["params"] == pytest.approx(51.6, rel=0.01)  # as AI21 publishes
    assert read["active_params"] == pytest.approx(12, rel=0.02)


def test_command_r_plus_has_tied_embeddings_by_default(engine: Engine) -> None:
    read = imported(engine, CONFIGS / "command-r-plus-104b.json").data
    assert read["tied_embeddings"] is True
    assert read["params"] == pytest.approx(104, rel=0.01)


def test_every_fourth_layer_of_command_r7b_has_full_attention(engine: Engine) -> None:
    read = imported(engine, CONFIGS / "command-r7b.json").data
    assert (read["attention"], read["full_layers"], read["window_layers"], read["window"]) == ("window", 8, 24, 4096)
    assert read["params"] == pytest.approx(8.03, rel=0.01)  # as Cohere publishes


def test_fields_missing_from_a_config_are_left_out_and_listed(engine: Engine, tmp_path: Path) -> None:
    config = json.loads((CONFIGS / "llama-3.1-8b.json").read_text())
    del config["hidden_size"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    read = imported(engine, tmp_path / "config.json")
    assert read.absent == ("params", "hidden", "head_dim")
    assert not {"params", "hidden", "head_dim"} & set(read.data)


def gguf_header(path: Path, architecture: str, keys: dict[str, Any], output: bool = False) -> Path:
    names = ["token_embd.weight", *(["output.weight"] if output else [])]
    values = {"general.architecture": architecture, "general.name": "Some Model"}
    values |= {f"{architecture}.{name}": value for name, value in keys.items()}
    path.write_bytes(gguf_file(values, dict.fromkeys(names, (1000, 5000))))
    return path


def test_the_header_of_a_gguf_file_gives_the_same_shape(engine: Engine, tmp_path: Path) -> None:
    read = imported(engine, gguf_header(tmp_path / "llama.gguf", "llama", LLAMA_GGUF, output=True)).data
    entry = engine.rulebook.catalogs["models"].entries["llama-3.1-8b"].data
    assert {key: read.get(key) for key in SHAPE} == {key: entry.get(key) for key in SHAPE}
    assert (read["name"], read["params"]) == ("Some Model", 0.01)  # as many as its two tables hold


def test_a_gguf_file_without_an_output_head_has_tied_embeddings(engine: Engine, tmp_path: Path) -> None:
    assert imported(engine, gguf_header(tmp_path / "tied.gguf", "llama", LLAMA_GGUF)).data["tied_embeddings"] is True


def test_windows_latents_and_states_are_read_from_gguf_headers(engine: Engine, tmp_path: Path) -> None:
    gemma = gguf_header(
        tmp_path / "gemma.gguf", "gemma3",
        {"block_count": 62, "embedding_length": 5376, "attention.head_count": 32, "attention.head_count_kv": 16,
         "attention.key_length": 128, "context_length": 131072, "attention.sliding_window": 1024, "vocab_size": 262208},
    )  # fmt: skip
    deepseek = gguf_header(
        tmp_path / "deepseek.gguf", "deepseek2",
        {"block_count": 27, "embedding_length": 2048, "attention.head_count": 16, "attention.head_count_kv": 1,
         "attention.key_length": 576, "attention.kv_lora_rank": 512, "rope.dimension_count": 64, "vocab_size": 102400,
         "context_length": 163840, "expert_count": 64, "expert_used_count": 6}, output=True,
    )  # fmt: skip
    pattern = json.loads((CONFIGS / "nemotron-nano-9b-v2.json").read_text())["hybrid_override_pattern"]
    nemotron = gguf_header(
        tmp_path / "nemotron.gguf", "nemotron_h",
        {"block_count": 56, "embedding_length": 4480, "attention.head_count": 40, "attention.key_length": 128,
         "attention.head_count_kv": [8 if kind == "*" else 0 for kind in pattern],
         "feed_forward_length": [15680 if kind == "-" else 0 for kind in pattern], "vocab_size": 131072,
         "context_length": 131072, "ssm.conv_kernel": 4, "ssm.inner_size": 10240, "ssm.state_size": 128,
         "ssm.group_count": 8, "ssm.time_step_rank": 128}, output=True,
    )  # fmt: skip
    for model, file in {"gemma-3-27b": gemma, "deepseek-v2-lite": deepseek, "nemotron-nano-9b-v2": nemotron}.items():
        entry, read = engine.rulebook.catalogs["models"].entries[model].data, imported(engine, file).data
        seen = [key for key in SHAPE if key != "modality"]  # a GGUF file keeps what sees pictures in another
        assert {key: read.get(key) for key in seen} == {key: entry.get(key) for key in seen}, model


def run(place: Workplace, *words: str) -> Result:
    return CliRunner().invoke(main, [*place.options, "import", *words])


def test_an_imported_model_is_written_once_it_passes(copy: Workplace) -> None:
    file = copy.path("catalogs/models/mistral.yaml")
    before = file.read_text("utf-8")
    words = ["model", str(CONFIGS / "mistral-7b-v0.3.json"), "--name", "nemo", *NEMO, f"--file={file}"]
    tried = run(copy, *words, "--dry-run")
    assert tried.exit_code == 0
    assert tried.stdout.startswith("nemo:\n  name: Nemo\n  family: Mistral\n  nominal_params: 12\n  params: 7.25\n")
    assert file.read_text("utf-8") == before
    assert "written: catalogs/models/mistral.yaml" in run(copy, *words).output
    assert copy.load().rulebook.catalogs["models"].entries["nemo"].data["kv_heads"] == 8


def test_options_take_precedence_over_the_file_and_are_checked(copy: Workplace) -> None:
    file = copy.path("catalogs/models/mistral.yaml")
    before = file.read_text("utf-8")
    words = ["model", str(CONFIGS / "mistral-7b-v0.3.json"), "--name=nemo", *NEMO, "heads=0", f"--file={file}"]
    ended = run(copy, *words)
    assert ended.exit_code == 1
    assert "would fail the check" in ended.output
    assert file.read_text("utf-8") == before


def test_required_fields_that_are_missing_are_listed_with_examples(copy: Workplace) -> None:
    ended = run(copy, "model", str(CONFIGS / "mistral-7b-v0.3.json"), "--name=nemo", *NEMO[:2])
    assert ended.exit_code == 2
    listed = [line.split("=")[0].strip() for line in ended.output.splitlines() if line.startswith("  ")]
    assert listed == ["nominal_params", "source"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["modle", "x.json"], "cannot import `modle`: did you mean `model`?"),
        (["model"], "requires one of FILE, --here or --from FOLDER"),
        (["model", "nowhere.json"], "nowhere.json cannot be read"),
        (["model", "--here"], "importing a model requires a FILE"),
        (
            ["model", str(PROJECT / "tests" / "unit" / "importers" / "samples" / "runs" / "llama-bench.json")],
            "is not supported; supported are:",
        ),
        (["model", str(PROJECT / "LICENSE")], "it contains no JSON, CSV or Markdown table"),
        (
            ["model", str(CONFIGS / "qwen-3-14b.json"), "layer=3"],
            "a model has no field `layer`; did you mean `layers` or",
        ),
    ],
)
def test_misuse_of_import_is_reported_with_a_hint(copy: Workplace, words: list[str], expected: str) -> None:
    ended = run(copy, *words)
    assert ended.exit_code in (1, 2)
    assert expected in ended.output
