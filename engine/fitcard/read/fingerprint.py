"""Whether files have changed: a hash over the names and bytes of all that a rulebook is read from."""

from __future__ import annotations

import hashlib
import stat

from fitcard.read.folders import Folders
from fitcard.read.yaml_reader import MOST_BYTES

READ = ("*.yaml", "*.yml", "*.json")


def fingerprint(folders: Folders) -> str:
    """A hash that changes with every change of a file's name or bytes, however an editor or a link made it.

    A file that goes away while it is read counts as gone. One that is too large to be read counts by its size and time.
    """
    digest = hashlib.sha256()
    for folder in folders.all:
        for path in sorted(path for pattern in READ for path in folder.rglob(pattern)):
            try:
                about = path.stat()
                if not stat.S_ISREG(about.st_mode):
                    continue
                large = about.st_size > MOST_BYTES
                content = f"{about.st_size} {about.st_mtime_ns}".encode() if large else path.read_bytes()
            except OSError:
                continue
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
        digest.update(b"\0")
    return digest.hexdigest()
