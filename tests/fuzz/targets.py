"""All targets by name."""

from __future__ import annotations

from fuzz import imports
from fuzz.runner import Target

TARGETS: dict[str, Target] = {
    "gguf": imports.gguf,
    "json": imports.json_records,
    "tables": imports.tables,
    "machine": imports.machine,
}
