"""Whether every answer belongs to the rules whose hash it carries, while files change under threads that ask.

Run: `PYTHONPATH=tests python tests/benchmarks/reload_under_load.py`; with a number, so many requests, not 16,000.
The rules are a copy of the shipped ones, over the entries that they and their tests name. Questions differ, so that
few answers come from those that are kept. Prints how many were wrong, and how often rules were taken over and refused.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from fewer_entries import with_fewer_entries
from fitcard.answer.question import read_question
from fitcard.answer.render import answer_question
from fitcard.rulebook.rulebook import Rulebook
from fitcard.source.folders import Folders, find_folders
from fitcard.web.reload import ReloadingRulebook
from fitcard.web.routes import create_app

THREADS, REQUESTS = 16, 16_000
PAIR = {"model": "llava-1.6-13b", "device": "rtx-3090-24gb", "workload": "chat", "profile": "reference"}
ADDRESS = "/v1/can-run/llava-1.6-13b-on-rtx-3090-24gb"
GOOD = ("rules/profiles/reference.yaml", "value: 0.088", "value: 0.044")
BAD = ("rules/physics/decode.yaml", "expr: 1 / step_time", "expr: 1 / step_tme")
EDITS = (GOOD, BAD, (BAD[0], BAD[2], BAD[1]), (GOOD[0], GOOD[2], GOOD[1]))


def copied(place: Path) -> Folders:
    """The project's folders in another place, with fewer entries."""
    folders = find_folders()
    for name in ("rules", "catalogs", "schemas"):
        shutil.copytree(getattr(folders, name), place / name)
    return with_fewer_entries(Folders(place / "rules", place / "catalogs", place / "schemas"))


def main() -> None:
    """Asks, changes files, and compares each answer with what its rules say once all threads have ended."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with tempfile.TemporaryDirectory() as place:
        folders = copied(Path(place))
        live = ReloadingRulebook(folders)
        app, books = create_app(live), {live.rulebook.sha256: live.rulebook}
        seen: list[tuple[int, str, int, float]] = []
        done, started = threading.Event(), time.perf_counter()

        def change() -> None:
            while not done.is_set():
                for file, old, new in EDITS:
                    path = folders.rules.parent / file
                    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
                    live.poll()
                    books[live.rulebook.sha256] = live.rulebook

        def ask(first: int) -> None:
            client = app.test_client()
            for number in range(first, requests, THREADS):
                context = 1024 + number
                query = {"workload": PAIR["workload"], "profile": PAIR["profile"], "context": context}
                response = client.get(ADDRESS, query_string=query)
                body = response.get_json()
                seen.append((response.status_code, body["rules"]["sha256"], context, body["ttft_ms"]))

        changing = threading.Thread(target=change)
        asking = [threading.Thread(target=ask, args=(first,)) for first in range(THREADS)]
        for thread in (changing, *asking):
            thread.start()
        for thread in asking:
            thread.join()
        done.set()
        changing.join()
        wrong = [row for row in seen if row[0] != 200 or row[3] != expected(books[row[1]], row[2])]
        print(f"{len(seen)} answers of {len(books)} rulebooks in {time.perf_counter() - started:.0f} s")
        print(f"wrong: {len(wrong)}; taken over: {live.succeeded}, refused: {live.failed}")


def expected(rulebook: Rulebook, context: int) -> float:
    """The time to the first token that this rulebook gives."""
    found: float = answer_question(rulebook, read_question(rulebook, {**PAIR, "context": context}))["ttft_ms"]
    return found


if __name__ == "__main__":
    main()
