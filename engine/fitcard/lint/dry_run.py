"""A change of files tried on a copy of their folders before it is made."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fitcard.lint.run import run_checks
from fitcard.problems import Problem
from fitcard.source.folders import Folders


def problems_after_edit(folders: Folders, file: Path, text: str) -> list[Problem]:
    """What `fitcard check` would newly say of the folders if `file`, in one of them, held `text`."""
    with tempfile.TemporaryDirectory() as place:
        copied = {}
        for folder in folders.all:
            copied[folder] = Path(place) / folder.resolve().name
            shutil.copytree(folder, copied[folder])
        folder = next(folder for folder in folders.all if file.resolve().is_relative_to(folder.resolve()))
        tried = copied[folder] / file.resolve().relative_to(folder.resolve())
        tried.parent.mkdir(parents=True, exist_ok=True)
        tried.write_text(text, "utf-8")
        _, after = run_checks(Folders(*copied.values()))
    if not after:  # as it should be: what there was before need not be asked
        return []
    before = {(problem.kind, problem.message) for problem in run_checks(folders)[1]}
    return [problem for problem in after if (problem.kind, problem.message) not in before]
