"""Whole processes, beside the bare start of Python."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from suite.alone import run_alone, surroundings
from suite.contest import Bench, Contest, NotComparable, Setting, Took, Variant

PYTHON = (sys.executable, "-c")
FITCARD = (sys.executable, "-m", "fitcard")
LONGEST, MOMENT = 60.0, 0.005  # seconds to wait for a server, and between two looks at it


@contextmanager
def _processes(setting: Setting) -> Iterator[Contest]:
    def whole(*words: str) -> Variant:
        return Variant(" ".join(["fitcard", *words[len(FITCARD) :]]), lambda: run_alone(words, setting.folders)[0])

    def python(name: str, code: str) -> Variant:
        return Variant(name, lambda: run_alone((*PYTHON, code), setting.folders)[0])

    yield Contest(
        (
            python("bare Python", ""),
            python("import fitcard.commands.main", "import fitcard.commands.main"),
            python("import fitcard.service.routes", "import fitcard.service.routes"),
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

    bare = Variant("bare Python", lambda: run_alone((*PYTHON, ""), setting.folders)[0])
    yield Contest((bare, Variant("fitcard serve, until ready", ready)), "start", long=True)


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
