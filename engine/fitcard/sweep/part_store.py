"""The finished parts of a sweep, kept beside its file until they are joined."""

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


@cache
def code_sha256() -> str:
    """A hash over the paths and bytes of the modules of the engine, as they are when it is first asked for."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


SUFFIX, MANIFEST, UNFINISHED = ".parts", "manifest.json", ".unfinished"
PART = re.compile(r"(\d+)-(\d+)-([0-9a-f]{8})")  # its number, its rows, and the checksum of its bytes


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
    """A part that is done: how many rows it has, and what its bytes must come to."""

    path: Path
    rows: int
    checksum: int


class PartStore:
    """Parts by number. Each is written aside and gets its name, with its checksum, once it is whole."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._kept: dict[int, StoredPart] = {}

    @classmethod
    def open(cls, target: Path, sweep: Sweep, form: str, *, restart: bool = False) -> PartStore:
        """The parts that are kept for a file, which may be none; with `restart`, those that there are go first.

        Raises ProblemsFound where they are of another sweep, with all that differs.
        """
        parts = cls(target.with_name(target.name + SUFFIX))
        directory = parts.directory
        if restart and directory.is_dir():
            parts.remove()
        directory.mkdir(exist_ok=True)
        manifest = manifest_of(sweep, form)
        there = None if restart else _manifest_in(directory)
        if there is None:
            _write(directory / MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False).encode())
        elif differing := [key for key in {**there, **manifest} if there.get(key) != manifest.get(key)]:
            message = f"{directory} has parts of a sweep with other {', '.join(differing)}"
            hint = "discard them with --restart, or use another file"
            raise ProblemsError([Problem(SweepDiffers, message, hint=hint)])
        parts._find()
        return parts

    def __contains__(self, number: int) -> bool:
        return number in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, number: int) -> ComputedPart | None:
        """A part that is kept; None where there is none, or where its bytes are not those that were written."""
        kept = self._kept.get(number)
        if kept is None:
            return None
        content = kept.path.read_bytes()
        return ComputedPart(content, kept.rows) if zlib.crc32(content) == kept.checksum else None

    def keep(self, number: int, part: ComputedPart) -> None:
        """Keeps a part from now on."""
        checksum = zlib.crc32(part.content)
        path = self.directory / f"{number}-{part.rows}-{checksum:08x}"
        _write(path, part.content)
        self._kept[number] = StoredPart(path, part.rows, checksum)

    def remove(self) -> None:
        """Removes the parts, and their directory where nothing else is in it."""
        for path in self.directory.iterdir():
            if path.name == MANIFEST or path.suffix == UNFINISHED or PART.fullmatch(path.name):
                path.unlink()
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    def _find(self) -> None:
        for path in self.directory.iterdir():
            if found := PART.fullmatch(path.name):
                number, rows, checksum = found.groups()
                self._kept[int(number)] = StoredPart(path, int(rows), int(checksum, 16))


def manifest_of(sweep: Sweep, form: str) -> dict[str, Any]:
    """What the parts are parts of: as long as it is the same, so is every part."""
    return {
        "engine": code_sha256(),
        "form": form,
        "rules": dict(sweep.about),
        "question": sweep.question,
        "columns": [column.key for column in sweep.columns],
        "answers": sweep.parts.count,
        "parts": {"count": len(sweep.parts), "most": sweep.most},
    }


def _manifest_in(directory: Path) -> Mapping[str, Any] | None:
    """The manifest of a directory; None where the directory is empty."""
    try:
        found: Mapping[str, Any] = json.loads((directory / MANIFEST).read_bytes())
    except FileNotFoundError:
        if not [path for path in directory.iterdir() if path.suffix != UNFINISHED]:
            return None
    except ValueError:
        pass
    else:
        return found
    message = f"{directory} has no readable {MANIFEST}"
    hint = "use another file, or --restart, which removes the parts and nothing else"
    raise ProblemsError([Problem(SweepPartsUnreadable, message, hint=hint)])


def _write(path: Path, content: bytes) -> None:
    """Writes a file aside and moves it in place, so that what has the name is whole."""
    aside = path.with_name(path.name + UNFINISHED)
    aside.write_bytes(content)
    aside.replace(path)
