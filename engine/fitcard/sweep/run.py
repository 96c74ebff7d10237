"""Runs a sweep: parts are read from the store or computed, and joined in order."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.sweep.formats import ComputedPart, compute_part, find_format
from fitcard.sweep.part_store import UNFINISHED, PartStore, locked_parts, removed_on_error
from fitcard.sweep.selection import Sweep
from fitcard.sweep.workers import Compute

Progress = Callable[[int, int], None]  # answers done, and in total


class SweepFileThere(ProblemCode):
    """The output file of a sweep already exists.

    Why: existing files are never overwritten silently.
    Avoid: running a sweep twice with the same `--out`
    Prefer: another file, or `--force`, which replaces the file once the new one is complete.
    """


@dataclass(frozen=True)
class SweepResult:
    """The number of answers, of rows that meet the filter, and of parts; and the time taken."""

    answers: int
    rows: int
    parts: int
    seconds: float


def sweep_to_file(
    sweep: Sweep,
    format_name: str,
    target: Path,
    workers: AbstractContextManager[Compute],
    progress: Progress = lambda done, total: None,
    *,
    restart: bool = False,
    force: bool = False,
) -> SweepResult:
    """Writes all rows to a file, which appears once it is complete.

    Until then, parts are stored beside it, so that an interrupted sweep resumes. Raises ProblemsError if the file
    exists (unless `force`), if another sweep writes to it, if there are parts of a different sweep (unless `restart`),
    if workers are lost, and if a number is not finite; OSError if the file cannot be written.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if target.exists() and not force:
        hint = "use another file, or overwrite it with --force"
        raise ProblemsError([Problem(SweepFileThere, f"{target} already exists", hint=hint)])
    find_format(format_name)  # fails before anything is written
    with locked_parts(target):
        store = PartStore.open(target, sweep, format_name, restart=restart)
        temporary = store.directory / f"whole{UNFINISHED}"
        with workers as compute, removed_on_error(temporary), temporary.open("wb") as file:
            result = _write(sweep, format_name, file, compute, store, progress)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        store.remove()
    return result


def sweep_to_stream(
    sweep: Sweep,
    format_name: str,
    file: BinaryIO,
    workers: AbstractContextManager[Compute],
    progress: Progress = lambda done, total: None,
) -> SweepResult:
    """Writes all rows as they are computed, without storing parts. Raises ProblemsError if a number is not finite."""
    with workers as compute:
        result = _write(sweep, format_name, file, compute, None, progress)
        file.flush()  # an error at the end of the process would be a traceback
    return result


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(
    sweep: Sweep, format_name: str, file: BinaryIO, compute: Compute, store: PartStore | None, progress: Progress
) -> SweepResult:
    started = time.perf_counter()
    parts = sweep.parts
    writer = find_format(format_name).writer(sweep, file)
    rows = done = 0
    try:
        for number, part in enumerate(_parts(sweep, format_name, compute, store)):
            writer.add(part.content)
            rows += part.rows
            done += parts[number].count
            progress(done, parts.count)
    finally:
        writer.close()
    return SweepResult(parts.count, rows, len(parts), time.perf_counter() - started)


def _parts(sweep: Sweep, format_name: str, compute: Compute, store: PartStore | None) -> Iterator[ComputedPart]:
    """All parts in order, from the store where it has them; the others are computed and stored."""
    if store is None:
        yield from compute(range(len(sweep.parts)))
        return
    missing = [number for number in range(len(sweep.parts)) if number not in store]
    computed = iter(compute(missing))
    for number in range(len(sweep.parts)):
        if number in store:
            part = store.read(number) or compute_part(sweep, format_name, number)  # a damaged part is computed again
        else:
            part = next(computed)
            store.write(number, part)
        yield part
