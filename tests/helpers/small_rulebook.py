"""The small rulebook of the tests: three models, three devices, two quantizations and a handful of rules."""

from __future__ import annotations

import shutil
from pathlib import Path

from fitcard.source.folders import find_folders

SMALL_RULEBOOK = Path(__file__).resolve().parent.parent / "small_rulebook"
FILE_KINDS = (
    "common", "rulebook", "rules", "profile", "tests", "messages", "layout", "changes", "checks", "rankings",
    "backtest", "question", "batch",
)  # fmt: skip


def lay_out(place: Path) -> None:
    """Copies the folders of the small rulebook, and the schemas of all kinds of files, to `place`."""
    for folder in ("rules", "catalogs", "schemas"):
        shutil.copytree(SMALL_RULEBOOK / folder, place / folder)
    for kind in FILE_KINDS:
        shutil.copy(find_folders().schemas / f"{kind}.schema.json", place / "schemas")
