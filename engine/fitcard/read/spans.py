"""From where to where each key and value of a document stands in its text, for whoever writes into it."""

from __future__ import annotations

from fitcard.read.document import Document, Path


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
