"""What can be compared: a revision of git, a directory, the files as they are now, or a profile."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.source.folders import Folders


class RevisionUnknown(ProblemCode):
    """One side of a comparison is neither a git revision, nor a directory, nor a profile.

    Why: there is nothing to compare with.
    Avoid: `fitcard diff mian`
    Prefer: `fitcard diff main`, `fitcard diff ../other-checkout`, or `fitcard diff profile:reference
        profile:calibrated`.
    """


class RevisionWithoutRules(ProblemCode):
    """A revision or directory has no folder of rules or of catalogs.

    Why: there is nothing to compare with.
    Avoid: a revision older than the rules, or the parent of the project directory
    Prefer: a later revision; a directory that contains `rules` and `catalogs`.
    """


PROFILE = "profile:"
SHORT = 10  # characters of a hash


@dataclass(frozen=True)
class Revision:
    """One side: where its files are, what it is called, and which profile answers; its default one where empty."""

    label: str
    folders: Folders
    profile: str = ""


def find_revision(text: str, here: Folders, place: Path) -> Revision:
    """The side that `text` names, seen from the folders `here`; files of a revision are laid out below `place`.

    Raises ProblemsFound where it names nothing.
    """
    if not text:
        return Revision("the working files", here)
    if text.startswith(PROFILE):
        return Revision(text, here, text.removeprefix(PROFILE))
    if (Path(text) / here.rules.resolve().name).is_dir():
        return Revision(text, _in_directory(Path(text), here))
    return _revision(text, here, place)


def _in_directory(directory: Path, here: Folders) -> Folders:
    """The folders of a directory that are called as ours are; ours for those that it lacks."""
    found = [directory / folder.resolve().name for folder in here.all]
    return Folders(*(there if there.is_dir() else ours for there, ours in zip(found, here.all, strict=True)))


def _revision(text: str, here: Folders, place: Path) -> Revision:
    top = _top(here)
    if top is None:
        message = f"`{text}` has no folder `{here.rules.resolve().name}`, and this is not a git repository"
        raise ProblemsError([Problem(RevisionUnknown, message, hint="give a directory with rules and catalogs")])
    told = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    if told is None:
        hint = "fetch the revision, or give a directory or `profile:NAME`"
        raise ProblemsError([Problem(RevisionUnknown, f"there is no revision or directory `{text}`", hint=hint)])
    commit = told.decode().strip()
    folders = here
    for name, ours in zip(("rules", "catalogs", "schemas"), here.all, strict=True):
        if not ours.resolve().is_relative_to(top):
            continue  # rules that are installed, beside catalogs in a repository: the same on both sides
        inside = ours.resolve().relative_to(top).as_posix()
        archive = _git(top, "archive", "--format=tar", commit, "--", inside)
        if archive is None:
            message = f"`{text}` has no folder `{inside}`"
            raise ProblemsError([Problem(RevisionWithoutRules, message, hint="give a revision that has it")])
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            if hasattr(tarfile, "data_filter"):  # not yet in the first releases of Python 3.11
                files.extraction_filter = tarfile.data_filter
            files.extractall(place / commit)  # which `git archive` has just made of files of the repository
        folders = replace(folders, **{name: place / commit / inside})
    label = text if commit.startswith(text) else f"{text} ({commit[:SHORT]})"
    return Revision(label, folders)


def _top(here: Folders) -> Path | None:
    """The directory of the repository that holds the rules, or else the catalogs; None where none does."""
    for folder in here.all:
        found = _git(folder, "rev-parse", "--show-toplevel")
        if found is not None:
            return Path(found.decode().strip()).resolve()
    return None


def _git(folder: Path, *words: str) -> bytes | None:
    """What git prints; None where it fails or is not there."""
    try:
        ended = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return ended.stdout if ended.returncode == 0 else None
