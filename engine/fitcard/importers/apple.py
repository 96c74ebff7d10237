"""Apple silicon: the chip and the memory of this Mac. Gives an entry of the catalog of devices.

Outputs, and what each becomes:

    chip: sysctl, "Apple M3 Max"               name, architecture
    memory_bytes: sysctl                       memory
    displays: system_profiler, "Total Number of Cores: 40"
                                               (tells chips apart that differ in the cores of the GPU)
"""

from __future__ import annotations

from collections.abc import Sequence

from fitcard.importers.importer import Fields, Importer, Reading, RecordReader
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import join_known, known, rounded

CHIP, MEMORY, DISPLAYS = "chip", "memory_bytes", "displays"
ARCHITECTURES = {"M1": "m1", "M2": "m2", "M3": "m3", "M4": "m4", "M5": "m5"}
BYTES_PER_GIB = 1024**3


def recognises(record: Record) -> bool:
    """Whether the record has the outputs of a Mac."""
    return CHIP in record and MEMORY in record


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """The device of each machine with an Apple chip."""
    readings = (_reading(RecordReader(record, overrides)) for record in records)
    return [reading for reading in readings if reading is not None]


def _reading(machine: RecordReader) -> Reading | None:
    chip = machine.find(r"^Apple (M[0-9].*)$", CHIP)
    memory = rounded(machine.number(MEMORY) / BYTES_PER_GIB)
    if chip is None or not known(memory):
        return None
    cores = machine.find(r"Total Number of Cores: ([0-9]+)", DISPLAYS)
    name = join_known("Apple ", chip, " ", memory, "GB")
    fields = {
        "name": name,
        "vendor": "Apple",
        "family": "apple-silicon",
        "segment": "unified",
        "architecture": ARCHITECTURES.get(machine.find(r"^Apple (M[0-9]+)", CHIP) or ""),
        "memory": memory,
        "unified": True,
        "link": "unified",
    }
    return Reading(fields, names=(join_known("Apple ", chip, " ", cores, "-core GPU ", memory, "GB"), name))


IMPORTER = Importer(
    title="Apple silicon",
    word="device",
    catalog="devices",
    source=SourceKind.MACHINE,
    recognises=recognises,
    read=read,
    machine={
        CHIP: ("sysctl", "-n", "machdep.cpu.brand_string"),
        MEMORY: ("sysctl", "-n", "hw.memsize"),
        DISPLAYS: ("system_profiler", "SPDisplaysDataType"),
    },
    tolerances={"memory": 0.01},
)
