"""Edits of YAML text that leave the rest unchanged: text offsets, order of keys, values as YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from fitcard.source.document import Document, Path
from fitcard.source.yaml_reader import read_text


class TextOffsets:
    """Offsets into the text of a document, by path into its data."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self.line_starts = [0, *(at + 1 for at, character in enumerate(self.text) if character == "\n")]
        self.children: dict[Path, list[Path]] = {}
        for path in document.spans:
            if path:
                self.children.setdefault(path[:-1], []).append(path)

    def in_brackets(self, path: Path) -> bool:
        """Whether the value is a map or list in flow style: `{...}` or `[...]`."""
        span = self.document.spans[path]
        return span.written is None and self.text[span.start : span.start + 1] in ("{", "[")

    def indent(self, path: Path) -> int:
        """The column of a key."""
        return self.document.spans[path].key_column or 0

    def key_start(self, path: Path) -> int:
        """The offset of a key."""
        span = self.document.spans[path]
        return self.line_starts[span.key_line or 0] + (span.key_column or 0)

    def value_end(self, path: Path) -> int:
        """The offset after the last character of a value, without trailing white space."""
        span = self.document.spans[path]
        if path in self.children and self.text[span.start] not in "{[":
            return max(self.value_end(child) for child in self.children[path])
        end = span.end
        while span.block and self.text[end - 1 : end].isspace():
            end -= 1
        return end

    def start_of_line(self, offset: int) -> int:
        """The offset of the first character of the line."""
        return self.text.rfind("\n", 0, offset) + 1

    def end_of_line(self, offset: int) -> int:
        """The offset of the line feed that ends the line."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end


Edit = tuple[int, int, str]  # start, end, and the text that replaces what is between


def reorder_keys(document: Document, orders: Mapping[Path, Sequence[str]]) -> str:
    """The text of the document with the keys of these maps in these orders. No map may contain another of them."""
    offsets = TextOffsets(document)
    edits = [_reordering(offsets, path, order) for path, order in orders.items()]
    result = document.text
    for start, end, new in sorted(edits, reverse=True):
        result = result[:start] + new + result[end:]
    return result


def _reordering(offsets: TextOffsets, path: Path, order: Sequence[str]) -> Edit:
    keys = [str(child[-1]) for child in offsets.children[path]]
    reorder = _reorder_flow if offsets.in_brackets(path) else _reorder_block
    return reorder(offsets, path, keys, order)


def _reorder_flow(offsets: TextOffsets, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    """Only the items are reordered, not the separators between them."""
    bounds = {key: (offsets.key_start((*path, key)), offsets.value_end((*path, key))) for key in keys}
    separators = [offsets.text[bounds[key][1] : bounds[after][0]] for key, after in pairwise(keys)]
    items = [offsets.text[start:end] for start, end in (bounds[key] for key in order)]
    new = "".join(item + separator for item, separator in zip(items, [*separators, ""], strict=True))
    return bounds[keys[0]][0], bounds[keys[-1]][1], new


def _reorder_block(offsets: TextOffsets, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    """Comments and empty lines above a key move with it; no empty line comes above the first key."""
    starts = {key: offsets.key_start((*path, key)) for key in keys}
    ends = {key: offsets.end_of_line(offsets.value_end((*path, key))) for key in keys}
    indent = " " * offsets.indent((*path, keys[0]))
    above = {keys[0]: ""} | {
        after: offsets.text[ends[key] + 1 : offsets.start_of_line(starts[after])] for key, after in pairwise(keys)
    }
    first = above[order[0]]
    empty_lines = first[: len(first) - len(first.lstrip("\n"))]
    above[order[0]], above[keys[0]] = first[len(empty_lines) :], empty_lines + above[keys[0]]
    new = "\n".join(above[key] + indent + offsets.text[starts[key] : ends[key]] for key in order)
    return starts[keys[0]], ends[keys[-1]], new[len(new) - len(new.lstrip(" ")) :]


def to_yaml(value: Any, *, in_braces: bool = True) -> str:
    """A value as YAML in one line; with `in_braces`, quoted as required inside braces and brackets too."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {to_yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(to_yaml(part) for part in value) + "]"
    plain = isinstance(value, str) and parse_value(value) == value
    if plain and (not in_braces or _parse(f"{{v: {value}}}") == {"v": value}):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def parse_value(text: str) -> Any:
    """The value of a YAML text that follows a key; None if it is not valid."""
    data = _parse(f"v: {text}")
    return data.get("v") if isinstance(data, dict) and list(data) == ["v"] else None


def _parse(text: str) -> Any:
    document, problems = read_text(text, "")
    return document.data if document is not None and not problems else None
