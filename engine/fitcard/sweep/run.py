"""A sweep from start to end: what is done already is taken, the rest is computed, and all of it joined in order."""

from __future__ import annotations

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
from fitcard.sweep.part_store import UNFINISHED, PartStore
from fitcard.sweep.selection import Sweep
from fitcard.sweep.workers import Compute

Progress = Callable[[int, int], None]  # questions answered, and all


class SweepFileThere(ProblemCode):
    """The output file of a sweep already exists.

    Why: existing files are never overwritten silently.
    Avoid: running a sweep twice with the same `--out`
    Prefer: another file, or `--force`, which replaces the file once the new one is complete.
    """


@dataclass(frozen=True)
class SweepResult:
    """What came of a sweep: questions that were asked, rows that were kept of them, and parts."""

    answers: int
    rows: int
    parts: int
    seconds: float


def sweep_to_file(
    sweep: Sweep,
    form: str,
    target: Path,
    workers: AbstractContextManager[Compute],
    progress: Progress = lambda done, of: None,
    *,
    restart: bool = False,
    force: bool = False,
) -> SweepResult:
    """Writes every answer to a file, which appears once it is whole.

    Parts are kept beside it until then, so that what was stopped goes on where it was. Raises ProblemsFound where the
    file exists and nobody says `force`, where parts of another sweep are kept and nobody says to `restart`, and where a
    number is not finite.
    """
    if target.exists() and not force:
        hint = "use another file, or overwrite it with --force"
        raise ProblemsError([Problem(SweepFileThere, f"{target} already exists", hint=hint)])
    find_format(form)  # before anything is written
    kept = PartStore.open(target, sweep, form, restart=restart)
    aside = kept.directory / f"whole{UNFINISHED}"
    with workers as compute, aside.open("wb") as file:
        swept = _write(sweep, form, file, compute, kept, progress)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)
    kept.remove()
    return swept


def sweep_to_stream(
    sweep: Sweep,
    form: str,
    file: BinaryIO,
    workers: AbstractContextManager[Compute],
    progress: Progress = lambda done, of: None,
) -> SweepResult:
    """Writes every answer as it comes; nothing is kept. Raises ProblemsFound where a number is not finite."""
    with workers as compute:
        return _write(sweep, form, file, compute, None, progress)


def sha256_of(file: Path) -> str:
    """The hash of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(
    sweep: Sweep, form: str, file: BinaryIO, compute: Compute, kept: PartStore | None, progress: Progress
) -> SweepResult:
    started = time.perf_counter()
    parts = sweep.parts
    joined = find_format(form).joined(sweep, file)
    rows = done = 0
    try:
        for number, part in enumerate(_parts(sweep, form, compute, kept)):
            joined.add(part.content)
            rows += part.rows
            done += parts[number].count
            progress(done, parts.count)
    finally:
        joined.close()
    return SweepResult(parts.count, rows, len(parts), time.perf_counter() - started)


def _parts(sweep: Sweep, form: str, compute: Compute, kept: PartStore | None) -> Iterator[ComputedPart]:
    """Every part in order: those that are kept, and between them those that are computed now, which are kept too."""
    if kept is None:
        yield from compute(range(len(sweep.parts)))
        return
    missing = [number for number in range(len(sweep.parts)) if number not in kept]
    rest = iter(compute(missing))
    for number in range(len(sweep.parts)):
        if number in kept:
            part = kept.take(number) or compute_part(sweep, form, number)  # where it was damaged
        else:
            part = next(rest)
            kept.keep(number, part)
        yield part
