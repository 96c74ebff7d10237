"""Reads the header of a GGUF file (versions 2 and 3, either byte order) without its tensors and long lists.

A header states how many keys, list items and bytes follow, so that 94 bytes can claim billions. Nothing is allocated by
such a claim: what it counts is read or passed over step by step, within the limits below and the size of the file.

https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fitcard.importers.problems import ImportSyntax, ImportTooLarge, import_error
from fitcard.importers.source import Source
from fitcard.problems import ProblemsError

GGUF_MAGIC = b"GGUF"
VERSIONS = (2, 3)
ARCHITECTURE, ALIGNMENT, TENSORS, PARAMETERS = "general.architecture", "general.alignment", "tensors", "parameters"
DEFAULT_ALIGNMENT = 32
STRING, ARRAY = 8, 9  # types of values
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# Values and bytes of a block, by type of tensor.
BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40), 10: (256, 84),
    11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74),
    18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2),
    26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
    40: (64, 36), 41: (128, 18),
}  # fmt: skip
# The largest known headers have 20 MB, 60 keys, vocabularies of 262,144 tokens with twice as many merges, and 2,000
# tensors.
MAX_HEADER_BYTES = 256 * 1024**2
MAX_KEYS = 10_000
MAX_TENSORS = 50_000
MAX_LIST_TEXTS = 2_000_000  # texts in all lists
MAX_DIMENSIONS = 4
MAX_PARAMETERS = 2**63  # of one tensor
MAX_NAME_BYTES = 65_535  # of a key; the specification's own limit
MAX_KEPT_BYTES = 4 * 1024**2  # of all names and texts that are kept
MAX_TEXT_BYTES = 16_384  # longer texts, such as chat templates, are passed over
MAX_LIST = 4_096  # longer lists are passed over; one for each layer has at most some hundreds
SKIP_BYTES = 1024**2


@dataclass(frozen=True)
class LongValue:
    """A list or a text that was passed over, of which only the length is known: items, or bytes."""

    length: int

    def __len__(self) -> int:
        return self.length


def read_gguf_header(source: Source) -> Mapping[str, Any]:
    """The keys of a GGUF file whose magic has been read, those of its architecture without its name as prefix.

    Lists longer than MAX_LIST and texts longer than MAX_TEXT_BYTES are LongValues. `tensors` has the number of
    parameters of each tensor, `parameters` their total. Raises ProblemsError if the header is malformed or too large,
    or if the file ends before its last tensor.
    """
    reader = _HeaderReader(source)
    reader.read_version()
    tensor_count, key_count = reader.count("tensors", MAX_TENSORS), reader.count("keys", MAX_KEYS)
    values: dict[str, Any] = {}
    for _ in range(key_count):
        key = reader.name("a key")
        if key in values:
            raise reader.malformed(f"the key `{key}` appears twice")
        values[key] = reader.value(key)
    tensors = reader.tensors(tensor_count, values.get(ALIGNMENT, DEFAULT_ALIGNMENT))
    prefix = f"{values.get(ARCHITECTURE)}."
    counted = {TENSORS: tensors, PARAMETERS: sum(tensors.values())} if tensors else {}
    return {name.removeprefix(prefix): value for name, value in values.items()} | counted


class _HeaderReader:
    """Reads numbers, texts and lists one after another, and knows where it is."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._order = "<"
        self._at = len(GGUF_MAGIC)
        self._kept = 0
        self._list_texts = 0

    def malformed(self, reason: str) -> ProblemsError:
        """The problem of a header that contradicts itself."""
        message = f"{self._source.name} has a malformed GGUF header: {reason} (before byte {self._at + 1:,})"
        return import_error(ImportSyntax, message, "download it again, or convert the model again")

    def read_version(self) -> None:
        """Reads the version, from which the byte order is known."""
        version = self._number("I")
        if version & 0xFFFF == 0:
            self._order = ">"
            version = int.from_bytes(version.to_bytes(4, "little"), "big")
        if version not in VERSIONS:
            raise self.malformed(f"version {version:,}; versions {' and '.join(map(str, VERSIONS))} are read")

    def count(self, what: str, limit: int) -> int:
        """A number of things, at most `limit`."""
        number = self._number("Q")
        if number > limit:
            raise self._too_large(f"{number:,} {what}", f"{limit:,}")
        return int(number)

    def name(self, what: str) -> str:
        """The name of a key or a tensor."""
        return self._text(self.count(f"bytes of {what}", MAX_NAME_BYTES), what)

    def value(self, key: str) -> Any:
        """The value of a key."""
        kind = self._number("I")
        if kind == STRING:
            length = self._length(key)
            if length > MAX_TEXT_BYTES:
                self._skip(length)
                return LongValue(length)
            return self._text(length, key)
        if kind == ARRAY:
            return self._list(key)
        return self._number(self._scalar(kind, key))

    def tensors(self, count: int, alignment: Any) -> dict[str, int]:
        """The number of parameters of each tensor. Raises ProblemsError if the file ends before the last."""
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise self.malformed(f"`{ALIGNMENT}` is no power of two")
        tensors: dict[str, int] = {}
        data_bytes = 0
        for _ in range(count):
            name = self.name("a tensor")
            if name in tensors:
                raise self.malformed(f"the tensor `{name}` appears twice")
            dimensions = self._number("I")
            if dimensions > MAX_DIMENSIONS:
                raise self.malformed(f"the tensor `{name}` has {dimensions:,} dimensions")
            parameters = math.prod(self._number("Q") for _ in range(dimensions))
            if parameters >= MAX_PARAMETERS:
                raise self.malformed(f"the tensor `{name}` has {parameters:,} parameters")
            values, size = BLOCKS.get(self._number("I"), (MAX_PARAMETERS, 0))
            data_bytes = max(data_bytes, self._number("Q") + parameters // values * size)
            tensors[name] = parameters
        missing = -(-self._at // alignment) * alignment + data_bytes - (self._source.size or 0)
        if self._source.size is not None and count and missing > 0:
            raise self.malformed(f"the file ends {missing:,} bytes before its last tensor")
        return tensors

    def _list(self, key: str) -> Any:
        kind = self._number("I")
        length = self._length(key)
        if kind == ARRAY:
            raise self.malformed(f"`{key}` is a list of lists")
        if kind == STRING:
            self._list_texts += length
            if self._list_texts > MAX_LIST_TEXTS:
                raise self._too_large(f"{self._list_texts:,} texts in lists", f"{MAX_LIST_TEXTS:,}")
            for _ in range(length):
                self._skip(self._length(key))
            return LongValue(length)
        form = self._scalar(kind, key)
        if length > MAX_LIST:
            self._skip(length * struct.calcsize(form))
            return LongValue(length)
        content = self._take(length * struct.calcsize(form))
        return list(struct.unpack(f"{self._order}{length}{form}", content))

    def _scalar(self, kind: int, key: str) -> str:
        if kind not in SCALARS:
            raise self.malformed(f"`{key}` has the unknown type {kind:,}")
        return SCALARS[kind]

    def _number(self, form: str) -> Any:
        return struct.unpack(f"{self._order}{form}", self._take(struct.calcsize(form)))[0]

    def _length(self, key: str) -> int:
        """The length of a list or text, which takes at least a byte for each."""
        length = self._number("Q")
        self._reserve(length, f"`{key}`")
        return int(length)

    def _text(self, length: int, what: str) -> str:
        self._kept += length
        if self._kept > MAX_KEPT_BYTES:
            raise self._too_large("names and texts", f"{MAX_KEPT_BYTES:,} bytes")
        try:
            text = self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self.malformed(f"{what} is not UTF-8") from None
        if not text.isprintable() and what.startswith("a "):
            raise self.malformed(f"{what} has control characters")
        return text

    def _reserve(self, length: int, what: str) -> None:
        """Raises ProblemsError unless this many bytes can follow."""
        end = self._at + length
        if self._source.size is not None and end > self._source.size:
            raise self.malformed(f"{what} would end at byte {end:,}, but the file has {self._source.size:,}")
        if end > MAX_HEADER_BYTES:
            raise self._too_large(f"{end:,} bytes", f"{MAX_HEADER_BYTES:,}")

    def _take(self, length: int) -> bytes:
        content = self._source.stream.read(length)
        if len(content) < length:
            raise self.malformed("the file ends in it")
        self._at += length
        return content

    def _skip(self, length: int) -> None:
        self._reserve(length, "a value")
        while length > 0:
            length -= len(self._take(min(length, SKIP_BYTES)))

    def _too_large(self, what: str, limit: str) -> ProblemsError:
        message = f"{self._source.name} has a GGUF header with {what}, more than {limit}"
        return import_error(ImportTooLarge, message, "import the file of a model, as a converter wrote it")
