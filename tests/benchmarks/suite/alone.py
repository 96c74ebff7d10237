"""A command as a process by itself, with its time and peak memory.

It is started by a small process made for that: on Linux the peak memory of a process begins with that of whoever
started it. Run as a module it is that process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from fitcard.source.folders import ENVIRONMENT, Folders
from suite.contest import NotComparable, Took

KILOBYTES_PER_MB = 1024
SELF = (sys.executable, "-m", "suite.alone")


def run_alone(words: Sequence[str], folders: Folders) -> tuple[Took, str]:
    """The seconds and the peak memory in MB of a command on these folders, and what it printed.

    Raises NotComparable where it fails.
    """
    ended = subprocess.run(
        [*SELF, *words], env=surroundings(folders), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ended.returncode:
        raise NotComparable(f"`{' '.join(words)}` failed: {ended.stderr.strip() or ended.stdout.strip()}")
    found = json.loads(ended.stdout)
    return Took(found["seconds"], {"peak_mb": found["peak_mb"]}), found["printed"]


def surroundings(folders: Folders) -> dict[str, str]:
    """The environment in which a command works on these folders."""
    named = zip(("RULES", "CATALOGS", "SCHEMAS"), folders.all, strict=True)
    return os.environ | {f"{ENVIRONMENT}{name}": str(folder) for name, folder in named}


def main() -> None:
    """Runs the words that follow as a command; prints its figures as JSON, and ends as it did."""
    started = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        printed = run.stdout.read()
        _, status, used = os.wait4(run.pid, 0)
        seconds = time.perf_counter() - started
        run.returncode = os.waitstatus_to_exitcode(status)
    found = {"seconds": seconds, "peak_mb": used.ru_maxrss / KILOBYTES_PER_MB, "printed": printed.decode("utf-8")}
    print(json.dumps(found))
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
