"""All targets by name."""

from __future__ import annotations

from fuzz import imports, raw_http, rules
from fuzz.runner import Target

TARGETS: dict[str, Target] = {
    "gguf": imports.gguf,
    "json": imports.json_records,
    "tables": imports.tables,
    "machine": imports.machine,
    "expressions": rules.expressions,
    "yaml": rules.yaml,
    "http": raw_http.http,
}
