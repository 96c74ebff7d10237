"""The finished parts of a sweep, stored beside its output file until they are joined."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.source.folders import PACKAGE
from fitcard.sweep.formats import ComputedPart
from fitcard.sweep.selection import Sweep

SUFFIX, MANIFEST, UNFINISHED = ".parts", "manifest.json", ".unfinished"
PART = re.compile(r"(\d+)-(\d+)-([0-9a-f]{8})")  # file name of a part: its number, number of rows, and CRC-32


class SweepDiffers(ProblemCode):
    """The target has unfinished parts of a different sweep, with other rules, catalogs, columns or entries.

    Why: rows from different rules must not end up in one file.
    Avoid: interrupting `fitcard sweep --out answers.csv`, editing a rule, and running it again
    Prefer: `--restart`, which discards the parts, or another file.
    """


class SweepPartsUnreadable(ProblemCode):
    """The directory for the parts of a sweep has no readable manifest.

    Why: it is unclear whether the parts belong to this sweep.
    Avoid: creating a directory called `answers.csv.parts`
    Prefer: another file, or `--restart`, which removes the parts and nothing else.
    """


@dataclass(frozen=True)
class StoredPart:
    """A stored part: its file, number of rows, and CRC-32."""

    path: Path
    rows: int
    checksum: int


class PartStore:
    """Parts by number. Each is written to a temporary file that is renamed once it is complete."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._parts: dict[int, StoredPart] = {}

    @classmethod
    def open(cls, target: Path, sweep: Sweep, format_name: str, *, restart: bool = False) -> PartStore:
        """The store for an output file, with the parts of an interrupted sweep; with `restart`, without them.

        Raises ProblemsError if the stored parts are those of a different sweep.
        """
        store = cls(target.with_name(target.name + SUFFIX))
        directory = store.directory
        if restart and directory.is_dir():
            store.remove()
        directory.mkdir(exist_ok=True)
        manifest = manifest_of(sweep, format_name)
        stored = None if restart else _read_manifest(directory)
        if stored is None:
            _write(directory / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode())
        elif differing := [key for key in {**stored, **manifest} if stored.get(key) != manifest.get(key)]:
            message = f"{directory} has parts of a sweep with other {', '.join(differing)}"
            hint = "discard them with --restart, or use another file"
            raise ProblemsError([Problem(SweepDiffers, message, hint=hint)])
        store._find_parts()
        return store

    def __contains__(self, number: int) -> bool:
        return number in self._parts

    def __len__(self) -> int:
        return len(self._parts)

    def read(self, number: int) -> ComputedPart | None:
        """The part of that number; None if it is missing or its checksum does not match."""
        part = self._parts.get(number)
        if part is None:
            return None
        content = part.path.read_bytes()
        return ComputedPart(content, part.rows) if zlib.crc32(content) == part.checksum else None

    def write(self, number: int, part: ComputedPart) -> None:
        """Stores a part."""
        checksum = zlib.crc32(part.content)
        path = self.directory / f"{number}-{part.rows}-{checksum:08x}"
        _write(path, part.content)
        self._parts[number] = StoredPart(path, part.rows, checksum)

    def remove(self) -> None:
        """Removes the parts, and their directory unless it contains other files."""
        for path in self.directory.iterdir():
            if path.name == MANIFEST or path.suffix == UNFINISHED or PART.fullmatch(path.name):
                path.unlink()
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _find_parts(self) -> None:
        for path in self.directory.iterdir():
            if match := PART.fullmatch(path.name):
                number, rows, checksum = match.groups()
                self._parts[int(number)] = StoredPart(path, int(rows), int(checksum, 16))


def manifest_of(sweep: Sweep, format_name: str) -> dict[str, Any]:
    """All that parts depend on: parts with equal manifests can be joined."""
    return {
        "engine": code_sha256(),
        "format": format_name,
        "rules": dict(sweep.about),
        "question": sweep.question,
        "columns": [column.key for column in sweep.columns],
        "answers": sweep.parts.count,
        "parts": {"count": len(sweep.parts), "size": sweep.part_size},
    }


@cache
def code_sha256() -> str:
    """A hash over the paths and bytes of all modules of the engine, computed once per process."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read_manifest(directory: Path) -> Mapping[str, Any] | None:
    """The manifest in a directory; None if the directory is empty. Raises ProblemsError if it is unreadable."""
    try:
        manifest: Mapping[str, Any] = json.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        if not [path for path in directory.iterdir() if path.suffix != UNFINISHED]:
            return None
    except ValueError:
        pass
    else:
        return manifest
    message = f"{directory} has no readable {MANIFEST}"
    hint = "use another file, or --restart, which removes the parts and nothing else"
    raise ProblemsError([Problem(SweepPartsUnreadable, message, hint=hint)])


def _write(path: Path, content: bytes) -> None:
    """Writes a temporary file and renames it, so that `path` is always complete."""
    temporary = path.with_name(path.name + UNFINISHED)
    temporary.write_bytes(content)
    temporary.replace(path)
