"""Targets of `fitcard import`: GGUF headers, JSON, tables, and the output of programs of a machine."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fitcard.catalog.catalog import Catalog
from fitcard.importers.entries import import_entries
from fitcard.importers.importer import Importer
from fitcard.importers.machine import output_records
from fitcard.importers.records import SourceKind, read_records
from fitcard.importers.registry import IMPORTERS
from fitcard.importers.source import decode, source_of
from fitcard.problems import ProblemsError
from fitcard.rulebook.loader import load
from fitcard.source.folders import find_folders
from fitcard.source.yaml_edit import to_yaml
from fitcard.source.yaml_reader import read_text
from helpers.gguf_file import gguf_file, gguf_text
from helpers.workplace import PROJECT

SAMPLES = PROJECT / "tests" / "unit" / "importers" / "samples"
MACHINE = [importer for importer in IMPORTERS if importer.source is SourceKind.MACHINE]
ACCEPTED, UNRECOGNISED = "accepted", "unrecognised"
PIECES = (  # inserted into bytes
    b"\0", b"\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\xf0\x9f\x98\x80", b'"', b"\\", b"{",
    b"[", b"]", b"}", b",", b"|", b"| - |\n", b'"a":', b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 2000,
    b'{"a":' * 2000, b"\x1b[2J", "\u202e".encode(), b"\\ud800", b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f",
    b"\x09\0\0\0", b"\x08\0\0\0", struct.pack("<Q", 2**40), struct.pack("<Q", 2**63), b"-1", b"0", b"1e308", b"GGUF",
    b"a" * 2000, b"a," * 300,
)  # fmt: skip
VALUES: tuple[Any, ...] = (  # in place of a value of JSON
    None, True, False, 0, -1, 1, 1.5, 2**63, 10**39, 10**400, 1e308, -1e308, 5e-324, float("nan"), float("inf"), "",
    " ", "x", "4096", "1e3", "1e999", "inf", "nan", "n/a", "\u0663", "1_000", "\x1b[2J", "\u202eabc", "\ud800", "a\nb",
    "x" * 5000, "- a: b", "&a *a !!x", [], [1], ["x"], [None], [[1]], [1, 2, 3], [True], {}, {"a": 1}, {"": {}}, [{}],
)  # fmt: skip
LLAMA = {
    "general.architecture": "llama", "general.name": "Some Model", "general.license": "mit", "llama.block_count": 4,
    "llama.embedding_length": 64, "llama.attention.head_count": 4, "llama.attention.head_count_kv": [2, 2, 0, 2],
    "llama.context_length": 4096, "llama.attention.sliding_window": 512, "llama.feed_forward_length": [9, 9, 9, 9],
    "llama.attention.sliding_window_pattern": [True, False, True, True], "llama.expert_count": 8, "llama.f": 1.5,
    "llama.expert_used_count": 2, "tokenizer.ggml.tokens": ["a", "b", "c"], "general.alignment": 32,
}  # fmt: skip
TENSORS = {"token_embd.weight": (8, 4), "output.weight": (4, 8), "blk.0.attn_q.weight": (2, 2, 2)}


def gguf(chance: random.Random) -> str:
    """A GGUF file with other values, counts, versions and shapes, and then damaged bytes."""
    name = chance.choice(["llama", "gemma3", "nemotron_h", "qwen3next", "kimi-linear"])
    values: dict[str, Any] = {key.replace("llama.", f"{name}."): value for key, value in LLAMA.items()}
    values["general.architecture"] = name
    for _ in range(chance.choice([0, 0, 1, 3])):
        values[chance.choice(list(values))] = _gguf_value(chance)
    for _ in range(chance.choice([0, 0, 0, 1])):
        values.pop(chance.choice(list(values)))
    content = gguf_file(
        values,
        TENSORS if chance.random() < 0.8 else {},
        order=chance.choice("<<<<>"),
        version=chance.choice([*[3] * 20, 2, 1, 4, 2**31]),
        counts=None if chance.random() < 0.95 else (chance.choice(HUGE), chance.choice(HUGE)),
        tensor_type=chance.choice([0, 1, 12, 4, 2**31]),
    )
    return _imported(damaged(chance, content) if chance.random() < 0.5 else content)


def json_records(chance: random.Random) -> str:
    """A config.json or a result of a benchmark with other values, and then damaged bytes."""
    text = chance.choice(_samples("configs/*.json", "runs/*.json", "runs/*.jsonl"))
    if text.lstrip().startswith("{\n") or text.startswith("["):
        data = json.loads(text)
        for _ in range(chance.choice([0, 1, 1, 2, 5])):
            _replace(chance, data)
        text = json.dumps(data, indent=chance.choice([None, 1]), ensure_ascii=chance.random() < 0.5)
    content = text.encode("utf-8", "surrogatepass")
    return _imported(damaged(chance, content) if chance.random() < 0.5 else content)


def tables(chance: random.Random) -> str:
    """A table in CSV or Markdown with other cells, and then damaged bytes."""
    text = chance.choice([*_samples("runs/*.csv", "runs/*.md"), RUNS_TABLE])
    rows = text.split("\n")
    for _ in range(chance.choice([0, 1, 2])):
        at = chance.randrange(len(rows))
        cells = rows[at].split(chance.choice(",|"))
        cells[chance.randrange(len(cells))] = chance.choice([str(chance.choice(VALUES)), *cells])
        rows[at] = chance.choice(",|").join(cells)
    content = "\n".join(rows * chance.choice([1, 1, 1, 3])).encode("utf-8", "surrogatepass")
    return _imported(damaged(chance, content) if chance.random() < 0.5 else content)


def machine(chance: random.Random) -> str:
    """The outputs of nvidia-smi, rocm-smi, lspci and the programs of a Mac, damaged or exchanged."""
    importer = chance.choice(MACHINE)
    texts = _samples("machines/*/*.txt")
    try:
        outputs = {name: decode(damaged(chance, chance.choice(texts).encode()), name) for name in importer.machine}
        records = output_records(outputs, importer.each, "fuzz")
    except ProblemsError as error:
        return error.problems[0].code
    return _entries([importer], records)


def damaged(chance: random.Random, content: bytes) -> bytes:
    """The bytes cut, changed, removed, repeated or with others inserted, in up to four places."""
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(content) + 1)
        end = min(len(content), at + chance.choice([1, 1, 4, 8, 100]))
        piece = chance.choice([b"", bytes([chance.randrange(256)]), content[at:end], *PIECES])
        content = content[:at] if chance.random() < 0.2 else content[:at] + piece + content[chance.choice([at, end]) :]
    return content


HUGE = (0, 1, 3, 100, 10**4, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)
RUNS_TABLE = (
    "model,gpu,gpu_count,quant,tg_tok_s,pp_tok_s,context_or_test,runtime,file_gib,source,tier,ttft_ms,prompt_tokens\n"
    "Llama 3.1 8B,RTX 4090,1,not stated (Q4_K_M),122,,tg128 @ d4096,llama.cpp CUDA,4.58,our own,A,,512\n"
    "Qwen 3 14B,RTX 4090,2,FP16,12,n/a,in1024/out128,vLLM,,https://example.com,B,35.5,2048 @ d32768\n"
)


@cache
def _samples(*patterns: str) -> tuple[str, ...]:
    paths: list[Path] = [path for pattern in patterns for path in sorted(SAMPLES.glob(pattern))]
    return tuple(path.read_text("utf-8") for path in paths)


@cache
def _catalogs() -> Mapping[str, Catalog]:
    return load(find_folders(PROJECT / "rules")).catalogs


def _gguf_value(chance: random.Random) -> Any:
    """A value of any type, or one that claims more than there is."""
    number = chance.choice(HUGE)
    item = chance.choice([gguf_text("x"), b"\1", struct.pack("<Q", number)])
    return chance.choice(
        [
            "", "x", "\x1b[2J", "x" * 20_000, True, 0, 1, 2**32 - 1, float("nan"), float("inf"), 1e38, [], [1], [1.5],
            ["a"] * 9, [True] * 5000, [7] * 5000, [float("nan")],
            struct.pack("<IIQ", 9, chance.randrange(14), number) + item * chance.randrange(3),
            struct.pack("<IIQIQ", 9, 9, 1, 9, 1) * chance.choice([1, 500]),
            struct.pack("<IQ", 8, number) + item,
            struct.pack("<I", chance.choice([13, 255, 2**31])) + item,
            struct.pack("<IQ", 10, number), struct.pack("<Id", 12, float("-inf")),
        ]
    )  # fmt: skip


def _replace(chance: random.Random, data: Any) -> None:
    """Replaces, removes or renames a value somewhere in lists and objects."""
    while True:
        key = chance.choice(list(data)) if isinstance(data, dict) else chance.randrange(len(data))
        if not isinstance(data[key], dict | list) or not data[key] or chance.random() < 0.2:
            break
        data = data[key]
    if chance.random() < 0.1:
        del data[key]
    elif isinstance(data, dict) and chance.random() < 0.1:
        data[chance.choice(["", "a.b", "num_hidden_layers", "avg_ts", "around", "\ud800"])] = data.pop(key)
    else:
        data[key] = copy.deepcopy(chance.choice(VALUES))


def _imported(content: bytes) -> str:
    try:
        kind, records = read_records(source_of(content, "fuzz"))
    except ProblemsError as error:
        return error.problems[0].code
    return _entries([importer for importer in IMPORTERS if importer.source is kind], records)


def _entries(importers: list[Importer], records: Sequence[Mapping[str, Any]]) -> str:
    """Reads records with each importer that recognises them, as far as the YAML that would be written."""
    outcome = UNRECOGNISED
    for importer in importers:
        if all(map(importer.recognises, records)):
            try:
                for entry in import_entries(importer, records, _catalogs(), {}, "2026-11-30"):
                    text = f"entry: {to_yaml(dict(entry.data))}\n"
                    document, problems = read_text(text, "entry.yaml")
                    assert document is not None, problems
                    assert not problems, problems
            except ProblemsError as error:
                return error.problems[0].code
            outcome = ACCEPTED
    return outcome
