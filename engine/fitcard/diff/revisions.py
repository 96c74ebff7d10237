"""The sides of a comparison: a git revision, a directory, the working files, or a profile."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

from fitcard.problems import Problem, ProblemCode, ProblemsError
from fitcard.source.folders import Folders
from fitcard.source.yaml_reader import FileUnreadable


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
HASH_LENGTH = 10  # characters of a hash in a label


@dataclass(frozen=True)
class Revision:
    """One side of a comparison. An empty `profile` is the default profile of its rules."""

    label: str
    folders: Folders
    profile: str = ""


def find_revision(text: str, here: Folders, directory: Path) -> Revision:
    """The revision that `text` names: a git revision of the folders `here`, a directory, or `profile:NAME`.

    An empty text is the working files. The files of a git revision are extracted to `directory`. Raises ProblemsError
    if `text` is none of these.
    """
    if not text:
        return Revision("the working files", here)
    if text.startswith(PROFILE):
        return Revision(text, here, text.removeprefix(PROFILE))
    if (Path(text) / here.rules.resolve().name).is_dir():
        return Revision(text, _folders_in(Path(text), here))
    return _git_revision(text, here, directory)


def _folders_in(directory: Path, here: Folders) -> Folders:
    """The folders of a directory that have the same names as those `here`; the latter where it has none."""
    candidates = [directory / folder.resolve().name for folder in here.all]
    return Folders(*(other if other.is_dir() else own for other, own in zip(candidates, here.all, strict=True)))


def _git_revision(text: str, here: Folders, directory: Path) -> Revision:
    top = _repository(here)
    if top is None:
        message = f"`{text}` has no folder `{here.rules.resolve().name}`, and this is not a git repository"
        raise ProblemsError([Problem(RevisionUnknown, message, hint="give a directory with rules and catalogs")])
    output = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    if output is None:
        hint = "fetch the revision, or give a directory or `profile:NAME`"
        raise ProblemsError([Problem(RevisionUnknown, f"there is no revision or directory `{text}`", hint=hint)])
    commit = output.decode().strip()
    folders = here
    for name, folder in zip(("rules", "catalogs", "schemas"), here.all, strict=True):
        if not folder.resolve().is_relative_to(top):
            continue  # such as installed rules beside catalogs in a repository: the same on both sides
        path = folder.resolve().relative_to(top).as_posix()
        archive = _git(top, "archive", "--format=tar", commit, "--", path)
        if archive is None:
            message = f"`{text}` has no folder `{path}`"
            raise ProblemsError([Problem(RevisionWithoutRules, message, hint="give a revision that has it")])
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            if hasattr(tarfile, "data_filter"):  # absent from the first releases of Python 3.11
                files.extraction_filter = tarfile.data_filter
            try:
                files.extractall(directory / commit)  # safe: `git archive` wrote it from files of the repository
            except tarfile.TarError as error:  # of the filter, which refuses links out of the directory
                message, hint = f"`{text}` has a link out of its folders: {error}", "give a revision without it"
                raise ProblemsError([Problem(FileUnreadable, message, hint=hint)]) from None
        folders = replace(folders, **{name: directory / commit / path})
    label = text if commit.startswith(text) else f"{text} ({commit[:HASH_LENGTH]})"
    return Revision(label, folders)


def _repository(here: Folders) -> Path | None:
    """The top directory of the repository that contains the rules, or else the catalogs; None if there is none."""
    for folder in here.all:
        output = _git(folder, "rev-parse", "--show-toplevel")
        if output is not None:
            return Path(output.decode().strip()).resolve()
    return None


def _git(folder: Path, *arguments: str) -> bytes | None:
    """The output of git; None if it fails or is not installed."""
    try:
        process = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return process.stdout if process.returncode == 0 else None
