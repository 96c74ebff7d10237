"""Reads the output of programs and the content of files of this machine, or of another from saved copies."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from fitcard.importers.problems import ImportTooLarge, import_error
from fitcard.importers.records import MAX_RECORDS, Record, SourceRecord
from fitcard.importers.source import open_source, read_text

MachineSource = tuple[str, ...] | Path  # a program with its arguments, run without a shell, or a file of the system
TEXT_SUFFIX = ".txt"  # of saved output of programs
MAX_SECONDS = 30  # for one program of this machine
MAX_OUTPUT_BYTES = 1024**2  # of one program
MAX_LINE = 4_096  # characters of a line that describes a device


def machine_records(machine: Mapping[str, MachineSource], each: str, saved: Path | None) -> list[Record]:
    """The output of programs and the content of files of this machine, by name, without missing ones.

    `saved` is a folder with these texts of another machine, as NAME.txt. There is one record, or one for each line of
    the text named `each`. Raises ProblemsError if a saved text cannot be read, or if there is too much of it.
    """
    outputs = {name: _saved(saved, name) if saved else _output(source) for name, source in machine.items()}
    return output_records(outputs, each, str(saved) if saved else "")


def output_records(outputs: Mapping[str, str], each: str, origin: str) -> list[Record]:
    """The records of outputs by name, as of `machine_records`; problems call the machine `origin`."""
    texts = {name: text.strip() for name, text in outputs.items() if text.strip()}
    if not each:
        return [SourceRecord(texts, origin)]
    lines = texts.get(each, "").splitlines()
    if len(lines) > MAX_RECORDS or any(len(line) > MAX_LINE for line in lines):
        message = f"{each}{f' in {origin}' if origin else ''} is no list of devices: it has {len(lines):,} lines"
        hint = f"at most {MAX_RECORDS:,} lines of {MAX_LINE:,} characters are read"
        raise import_error(ImportTooLarge, message, hint)
    return [SourceRecord({**texts, each: line.strip()}, origin) for line in lines]


def _saved(folder: Path, name: str) -> str:
    file = folder / f"{name}{TEXT_SUFFIX}"
    if not file.exists():
        return ""
    with open_source(file) as source:
        return read_text(source)


def _output(source: MachineSource) -> str:
    """The output of a program, or the content of a file of the system; empty if there is none."""
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                content = file.read(MAX_OUTPUT_BYTES)
        else:
            content = _run(source)
    except OSError:
        return ""
    return content.decode("utf-8", errors="replace")


def _run(command: tuple[str, ...]) -> bytes:
    """What a program prints, up to MAX_OUTPUT_BYTES; nothing if it fails, prints more, or takes too long."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        timer = threading.Timer(MAX_SECONDS, process.kill)
        timer.start()
        try:
            content = process.stdout.read(MAX_OUTPUT_BYTES + 1)
            if len(content) > MAX_OUTPUT_BYTES:
                process.kill()
            return content if process.wait() == 0 else b""
        finally:
            timer.cancel()
