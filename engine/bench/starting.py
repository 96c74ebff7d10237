"""Whole processes, beside the bare start of Python."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from engine.bench.contest import Bench, Contest, NotComparable, Setting, Took, Variant
from engine.read.folders import ENVIRONMENT, Folders

PYTHON = (sys.executable, "-c")
FITCARD = (sys.executable, "-m", "engine")
GOOD = 0
LONGEST, MOMENT = 60.0, 0.005  # seconds to wait for a server, and between two looks at it
KILOBYTES_PER_MB = 1024


def run_whole(words: Sequence[str], folders: Folders) -> Took:
    """A process from its start to its end, with its peak memory in MB. Raises NotComparable where it fails."""
    started = time.perf_counter()
    with subprocess.Popen(
        words, env=surroundings(folders), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        _, status, used = os.wait4(run.pid, 0)
        seconds = time.perf_counter() - started
        run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode != GOOD:
        raise NotComparable(f"`{' '.join(words)}` ended with {run.returncode}")
    return Took(seconds, {"peak_mb": used.ru_maxrss / KILOBYTES_PER_MB})


def surroundings(folders: Folders) -> dict[str, str]:
    """The environment in which a command works on these folders."""
    named = zip(("RULES", "CATALOGS", "SCHEMAS"), folders.all, strict=True)
    return os.environ | {f"{ENVIRONMENT}{name}": str(folder) for name, folder in named}


@contextmanager
def _processes(setting: Setting) -> Iterator[Contest]:
    def whole(*words: str) -> Variant:
        return Variant(" ".join(["fitcard", *words[len(FITCARD) :]]), lambda: run_whole(words, setting.folders))

    def python(name: str, code: str) -> Variant:
        return Variant(name, lambda: run_whole((*PYTHON, code), setting.folders))

    yield Contest(
        (
            python("the bare start of Python", ""),
            python("import engine.commands.main", "import engine.commands.main"),
            python("import server", "import server"),
            whole(*FITCARD, "--help"),
            whole(*FITCARD, "check"),
        ),
        "process",
        long=True,
    )


@contextmanager
def _ready(setting: Setting) -> Iterator[Contest]:
    def ready() -> Took:
        words = (*FITCARD, "serve", "--port", "0")
        started = time.perf_counter()
        with subprocess.Popen(words, env=surroundings(setting.folders), stderr=subprocess.PIPE, text=True) as server:
            try:
                assert server.stderr is not None
                address = server.stderr.readline().strip()
                _wait_for(f"{address}ready", started)
                return Took(time.perf_counter() - started)
            finally:
                server.terminate()

    bare = Variant("the bare start of Python", lambda: run_whole((*PYTHON, ""), setting.folders))
    yield Contest((bare, Variant("fitcard serve, until /ready says so", ready)), "start", long=True)


def _wait_for(address: str, started: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=LONGEST) as response:
                response.read()
                return
        except (urllib.error.URLError, ValueError) as error:
            if time.perf_counter() - started > LONGEST or isinstance(error, ValueError):
                raise NotComparable(f"no server is ready at {address or 'any address'}") from None
        time.sleep(MOMENT)


BENCHES = (
    Bench("processes", "commands as whole processes, beside the bare start of Python", _processes),
    Bench("ready", "the service from its start until it can answer, beside the bare start of Python", _ready),
)
