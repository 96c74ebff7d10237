"""Writes GGUF files, valid ones and others, byte by byte."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

UINT32, FLOAT32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9  # types of values
F16, F16_BYTES = 1, 2
ALIGNMENT = 32


def gguf_file(
    values: Mapping[str, Any],
    tensors: Mapping[str, tuple[int, ...]],
    *,
    order: str = "<",
    version: int = 3,
    counts: tuple[int, int] | None = None,
    tensor_type: int = F16,
) -> bytes:
    """A file with these values and tensors of FP16. `counts`, of tensors and keys, are the right ones unless given.

    A value is a text, condition, 32-bit integer or float, or a list of one of these; bytes are written as they are.
    """
    tensor_count, key_count = counts or (len(tensors), len(values))
    head = b"GGUF" + struct.pack(f"{order}IQQ", version, tensor_count, key_count)
    head += b"".join(gguf_text(key, order) + gguf_value(value, order) for key, value in values.items())
    ends = [0]
    for name, shape in tensors.items():
        start = _aligned(ends[-1])
        head += gguf_text(name, order) + struct.pack(f"{order}I{len(shape)}Q", len(shape), *shape)
        head += struct.pack(f"{order}IQ", tensor_type, start)
        ends.append(start + math.prod(shape) * F16_BYTES)
    return head.ljust(_aligned(len(head)) + ends[-1], b"\0") if tensors else head


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def gguf_text(text: str, order: str = "<") -> bytes:
    """A text with its length before it."""
    content = text.encode()
    return struct.pack(f"{order}Q", len(content)) + content


def gguf_value(value: Any, order: str = "<") -> bytes:
    """A value with its type before it."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return struct.pack(f"{order}I", STRING) + gguf_text(value, order)
    if isinstance(value, list):
        items = [gguf_value(item, order) for item in value]
        kind = items[0][:4] if items else struct.pack(f"{order}I", STRING)
        head = struct.pack(f"{order}I", ARRAY) + kind + struct.pack(f"{order}Q", len(items))
        return head + b"".join(item[4:] for item in items)
    if isinstance(value, bool):
        return struct.pack(f"{order}I?", BOOL, value)
    kind, form = (UINT32, "I") if isinstance(value, int) else (FLOAT32, "f")
    return struct.pack(f"{order}I{form}", kind, value)
