"""Catalogs reduced to the entries that rules and tests name and one of each further value, so that checks are fast."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from fitcard.source.folders import Folders

SECTION, ENTRY, WORD = "entries:\n", re.compile(r"  ([^\s:#]+):"), re.compile(r"[\w.-]+")
CUT = ("models", "devices", "kv_types", "measurements")
OF_ALL = "catalog_checks.yaml"  # what must hold of all entries, with exceptions that name some
SOURCE = "source"  # who says so, by which no table goes
FEW = 40  # a word that so few entries differ by is one that tables go by


def with_fewer_entries(folders: Folders) -> Folders:
    """Leaves models, devices, kinds of KV cache and runs: those named, and one for each word that tables may go by."""
    folder = folders.catalogs
    (folders.rules / OF_ALL).unlink(missing_ok=True)
    rules = " ".join(path.read_text("utf-8") for path in folders.rules.rglob("*.yaml"))
    files = [
        path for kind in CUT for path in (*folder.glob(f"{kind}/*.yaml"), folder / f"{kind}.yaml") if path.exists()
    ]
    texts = tuple((path.relative_to(folder).as_posix(), path.read_text("utf-8")) for path in sorted(files))
    for name, text in _cut(rules, texts):
        path = folder / name
        path.write_text(text, "utf-8") if text else path.unlink()
    return folders


@cache
def _cut(rules: str, texts: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Each file with the entries that are kept; empty where none is."""
    named = {word.strip(".") for word in WORD.findall(rules)}
    entries: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for name, text in texts:
        entries[_kind(name)] |= yaml.load(text, yaml.CSafeLoader)["entries"]
    kept = {kind: _telling(entries[kind], named) for kind in ("models", "devices", "kv_types")}
    kept["measurements"] = {
        run
        for run, data in entries["measurements"].items()
        if all(data.get(axis) in {None, *kept[kind]} for axis, kind in (("model", "models"), ("device", "devices")))
    }
    return [(name, _only(text, kept[_kind(name)])) for name, text in texts]


def _kind(name: str) -> str:
    return name.partition("/")[0].removesuffix(".yaml")


def _telling(entries: Mapping[str, Mapping[str, Any]], named: set[str]) -> set[str]:
    """Those that are named, and the first of each further word or figure that is there or missing."""
    words: dict[str, set[Any]] = defaultdict(set)
    fields = {entry: dict(_words(data, "")) for entry, data in entries.items()}
    for found in fields.values():
        for name, word in found.items():
            words[name].add(word)
    kept: set[str] = set()
    seen: set[tuple[str, Any]] = set()
    for entry in sorted(entries, key=lambda entry: entry not in named):
        tells = {(name, fields[entry].get(name)) for name, choices in words.items() if len(choices) <= FEW}
        if entry in named or not tells <= seen:
            kept.add(entry)
            seen |= tells
    return kept


def _words(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Words and conditions by dotted name; of a number no more than that it is there."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _words(value, f"{prefix}{name}.")
        elif isinstance(value, str | bool) and name != SOURCE:
            yield prefix + name, value
        elif isinstance(value, int | float):
            yield prefix + name, "a number"


def _only(text: str, kept: set[str]) -> str:
    """The text of a file with those of its entries alone; empty where none is left."""
    head, _, rest = text.partition(SECTION)
    lines, keep = [], False
    for line in rest.splitlines(keepends=True):
        if found := ENTRY.match(line):
            keep = found[1] in kept
        if keep:
            lines.append(line)
    return f"{head}{SECTION}{''.join(lines)}" if lines else ""
