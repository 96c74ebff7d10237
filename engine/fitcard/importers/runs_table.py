"""A collected table of runs: a CSV or Markdown file with one run per row. Gives measured runs.

Columns, of which the first that is present counts:

    model                              model
    gpu, device                        device
    gpu_count, gpus                    gpus
    quant                              quant: the first one in the text
    runtime                            runtime, build
    context_or_test, test              context, depth, test: tg128 @ d4096, or in1024/out128
    prompt_tokens                      prompt, context; a text that is no number alone is a note, and gives none
    tg_tok_s, decode_tok_s             measured.decode_tok_s
    pp_tok_s, prefill_tok_s            measured.prefill_tok_s
    ttft_ms                            measured.ttft
    file_gib                           file_size
    tier, source                       tier, source
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fitcard.importers.importer import Fields, Importer, Reading, RecordReader, applies, run_id
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import find, find_number, first_known, known, number_of

# Also matches `MXFP4 (Ollama default)` and `not stated (Q4_K_M)`.
QUANT = r"(IQ[1-4]_[A-Z]+|Q[2-8]_K_[SML]|Q[2-8]_[K01]|MXFP4|NVFP4|BF16|F16|FP16|FP8|AWQ|GPTQ)"
QUANTS = {"FP16": "F16"}  # other spellings
OLD_RUNTIME = r"(llama.cpp [(]May 2024[)])"
RUNTIME = r"(Ollama|llama.cpp|TensorRT-LLM|vLLM|MLX)"
RUNTIMES = {
    "llama.cpp (May 2024)": "llama.cpp-2024",
    "Ollama": "ollama",
    "llama.cpp": "llama.cpp",
    "TensorRT-LLM": "tensorrt-llm",
    "vLLM": "vllm",
    "MLX": "mlx",
}
GB_PER_GIB = 1.073741824


def recognises(record: Record) -> bool:
    """Whether the row has a model, a device and a tier."""
    row = RecordReader(record)
    return all(row.value(*columns) is not None for columns in (("model",), ("gpu", "device"), ("tier",)))


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One run for each row that has a measured figure."""
    readings = (_reading(RecordReader(record, overrides)) for record in records)
    return [reading for reading in readings if reading is not None]


def _reading(row: RecordReader) -> Reading | None:
    decode = row.number("tg_tok_s", "decode_tok_s")
    prefill = row.number("pp_tok_s", "prefill_tok_s")
    first_token = row.number("ttft_ms")
    if not any(map(known, (decode, prefill, first_token))):
        return None
    test = row.override_or_text("test", "context_or_test", "test")
    generated, cached = find_number(r"tg([0-9]+)", test), find_number(r"@ d([0-9]+)", test)
    tokens_in, tokens_out = find_number(r"in([0-9]+)/", test), find_number(r"/out([0-9]+)", test)
    prompt_tokens = number_of(row.text("prompt_tokens"))  # or a note, such as `2048 @ d32768` or `10k`
    gpus = row.number("gpu_count", "gpus")
    quant, runtime = row.find(QUANT, "quant"), row.text("runtime")
    fields = {
        "model": row.text("model"),
        "quant": QUANTS.get(quant or "", quant),
        "device": row.text("gpu", "device"),
        "gpus": applies(gpus > 1, gpus),
        "runtime": RUNTIMES.get(find(OLD_RUNTIME, runtime) or find(RUNTIME, runtime) or ""),
        "context": first_known(tokens_in + tokens_out, cached + first_known(generated, 0), generated, prompt_tokens),
        "depth": first_known(tokens_in + tokens_out / 2, cached + generated / 2, generated / 2),
        "prompt": first_known(prompt_tokens, tokens_in),
        "file_size": row.number("file_gib") * GB_PER_GIB,
        "measured.decode_tok_s": decode,
        "measured.prefill_tok_s": prefill,
        "measured.ttft": first_token,
        "test": test,
        "build": runtime,
        "tier": row.text("tier"),
        "source": row.text("source"),
    }
    return Reading(fields, entry_id=partial(run_id, count_gpus=False))


IMPORTER = Importer(
    title="a table of runs",
    word="measurements",
    catalog="measurements",
    source=SourceKind.RECORDS,
    recognises=recognises,
    read=read,
)
