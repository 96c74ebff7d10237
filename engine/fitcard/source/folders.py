"""The folders of rules, catalogs and schemas: where they are, and a fingerprint that changes with their files."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

MAX_ENTRIES = 20_000  # files and folders in one of the three folders: of more, it is probably another folder
MAX_BYTES = 2_000_000  # of a YAML file; defined here because every command imports this module, and few the reader
ENVIRONMENT = "FITCARD_"
PACKAGE = Path(__file__).resolve().parent.parent
RULES, CATALOGS, SCHEMAS = FOLDER_NAMES = ("rules", "catalogs", "schemas")
FILE_PATTERNS = ("*.yaml", "*.yml", "*.json")
PROJECT_MARKER = Path(RULES, "rulebook.yaml")


@dataclass(frozen=True)
class Folders:
    """The three folders that a rulebook is read from."""

    rules: Path
    catalogs: Path
    schemas: Path

    @property
    def all(self) -> tuple[Path, Path, Path]:
        """Rules, catalogs and schemas."""
        return (self.rules, self.catalogs, self.schemas)

    @property
    def schemas_beside(self) -> Path | None:
        """The schemas folder if it is a sibling of the rules or catalogs, so that their files can refer to it."""
        beside = _are_siblings(self.schemas, self.rules) or _are_siblings(self.schemas, self.catalogs)
        return self.schemas if beside else None

    @property
    def schemas_of_rules(self) -> bool:
        """Whether the schemas are beside the rules, so that the generated ones are those of these rules."""
        return _are_siblings(self.schemas, self.rules)

    def display_path(self, folder: Path) -> str:
        """The folder in file names of problems: relative to the working directory if near, else its name."""
        resolved, here = folder.resolve(), _working_directory()
        if not resolved.is_relative_to(PACKAGE) and _is_near(resolved, here):
            return Path(os.path.relpath(resolved, here)).as_posix()
        return resolved.name

    @property
    def description(self) -> str:
        """The folders for the output of commands: the path of the rules, and of catalogs that are elsewhere."""
        resolved, here = self.rules.resolve(), _working_directory()
        if resolved.is_relative_to(PACKAGE):
            return f"{resolved} (installed)"
        inside = resolved != here and resolved.is_relative_to(here)
        rules = resolved.relative_to(here).as_posix() if inside else str(resolved)
        return rules if _are_siblings(self.catalogs, self.rules) else f"{rules}, with catalogs of {self.catalogs}"


def find_folders(
    rules: str | Path | None = None, catalogs: str | Path | None = None, schemas: str | Path | None = None
) -> Folders:
    """The folders of the arguments, else of FITCARD_RULES, FITCARD_CATALOGS and FITCARD_SCHEMAS, else of the project.

    The project is the parent of the rules, else the nearest folder from the working directory upwards with
    `rules/rulebook.yaml`. Folders that it lacks are those of the installed package. `rules` may also be a project.
    """
    arguments = zip(FOLDER_NAMES, (rules, catalogs, schemas), strict=True)
    explicit = {name: _explicit_folder(name, folder) for name, folder in arguments}
    rules_folder = explicit[RULES]
    if rules_folder and not _has_file(rules_folder, PROJECT_MARKER.name) and _has_file(rules_folder, PROJECT_MARKER):
        rules_folder = explicit[RULES] = rules_folder / RULES
    here = _working_directory()
    if rules_folder:  # a linked rules folder belongs to the project that has the link
        project: Path | None = Path(os.path.abspath(here / rules_folder)).parent  # noqa: PTH100 - keeps links
    else:
        project = _find_project(here)
    return Folders(*(explicit[name] or _project_folder(project, name) or _installed(name) for name in FOLDER_NAMES))


def _explicit_folder(name: str, argument: str | Path | None) -> Path | None:
    """The folder of an argument or an environment variable."""
    folder = argument or os.environ.get(ENVIRONMENT + name.upper())
    return Path(folder) if folder else None


def _are_siblings(folder: Path, other: Path) -> bool:
    return folder.resolve().parent == other.resolve().parent


def _working_directory() -> Path:
    """The working directory; the root if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.sep)


def _find_project(here: Path) -> Path | None:
    return next((folder for folder in (here, *here.parents) if _has_file(folder, PROJECT_MARKER)), None)


def _has_file(folder: Path, name: str | Path) -> bool:
    """Whether the folder has this file; False if that cannot be read."""
    try:
        return (folder / name).is_file()
    except OSError:
        return False


def _project_folder(project: Path | None, name: str) -> Path | None:
    return project / name if project and (project / name).is_dir() else None


def _installed(name: str) -> Path:
    """The folder of the installed package, or of the checkout that it was installed from."""
    packaged = PACKAGE / "data" / name
    return packaged if packaged.is_dir() else PACKAGE.parent.parent / name


def _is_near(folder: Path, here: Path) -> bool:
    """Whether a relative path from `here` is short: the folder is inside it, or a sibling of it or of a parent."""
    return here != Path(here.anchor) and (folder.is_relative_to(here) or here.is_relative_to(folder.parent))


def leads_elsewhere(path: Path, folder: Path) -> bool:
    """Whether a path in a folder is a link to a file outside of it, or to none."""
    try:
        return path.is_symlink() and not path.resolve(strict=True).is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a link to nothing, or to itself
        return True


def is_oversized(folder: Path) -> bool:
    """Whether there are more than MAX_ENTRIES files and folders in a folder, such as `/`."""
    entries = 0
    for _, subfolders, files in os.walk(folder):
        entries += len(subfolders) + len(files)
        if entries > MAX_ENTRIES:
            return True
    return False


def fingerprint(folders: Folders) -> str:
    """SHA-256 over the paths and bytes of all rule, catalog and schema files.

    Files that disappear while they are read are skipped. Files beyond `MAX_BYTES` count by size and modification time,
    and a folder with more than MAX_ENTRIES has no files.
    """
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which few commands need

    digest = hashlib.sha256()
    for folder in folders.all:
        if is_oversized(folder):
            continue
        for path in sorted(path for pattern in FILE_PATTERNS for path in folder.rglob(pattern)):
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):
                    continue
                large = status.st_size > MAX_BYTES
                content = f"{status.st_size} {status.st_mtime_ns}".encode() if large else path.read_bytes()
            except OSError:
                continue
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0" + content + b"\0")
        digest.update(b"\0")
    return digest.hexdigest()
