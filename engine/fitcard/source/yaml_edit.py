"""Edits of YAML text that leave everything else as it was written: spans, key order, values as YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from fitcard.source.document import Document, Path
from fitcard.source.yaml_reader import read_text


class Spans:
    """Offsets into the text of one document, by path into its data."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self.line_starts = [0, *(at + 1 for at, character in enumerate(self.text) if character == "\n")]
        self.children: dict[Path, list[Path]] = {}
        for path in document.places:
            if path:
                self.children.setdefault(path[:-1], []).append(path)

    def in_brackets(self, path: Path) -> bool:
        """Whether the value is a map or a list written in braces or brackets, not as a block of lines."""
        place = self.document.places[path]
        return place.written is None and self.text[place.start : place.start + 1] in ("{", "[")

    def indent(self, path: Path) -> int:
        """The column at which the line of a key begins."""
        return self.document.places[path].key_column or 0

    def key_start(self, path: Path) -> int:
        """The offset of a key."""
        place = self.document.places[path]
        return self.line_starts[place.key_line or 0] + (place.key_column or 0)

    def value_end(self, path: Path) -> int:
        """The offset behind the last character of a value, whatever white space follows it."""
        place = self.document.places[path]
        if path in self.children and self.text[place.start] not in "{[":
            return max(self.value_end(child) for child in self.children[path])
        end = place.end
        while place.block and self.text[end - 1 : end].isspace():
            end -= 1
        return end

    def start_of_line(self, offset: int) -> int:
        """The offset at which the line begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def end_of_line(self, offset: int) -> int:
        """The offset of the line feed that ends the line."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found


Edit = tuple[int, int, str]  # from where to where, and what is written there instead


def reorder_keys(document: Document, orders: Mapping[Path, Sequence[str]]) -> str:
    """The text of the document with the keys of these maps, of which none lies inside another, in these orders."""
    spans = Spans(document)
    edits = [_edit(spans, path, order) for path, order in orders.items()]
    result = document.text
    for start, end, new in sorted(edits, reverse=True):
        result = result[:start] + new + result[end:]
    return result


def _edit(spans: Spans, path: Path, order: Sequence[str]) -> Edit:
    """What to write instead of the map at `path`, and from where to where."""
    keys = [str(child[-1]) for child in spans.children[path]]
    in_braces = spans.in_brackets(path)
    return _braces(spans, path, keys, order) if in_braces else _block(spans, path, keys, order)


def _braces(spans: Spans, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    parts_at = {key: (spans.key_start((*path, key)), spans.value_end((*path, key))) for key in keys}
    between = [spans.text[parts_at[one][1] : parts_at[other][0]] for one, other in pairwise(keys)]
    parts = [spans.text[start:end] for start, end in (parts_at[key] for key in order)]
    new = "".join(part + gap for part, gap in zip(parts, [*between, ""], strict=True))
    return parts_at[keys[0]][0], parts_at[keys[-1]][1], new


def _block(spans: Spans, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
    starts = {key: spans.key_start((*path, key)) for key in keys}
    ends = {key: spans.end_of_line(spans.value_end((*path, key))) for key in keys}
    indent = " " * spans.indent((*path, keys[0]))
    above = {keys[0]: ""} | {
        other: spans.text[ends[one] + 1 : spans.start_of_line(starts[other])] for one, other in pairwise(keys)
    }
    first = above[order[0]]
    empty = first[: len(first) - len(first.lstrip("\n"))]  # no empty line comes above the first key
    above[order[0]], above[keys[0]] = first[len(empty) :], empty + above[keys[0]]
    parts = [above[key] + indent + spans.text[starts[key] : ends[key]] for key in order]
    new = "\n".join(parts)
    return starts[keys[0]], ends[keys[-1]], new[len(new) - len(new.lstrip(" ")) :]


def to_yaml(value: Any, *, in_braces: bool = True) -> str:
    """A value as it is written behind a key: everywhere, or only where it is not inside braces or brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {to_yaml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(to_yaml(part) for part in value) + "]"
    bare = isinstance(value, str) and parse_value(value) == value
    if bare and (not in_braces or _reads(f"{{v: {value}}}") == {"v": value}):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def parse_value(text: str) -> Any:
    """What a value written like this is; None where it is not YAML, or nothing."""
    found = _reads(f"v: {text}")
    return found.get("v") if isinstance(found, dict) and list(found) == ["v"] else None


def _reads(text: str) -> Any:
    document, problems = read_text(text, "")
    return document.data if document is not None and not problems else None
