"""All benches: those of the engine, and those that stand in files beside the tests, which know the formulas."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fitcard.source.folders import PACKAGE
from suite import answering, loading, serving, starting, sweeping
from suite.contest import Bench, Contest, NotComparable, Setting

OWN = (*answering.BENCHES, *sweeping.BENCHES, *serving.BENCHES, *loading.BENCHES, *starting.BENCHES)
BESIDE = PACKAGE.parent / "tests" / "benchmarks"  # in a checkout; what is installed has none
FILES = "bench_*.py"


def all_benches(files: Iterable[Path] = ()) -> Iterator[Bench]:
    """Those of the files beside the tests and of other `files`, then the engine's own.

    A file holds `BENCHES`. Raises NotComparable for one that does not.
    """
    for file in (*sorted(BESIDE.glob(FILES)), *files):
        yield from _benches_of(file)
    yield from OWN


def _benches_of(file: Path) -> tuple[Bench, ...]:
    for folder in (file.parent, file.parent.parent):  # such a file uses what the tests share
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NotComparable(f"{file} is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as missing:
        return (_lacking(file, missing),)
    benches: tuple[Bench, ...] | None = getattr(module, "BENCHES", None)
    if benches is None:
        raise NotComparable(f"{file} has no `BENCHES`")
    return benches


def _lacking(file: Path, missing: ImportError) -> Bench:
    """What stands for the benches of a file that needs what is not installed."""

    @contextmanager
    def set_up(_: Setting) -> Iterator[Contest]:
        raise NotComparable(f"{file.name} needs what is not installed: {missing}")
        yield

    return Bench(file.stem, "left out", set_up, optional=True)
