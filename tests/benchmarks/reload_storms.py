"""Whether a service follows its rules through storms of faults: 200 rounds, each with a fault and a change of rules.

Run: `PYTHONPATH=tests python tests/benchmarks/reload_storms.py`, or with another number of rounds and a seed. Threads
send requests meanwhile. Prints how often the thread that reloads was dead, an answer was not that of the rules whose
hash it carries, /status was not true, or the rules of the end of a round were not loaded.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from fitcard.reload import ReloadingEngine
from fitcard.source.folders import Folders
from fitcard.web.app import create_app
from helpers.reload_faults import EITHER, FAILING, change
from helpers.small_rulebook import lay_out
from helpers.workplace import Workplace

ROUNDS, SEED, SECONDS = 200, 1, 30.0
ADDRESS = "/v1/can-run/llama-3.1-70b-on-h100-80gb"


def holds(live: ReloadingEngine, expected: object) -> bool:
    """Whether what is expected of the state becomes true within a time."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if expected():  # type: ignore[operator]
            return True
        time.sleep(0.005)
    return False


def main() -> None:
    """Runs and prints."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else SEED)
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        lay_out(Path(place))
        small = Workplace(Folders(*(Path(place) / name for name in ("rules", "catalogs", "schemas"))))
        live = ReloadingEngine(small.folders)
        app, values, done = create_app(live), {}, threading.Event()
        answers: list[tuple[str, float]] = []

        def note() -> None:
            answer = app.test_client().get(f"{ADDRESS}?context=1000").get_json()
            values.setdefault(answer["rules"]["sha256"], answer["load_time_s"])

        def ask() -> None:
            client, number = app.test_client(), 0
            while not done.is_set():
                number += 1
                response = client.get(f"{ADDRESS}?context=1000&lang={('en', 'de')[number % 2]}")
                if response.status_code != 200:
                    wrong["refused"] += 1
                    continue
                answer = response.get_json()
                answers.append((answer["rules"]["sha256"], answer["load_time_s"]))

        stop = live.watch(0.02)
        asking = [threading.Thread(target=ask) for _ in range(2)]
        note()
        for thread in asking:
            thread.start()
        for number in range(rounds):
            fault, before = chance.choice(FAILING + EITHER), live.rulebook.sha256
            with fault(small):
                if fault in FAILING:
                    live.request()
                    wrong[f"status silent on {fault.__name__}"] += not holds(
                        live, lambda: live.status()["failing_since"] is not None
                    )
                    wrong["other rules"] += live.rulebook.sha256 != before
                else:
                    time.sleep(0.3)
            change(small, 3 + number)
            wrong[f"not loaded after {fault.__name__}"] += not holds(
                live, lambda before=before: live.rulebook.sha256 != before
            )
            wrong["status wrong"] += not holds(live, lambda: live.status()["failing_since"] is None)
            note()
            wrong["dead"] += not any(thread.name == "reload" for thread in threading.enumerate())
        done.set()
        for thread in asking:
            thread.join()
        stop.set()
    wrong["wrong answers"] = sum(values.get(sha256, value) != value for sha256, value in answers)
    wrong["unknown rules"] = sum(sha256 not in values for sha256, _ in answers)
    print(f"{rounds} rounds, {len(answers)} answers by {len(values)} rulebooks, {live.state.failed} failed loads")
    print(", ".join(f"{name}: {count}" for name, count in sorted(wrong.items())))


if __name__ == "__main__":
    main()
