"""lspci: accelerators of this machine whose own program is not installed. Gives entries of the catalog of devices.

Output `lspci`, a line for each device of the bus:

    01:00.0 VGA compatible controller: NVIDIA Corporation AD102 [GeForce RTX 4090] (rev a1)

    the name in brackets       name
    AMD, Intel or NVIDIA       vendor

lspci does not state the memory, so it is a fallback, and does not decide between several sizes of a card.
"""

from __future__ import annotations

from collections.abc import Sequence

from fitcard.importers.importer import Fields, Importer, Reading, RecordReader
from fitcard.importers.records import Record, SourceKind
from fitcard.importers.values import join_known

OUTPUT = "lspci"
ACCELERATORS = r"(VGA compatible controller|3D controller|Display controller|Processing accelerators)"
DISPLAY_ONLY = r"(ASPEED|Matrox)"  # on server boards


def recognises(record: Record) -> bool:
    """Whether the record has output of lspci."""
    return OUTPUT in record


def read(records: Sequence[Record], overrides: Fields) -> list[Reading]:
    """One device for each line that names an accelerator."""
    readers = (RecordReader(record, overrides) for record in records)
    return [_reading(reader) for reader in readers if _is_accelerator(reader)]


def _is_accelerator(line: RecordReader) -> bool:
    return line.find(ACCELERATORS, OUTPUT) is not None and line.find(DISPLAY_ONLY, OUTPUT) is None


def _reading(line: RecordReader) -> Reading:
    name = line.find(r"\[([^\[\]]*)\](?: \(rev [0-9a-f]+\))?$", OUTPUT)
    fields = {"name": name, "vendor": line.find(r"(AMD|Intel|NVIDIA)", OUTPUT)}
    return Reading(fields, names=(name, join_known(name, " ", line.override_number("memory"), "GB")))


IMPORTER = Importer(
    title="graphics that lspci lists",
    word="device",
    catalog="devices",
    source=SourceKind.MACHINE,
    recognises=recognises,
    read=read,
    machine={OUTPUT: ("lspci",)},
    each=OUTPUT,
    fallback=True,
    tolerances={"memory": 0.06},
)
