"""The files of a rulebook: found, read, checked against their schema, and sorted by the kind that each says it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitcard.catalog.fields import catalog_kinds
from fitcard.language.definitions import ADDS, SECTIONS
from fitcard.problems import Position, Problem, ProblemCode, errors
from fitcard.source.document import Document
from fitcard.source.folders import Folders
from fitcard.source.schemas import Schemas
from fitcard.source.yaml_reader import INCOMPLETE, read_bytes, read_content
from fitcard.suggest import closest, did_you_mean


class FileKind(ProblemCode):
    """A file does not state its kind, or states one that does not exist.

    Why: the kind decides what a file may contain and what reads it.
    Avoid: a file that starts with `constants:`
    Prefer: a file that starts with `kind: rules`.
    """


class FileMissing(ProblemCode):
    """A required file is missing.

    Why: without it there are no questions, no texts or no answers.
    Avoid: a folder without `kind: rulebook`, `kind: layout` or `kind: messages`
    Prefer: one file of each kind.
    """


class FileTwice(ProblemCode):
    """There are two files of a kind that allows only one.

    Why: it is unclear which of them applies.
    Avoid: a backup copy of `rulebook.yaml` beside it
    Prefer: one file.
    """


class FileSuffix(ProblemCode):
    """A file has the suffix `.yml`. Only `.yaml` files are read.

    Why: a file that is skipped looks as if it applied.
    Avoid: `decode.yml`
    Prefer: `decode.yaml`
    """


class FolderEmpty(ProblemCode):
    """A folder contains no YAML files.

    Why: it is probably not the folder that was meant.
    Avoid: `--rules .` in the project directory of another program
    Prefer: `--rules rules`
    """


RULEBOOK, RULES, PROFILE, TESTS, MESSAGES, LAYOUT = "rulebook", "rules", "profile", "tests", "messages", "layout"
CHANGES, BACKTEST, CHECKS = "changes", "backtest", "checks"
RANKINGS = "rankings"
NO_ANSWER = (TESTS, CHANGES, CHECKS)  # kinds of files that change no figure or sentence
KINDS = frozenset({RULEBOOK, RULES, PROFILE, MESSAGES, LAYOUT, BACKTEST, RANKINGS, *NO_ANSWER})  # beside catalogs


@dataclass
class RuleFiles:
    """Documents by kind, problems, and the hash of all bytes that can change an answer.

    `broken_kinds` are the kinds of files that were left out, and `broken_names` what they would have defined: nobody is
    told that these do not exist. `unread` counts files of which not even that is known.
    """

    documents: dict[str, list[Document]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sha256: str = ""
    broken_kinds: set[str] = field(default_factory=set)
    broken_names: set[str] = field(default_factory=set)
    unread: int = 0

    def of(self, kind: str) -> list[Document]:
        """The documents of one kind, in the order of their paths."""
        return self.documents.get(kind, [])

    def some(self, kind: str) -> list[Document]:
        """The documents of a kind of which there must be one or more; a problem where there is none."""
        found = self.of(kind)
        if not found and kind not in self.broken_kinds and not self.unread:
            hint = f"add one that starts with `kind: {kind}`"
            self.problems.append(Problem(FileMissing, f"there is no file of kind `{kind}`", hint=hint))
        return found

    def at_most_one(self, kind: str) -> Document | None:
        """The document of a kind of which there may be one; None where there is none, and a problem for a second."""
        return self.only(kind) if self.of(kind) else None

    def only(self, kind: str) -> Document | None:
        """The document of a kind of which there must be one; None, and a problem, where there is none."""
        found = self.some(kind)
        for document in found[1:]:
            message = f"a second file of kind `{kind}`"
            self.problems.append(document.problem(FileTwice, message, hint="keep one", first=found[0].position()))
        return found[0] if found else None


@dataclass(frozen=True)
class FileRead:
    """One file as it was read: what kind it is, where that is known, and what is wrong with it."""

    file: Path
    document: Document | None
    kind: str
    problems: tuple[Problem, ...]


class FileCache:
    """Files as they were read before: one whose bytes and whose schemas are the same is not read again."""

    def __init__(self) -> None:
        self._schemas: Mapping[str, Any] = {}
        self._kept: dict[Path, tuple[bytes, FileRead]] = {}

    def read(self, schemas: Schemas, path: Path, shown_as: str) -> FileRead:
        """The file at `path`, called `shown_as` in its problems."""
        if schemas.by_kind != self._schemas:
            self._schemas, self._kept = schemas.by_kind, {}
        content = read_content(path, shown_as)
        if isinstance(content, Problem):
            return FileRead(path, None, "", (content,))
        if path not in self._kept or self._kept[path][0] != content:
            self._kept[path] = (content, _read_file(schemas, content, path, shown_as))
        return self._kept[path][1]


def read_files(folders: Folders, schemas: Schemas, kept: FileCache) -> RuleFiles:
    """All YAML files below the folders of rules and catalogs."""
    files = RuleFiles()
    digest = hashlib.sha256()
    for folder in (folders.rules, folders.catalogs):
        for path in sorted(folder.rglob("*.yml")):
            place = Position(f"{folders.shown(folder)}/{path.relative_to(folder).as_posix()}", 1, 1)
            message = "only files that end in .yaml are read"
            files.problems.append(Problem(FileSuffix, message, place, hint="rename it"))
            files.unread += 1
        if not any(folder.rglob("*.yaml")):
            message = f"there are no YAML files in {folder}"
            files.problems.append(Problem(FolderEmpty, message, hint="check the path of the folder"))
    kinds = KINDS.union(catalog_kinds(schemas))
    for role, path, shown_as in _paths(folders):
        read = kept.read(schemas, path, shown_as)
        if read.kind and read.kind not in kinds:  # folders of an earlier version have kinds that are no longer read
            continue
        _take(files, read)
        if read.document is not None and read.kind and read.kind not in NO_ANSWER:  # what can change an answer
            folder = folders.rules if role == "rules" else folders.catalogs
            digest.update(f"{role}/{path.relative_to(folder).as_posix()}".encode() + b"\0")
            digest.update(read.document.text.encode() + b"\0")
    files.sha256 = digest.hexdigest()
    return files


def read_each_file(folders: Folders, schemas: Schemas) -> list[FileRead]:
    """Each YAML file below the folders of rules and catalogs by itself."""
    kept = FileCache()
    return [kept.read(schemas, path, shown_as) for _, path, shown_as in _paths(folders)]


def _paths(folders: Folders) -> Iterator[tuple[str, Path, str]]:
    """What is read: in which role, from where, and what it is called in problems."""
    for role, folder in (("rules", folders.rules), ("catalogs", folders.catalogs)):
        for path in sorted(path for path in folder.rglob("*.yaml") if not _hidden(path.relative_to(folder))):
            yield role, path, f"{folders.shown(folder)}/{path.relative_to(folder).as_posix()}"


def _read_file(schemas: Schemas, content: bytes, path: Path, shown_as: str) -> FileRead:
    document, problems = read_bytes(content, shown_as, path)
    kind = _kind(document, schemas) if document else None
    if document is None or not isinstance(kind, str):
        return FileRead(path, document, "", (*problems, *([kind] if isinstance(kind, Problem) else [])))
    if not any(problem.kind in INCOMPLETE for problem in problems):
        told = {problem.position for problem in problems}  # a value that could not be read needs no second word
        problems += [problem for problem in schemas.check(document, kind) if problem.position not in told]
    return FileRead(path, document, kind, tuple(problems))


def _take(files: RuleFiles, read: FileRead) -> None:
    """Sorts one file in."""
    files.problems += read.problems
    if read.document is None or not read.kind:
        files.unread += 1
    elif errors(read.problems):
        files.broken_names |= defined_names(read.document)
        files.broken_kinds.add(read.kind)
    else:
        files.documents.setdefault(read.kind, []).append(read.document)


def defined_names(document: Document) -> set[str]:
    """The names that a file of rules sets out to define, whether or not it succeeds."""
    parts = (part for part in (document.data, document.data.get(ADDS[0])) if isinstance(part, Mapping))
    sections = (part.get(section) for part in parts for section in SECTIONS)
    return {name for section in sections if isinstance(section, Mapping) for name in section}


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _kind(document: Document, schemas: Schemas) -> str | Problem:
    """What kind of file it says it is, or what is wrong about that."""
    kinds = [kind for kind, schema in schemas.by_kind.items() if "kind" in schema.get("properties", {})]
    kind = document.data.get("kind") if isinstance(document.data, dict) else None
    if kind in kinds:
        return str(kind)
    if kind is None:
        hint = f"start with `kind:` and one of: {', '.join(kinds)}"
        return document.problem(FileKind, "the file does not state its kind", hint=hint)
    near = closest(str(kind), kinds)
    hint = did_you_mean(near) or f"the kinds are: {', '.join(kinds)}"
    return document.problem(FileKind, f"there is no kind of file `{kind}`", ("kind",), hint=hint, closest=near)
