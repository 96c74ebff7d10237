"""Whether files have changed: a hash over the names and bytes of all that a rulebook is read from."""

from __future__ import annotations

import hashlib

from engine.read.folders import Folders

READ = ("*.yaml", "*.yml", "*.json")


def fingerprint(folders: Folders) -> str:
    """A hash that changes with every change of a file's name or bytes, however an editor or a link made it.

    A file that goes away while it is read counts as gone.
    """
    digest = hashlib.sha256()
    for folder in folders.all:
        for path in sorted(path for pattern in READ for path in folder.rglob(pattern)):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
        digest.update(b"\0")
    return digest.hexdigest()
