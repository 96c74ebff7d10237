"""Parsed YAML files that all rulebooks of a run share: a copy of the rules with one edit parses that one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fitcard.rulebook import files
from fitcard.rulebook.files import FileRead
from fitcard.source.schemas import Schemas

MAX_FILES = 2_000


@contextmanager
def shared_files() -> Iterator[None]:
    """Within the context, a file is parsed once for each content, name in problems and set of schemas."""
    parse = files._read_file
    parsed: dict[tuple[str, bytes, str, bool], FileRead] = {}
    latest: tuple[Mapping[str, Any], str] = ({}, "")

    def read_file(schemas: Schemas, content: bytes, path: Path, name: str, explain: bool) -> FileRead:
        nonlocal latest
        by_kind, digest = latest
        if by_kind is not schemas.by_kind:
            digest = hashlib.sha256(json.dumps(dict(schemas.by_kind)).encode()).hexdigest()
            latest = (schemas.by_kind, digest)
        key = (digest, content, name, explain)
        if key not in parsed:
            if len(parsed) >= MAX_FILES:
                parsed.clear()
            parsed[key] = parse(schemas, content, path, name, explain)
        read = parsed[key]
        document = read.document and replace(read.document, file=path)
        return replace(read, file=path, document=document)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_read_file", read_file)
        yield
