"""Whether every answer belongs to the rules whose hash it carries, while files change and threads send requests.

Run: `PYTHONPATH=tests python tests/benchmarks/reload_under_load.py`, or with another number of requests than 16,000.
The rules are a copy of the shipped ones, over the entries that they and their tests name. Questions differ, so that few
answers are cached. Prints how many answers were wrong, and how many reloads succeeded and failed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from fitcard.answer.answer import answer_question
from fitcard.answer.question import read_question
from fitcard.compiler.engine import Engine
from fitcard.reload import ReloadingEngine
from fitcard.source.folders import Folders, find_folders
from fitcard.web.app import create_app
from helpers.fewer_entries import with_fewer_entries

THREADS, REQUESTS = 16, 16_000
PAIR = {"model": "llava-1.6-13b", "device": "rtx-3090-24gb", "workload": "chat", "profile": "reference"}
ADDRESS = "/v1/can-run/llava-1.6-13b-on-rtx-3090-24gb"
GOOD = ("rules/profiles/reference.yaml", "value: 0.088", "value: 0.044")
BAD = ("rules/physics/decode.yaml", "expr: 1 / step_time", "expr: 1 / step_tme")
EDITS = (GOOD, BAD, (BAD[0], BAD[2], BAD[1]), (GOOD[0], GOOD[2], GOOD[1]))


def copy_folders(place: Path) -> Folders:
    """A copy of the project's folders with fewer entries."""
    folders = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(folders, name), place / name)
    return with_fewer_entries(Folders(place / "rules", place / "catalogs", place / "schemas"))


def main() -> None:
    """Sends requests, changes files, and compares each answer with that of its rules once all threads have ended."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory() as place:
        folders = copy_folders(Path(place))
        live = ReloadingEngine(folders)
        app, engines = create_app(live), {live.rulebook.sha256: live.engine}
        responses: list[tuple[int, str, int, float]] = []
        done, started = threading.Event(), time.perf_counter()

        def change() -> None:
            while not done.is_set():
                for file, old, new in EDITS:
                    path = folders.rules.parent / file
                    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
                    live.poll()
                    engines[live.rulebook.sha256] = live.engine

        def request(first: int) -> None:
            client = app.test_client()
            for number in range(first, requests, THREADS):
                context = 1024 + number
                query = {"workload": PAIR["workload"], "profile": PAIR["profile"], "context": context}
                response = client.get(ADDRESS, query_string=query)
                body = response.get_json()
                responses.append((response.status_code, body["rules"]["sha256"], context, body["ttft_ms"]))

        changing = threading.Thread(target=change)
        requesting = [threading.Thread(target=request, args=(first,)) for first in range(THREADS)]
        for thread in (changing, *requesting):
            thread.start()
        for thread in requesting:
            thread.join()
        done.set()
        changing.join()
        wrong = [row for row in responses if row[0] != 200 or row[3] != expected(engines[row[1]], row[2])]
        print(f"{len(responses)} answers of {len(engines)} rulebooks in {time.perf_counter() - started:.0f} s")
        print(f"wrong: {len(wrong)}; reloads succeeded: {live.state.succeeded}, failed: {live.state.failed}")


def expected(engine: Engine, context: int) -> float:
    """The time to the first token by this engine."""
    ttft: float = answer_question(engine, read_question(engine.rulebook, {**PAIR, "context": context})).speed.ttft_ms
    return ttft


if __name__ == "__main__":
    main()
