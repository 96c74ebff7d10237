"""pint, imported when units are first read, and alone: where dask is installed it imports that too, and takes as long
once more as for itself, for arrays of dask that nothing here counts in units.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NOT_NEEDED = "dask"


def empty_registry() -> Any:
    """A registry that knows no unit yet."""
    with _as_if_absent(NOT_NEEDED):
        import pint  # noqa: PLC0415

    return pint.UnitRegistry(None)


@contextmanager
def _as_if_absent(package: str) -> Iterator[None]:
    """Nobody who asks for the package meanwhile finds it, unless it was imported before."""
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # so Python notes that a package is not there
    try:
        yield
    finally:
        del sys.modules[package]
