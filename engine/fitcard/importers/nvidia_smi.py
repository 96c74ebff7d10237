"""nvidia-smi: each NVIDIA card of this machine. Gives entries of the catalog of devices.

Outputs, and what each value becomes:

    nvidia_smi: one line for each card, with values separated by commas
        name                   name, family, segment
        memory.total (MiB)     memory; a card without one shares that of the host: unified
        pcie.link.gen.max      pcie.generation
        pcie.link.width.max    pcie.lanes
        power.default_limit    tdp
        compute_cap            architecture
    host: /proc/meminfo
        MemTotal (kB)          memory of a card that shares it

The driver states no memory bandwidth and no compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fitcard.importers.importer import Fields, Guess, Importer, Reading, RecordReader, applies
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import ceil, find, first_known, join_known, number_of, rounded

OUTPUT, HOST = "nvidia_smi", "host"
COLUMNS = "name,memory.total,pcie.link.gen.max,pcie.link.width.max,power.default_limit,compute_cap"
COMMAND = ("nvidia-smi", f"--query-gpu={COLUMNS}", "--format=csv,noheader,nounits")
ARCHITECTURES = {  # by compute capability
    "5.2": "maxwell",
    "6.0": "pascal",
    "6.1": "pascal",
    "7.0": "volta",
    "7.5": "turing",
    "8.0": "ampere",
    "8.6": "ampere",
    "8.7": "ampere",
    "8.9": "ada",
    "9.0": "hopper",
    "10.0": "blackwell",
    "12.0": "blackwell",
    "12.1": "blackwell",
}
MIB_PER_GIB = 1024
KIB_PER_GIB = 1024**2


def recognises(record: Record) -> bool:
    """Whether the record has output of nvidia-smi."""
    return OUTPUT in record


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One device for each card."""
    return [_reading(RecordReader(record, overrides)) for record in records]


def _reading(record: RecordReader) -> Reading:
    name = record.find(r"^(.*?),", OUTPUT)
    mib = record.find(r"^[^,]*, *([0-9]+) *,", OUTPUT)
    host_kib = record.find(r"MemTotal: +([0-9]+)", HOST)
    shares_memory = mib is None
    memory = first_known(
        ceil(number_of(mib) / MIB_PER_GIB),  # ECC reserves a sixteenth
        rounded(number_of(host_kib) / KIB_PER_GIB),
    )
    bare = find(r"^(?:NVIDIA |Tesla )?(.*?)(?: [0-9]+ ?GB.*|-[0-9]+GB.*)?$", name)
    chip, socket = find(r"^(?:NVIDIA )?([A-Z0-9]+)[- ]", name), find(r"(SXM|PCIe|PCIE)", name)
    fields = {
        "name": join_known(bare, " ", memory, "GB"),
        "vendor": "NVIDIA",
        "family": _family(name, shares_memory=shares_memory),
        "segment": _segment(name, shares_memory=shares_memory),
        "architecture": ARCHITECTURES.get(record.find(r", *([0-9.]+)$", OUTPUT) or ""),
        "memory": memory,
        "unified": shares_memory,
        "link": Guess("unified" if shares_memory else "pcie"),
        "pcie.generation": applies(not shares_memory, number_of(record.find(r"^(?:[^,]*,){2} *([0-9]+)", OUTPUT))),
        "pcie.lanes": applies(not shares_memory, number_of(record.find(r"^(?:[^,]*,){3} *([0-9]+)", OUTPUT))),
        "tdp": number_of(record.find(r"^(?:[^,]*,){4} *([0-9.]+)", OUTPUT)),
    }
    names = (
        name,
        join_known(name, " ", memory, "GB"),
        join_known(bare, " ", memory, "GB"),
        join_known(chip, " ", socket, " ", memory, "GB"),
        bare,
    )
    return Reading(fields, names)


def _family(name: str | None, *, shares_memory: bool) -> str | Guess:
    if shares_memory:
        return Guess("nvidia-unified")
    if _is_geforce(name):
        return "geforce"
    return Guess("rtx-professional" if _is_professional(name) else "nvidia-datacenter")


def _segment(name: str | None, *, shares_memory: bool) -> str | Guess:
    if shares_memory:
        return Guess("unified")
    if find(r"(Laptop|Max-Q)", name):
        return "laptop"
    if _is_geforce(name):
        return Guess("desktop")
    return Guess("workstation" if _is_professional(name) else "datacenter")


def _is_geforce(name: str | None) -> bool:
    return find(r"(GeForce|TITAN)", name) is not None


def _is_professional(name: str | None) -> bool:
    return find(r"(RTX A?[0-9]|RTX PRO|Quadro)", name) is not None


IMPORTER = Importer(
    title="nvidia-smi",
    word="device",
    catalog="devices",
    source=SourceKind.MACHINE,
    recognises=recognises,
    read=read,
    machine={OUTPUT: COMMAND, HOST: Path("/proc/meminfo")},
    each=OUTPUT,
    tolerances={"memory": 0.08},
)
