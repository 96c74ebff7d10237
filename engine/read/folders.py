"""Where rules, catalogs and schemas are: told, in the environment, in the installed package, or in the checkout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "FITCARD_"
PACKAGE = Path(__file__).resolve().parent.parent


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
        """What stands before the files of a folder in problems: the way there from here, or else its bare name."""
        whole, here = folder.resolve(), Path.cwd()
        inside = here != Path(here.anchor) and whole.is_relative_to(here) and not whole.is_relative_to(PACKAGE)
        return whole.relative_to(here).as_posix() if inside else whole.name


def find_folders(
    rules: str | Path | None = None, catalogs: str | Path | None = None, schemas: str | Path | None = None
) -> Folders:
    """The folders as given; else from FITCARD_RULES, FITCARD_CATALOGS and FITCARD_SCHEMAS; else the project's own."""
    return Folders(_find("rules", rules), _find("catalogs", catalogs), _find("schemas", schemas))


def _find(name: str, given: str | Path | None) -> Path:
    told = given or os.environ.get(ENVIRONMENT + name.upper())
    if told:
        return Path(told)
    installed = PACKAGE / "data" / name  # where the wheel puts them
    return installed if installed.is_dir() else PACKAGE.parent / name
