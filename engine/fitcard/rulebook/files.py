"""The files of a rulebook, checked against their schemas, by kind."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fitcard.catalog.catalog import catalog_kinds
from fitcard.language.definitions import ADDS, SECTIONS
from fitcard.problems import Position, Problem, ProblemCode, Severity, errors
from fitcard.source.document import Document
from fitcard.source.folders import MAX_ENTRIES, Folders, is_oversized, leads_elsewhere
from fitcard.source.limits import TooMany
from fitcard.source.schemas import Schemas
from fitcard.source.text import INVISIBLE, show_line
from fitcard.source.yaml_reader import INCOMPLETE, FileUnreadable, read_bytes, read_content
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
    """A file has another suffix than `.yaml`, such as `.yml` or `.YAML`, and is not read.

    Why: a file that is skipped looks as if it applied.
    Avoid: `decode.yml`
    Prefer: `decode.yaml`
    """


class FileName(ProblemCode):
    """The name of a file has invisible characters, or that of a profile is not an id.

    Why: the name would be shown as another, and profiles are named in commands and addresses.
    Avoid: a line feed in a name; `profiles/my rules.yaml`
    Prefer: names of letters, digits, dots, dashes and underscores.
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
YAML_SUFFIX = re.compile(r"\.ya?ml([^a-z0-9]*|[~._-].*)$", re.IGNORECASE)  # with what copies of editors add to it
WITHOUT_EFFECT = (TESTS, CHANGES, CHECKS)  # kinds of files that do not affect answers
MAX_FILES = 2_000  # of rules and catalogs
MAX_TOTAL_VALUES = 120_000  # of all files; reading them takes a second or two, and so do the checks of each
MAX_TOTAL_CHARACTERS = 8_000_000  # of all files
MAX_EXPLAINED_VALUES = 15_000  # of files with schema problems; explaining these takes a second
KINDS = frozenset({RULEBOOK, RULES, PROFILE, MESSAGES, LAYOUT, BACKTEST, RANKINGS, *WITHOUT_EFFECT})  # except catalogs


@dataclass
class RuleFiles:
    """Valid documents by kind, problems, and the SHA-256 of all files that affect answers.

    `broken_kinds` are the kinds of invalid files, and `broken_names` the names that these define, which must not be
    reported as undefined. `unread` is the number of files whose kind is unknown.
    """

    documents: dict[str, list[Document]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    sha256: str = ""
    broken_kinds: set[str] = field(default_factory=set)
    broken_names: set[str] = field(default_factory=set)
    unread: int = 0

    def of(self, kind: str) -> list[Document]:
        """The documents of a kind, sorted by path."""
        return self.documents.get(kind, [])

    def at_least_one(self, kind: str) -> list[Document]:
        """The documents of a required kind. Adds a problem if there is none."""
        documents = self.of(kind)
        if not documents and kind not in self.broken_kinds and not self.unread:
            hint = f"add one that starts with `kind: {kind}`"
            self.problems.append(Problem(FileMissing, f"there is no file of kind `{kind}`", hint=hint))
        return documents

    def at_most_one(self, kind: str) -> Document | None:
        """The document of an optional kind; None if there is none. Adds a problem for each further one."""
        return self.only(kind) if self.of(kind) else None

    def only(self, kind: str) -> Document | None:
        """The document of a required kind. Adds a problem if there is none, or for each further one."""
        documents = self.at_least_one(kind)
        for document in documents[1:]:
            message = f"a second file of kind `{kind}`"
            self.problems.append(document.problem(FileTwice, message, hint="keep one", first=documents[0].position()))
        return documents[0] if documents else None


@dataclass(frozen=True)
class FileRead:
    """A parsed file and its problems. `document` is None if it cannot be parsed, `kind` empty if it is unknown."""

    file: Path
    document: Document | None
    kind: str
    problems: tuple[Problem, ...]


class FileCache:
    """Parsed files by path; a file is parsed again if its bytes or the schemas change."""

    def __init__(self) -> None:
        self._schemas: Mapping[str, Any] = {}
        self._files: dict[Path, tuple[bytes, bool, FileRead]] = {}

    def read(self, schemas: Schemas, path: Path, display_path: str, *, explain: bool = True) -> FileRead:
        """The file at `path`; `display_path` is its name in problems. See `Schemas.check` for `explain`."""
        if schemas.by_kind != self._schemas:
            self._schemas, self._files = schemas.by_kind, {}
        content = read_content(path, display_path)
        if isinstance(content, Problem):
            return FileRead(path, None, "", (content,))
        if path not in self._files or self._files[path][:2] != (content, explain):
            self._files[path] = (content, explain, _read_file(schemas, content, path, display_path, explain))
        return self._files[path][2]


def read_files(folders: Folders, schemas: Schemas, cache: FileCache) -> RuleFiles:
    """All YAML files of the folders of rules and catalogs."""
    files = RuleFiles()
    digest = hashlib.sha256()
    for folder in (folders.rules, folders.catalogs):
        if is_oversized(folder):
            message, hint = f"more than {MAX_ENTRIES:,} files and folders in {folder}", "check the path of the folder"
            return RuleFiles(problems=[Problem(TooMany, message, hint=hint)], unread=1)
        problems = list(_file_problems(folder, folders.display_path(folder)))
        files.problems += problems
        files.unread += len(errors(problems))
        if not any(folder.rglob("*.yaml")):
            message = f"there are no YAML files in {folder}"
            files.problems.append(Problem(FolderEmpty, message, hint="check the path of the folder"))
    kinds = KINDS.union(catalog_kinds(schemas))
    values = characters = explained = 0
    paths = list(_paths(folders))
    if len(paths) > MAX_FILES:
        message, position = f"more than {MAX_FILES:,} files", Position(paths[MAX_FILES][2], 1, 1)
        return RuleFiles(problems=[Problem(TooMany, message, position, hint="remove files")], unread=1)
    for role, path, display_path in paths:
        read = cache.read(schemas, path, display_path, explain=explained < MAX_EXPLAINED_VALUES)
        if read.document:
            values, characters = values + len(read.document.spans), characters + len(read.document.text)
            explained += len(read.document.spans) if read.problems else 0
        if too_many := _over_limit(values, characters):
            problem = Problem(
                TooMany, too_many, Position(display_path, 1, 1), hint="remove files, or parts of this one"
            )
            own = [problem for problem in read.problems if problem.kind in INCOMPLETE]
            files.problems += own or [problem]
            files.unread += 1
            break
        if read.kind and read.kind not in kinds:  # a kind of an earlier version
            continue
        _add(files, read)
        if read.document is not None and read.kind and read.kind not in WITHOUT_EFFECT:
            folder = folders.rules if role == "rules" else folders.catalogs
            digest.update(f"{role}/{path.relative_to(folder).as_posix()}".encode() + b"\0")
            digest.update(read.document.text.encode() + b"\0")
    files.sha256 = digest.hexdigest()
    return files


def _over_limit(values: int, characters: int) -> str:
    """The limit that files are over after this one; empty if there is none."""
    if values > MAX_TOTAL_VALUES:
        return f"more than {MAX_TOTAL_VALUES:,} values in all files"
    return f"more than {MAX_TOTAL_CHARACTERS:,} characters in all files" if characters > MAX_TOTAL_CHARACTERS else ""


def read_each_file(folders: Folders, schemas: Schemas) -> list[FileRead]:
    """Each YAML file of the folders of rules and catalogs."""
    cache = FileCache()
    return [cache.read(schemas, path, display_path) for _, path, display_path in _paths(folders)]


def _paths(folders: Folders) -> Iterator[tuple[str, Path, str]]:
    """The folder name, path and display path of each file."""
    for role, folder in (("rules", folders.rules), ("catalogs", folders.catalogs)):
        for path in sorted(path for path in folder.rglob("*.yaml") if _is_read(path, folder)):
            yield role, path, f"{folders.display_path(folder)}/{path.relative_to(folder).as_posix()}"


def _is_read(path: Path, folder: Path) -> bool:
    relative = path.relative_to(folder)
    return not (_hidden(relative) or leads_elsewhere(path, folder) or INVISIBLE.search(str(relative)))


def _file_problems(folder: Path, name: str) -> Iterator[Problem]:
    """The files and folders that are not read although they look as if they were; `name` is that of the folder."""
    unreadable: list[OSError] = []
    for place, subfolders, file_names in os.walk(folder, onerror=unreadable.append):
        here = Path(place)
        subfolders[:] = sorted(subfolder for subfolder in subfolders if not subfolder.startswith("."))
        for entry in (*subfolders, *sorted(file for file in file_names if not file.startswith("."))):
            path = here / entry
            position = Position(f"{name}/{show_line(path.relative_to(folder).as_posix())}", 1, 1)
            is_folder, suffix = entry in subfolders, YAML_SUFFIX.search(entry)
            if is_folder and path.is_symlink():
                message, hint = "linked folders are not read", "put the folder itself here"
                yield Problem(FileUnreadable, message, position, hint=hint)
            elif is_folder or suffix is None:
                continue
            elif entry.endswith(".yaml") and leads_elsewhere(path, folder):
                message, hint = "the link leads out of the folder, or to no file", "put the file itself here"
                yield Problem(FileUnreadable, message, position, hint=hint)
            elif entry.endswith(".yaml") and INVISIBLE.search(str(path.relative_to(folder))):
                yield Problem(FileName, "the name has invisible characters", position, hint="rename it")
            elif not entry.endswith(".yaml"):
                message = "only files that end in .yaml are read"
                if suffix[1]:  # such as a copy that an editor leaves
                    yield Problem(FileSuffix, message, position, Severity.WARNING, hint="remove it, or rename it")
                else:
                    yield Problem(FileSuffix, message, position, hint="rename it")
    for error in unreadable:
        relative = Path(os.fsdecode(error.filename)).relative_to(folder).as_posix()
        position = Position(f"{name}/{show_line(relative)}", 1, 1)
        yield Problem(FileUnreadable, f"the folder cannot be read: {error.strerror}", position)


def _read_file(schemas: Schemas, content: bytes, path: Path, display_path: str, explain: bool) -> FileRead:
    document, problems = read_bytes(content, display_path, path)
    kind = _kind(document, schemas) if document else None
    if document is None or not isinstance(kind, str):
        return FileRead(path, document, "", (*problems, *([kind] if isinstance(kind, Problem) else [])))
    if not any(problem.kind in INCOMPLETE for problem in problems):
        reported = {problem.position for problem in problems}  # one problem per value is enough
        problems += [
            problem for problem in schemas.check(document, kind, explain=explain) if problem.position not in reported
        ]
    return FileRead(path, document, kind, tuple(problems))


def _add(files: RuleFiles, read: FileRead) -> None:
    files.problems += read.problems
    if read.document is None or not read.kind:
        files.unread += 1
    elif errors(read.problems):
        files.broken_names |= defined_names(read.document)
        files.broken_kinds.add(read.kind)
    else:
        files.documents.setdefault(read.kind, []).append(read.document)


def defined_names(document: Document) -> set[str]:
    """The names that a rule file defines, including those with invalid definitions."""
    parts = (part for part in (document.data, document.data.get(ADDS[0])) if isinstance(part, Mapping))
    sections = (part.get(section) for part in parts for section in SECTIONS)
    return {name for section in sections if isinstance(section, Mapping) for name in section}


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _kind(document: Document, schemas: Schemas) -> str | Problem:
    """The `kind` of a file; a problem if it is missing or unknown."""
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
