"""What names the engine itself exactly, so that parts of a file are computed by the same one."""

from __future__ import annotations

import hashlib
from functools import cache

from fitcard.read.folders import PACKAGE


@cache
def engine_sha256() -> str:
    """A hash over the paths and bytes of the modules of the engine, as they are when it is first asked for."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
