"""Whether files have changed: a hash over the names and bytes of all that a rulebook is read from."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 2_000_000  # of a YAML file; defined here because every command imports this module, and few the reader
ENVIRONMENT = "FITCARD_"
PACKAGE = Path(__file__).resolve().parent.parent
RULES, CATALOGS, SCHEMAS = NAMES = ("rules", "catalogs", "schemas")
MARKER = Path(RULES, "rulebook.yaml")  # what makes a folder a project


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
        """The folder of schemas where it lies beside the rules or catalogs, so that their files can point to it."""
        beside = {self.rules.resolve().parent, self.catalogs.resolve().parent}
        return self.schemas if self.schemas.resolve().parent in beside else None

    def shown(self, folder: Path) -> str:
        """The prefix of file names in problems: the path from the working directory, or else the folder's name."""
        whole, here = folder.resolve(), Path.cwd()
        if whole.is_relative_to(PACKAGE) or here == Path(here.anchor):
            return whole.name
        if whole.is_relative_to(here) or here.is_relative_to(whole.parent):
            return Path(os.path.relpath(whole, here)).as_posix()
        return whole.name

    @property
    def description(self) -> str:
        """The folders as a command names them in its output, such as `rules and catalogs` or an absolute path."""
        whole, here = self.rules.resolve(), Path.cwd()
        if whole.is_relative_to(PACKAGE):
            return f"{whole} (installed)"
        near = here != Path(here.anchor) and (whole.is_relative_to(here) or here.is_relative_to(whole.parent))
        rules = Path(os.path.relpath(whole, here)).as_posix() if near and whole != here else str(whole)
        return rules if self.catalogs.resolve().parent == whole.parent else f"{rules}, with catalogs of {self.catalogs}"


def find_folders(
    rules: str | Path | None = None, catalogs: str | Path | None = None, schemas: str | Path | None = None
) -> Folders:
    """The folders as given; else from FITCARD_RULES, FITCARD_CATALOGS and FITCARD_SCHEMAS; else those of the project.

    Catalogs and schemas that are not given lie beside the rules where there are such folders; else the installed ones.
    """
    given = {name: _given(name, folder) for name, folder in zip(NAMES, (rules, catalogs, schemas), strict=True)}
    told = given[RULES]
    project = told.resolve().parent if told else _project(Path.cwd())
    found = {name: given[name] or _beside(project, name) or _installed(name) for name in NAMES}
    return Folders(found[RULES], found[CATALOGS], found[SCHEMAS])


def _given(name: str, folder: str | Path | None) -> Path | None:
    chosen = folder or os.environ.get(ENVIRONMENT + name.upper())
    return Path(chosen) if chosen else None


def _project(here: Path) -> Path | None:
    """The nearest folder, upwards from `here`, that holds rules."""
    return next((folder for folder in (here, *here.parents) if (folder / MARKER).is_file()), None)


def _beside(project: Path | None, name: str) -> Path | None:
    return project / name if project and (project / name).is_dir() else None


def _installed(name: str) -> Path:
    """The folder of the installed package, or of the checkout that it was installed from."""
    packaged = PACKAGE / "data" / name
    return packaged if packaged.is_dir() else PACKAGE.parent.parent / name


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
                large = about.st_size > MAX_BYTES
                content = f"{about.st_size} {about.st_mtime_ns}".encode() if large else path.read_bytes()
            except OSError:
                continue
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + content + b"\0")
        digest.update(b"\0")
    return digest.hexdigest()
