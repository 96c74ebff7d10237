"""All importers, in the order in which formats are recognised."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fitcard.importers import (
    apple,
    gguf,
    huggingface,
    llama_bench,
    lspci,
    nvidia_smi,
    rocm_smi,
    runs_table,
    vllm_bench,
)
from fitcard.importers.importer import Importer
from fitcard.importers.records import Record, SourceKind

IMPORTERS: tuple[Importer, ...] = (
    apple.IMPORTER,
    gguf.IMPORTER,
    huggingface.IMPORTER,
    llama_bench.IMPORTER,
    lspci.IMPORTER,
    nvidia_smi.IMPORTER,
    rocm_smi.IMPORTER,
    runs_table.IMPORTER,
    vllm_bench.IMPORTER,
)


def recognise(importers: Iterable[Importer], source: SourceKind, records: Sequence[Record]) -> Importer | None:
    """The first importer that reads this kind of source and recognises all records; None if there is none."""
    return next(
        (importer for importer in importers if importer.source is source and all(map(importer.recognises, records))),
        None,
    )
