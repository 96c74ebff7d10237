"""How many modules of the package, and how many calls of its functions, one warm request takes that is not cached.

Run: `python tests/benchmarks/calls.py`; with `-v`, the calls of each module too. A template counts as a module, and a
generator counts once for each item that it gives.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from flask.testing import FlaskClient

from fitcard.source.folders import PACKAGE
from fitcard.web.app import create_app

ADDRESSES = ("/v1/can-run/qwen-3-14b-on-m1-16gb", "/can-run/qwen-3-14b-on-m1-16gb")
WARM = (2, 3)  # users of the requests before


def calls_by_module(client: FlaskClient, address: str) -> Counter[str]:
    """The number of calls in each module of the package during a request."""
    files: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            files[frame.f_code.co_filename] += 1

    sys.setprofile(count)
    try:
        response = client.get(address)
    finally:
        sys.setprofile(None)
    assert response.status_code == 200
    paths = {file: Path(file).resolve() for file in files}
    inside = {file: path.relative_to(PACKAGE) for file, path in paths.items() if PACKAGE in path.parents}
    return Counter({str(path): files[file] for file, path in inside.items()})


def main() -> None:
    """Prints the counts for an answer as JSON and for its page."""
    client = create_app().test_client()
    for address in ADDRESSES:
        for users in WARM:
            client.get(f"{address}?users={users}")
        calls = calls_by_module(client, address)
        print(f"{address}: {len(calls)} modules, {calls.total()} calls")
        if "-v" in sys.argv:
            for module, number in calls.most_common():
                print(f"{number:8} {module}")


if __name__ == "__main__":
    main()
