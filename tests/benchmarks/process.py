"""Commands as processes of their own, with their time and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import NotComparable, Timing
from fitcard.source.folders import ENVIRONMENT, Folders

HERE = Path(__file__).resolve().parent
MEASURED = (sys.executable, str(HERE / "run_measured.py"))


def main_of(module: str) -> tuple[str, ...]:
    """The command that runs `main` of a module of the benchmarks."""
    return (sys.executable, "-c", f"from {module} import main; main()")


def run_process(command: Sequence[str], folders: Folders) -> tuple[Timing, str]:
    """Seconds and peak memory in MB of a command on these folders, and its output.

    Raises NotComparable where the command fails.
    """
    ended = subprocess.run(
        [*MEASURED, *command], env=environment(folders), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if ended.returncode:
        raise NotComparable(f"`{' '.join(command)}` failed: {ended.stderr.strip() or ended.stdout.strip()}")
    measured = json.loads(ended.stdout)
    return Timing(measured["seconds"], {"peak_mb": measured["peak_mb"]}), measured["output"]


def environment(folders: Folders) -> dict[str, str]:
    """The environment in which a command reads these folders, and Python finds the benchmarks."""
    variables = zip(("RULES", "CATALOGS", "SCHEMAS"), folders.all, strict=True)
    path = os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))
    return os.environ | {f"{ENVIRONMENT}{name}": str(folder) for name, folder in variables} | {"PYTHONPATH": path}
