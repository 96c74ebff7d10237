"""Opens what is imported, and reads it as text: regular files and standard input, up to a size."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fitcard.importers.problems import ImportSyntax, ImportTooLarge, ImportUnreadable, import_error

STANDARD_INPUT = Path("-")
# Of text. The results of vLLM with the times of each token of a thousand requests have 5 MB; read, they take ten times
# their size in memory.
MAX_TEXT_BYTES = 8 * 1024**2
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Source:
    """An open file, the name that problems call it, and its size in bytes; None for standard input."""

    name: str
    stream: BinaryIO
    size: int | None = None


@contextmanager
def open_source(file: Path) -> Iterator[Source]:
    """Opens a file, or standard input for `-`. Raises ProblemsError if that is not possible, or while it is read."""
    name = "standard input" if file == STANDARD_INPUT else str(file)
    try:
        if file == STANDARD_INPUT:
            yield Source(name, sys.stdin.buffer)
        elif not stat.S_ISREG(file.stat().st_mode):  # opening a pipe may wait forever, reading a device never end
            raise import_error(ImportUnreadable, f"{name} is not a regular file", "pipe its content into `-`")
        else:
            with file.open("rb") as stream:
                yield Source(name, stream, os.fstat(stream.fileno()).st_size)
    except (OSError, ValueError) as error:  # ValueError: NUL in a path
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise import_error(ImportUnreadable, f"{name} cannot be read: {reason}") from None


def read_text(source: Source, start: bytes = b"") -> str:
    """The text of a source of which `start` has been read. Raises ProblemsError if it is too large or no text."""
    content = b""
    if source.size is None or source.size <= MAX_TEXT_BYTES:
        content = start + source.stream.read(MAX_TEXT_BYTES + 1 - len(start))
    if len(content) > MAX_TEXT_BYTES or (source.size or 0) > MAX_TEXT_BYTES:
        message = f"{source.name} is larger than {MAX_TEXT_BYTES:,} bytes"
        raise import_error(ImportTooLarge, message, "import a part of it, without details of single requests")
    return decode(content, source.name)


def decode(content: bytes, name: str) -> str:
    """UTF-8 as text, without a byte order mark. Raises ProblemsError for another encoding, and for NUL."""
    if content.startswith(UTF16_MARKS):
        raise import_error(ImportUnreadable, f"{name} cannot be read: it is UTF-16", "save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{name} cannot be read: byte {error.start + 1} is not UTF-8"
        raise import_error(ImportUnreadable, message, "save it as UTF-8") from None
    if (nul := text.find("\0")) >= 0:
        raise import_error(ImportSyntax, f"{name} contains a NUL in line {line_of(text, nul)}", "import a text file")
    return text


def line_of(text: str, offset: int) -> int:
    """The line of an offset, from 1."""
    return text.count("\n", 0, offset) + 1


def source_of(content: bytes, name: str) -> Source:
    """Bytes as a source, as if they were those of a file."""
    return Source(name, io.BytesIO(content), len(content))
