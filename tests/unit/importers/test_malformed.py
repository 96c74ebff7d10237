"""Malformed files end in a problem that names the file and the key, in seconds and with little memory."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.compiler.engine import Engine
from fitcard.importers import machine
from fitcard.importers.entries import MAX_NAMES, import_entries
from fitcard.importers.gguf_header import MAX_LIST_TEXTS, LongValue
from fitcard.importers.importer import RecordReader
from fitcard.importers.machine import machine_records, output_records
from fitcard.importers.records import MAX_DEPTH, MAX_RECORDS, Record, read_records
from fitcard.importers.registry import IMPORTERS, recognise
from fitcard.importers.source import MAX_TEXT_BYTES, source_of
from fitcard.problems import Problem, ProblemsError
from helpers.gguf_file import gguf_file, gguf_text
from helpers.workplace import PROJECT

SAMPLES = PROJECT / "tests" / "unit" / "importers" / "samples"
CONFIG = json.loads((SAMPLES / "configs" / "qwen-3-14b.json").read_text("utf-8"))
RUN = json.loads((SAMPLES / "runs" / "llama-bench.json").read_text("utf-8"))[0]
RESULT = json.loads((SAMPLES / "runs" / "vllm-bench.json").read_text("utf-8"))
LLAMA = {"general.architecture": "llama", "llama.block_count": 4, "llama.attention.head_count": 4}
TABLE = "model,gpu,tier,tg_tok_s\n"
# 94 bytes of which a list claims 2^40 items.
BOMB = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_text("x") + struct.pack("<IIQ", 9, 4, 2**40) + b"\0" * 45


def imported(engine: Engine, content: bytes | str) -> list[Any]:
    """The entries that are read from the content of a file."""
    source = source_of(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content, "file")
    kind, records = read_records(source)
    importer = recognise(IMPORTERS, kind, records)
    assert importer is not None
    return import_entries(importer, records, engine.rulebook.catalogs)


def problem_in(engine: Engine, content: bytes | str) -> Problem:
    with pytest.raises(ProblemsError) as found:
        imported(engine, content)
    (problem,) = found.value.problems
    return problem


def config(**values: Any) -> str:
    return json.dumps({**CONFIG, **values})


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        # nested, long and many
        ("[" * 100_000, "import-too-large", f"file is nested more than {MAX_DEPTH} levels deep"),
        ('{"a":' * 100_000, "import-too-large", "nested more than"),
        ("[" * 900 + "]" * 900, "import-too-large", "nested more than"),
        (config(x="a" * MAX_TEXT_BYTES), "import-too-large", f"file is larger than {MAX_TEXT_BYTES:,} bytes"),
        ("[{}" + ",{}" * 300_000 + "]", "import-too-large", "more than 500,000 values"),
        ("[{}" + ",{}" * MAX_RECORDS + "]", "import-too-large", "more than 2,000 records"),
        ('{"a": 1}\n' * (MAX_RECORDS + 1), "import-too-large", "more than 2,000 records"),
        (TABLE + "a,b,c,1\n" * (MAX_RECORDS + 1), "import-too-large", "more than 2,000 records"),
        ("a\nb\n" * 200_000, "import-too-large", "more than 200,000 lines"),
        (",".join(map(str, range(1000))), "import-too-large", "more than 200 columns"),
        (json.dumps([RUN] * 1001), "import-too-large", "1,001 records of llama-bench, more than 1,000"),
        (TABLE + "x" * 200_000 + ",b,c,1\n", "import-syntax", "malformed CSV: field larger than field limit"),
        # text
        ("", "import-unreadable", "file cannot be read: it contains no JSON, CSV or Markdown table"),
        ("5", "import-unreadable", "it contains no JSON"),
        (config().encode()[:30] + b"\xff", "import-unreadable", "byte 31 is not UTF-8"),
        (config().encode("utf-16"), "import-unreadable", "it is UTF-16"),
        (config().replace("{", "{\n\0", 1), "import-syntax", "file contains a NUL in line 2"),
        # JSON
        (config()[:-1], "import-syntax", "file:1:"),
        ("\n\n {'a': 1}", "import-syntax", "file:3:3: malformed JSON: Expecting property name"),
        ('{"a": 1}\n{"a": }\n', "import-syntax", "file:2:7: malformed JSON: Expecting value"),
        (f'{config()[:-1]}, "hidden_size": 7}}', "import-syntax", "the key `hidden_size` has two values"),
        (f"[{config()}, 5]", "import-syntax", "must be a list of objects, but value 2 is none"),
        # tables
        (TABLE + "a,b,c,1\na,b,c\n", "import-syntax", "file:3:1: 3 cells instead of 4"),
        (TABLE + 'a,b,c,1\n"a,b,c,1\n', "import-syntax", "file:3:1: malformed CSV: unexpected end of data"),
        ("model,gpu,tier,gpu\na,b,c,1\n", "import-syntax", "two columns `gpu`"),
        ("| a | b |\n| - | - |\n| c |\n", "import-syntax", "file:3:1: 1 cells instead of 2"),
        # values of another kind
        (config(hidden_size=[4096]), "import-value", "file: `hidden_size` must be a number, but is a list"),
        (config(hidden_size="wide"), "import-value", "`hidden_size` must be a number, but is `wide`"),
        (config(hidden_size=True), "import-value", "`hidden_size` must be a number, but is true"),
        (config(hidden_size="1_000"), "import-value", "`hidden_size` must be a number, but is `1_000`"),
        (config(hidden_size=float("nan")), "import-value", "`hidden_size` must be a number, but is nan"),
        (
            config(hidden_size=0).replace(": 0,", f": {'9' * 5000},", 1),
            "import-value",
            "`hidden_size` must be a number",
        ),
        (config(num_key_value_heads=["x"]), "import-value", "`num_key_value_heads` must be a number, but is `x`"),
        (config(layer_types=5), "import-value", "`layer_types` must be a list, but is 5"),
        (config(layer_types="full_attention"), "import-value", "`layer_types` must be a list"),
        (config(model_type={}), "import-value", "`model_type` must be a text, but is an object"),
        (config(tie_word_embeddings="yes"), "import-value", "`tie_word_embeddings` must be true or false"),
        (json.dumps([RUN, {**RUN, "n_gen": []}]), "import-value", "file, record 2: `n_gen` must be a number"),
        (json.dumps({**RUN, "model_type": "\ud800"}), "import-value", "`model_type` must be a text"),
        (json.dumps({**RUN, "model_type": "a\x1b[2Jb"}), "import-value", "but is `a\\x1b[2Jb`"),
        (json.dumps({**RUN, "model_type": "a" * 2000}), "import-value", "but is a text of 2,000 characters"),
        (json.dumps({**RUN, "avg_ts": "fast"}), "import-value", "`avg_ts` must be a number, but is `fast`"),
        (json.dumps({**RESULT, "mean_tpot_ms": {}}), "import-value", "`mean_tpot_ms` must be a number"),
        (TABLE + "a,b,c,1\na,b,c,fast\n", "import-value", "file, line 3: `tg_tok_s` must be a number, but is `fast`"),
        # GGUF
        (BOMB, "import-syntax", "`x` would end at byte 1,099,511,627,8"),
        (gguf_file(LLAMA, {}, counts=(2**40, 3)), "import-too-large", "1,099,511,627,776 tensors, more than 50,000"),
        (gguf_file(LLAMA, {}, counts=(0, 2**64 - 1)), "import-too-large", "keys, more than 10,000"),
        (gguf_file(LLAMA, {}, version=4), "import-syntax", "version 4; versions 2 and 3 are read"),
        (gguf_file({"x": struct.pack("<IQ", 8, 2**62)}, {}), "import-syntax", "`x` would end at byte"),
        (gguf_file({"x": struct.pack("<IIQIQ", 9, 9, 1, 9, 1)}, {}), "import-syntax", "`x` is a list of lists"),
        (gguf_file({"x": struct.pack("<I", 13)}, {}), "import-syntax", "`x` has the unknown type 13"),
        (gguf_file({"general.alignment": 24}, {}), "import-syntax", "`general.alignment` is no power of two"),
        (gguf_file(LLAMA, {"t": (1,) * 5}), "import-syntax", "the tensor `t` has 5 dimensions"),
        (gguf_file(LLAMA, {"t": (1, 2)})[:-1], "import-syntax", "the file ends 1 bytes before its last tensor"),
        (gguf_file(LLAMA | {"llama.block_count": [4]}, {}), "import-value", "`block_count` must be a number"),
        (
            gguf_file(LLAMA | {"general.name": 1.5}, {}).replace(b"llama", b"\xff\xfe\xfd\xfc\xfb", 1),
            "import-syntax",
            "",
        ),
        (
            b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + 2 * (gguf_text("x") + struct.pack("<IB", 0, 1)),
            "import-syntax",
            "the key `x` appears twice",
        ),
        (
            gguf_file({"x": struct.pack("<IIQ", 9, 8, MAX_LIST_TEXTS + 1) + b"\0" * (MAX_LIST_TEXTS + 9)}, {}),
            "import-too-large",
            "texts in lists",
        ),
    ],
    ids=lambda value: value if str(value).startswith("import-") else "",
)
def test_a_malformed_file_is_a_problem(engine: Engine, content: bytes | str, code: str, message: str) -> None:
    problem = problem_in(engine, content)
    assert (problem.code, message in str(problem)) == (code, True), problem


def test_a_gguf_file_that_ends_early_is_never_an_entry(engine: Engine) -> None:
    content = gguf_file(LLAMA | {"tokenizer.ggml.tokens": ["a", "b"], "llama.f": 1.5}, {"a": (3, 2), "b": (4,)})
    assert imported(engine, content)[0].data["layers"] == 4
    for end in range(4, len(content)):
        assert problem_in(engine, content[:end]).code == "import-syntax", end


@pytest.mark.parametrize("name", ["configs/llama-3.1-8b.json", "runs/vllm-bench.json", "runs/llama-bench.json"])
def test_json_that_ends_early_is_never_an_entry(engine: Engine, name: str) -> None:
    content = (SAMPLES / name).read_text("utf-8").strip()
    for end in range(len(content)):
        assert problem_in(engine, content[:end]).code in ("import-syntax", "import-unreadable"), end


def test_values_that_no_entry_needs_may_be_anything(engine: Engine) -> None:
    expected = imported(engine, config())
    unread = {"time_step_limit": [0.0, float("inf")], "seed": 10**50, "x": "\ud800", "tags": [1, {}], "": None}
    assert imported(engine, config(**unread)) == expected
    assert imported(engine, f'{config()[:-1]}, "hidden_size": {CONFIG["hidden_size"]}}}') == expected  # twice the same


def test_long_lists_and_texts_of_a_header_are_passed_over(engine: Engine) -> None:
    tokens = struct.pack("<IIQ", 9, 8, 9000) + gguf_text("ab") * 9000
    header = LLAMA | {"tokenizer.ggml.tokens": tokens, "tokenizer.chat_template": "x" * 50_000, "l": [7] * 5000}
    assert imported(engine, gguf_file(header, {}))[0].data["vocabulary"] == 9000
    _, (record,) = read_records(source_of(gguf_file(header, {}), "file"))
    assert (record["tokenizer.chat_template"], record["l"]) == (LongValue(50_000), LongValue(5000))


@pytest.mark.parametrize(("order", "version"), [("<", 2), (">", 3)])
def test_older_and_big_endian_headers_are_read(engine: Engine, order: str, version: int) -> None:
    content = gguf_file(LLAMA, {"t": (3, 5)}, order=order, version=version)
    assert imported(engine, content)[0].data["layers"] == 4


def test_words_for_no_value_and_numbers_in_texts_are_read() -> None:
    reader = RecordReader({"none": "n/a", "empty": "", "dash": "-", "text": " 1.5e3 ", "list": [1, 2.5]})
    assert (reader.number("text"), reader.largest("list"), reader.per_layer("list")) == (1500, 2.5, [1, 2.5])
    for key in ("none", "empty", "dash", "missing"):
        assert reader.number(key) != reader.number(key), key  # NaN


def test_names_of_files_take_linear_time(engine: Engine) -> None:
    for name in ("_Q4" * 300, "Q4-" * 300 + "/", "_Q4_" * 240 + ".ggu"):
        assert imported(engine, json.dumps({**RUN, "model_filename": name}))


def test_similar_ids_are_sought_for_some_names_only(engine: Engine) -> None:
    rows = "".join(f"model {number},card {number},A,1\n" for number in range(MAX_NAMES))
    entries = imported(engine, TABLE + rows)
    similar = [unmatched.nearest for entry in entries for unmatched in entry.unmatched if unmatched.nearest]
    assert 0 < len(similar) <= MAX_NAMES < len(entries) * 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("folder", "is not a regular file"),
        ("pipe", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        ("missing", "No such file"),
        ("sparse.json", "is larger than"),
        ("sparse.gguf", "GGUF header"),
        ("a\0b", "null"),
    ],
)
def test_only_regular_files_of_a_usual_size_are_read(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sparse.gguf").write_bytes(gguf_file({"x": struct.pack("<IIQ", 9, 0, 2**33)}, {}))
    for name in ("sparse.json", "sparse.gguf"):
        with (tmp_path / name).open("ab") as file:
            file.truncate(10 * 1024**3)
    ended = CliRunner().invoke(main, ["import", "model", str(tmp_path / path)])
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert ended.exit_code == 1
    assert message in ended.output


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ((SAMPLES / "configs" / "qwen-3-14b.json").read_bytes(), "1 read, 1 taken"),
        (gguf_file(LLAMA, {"t": (1, 2)}), "1 read, 1 taken"),
        (BOMB, "standard input has a GGUF header with 1,099,511,627,8"),
        (b"", "standard input cannot be read"),
        (b" " * (MAX_TEXT_BYTES + 1), "standard input is larger than"),
    ],
    ids=["json", "gguf", "bomb", "empty", "large"],
)
def test_standard_input_is_read(content: bytes, expected: str) -> None:
    ended = CliRunner().invoke(main, ["import", "model", "-"], input=content)
    assert isinstance(ended.exception, SystemExit), ended.exception
    assert expected in ended.output


def test_malformed_outputs_of_programs_are_problems(tmp_path: Path) -> None:
    for content, message in (
        (b"\xff", "not UTF-8"),
        (b"x" * 5000, "no list of devices"),
        (b"x\n" * 3000, "3,000 lines"),
    ):
        (tmp_path / "lspci.txt").write_bytes(content)
        ended = CliRunner().invoke(main, ["import", "device", "--from", str(tmp_path)])
        assert ended.exit_code == 1
        assert message in ended.output


def test_a_program_that_prints_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = (sys.executable, "-c", "while True: print('x' * 1000)")
    silent = (sys.executable, "-c", "import time; time.sleep(60)")
    monkeypatch.setattr(machine, "MAX_SECONDS", 0.5)
    monkeypatch.setattr(machine, "MAX_OUTPUT_BYTES", 10_000)
    assert machine_records({"a": endless, "b": silent}, "", None) == [{}]


def test_a_memory_size_of_a_mac_that_is_no_number_is_a_problem(engine: Engine) -> None:
    (apple,) = (importer for importer in IMPORTERS if importer.title == "Apple silicon")
    records: list[Record] = output_records({"chip": "Apple M3 Max", "memory_bytes": "much"}, "", "saved")
    with pytest.raises(ProblemsError, match="saved: `memory_bytes` must be a number, but is `much`"):
        import_entries(apple, records, engine.rulebook.catalogs)


HUNGRY = """
import sys
from pathlib import Path
from fitcard.importers.records import records_of
from fitcard.problems import ProblemsError

def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024

before = peak()
for file in sys.argv[1:]:
    try:
        records_of(Path(file))
    except ProblemsError as error:
        print(error)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_memory_is_bounded(tmp_path: Path) -> None:
    size = MAX_TEXT_BYTES - 100
    emoji = "\U0001f600"
    contents: dict[str, bytes | str] = {
        "objects": "[" + '{"a":1},' * 240_000 + "{}]",
        "lists": '{"a":[' + "[]," * 240_000 + "[]]}",
        "text": f'{{"a": "{emoji * (size // 4)}"}}',
        "lines": f"{emoji}{'a' * 30}\n" * 199_000,
        "cells": ",".join(f"a{column}" for column in range(200)) + f"\n{','.join([emoji] * 200)}" * 2000,
        "commas": "," * size,
        "pipes": "|" * size,
        "bomb": BOMB,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    files = [str(tmp_path / name) for name in contents]
    ended = subprocess.run([sys.executable, "-c", HUNGRY, *files], capture_output=True, text=True, check=True)
    assert int(ended.stdout.split()[-1]) < 256
