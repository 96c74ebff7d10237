"""`vllm bench serve`, or benchmark_serving.py before it, saved with --save-result. Gives measured runs.

Keys, of which the first that is present counts:

    model_id                                   model, quant: FP8, NVFP4, AWQ or GPTQ in the name
    device, gpus                               device, gpus: usually overrides
    backend, endpoint_type                     runtime
    total_input_tokens, total_output_tokens, completed
                                               prompt, context, depth: means over the requests
    max_concurrency                            users; else num_prompts if request_rate is inf
    mean_tpot_ms, median_tpot_ms               measured.decode_tok_s
    mean_ttft_ms, median_ttft_ms               measured.ttft
"""

from __future__ import annotations

from collections.abc import Sequence

from fitcard.importers.importer import Fields, Guess, Importer, Reading, RecordReader, applies, number_if, run_id
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import find, first_known, join_known, known, ratio, rounded

RUNTIMES = {"vllm": "vllm", "tensorrt-llm": "tensorrt-llm"}
QUANT = r"(FP8|NVFP4|AWQ|GPTQ)"
UNLIMITED = "inf"  # request rate: all requests are sent at once
MS_PER_S = 1000


def recognises(record: Record) -> bool:
    """Whether the record has times per output token and to the first token."""
    reader = RecordReader(record)
    per_token = reader.value("mean_tpot_ms", "median_tpot_ms")
    return per_token is not None and reader.value("mean_ttft_ms", "median_ttft_ms") is not None


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One run for each record that states the number of concurrent requests."""
    readings = (_reading(RecordReader(record, overrides)) for record in records)
    return [reading for reading in readings if reading is not None]


def _reading(record: RecordReader) -> Reading | None:
    unlimited = number_if(record.scalar("request_rate") == UNLIMITED, record.number("num_prompts"))
    users = first_known(record.override_or_number("users", "max_concurrency"), unlimited)
    if not known(users):
        return None
    completed = record.number("completed")
    prompt = rounded(ratio(record.number("total_input_tokens"), completed))
    prompt = first_known(record.override_number("prompt"), prompt)
    generated = rounded(ratio(record.number("total_output_tokens"), completed))
    model = record.override_or_text("model", "model_id")
    gpus = record.override_or_number("gpus", "gpus")
    fields = {
        "model": model,
        "quant": find(QUANT, model),
        "device": record.text("device"),
        "gpus": applies(gpus > 1, gpus),
        "runtime": RUNTIMES.get(record.text("backend", "endpoint_type") or "", Guess("vllm")),
        "context": prompt + generated,
        "depth": prompt + generated / 2,
        "prompt": prompt,
        "users": applies(users > 1, users),
        "measured.decode_tok_s": rounded(ratio(MS_PER_S, record.number("mean_tpot_ms", "median_tpot_ms")), 2),
        "measured.ttft": rounded(record.number("mean_ttft_ms", "median_ttft_ms"), 2),
        "test": join_known("in", prompt, "/out", generated, " concurrency", users),
    }
    label = join_known("in", prompt, "-out", generated, "-", users, "-users")
    return Reading(fields, entry_id=lambda resolved: run_id(resolved, label))


IMPORTER = Importer(
    title="vllm bench serve",
    word="measurements",
    catalog="measurements",
    source=SourceKind.RECORDS,
    recognises=recognises,
    read=read,
)
