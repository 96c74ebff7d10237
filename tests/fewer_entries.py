"""Catalogs cut down to the entries that rules and tests name, so that all of them can be asked about in a moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.read.folders import Folders

SECTION, ENTRY, WORD = "entries:", re.compile(r"  ([^\s:#]+):"), re.compile(r"[\w.-]+")


def with_fewer_entries(folders: Folders) -> Folders:
    """Leaves those models, devices and kinds of KV cache that rules and tests name; a new entry changes nothing."""
    folder = folders.catalogs
    rules = " ".join(path.read_text("utf-8") for path in folders.rules.rglob("*.yaml"))
    named = {word.strip(".") for word in WORD.findall(rules)}
    for path in [*folder.glob("models/*.yaml"), *folder.glob("devices/*.yaml"), folder / "kv_types.yaml"]:
        head, _, entries = path.read_text("utf-8").partition(f"{SECTION}\n")
        kept = "".join(_entries(entries, named))
        path.write_text(f"{head}{SECTION}\n{kept}", "utf-8") if kept else path.unlink()
    return folders


def _entries(text: str, named: set[str]) -> Iterator[str]:
    """The lines of those entries whose id is named."""
    keep = False
    for line in text.splitlines(keepends=True):
        if found := ENTRY.match(line):
            keep = found[1] in named
        if keep:
            yield line
