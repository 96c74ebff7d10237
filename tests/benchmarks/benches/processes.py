"""Commands and the service as processes, beside the bare start of Python."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.harness import Benchmark, Comparison, NotComparable, Setup, Timing, Variant
from benchmarks.process import environment, run_process

PYTHON = (sys.executable, "-c")
FITCARD = (sys.executable, "-m", "fitcard")
TIMEOUT, INTERVAL = 60.0, 0.005  # seconds to wait for the server, and between requests


@contextmanager
def _processes(setup: Setup) -> Iterator[Comparison]:
    def fitcard(*words: str) -> Variant:
        return Variant(" ".join(["fitcard", *words[len(FITCARD) :]]), lambda: run_process(words, setup.folders)[0])

    def python(name: str, code: str) -> Variant:
        return Variant(name, lambda: run_process((*PYTHON, code), setup.folders)[0])

    yield Comparison(
        (
            python("bare Python", ""),
            python("import fitcard.cli.main", "import fitcard.cli.main"),
            python("import fitcard.web.routes", "import fitcard.web.routes"),
            fitcard(*FITCARD, "--help"),
            fitcard(*FITCARD, "check"),
        ),
        "process",
        slow=True,
    )


@contextmanager
def _ready(setup: Setup) -> Iterator[Comparison]:
    def ready() -> Timing:
        words = (*FITCARD, "serve", "--port", "0")
        started = time.perf_counter()
        with subprocess.Popen(words, env=environment(setup.folders), stderr=subprocess.PIPE, text=True) as server:
            try:
                assert server.stderr is not None
                address = server.stderr.readline().strip()
                _wait_for(f"{address}ready", started)
                return Timing(time.perf_counter() - started)
            finally:
                server.terminate()

    bare = Variant("bare Python", lambda: run_process((*PYTHON, ""), setup.folders)[0])
    yield Comparison((bare, Variant("fitcard serve, until ready", ready)), "start", slow=True)


def _wait_for(address: str, started: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
                response.read()
                return
        except (urllib.error.URLError, ValueError) as error:
            if time.perf_counter() - started > TIMEOUT or isinstance(error, ValueError):
                raise NotComparable(f"no server is ready at {address or 'any address'}") from None
        time.sleep(INTERVAL)


BENCHMARKS = (
    Benchmark("processes", "commands as whole processes, beside the bare start of Python", _processes),
    Benchmark("ready", "the service from its start until it can answer, beside the bare start of Python", _ready),
)
