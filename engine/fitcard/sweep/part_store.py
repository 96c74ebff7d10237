"""The finished parts of a sweep, stored beside its output file until they are joined."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.source.folders import PACKAGE
from fitcard.sweep.formats import ComputedPart
from fitcard.sweep.selection import Sweep

SUFFIX, MANIFEST, UNFINISHED = ".parts", "manifest.json", ".unfinished"
LOCK = f"lock{UNFINISHED}"
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


class SweepRunning(ProblemCode):
    """Another sweep writes to the same file.

    Why: two sweeps would remove each other's parts.
    Avoid: starting `fitcard sweep --out answers.csv` again while it still runs
    Prefer: waiting for the other sweep, or another file.
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
        store = cls(parts_directory(target))
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
        """Removes the parts, and their directory unless it contains other files or the lock."""
        for path in self.directory.iterdir():
            is_part = path.name == MANIFEST or path.suffix == UNFINISHED or PART.fullmatch(path.name)
            if is_part and path.name != LOCK:
                path.unlink()
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _find_parts(self) -> None:
        for path in self.directory.iterdir():
            if match := PART.fullmatch(path.name):
                number, rows, checksum = match.groups()
                self._parts[int(number)] = StoredPart(path, int(rows), int(checksum, 16))


def parts_directory(target: Path) -> Path:
    """The directory of the parts of an output file."""
    return target.with_name(target.name + SUFFIX)


def count_parts(target: Path) -> int:
    """The number of parts that are stored for an output file."""
    try:
        return sum(PART.fullmatch(path.name) is not None for path in parts_directory(target).iterdir())
    except OSError:
        return 0


@contextmanager
def locked_parts(target: Path) -> Iterator[None]:
    """Creates the directory of parts and holds its lock, which the system releases if the process is killed.

    Raises ProblemsError if another sweep holds it. At the end, an empty directory is removed.
    """
    with _lock_file(target) as path:
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # parts are kept
                path.parent.rmdir()


@contextmanager
def _lock_file(target: Path) -> Iterator[Path]:
    path = parts_directory(target) / LOCK
    while True:
        path.parent.mkdir(exist_ok=True)
        try:
            file = path.open("wb")
        except FileNotFoundError:  # the other sweep has just removed the directory
            continue
        with file:
            if not _try_lock(file):
                hint = "wait until it has finished, or use another file"
                raise ProblemsError([Problem(SweepRunning, f"another sweep writes to {target}", hint=hint)])
            if _is_same(path, file):  # else the other sweep has just removed it
                yield path
                return


def _try_lock(file: BinaryIO) -> bool:
    """Locks an open file; False if another open file has the lock. True also where the file system has no locks."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - not elsewhere

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _is_same(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


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
    with removed_on_error(temporary):
        temporary.write_bytes(content)
    temporary.replace(path)


@contextmanager
def removed_on_error(file: Path) -> Iterator[None]:
    """Removes an unfinished file when it cannot be written: a full disk needs its space."""
    try:
        yield
    except BaseException:
        file.unlink(missing_ok=True)
        raise
