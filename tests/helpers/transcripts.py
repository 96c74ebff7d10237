"""Whole transcripts: files of a rulebook, a command, and all that it prints, each in one text file.

A transcript starts with a sentence, then come the files, laid over the small rulebook, then commands with what each
prints and `[code]` where the exit code is not 0. The folder `before` holds the rulebook as it was. A file is given
whole, or as an edit: lines that go with `-`, lines that come with `+`, and lines around them with a space:

    A constant is misspelt.
    -- edit rules/fit.yaml --
    -    expr: weights / bandwidth
    +    expr: weights / bandwith
    $ fitcard check
    rules/fit.yaml:17:21: error: ...
    [1]

`@@` stands between two edits of a file. A file that holds only `(none)` is removed; `\\xNN` in a file is one byte.
`python tests/transcripts` writes all transcripts anew, with what is printed now: read the difference before you commit
it.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from fitcard.cli.main import main
from helpers.small_rulebook import lay_out

FOLDER = Path(__file__).resolve().parent.parent / "transcripts"
FILE = re.compile(r"-- (edit )?(\S+) --")
NONE = "(none)\n"
BETWEEN_EDITS = "@@\n"
BEFORE = "before"


@dataclass(frozen=True)
class Transcript:
    """`files` by their headers, such as `rules/fit.yaml` or `edit rules/fit.yaml`; what each of `commands` prints."""

    name: str
    about: str
    files: dict[str, str]
    commands: dict[str, str]

    @property
    def text(self) -> str:
        """The transcript as its file holds it."""
        files = "".join(f"-- {header} --\n{content}" for header, content in self.files.items())
        return f"{self.about}\n{files}" + "".join(f"$ {line}\n{printed}" for line, printed in self.commands.items())


def read(path: Path) -> Transcript:
    """The transcript in a file."""
    about, *lines = path.read_text("utf-8").splitlines(keepends=True)
    files: dict[str, str] = {}
    commands: dict[str, str] = {}
    current: dict[str, str] = files
    key = ""
    for line in lines:
        header = FILE.fullmatch(line.rstrip("\n"))
        if header and current is files:
            key = "".join(filter(None, header.groups()))
            files[key] = ""
        elif line.startswith("$ "):
            current, key = commands, line[2:].rstrip("\n")
            commands[key] = ""
        else:
            current[key] += line
    return Transcript(path.stem, about.rstrip("\n"), files, commands)


def transcripts() -> list[Transcript]:
    """All transcripts of the folder."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def run(transcript: Transcript) -> Transcript:
    """The same transcript with what its commands print now."""
    with laid_out(transcript) as place, _working_directory(place):
        printed = {line: _output(line) for line in transcript.commands}
    return Transcript(transcript.name, transcript.about, transcript.files, printed)


@contextmanager
def laid_out(transcript: Transcript) -> Iterator[Path]:
    """A temporary folder with the small rulebook and the files of the transcript."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lay_out(place)
        if any(BEFORE in text for text in (*transcript.files, *transcript.commands)):
            lay_out(place / BEFORE)
        write_files(transcript, place)
        yield place


def write_files(transcript: Transcript, place: Path) -> None:
    """Writes, edits and removes the files of a transcript."""
    for header, content in transcript.files.items():
        edit, _, path = header.rpartition(" ")
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if content == NONE:
            file.unlink()
        elif edit:
            file.write_text(edited(file.read_text("utf-8"), content), "utf-8")
        else:
            file.write_bytes(re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), content.encode()))


def edited(text: str, edits: str) -> str:
    """The text after the edits, each of which must match in exactly one place."""
    for edit in edits.split(BETWEEN_EDITS):
        lines = edit.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in f" {sign}") for sign in "-+")
        whole = f"\n{text}"
        assert whole.count(f"\n{old}") == 1, f"{whole.count(old)} matches of {old!r}"
        text = whole.replace(f"\n{old}", f"\n{new}")[1:]
    return text


def _output(line: str) -> str:
    program, *words = shlex.split(line)
    assert program == "fitcard"
    environment = {f"FITCARD_{name.upper()}": name for name in ("rules", "catalogs", "schemas")}
    ended = CliRunner().invoke(main, words, env=environment)
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.output + (f"[{ended.exit_code}]\n" if ended.exit_code else "")


@contextmanager
def _working_directory(place: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)
