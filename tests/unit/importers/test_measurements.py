"""`fitcard import measurements`: the output of benchmarks of runtimes becomes runs of the catalog."""

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
from helpers.workplace import PROJECT, Workplace

RUNS = PROJECT / "tests" / "unit" / "importers" / "samples" / "runs"
SAID = {"model": "llama-3.1-8b"}
SHORT = {
    "model": "llama-3.1-8b",
    "quant": "Q4_K_M",
    "device": "rtx-4090-24gb",
    "runtime": "llama.cpp",
    "context": 640,
    "depth": 64,
    "prompt": 512,
    "measured": {"decode_tok_s": 153.21, "prefill_tok_s": 11234.57},
    "test": "tg128, pp512",
    "build": "CUDA, 8cf427ff (5163), flash attention",
    "checked_on": "2026-11-25",
}


def imported(engine: Engine, file: Path, **overrides: Any) -> list[ImportedEntry]:
    source, records = records_of(file)
    importer = recognise((one for one in IMPORTERS if one.word == "measurements"), source, records)
    assert importer is not None
    return import_entries(importer, records, engine.rulebook.catalogs, overrides, "2026-11-25")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "md"])
def test_llama_bench_gives_the_same_runs_in_each_of_its_forms(engine: Engine, form: str) -> None:
    short, deep = imported(engine, RUNS / f"llama-bench.{form}", **SAID)
    assert short.id == "rtx-4090-24gb_llama-3.1-8b_Q4_K_M_tg128"
    assert {key: value for key, value in short.data.items() if key != "file_size"} == SHORT
    assert short.data["file_size"] == pytest.approx(4.9129, rel=0.002)  # the table rounds it to hundredths of a GiB
    assert (deep.data["cached"], deep.data["depth"], deep.data["context"]) == (4096, 4160, 4736)
    assert deep.data["measured"] == {"decode_tok_s": 141.02, "prefill_tok_s": 9876.54}
    assert (short.absent, short.unmatched) == ((), ())


def test_the_model_is_known_by_the_name_of_its_file(engine: Engine) -> None:
    assert imported(engine, RUNS / "llama-bench.json")[0].data["model"] == "llama-3.1-8b"


def test_a_model_whose_name_can_mean_many_is_listed_and_never_guessed(engine: Engine) -> None:
    first = imported(engine, RUNS / "llama-bench.md")[0]
    assert [(one.field, one.name) for one in first.unmatched] == [("model", "llama 8B Q4_K - Medium")]
    assert "model" not in first.data
    assert first.id == ""


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    text = (RUNS / "llama-bench.json").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "changed.json").write_text(text, "utf-8")
    return tmp_path / "changed.json"


def test_several_devices_layers_on_the_host_and_another_cache_are_read(engine: Engine, tmp_path: Path) -> None:
    file = changed(
        tmp_path,
        ('"gpu_info": "NVIDIA GeForce RTX 4090"', '"gpu_info": "NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 4090"'),
        ('"n_gpu_layers": 99', '"n_gpu_layers": 20'),
        ('"type_k": "f16"', '"type_k": "q8_0"'),
    )
    read = imported(engine, file)[0]
    assert (read.data["gpus"], read.data["gpu_layers"], read.data["kv"]) == (2, 20, "q8_0")
    assert read.id.startswith("2x-rtx-4090-24gb_")


def test_an_unknown_kv_cache_type_is_not_replaced_by_the_default(engine: Engine, tmp_path: Path) -> None:
    read = imported(engine, changed(tmp_path, ('"type_k": "f16"', '"type_k": "turbo9"')))[0]
    assert [one.field for one in read.unmatched] == ["kv"]


def test_runs_that_differ_are_not_joined(engine: Engine, tmp_path: Path) -> None:
    file = changed(
        tmp_path, ('"n_gen": 128,\n  "n_depth": 0,\n  "avg_ts": 621', '"n_gen": 0,\n  "n_depth": 0,\n  "avg_ts": 5')
    )
    assert [read.data["test"] for read in imported(engine, file)] == ["tg128, pp512", "tg128 @ d4096, pp512 @ d4096"]
    file = changed(tmp_path, ('"n_prompt": 512,\n  "n_gen": 128', '"n_prompt": 2048,\n  "n_gen": 0'))
    tests = [read.data["test"] for read in imported(engine, file)]
    assert tests == ["tg128, pp512", "tg128 @ d4096, pp512 @ d4096", "pp2048"]


def test_a_result_of_vllm_gives_time_per_token_and_to_the_first_for_each_user(engine: Engine) -> None:
    (read,) = imported(engine, RUNS / "vllm-bench.json", device="h100-80gb", quant="BF16")
    assert read.id == "h100-80gb_llama-3.1-8b_BF16_in1024-out128-16-users"
    assert read.data == {
        "model": "llama-3.1-8b",
        "quant": "BF16",
        "device": "h100-80gb",
        "runtime": "vllm",
        "context": 1152,
        "depth": 1088,
        "prompt": 1024,
        "users": 16,
        "measured": {"decode_tok_s": 80, "ttft": 412.5},
        "test": "in1024/out128 concurrency16",
        "checked_on": "2026-11-25",
    }


def test_a_result_of_vllm_for_one_user_has_an_id_too(engine: Engine, tmp_path: Path) -> None:
    record = json.loads((RUNS / "vllm-bench.json").read_text("utf-8"))
    (tmp_path / "one.json").write_text(json.dumps({**record, "max_concurrency": 1}), "utf-8")
    (read,) = imported(engine, tmp_path / "one.json", device="h100-80gb", quant="BF16")
    assert read.id == "h100-80gb_llama-3.1-8b_BF16_in1024-out128-1-users"
    assert "users" not in read.data


def test_a_row_of_a_table_gives_its_run(engine: Engine, tmp_path: Path) -> None:
    columns = "model,gpu,gpu_count,quant,tg_tok_s,pp_tok_s,context_or_test,runtime,file_gib,source,tier"
    row = "Llama 3.1 8B,RTX 4090,1,not stated (Q4_K_M),122,,tg128 @ d4096,llama.cpp CUDA,4.58,our own,A"
    (tmp_path / "runs.csv").write_text(f"{columns}\n{row}\n", "utf-8")
    (read,) = imported(engine, tmp_path / "runs.csv")
    assert read.id == "rtx-4090-24gb_llama-3.1-8b_Q4_K_M"
    assert read.data == {
        "model": "llama-3.1-8b",
        "quant": "Q4_K_M",
        "device": "rtx-4090-24gb",
        "runtime": "llama.cpp",
        "context": 4224,
        "depth": 4160,
        "file_size": pytest.approx(4.9177, abs=0.0001),
        "measured": {"decode_tok_s": 122},
        "test": "tg128 @ d4096",
        "build": "llama.cpp CUDA",
        "tier": "A",
        "source": "our own",
        "checked_on": "2026-11-25",
    }


def test_a_prompt_of_a_table_that_is_a_note_is_not_read(engine: Engine, tmp_path: Path) -> None:
    for prompt, expected in (("512", 512), ("2048 @ d32768", None), ("10k", None)):
        rows = (
            f"model,gpu,quant,pp_tok_s,prompt_tokens,source,tier\nLlama 3.1 8B,RTX 4090,Q4_K_M,900,{prompt},our own,A\n"
        )
        (tmp_path / "runs.csv").write_text(rows, "utf-8")
        assert imported(engine, tmp_path / "runs.csv")[0].data.get("prompt") == expected


def run(place: Workplace, *words: str) -> Result:
    return CliRunner().invoke(main, [*place.options, "import", "measurements", *words])


def test_measurements_are_written_into_a_new_file_with_the_options(copy: Workplace) -> None:
    file = copy.path("catalogs/measurements/ours.yaml")
    said = ["model=llama 3.1 8b", "tier=A", "source=our own run", f"--file={file}", "--title=Our runs"]
    ended = run(copy, str(RUNS / "llama-bench.md"), *said)
    assert ended.exit_code == 0, ended.output
    assert "5 read, 2 taken" in ended.output
    assert [line for line in ended.output.splitlines() if line.startswith("written: ")] == [
        "written: catalogs/measurements/ours.yaml:5:3",
        "written: catalogs/measurements/ours.yaml:20:3",
    ]
    entries = copy.load().rulebook.catalogs["measurements"].entries
    assert entries["rtx-4090-24gb_llama-3.1-8b_Q4_K_M_tg128"].data["source"] == ["our own run"]


def test_values_missing_from_a_file_can_be_options(copy: Workplace) -> None:
    said = ["--device", "h100-80gb", "--quant=BF16", "--tier", "B", "--source=a blog", "--dry-run"]
    ended = run(copy, str(RUNS / "vllm-bench.json"), *said)
    assert ended.exit_code == 0, ended.output
    assert "\n  quant: BF16\n  device: h100-80gb\n" in ended.stdout


def test_a_name_that_is_not_found_must_be_an_option(copy: Workplace) -> None:
    ended = run(copy, str(RUNS / "llama-bench.md"), "tier=A", "source=our own run")
    assert ended.exit_code == 2
    assert ended.output.count("measurements: no model is called `llama 8B Q4_K - Medium`; set model=ID") == 1
    assert "set what was not found in the catalogs: model=ID" in ended.output


def test_the_trust_of_a_run_must_be_an_option(copy: Workplace) -> None:
    ended = run(copy, str(RUNS / "llama-bench.json"))
    assert ended.exit_code == 2
    listed = [line.split("=")[0].strip() for line in ended.output.splitlines() if line.startswith("  ")]
    assert listed == ["tier", "source"]


@pytest.mark.parametrize("text", ["", "\n", "|", "| model |\n", "| - |"])
def test_a_file_without_runs_is_refused_with_a_message(copy: Workplace, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bench.json"
    file.write_text(text)
    ended = CliRunner().invoke(main, [*copy.options, "import", "measurements", str(file)])
    assert isinstance(ended.exception, SystemExit)
    assert ended.exit_code != 0
    assert str(file) in ended.output
