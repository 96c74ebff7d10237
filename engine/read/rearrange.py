"""Keys of a YAML map in another order, in the text itself: comments, quotes, folds and spaces stay as they are.

In a block, a key takes along its value, the rest of its line, and the comments right above it; those above the first
key are about the whole map, and stay. In braces, keys change places and what stands between them does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from engine.read.document import Document, Path

Edit = tuple[int, int, str]


def rearranged(document: Document, orders: Mapping[Path, Sequence[str]]) -> str:
    """The text of the document with the keys of these maps, of which none lies inside another, in these orders."""
    text = _Text(document)
    edits = [text.edit(path, order) for path, order in orders.items()]
    result = document.text
    for start, end, new in sorted(edits, reverse=True):
        result = result[:start] + new + result[end:]
    return result


class _Text:
    """The text of a document, and where its keys and values begin and end."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self.line_starts = [0, *(at + 1 for at, character in enumerate(self.text) if character == "\n")]
        self.children: dict[Path, list[Path]] = {}
        for path in document.places:
            if path:
                self.children.setdefault(path[:-1], []).append(path)

    def edit(self, path: Path, order: Sequence[str]) -> Edit:
        """What to write instead of the map at `path`, and from where to where."""
        keys = [str(child[-1]) for child in self.children[path]]
        in_braces = self.text[self.document.places[path].start] == "{"
        return self._braces(path, keys, order) if in_braces else self._block(path, keys, order)

    def _braces(self, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
        spans = {key: (self.key_start((*path, key)), self.value_end((*path, key))) for key in keys}
        between = [self.text[spans[one][1] : spans[other][0]] for one, other in pairwise(keys)]
        parts = [self.text[start:end] for start, end in (spans[key] for key in order)]
        new = "".join(part + gap for part, gap in zip(parts, [*between, ""], strict=True))
        return spans[keys[0]][0], spans[keys[-1]][1], new

    def _block(self, path: Path, keys: list[str], order: Sequence[str]) -> Edit:
        starts = {key: self.key_start((*path, key)) for key in keys}
        ends = {key: self.end_of_line(self.value_end((*path, key))) for key in keys}
        column = self.document.places[(*path, keys[0])].key_column or 0
        above = {keys[0]: ""} | {
            other: self.text[ends[one] + 1 : self.start_of_line(starts[other])] for one, other in pairwise(keys)
        }
        first = above[order[0]]
        empty = first[: len(first) - len(first.lstrip("\n"))]  # no empty line comes above the first key
        above[order[0]], above[keys[0]] = first[len(empty) :], empty + above[keys[0]]
        indent = " " * column
        parts = [above[key] + indent + self.text[starts[key] : ends[key]] for key in order]
        new = "\n".join(parts)
        return starts[keys[0]], ends[keys[-1]], new[len(new) - len(new.lstrip(" ")) :]

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
