"""rocm-smi: each AMD card of this machine. Gives entries of the catalog of devices.

Output `rocm_smi`, a line for each card, with values separated by commas:

    VRAM Total Memory (B)      memory
    the column with Radeon or Instinct
                               name, family, segment
"""

from __future__ import annotations

from collections.abc import Sequence

from fitcard.importers.importer import Fields, Guess, Importer, Reading, RecordReader
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import find, join_known, known, number_of, rounded

OUTPUT = "rocm_smi"
COMMAND = ("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--csv")
BYTES_PER_GIB = 1024**3


def recognises(record: Record) -> bool:
    """Whether the record has output of rocm-smi."""
    return OUTPUT in record


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One device for each line that states the memory of a card."""
    readings = (_reading(RecordReader(record, overrides)) for record in records)
    return [reading for reading in readings if reading is not None]


def _reading(record: RecordReader) -> Reading | None:
    memory = rounded(number_of(record.find(r"^card[0-9]+,([0-9]+),", OUTPUT)) / BYTES_PER_GIB)
    if not known(memory):
        return None
    pattern = r"^card[0-9]+,(?:[0-9]+,)+((?:(?!Radeon|Instinct)[^,])*(?:Radeon|Instinct)[^,]*),"
    product = record.find(pattern, OUTPUT)
    name = join_known(product, " ", memory, "GB")
    family: str | Guess = Guess("radeon")
    segment: str | Guess = Guess("desktop")
    if find(r"(Instinct|MI[0-9]+)", product):
        family, segment = "instinct", "datacenter"
    elif find(r"(PRO)", product):
        family, segment = "radeon-pro", "workstation"
    fields = {
        "name": name,
        "vendor": "AMD",
        "family": family,
        "segment": segment,
        "memory": memory,
        "unified": Guess(False),
        "link": Guess("pcie"),
    }
    return Reading(fields, names=(name,))


IMPORTER = Importer(
    title="rocm-smi",
    word="device",
    catalog="devices",
    source=SourceKind.MACHINE,
    recognises=recognises,
    read=read,
    machine={OUTPUT: COMMAND},
    each=OUTPUT,
    tolerances={"memory": 0.06},
)
