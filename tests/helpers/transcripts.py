"""Whole transcripts: files of a rulebook, a command, and all that it prints, each in one text file.

A transcript starts with a sentence, then come the files, laid over the rulebook about parcels, then commands with what
each prints and `[code]` where it does not end well. The folder `before` holds the rulebook as it was:

    A constant is misspelt.
    -- rules/fee.yaml --
    kind: rules
    $ fitcard check
    rules/fee.yaml:1:1: error: ...
    [1]

A file that is empty but for `(none)` is taken away; `\\xNN` in a file is one byte. `python tests/transcripts`
writes the transcripts anew, with what is printed now. Read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from fitcard.cli.main import main
from fitcard.source.folders import find_folders

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE / "transcripts"
ANOTHER_SUBJECT = HERE / "another_subject"
ENGINE_KINDS = (
    "common",
    "rulebook",
    "rules",
    "profile",
    "tests",
    "messages",
    "layout",
    "changes",
    "checks",
    "rankings",
    "question",
    "batch",
)
FILE = re.compile(r"-- (\S+) --")
NONE = "(none)\n"
BEFORE = "before"


@dataclass(frozen=True)
class Transcript:
    """`files` by path, and commands with what each prints."""

    name: str
    about: str
    files: dict[str, str]
    commands: dict[str, str]

    @property
    def text(self) -> str:
        """The transcript as its file holds it."""
        files = "".join(f"-- {path} --\n{content}" for path, content in self.files.items())
        return f"{self.about}\n{files}" + "".join(f"$ {line}\n{printed}" for line, printed in self.commands.items())


def read(path: Path) -> Transcript:
    """The transcript in a file."""
    about, *lines = path.read_text("utf-8").splitlines(keepends=True)
    files: dict[str, str] = {}
    commands: dict[str, str] = {}
    current: dict[str, str] = files
    key = ""
    for line in lines:
        found = FILE.fullmatch(line.rstrip("\n"))
        if found and current is files:
            key = found[1]
            files[key] = ""
        elif line.startswith("$ "):
            current, key = commands, line[2:].rstrip("\n")
            commands[key] = ""
        else:
            current[key] += line
    return Transcript(path.stem, about.rstrip("\n"), files, commands)


def transcripts() -> list[Transcript]:
    """All of the folder."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def lay_out_parcels(place: Path) -> None:
    """The folders of the rulebook about parcels."""
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(ANOTHER_SUBJECT / name, place / name)
    for kind in ENGINE_KINDS:
        shutil.copy(find_folders().schemas / f"{kind}.schema.json", place / "schemas")


def run(transcript: Transcript) -> Transcript:
    """The same transcript with what its commands print now."""
    with tempfile.TemporaryDirectory() as place:
        lay_out_parcels(Path(place))
        lay_out_parcels(Path(place) / BEFORE)
        for name, content in transcript.files.items():
            file = Path(place) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if content == NONE:
                file.unlink()
            else:
                file.write_bytes(re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), content.encode()))
        with _inside(Path(place)):
            printed = {line: _printed(line) for line in transcript.commands}
    return Transcript(transcript.name, transcript.about, transcript.files, printed)


def _printed(line: str) -> str:
    program, *words = shlex.split(line)
    assert program == "fitcard"
    environment = {f"FITCARD_{name.upper()}": name for name in ("rules", "catalogs", "schemas")}
    ended = CliRunner().invoke(main, words, env=environment)
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.output + (f"[{ended.exit_code}]\n" if ended.exit_code else "")


@contextmanager
def _inside(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)
