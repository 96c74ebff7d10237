"""llama-bench of llama.cpp: as JSON, JSON lines, CSV or the Markdown table that it prints. Gives measured runs.

Keys, of which the first that is present counts; the first name is that of JSON and CSV:

    avg_ts, t/s                        measured.decode_tok_s or measured.prefill_tok_s
    n_prompt, n_gen, n_depth           prompt, context, depth, cached, test; else from `test`: pp512, tg128 @ d4096
    model_filename                     model, quant
    model_type, model                  model, quant if there is no file name or it lacks them
    gpu_info                           device, gpus; else from the lines around a table
    n_gpu_layers, ngl                  gpu_layers, below 99
    n_cpu_moe, ncmoe                   expert_layers_on_host
    type_k                             kv, unless F16
    model_size, size                   file_size
    backends, backend; build_commit, build_number; flash_attn, fa
                                       build
    n_ubatch                           (only distinguishes runs)

A test of prompt processing (pp) and one of generation (tg) that agree in all else are one run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from fitcard.importers.importer import Fields, Importer, Reading, RecordReader, applies, run_id
from fitcard.importers.problems import ImportTooLarge, import_error
from fitcard.importers.records import AROUND, Record, SourceKind
from fitcard.importers.values import (
    find,
    find_number,
    first_known,
    join_known,
    known,
    number_of,
    rounded,
    text_of,
)

QUANTS = {
    "Q2_K - Medium": "Q2_K",
    "Q3_K - Small": "Q3_K_S",
    "Q3_K - Medium": "Q3_K_M",
    "Q3_K - Large": "Q3_K_L",
    "Q4_0": "Q4_0",
    "Q4_K - Small": "Q4_K_S",
    "Q4_K - Medium": "Q4_K_M",
    "Q5_K - Small": "Q5_K_S",
    "Q5_K - Medium": "Q5_K_M",
    "Q6_K": "Q6_K",
    "Q8_0": "Q8_0",
    "F16": "F16",
    "BF16": "BF16",
    "MXFP4 MoE": "MXFP4",
    "IQ1_M - 1.75 bpw": "IQ1_M",
    "IQ2_XXS - 2.0625 bpw": "IQ2_XXS",
    "IQ2_XS - 2.3125 bpw": "IQ2_XS",
    "IQ2_S - 2.5 bpw": "IQ2_S",
    "IQ2_M - 2.7 bpw": "IQ2_M",
    "IQ3_XXS - 3.0625 bpw": "IQ3_XXS",
    "IQ3_XS - 3.3 bpw": "IQ3_XS",
    "IQ4_NL - 4.5 bpw": "IQ4_NL",
    "IQ4_XS - 4.25 bpw": "IQ4_XS",
}
PRINTED_QUANT = r"((?:IQ[1-4]_|Q[2-8]_|MXFP4|B?F16).*)$"
# Both look for the suffix first: else a name without it takes quadratic or cubic time.
QUANT_OF_FILE = r"[-._](?=[^/]*[.]gguf$)((?:IQ|Q)[1-8]_[A-Z0-9_]+|B?F16|MXFP4)[^/]*[.]gguf$"
MODEL_OF_FILE = r"(?:^|/)(?=[^/]*[.]gguf$)([^/]+?)[-._](?:UD-)?(?:IQ[1-8]|Q[1-8]|B?F16|MXFP4)[^/]*[.]gguf$"
ALL_LAYERS = 99  # usual n_gpu_layers for all layers on the GPU
BYTES_PER_GIB, BYTES_PER_MIB, BYTES_PER_GB = 1024**3, 1024**2, 1e9
MAX_RECORDS = 1_000  # each is compared with all runs before it
SETTINGS = (  # records that differ in one of these are different runs
    "benchmark", "file", "quant", "device", "gpus", "backend", "gpu_layers", "host_expert_layers", "batch", "kv",
    "flash_attention", "cached", "prompt", "generated",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """The values of one record, or of several joined ones; None where absent."""

    benchmark: Any
    file: Any
    model: Any
    quant: Any
    device: Any
    gpus: float | None
    backend: Any
    build: str | None
    gpu_layers: float | None
    host_expert_layers: float | None
    batch: float | None
    kv: Any
    flash_attention: Any
    cached: float
    prompt: float | None
    generated: float | None
    prefill_rate: float | None  # tokens per second
    decode_rate: float | None
    file_size: float | None  # in GB

    def is_same(self, other: Run) -> bool:
        """Whether two records may be of one run: all settings that both state are equal."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in SETTINGS]
        return all(own == others for own, others in pairs if own is not None and others is not None)

    def joined(self, other: Run) -> Run:
        """This run, with the values of the other record where it has none."""
        missing = [field.name for field in fields(Run) if getattr(self, field.name) is None]
        return replace(self, **{name: getattr(other, name) for name in missing})


def recognises(record: Record) -> bool:
    """Whether the record has a rate and the name of a model."""
    reader = RecordReader(record)
    return reader.value("avg_ts", "t/s") is not None and reader.value("model_type", "model") is not None


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One run for each combination of settings; records of prompt processing and generation are joined."""
    if len(records) > MAX_RECORDS:
        message = f"{len(records):,} records of llama-bench, more than {MAX_RECORDS:,}"
        raise import_error(ImportTooLarge, message, "split the file")
    runs: list[Run] = []
    for run in (_run(RecordReader(record, overrides)) for record in records):
        if run.prompt is None and run.generated is None:
            continue
        at = next((at for at, other in enumerate(runs) if other.is_same(run)), None)
        if at is None:
            runs.append(run)
        else:
            runs[at] = runs[at].joined(run)
    return [_reading(run) for run in runs]


def _run(record: RecordReader) -> Run:
    benchmark, file = record.text("model_type", "model"), record.text("model_filename")
    test = record.text("test")
    prompt_tokens = first_known(record.number("n_prompt"), find_number(r"^pp([0-9]+)(?![0-9+])", test), 0)
    generated_tokens = first_known(record.number("n_gen"), find_number(r"^tg([0-9]+)", test), 0)
    is_prompt = prompt_tokens > 0 and generated_tokens == 0
    prompt = first_known(record.override_number("prompt"), prompt_tokens) if is_prompt else None
    generated = generated_tokens if generated_tokens > 0 and prompt_tokens == 0 else None
    rate = _present(rounded(_rate(record), 2))
    return Run(
        benchmark=benchmark,
        file=file,
        model=find(MODEL_OF_FILE, file) or benchmark,
        quant=record.overrides.get("quant") or _quant(benchmark, file),
        device=record.overrides.get("device") or _device(record),
        gpus=_gpus(record),
        backend=record.text("backends", "backend"),
        build=_build(record),
        gpu_layers=_present(record.number("n_gpu_layers", "ngl")),
        host_expert_layers=_present(record.number("n_cpu_moe", "ncmoe")),
        batch=_present(record.number("n_ubatch")),
        kv=record.text("type_k"),
        flash_attention=record.scalar("flash_attn", "fa"),
        cached=first_known(record.number("n_depth"), find_number(r"@ d([0-9]+)", test), 0),
        prompt=prompt,
        generated=generated,
        prefill_rate=rate if prompt is not None else None,
        decode_rate=rate if generated is not None else None,
        file_size=_file_size(record),
    )


def _rate(record: RecordReader) -> float:
    """Tokens per second, which a table states with their deviation: `153.21 ± 0.35`."""
    mean = number_of(record.find(r"^([0-9.]+) *±", "avg_ts", "t/s"))
    return mean if known(mean) else record.number("avg_ts", "t/s")


def _present(number: float) -> float | None:
    return number if known(number) else None


def _quant(benchmark: Any, file: Any) -> str | None:
    printed = find(PRINTED_QUANT, benchmark)
    return QUANTS.get(printed or "") or find(QUANT_OF_FILE, file) or printed


def _device(record: RecordReader) -> str | None:
    first = record.find(r"^([^,]+)", "gpu_info")
    return first or record.find(r"Device 0: ([^,]+)", AROUND) or record.find(r"GPU name: +(.+)", AROUND)


def _gpus(record: RecordReader) -> float | None:
    names, around = record.text("gpu_info"), record.value(AROUND)
    if names is not None:
        return len(re.findall(r"[^,]+", names))
    return len(re.findall(r"(?m)^ *Device [0-9]+:", around)) if isinstance(around, str) else None


def _build(record: RecordReader) -> str | None:
    backend = record.text("backends", "backend")
    commit, number = record.text("build_commit"), record.text("build_number")
    printed = record.find(r"build: ([0-9a-f]+ [(][0-9]+[)])", AROUND)
    build = join_known(backend, ", ", commit, " (", number, ")") or join_known(backend, ", ", printed) or backend
    has_flash_attention = record.scalar("flash_attn", "fa") in (True, "1", "true", "on")
    return join_known(build, ", flash attention") if has_flash_attention else build


def _file_size(record: RecordReader) -> float | None:
    gib, mib = (record.find(rf"^([0-9.]+) {unit}", "size") for unit in ("GiB", "MiB"))
    size = first_known(record.number("model_size"), number_of(gib) * BYTES_PER_GIB, number_of(mib) * BYTES_PER_MIB)
    return _present(rounded(size / BYTES_PER_GB, 5))


def _reading(run: Run) -> Reading:
    prompt, generated = run.prompt or 0, run.generated or 0
    depth = f" @ d{text_of(run.cached)}" if run.cached > 0 else ""
    tests = [f"tg{text_of(generated)}{depth}"] if generated else []
    tests += [f"pp{text_of(prompt)}{depth}"] if prompt else []
    gpu_layers = run.gpu_layers if run.gpu_layers is not None else ALL_LAYERS
    entry_fields = {
        "model": run.model,
        "quant": run.quant,
        "device": run.device,
        "gpus": applies((run.gpus or 0) > 1, run.gpus),
        "runtime": "llama.cpp",
        "kv": applies(run.kv not in (None, "f16", "bf16"), run.kv),
        "context": run.cached + prompt + generated,
        "depth": applies(generated > 0, run.cached + generated / 2),
        "prompt": applies(prompt > 0, prompt),
        "cached": applies(run.cached > 0, run.cached),
        "gpu_layers": applies(0 <= gpu_layers < ALL_LAYERS, gpu_layers),
        "expert_layers_on_host": applies((run.host_expert_layers or 0) > 0, run.host_expert_layers),
        "file_size": run.file_size,
        "measured.decode_tok_s": applies(run.decode_rate is not None, run.decode_rate),
        "measured.prefill_tok_s": applies(run.prefill_rate is not None, run.prefill_rate),
        "test": ", ".join(tests),
        "build": run.build,
    }
    return Reading(entry_fields, entry_id=lambda resolved: run_id(resolved, tests[0].replace(" @ ", "-")))


IMPORTER = Importer(
    title="llama-bench",
    word="measurements",
    catalog="measurements",
    source=SourceKind.RECORDS,
    recognises=recognises,
    read=read,
)
