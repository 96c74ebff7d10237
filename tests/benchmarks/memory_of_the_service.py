"""How much the memory of the service grows with requests: 10,000 different questions after a warm-up of 3,000.

Run: `PYTHONPATH=tests python tests/benchmarks/memory_of_the_service.py`; with a number, so many in place of 10,000.
Prints the resident memory as it goes; on Linux alone.
"""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path

from fitcard.reload import ReloadingEngine
from fitcard.source.folders import find_folders
from fitcard.web.app import create_app

WARM, REQUESTS, SHOWN = 3_000, 10_000, 5
PAGES = ("/v1/can-run/{}-on-{}", "/v1/can-run/{}-on-{}", "/can-run/{}-on-{}", "/badge/{}-on-{}.svg")
KILOBYTES_PER_MB = 1024


def resident() -> float:
    """Megabytes that this process has in memory."""
    gc.collect()
    line = next(line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if "VmRSS" in line)
    return int(line.split()[1]) / KILOBYTES_PER_MB


def main() -> None:
    """Asks and prints."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    live = ReloadingEngine(find_folders())
    client, lot = create_app(live).test_client(), random.Random(11)
    models, devices = (live.rulebook.catalog_of(axis).ids for axis in ("model", "device"))

    def ask(number: int) -> None:
        page = lot.choice(PAGES).format(lot.choice(models), lot.choice(devices))
        found = client.get(page, query_string={"context": 1024 + number, "users": lot.randint(1, 9)})
        assert found.status_code == 200, (page, found.status_code)

    for number in range(WARM):
        ask(number)
    start = resident()
    print(f"after {WARM} requests: {start:.1f} MB")
    for number in range(requests):
        ask(WARM + number)
        if (number + 1) % (requests // SHOWN) == 0:
            now = resident()
            print(f"{number + 1} more: {now:.1f} MB, {100 * (now / start - 1):+.2f} %", flush=True)


if __name__ == "__main__":
    main()
