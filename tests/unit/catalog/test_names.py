"""Names as people type them: the entry that they mean, or the closest ones where none or several match."""

from __future__ import annotations

import pytest

from fitcard.compiler.engine import Engine

MODELS = {
    "llama-3.1-405b": "llama-3.1-405b",
    "llama3.1:70b": "llama-3.1-70b",
    "meta-llama/Llama-3.1-70B-Instruct": "llama-3.1-70b",
    "Llama 3.1 8B": "llama-3.1-8b",
    "llama-3.3": "llama-3.3-70b",
    "llama 3 8b": "llama-3-8b",
    "llama2 7b": "llama-2-7b",
    "llama4 scout": "llama-4-scout-17b-16e",
    "qwen3 30b a3b": "qwen-3-30b-a3b",
    "Qwen/Qwen3-30B-A3B": "qwen-3-30b-a3b",
    "qwen2.5-coder:32b": "qwen-2.5-coder-32b",
    "qwen3.5-35b": "qwen-3.5-35b-a3b",
    "gpt-oss:20b": "gpt-oss-20b",
    "gpt oss 120b": "gpt-oss-120b",
    "deepseek-r1": "deepseek-r1",
    "deepseek-r1:14b": "deepseek-r1-distill-qwen-14b",
    "deepseek-r1:70b": "deepseek-r1-distill-llama-70b",
    "mistral:7b": "mistral-7b-v0.3",
    "mixtral 8x7b": "mixtral-8x7b",
    "gemma3:27b": "gemma-3-27b",
    "google/gemma-2-9b-it": "gemma-2-9b",
    "phi4": "phi-4-14b",
    "phi 4 mini": "phi-4-mini",
    "tinyllama": "tinyllama-1.1b",
}
DEVICES = {
    "4090": "rtx-4090-24gb",
    "RTX 4090 24GB": "rtx-4090-24gb",
    "NVIDIA GeForce RTX 4090": "rtx-4090-24gb",
    "rtx4090": "rtx-4090-24gb",
    "4080 laptop": "rtx-4080-laptop-12gb",
    "4070 super": "rtx-4070-super-12gb",
    "4070 ti super": "rtx-4070-ti-super-16gb",
    "5060ti 16gb": "rtx-5060-ti-16gb",
    "3060 12 gb": "rtx-3060-12gb",
    "1080 ti": "gtx-1080-ti-11gb",
    "A6000": "rtx-a6000-48gb",
    "H100": "h100-80gb",
    "a100 80gb": "a100-80gb",
    "B200": "b200-180gb",
    "GB10": "dgx-spark-128gb",
    "RX 7900XTX": "rx-7900-xtx-24gb",
    "mi300x": "instinct-mi300x-192gb",
    "M3 Max 64GB": "m3-max-64gb",
    "MacBook Pro M3 Max 64GB": "m3-max-64gb",
    "Mac Studio M3 Ultra 512GB": "m3-ultra-512gb",
    "B580": "arc-b580-12gb",
    "Jetson Orin Nano": "jetson-orin-nano-8gb",
    "P40": "tesla-p40-24gb",
}
OPEN = {  # what can mean several entries leads to none of them, and these are among those that are offered
    ("models", "mixtral"): {"mixtral-8x7b", "mixtral-8x22b"},
    ("models", "mistral small 24b"): {"mistral-small-3.1-24b", "mistral-small-3.2-24b"},
    ("devices", "rtx 3060"): {"rtx-3060-8gb", "rtx-3060-12gb"},
    ("devices", "A100"): {"a100-40gb", "a100-80gb"},
    ("devices", "M1"): {"m1-8gb", "m1-16gb"},
    ("devices", "Strix Halo"): {"strix-halo-395-64gb", "strix-halo-395-128gb"},
    ("devices", "Radeon 8060S"): {"strix-halo-395-64gb", "strix-halo-395-128gb"},
}


@pytest.mark.parametrize("word", MODELS)
def test_a_model_is_found_by_its_common_names(engine: Engine, word: str) -> None:
    found = engine.rulebook.catalogs["models"].find(word)
    assert found is not None
    assert found.id == MODELS[word]


@pytest.mark.parametrize("word", DEVICES)
def test_a_device_is_found_by_its_common_names(engine: Engine, word: str) -> None:
    found = engine.rulebook.catalogs["devices"].find(word)
    assert found is not None
    assert found.id == DEVICES[word]


@pytest.mark.parametrize(("kind", "word"), OPEN)
def test_an_ambiguous_name_is_refused(engine: Engine, kind: str, word: str) -> None:
    catalog = engine.rulebook.catalogs[kind]
    assert catalog.find(word) is None
    assert OPEN[kind, word] <= set(catalog.nearest(word))


@pytest.mark.parametrize("kind", ["models", "devices", "quants", "hosts", "runtimes", "workloads"])
def test_every_entry_is_found_by_each_of_its_names(engine: Engine, kind: str) -> None:
    catalog = engine.rulebook.catalogs[kind]
    for entry in catalog.entries.values():
        for name in catalog.names_of(entry):
            assert catalog.find(name) is entry, name


@pytest.mark.parametrize("kind", ["models", "devices"])
def test_a_name_with_unknown_additions_is_not_found(engine: Engine, kind: str) -> None:
    for entry in engine.rulebook.catalogs[kind].entries:
        assert engine.rulebook.catalogs[kind].find(f"{entry} zeppelin") is None


def test_spaces_dashes_and_case_make_no_difference(engine: Engine) -> None:
    for catalog in (engine.rulebook.catalogs["models"], engine.rulebook.catalogs["devices"]):
        for entry in catalog.entries.values():
            assert catalog.find(entry.id.replace("-", " ").upper()) is entry
