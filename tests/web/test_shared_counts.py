"""Counts that processes share limit like those of one process."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from fitcard.web.shared_counts import SharedCounts


def test_they_admit_the_same_requests_as_counts_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, rate, admitted = [60_000.0], parse("10/minute"), []
    monkeypatch.setattr("time.time", lambda: now[0])
    limiters = [SlidingWindowCounterRateLimiter(storage) for storage in (MemoryStorage(), SharedCounts(tmp_path / "a"))]
    for seconds in [0] * 12 + [30] * 2 + [31, 7, 12] * 6 + [120] * 3:
        now[0] += seconds
        of_each = [
            (each.test(rate, "ann"), each.hit(rate, "ann"), each.hit(rate, "ben", cost=4), each.hit(rate, "x", cost=11))
            for each in limiters
        ]
        assert of_each[0] == of_each[1]
        assert limiters[0].get_window_stats(rate, "ann") == limiters[1].get_window_stats(rate, "ann")
        admitted.append(of_each[0])
    assert admitted[:13] == [(True, True, number < 2, False) for number in range(10)] + [(False,) * 4] * 3


def test_threads_that_count_at_the_same_time_are_within_the_rate(tmp_path: Path) -> None:
    rate, admitted = parse("50/hour"), []

    def ask() -> None:
        limiter = SlidingWindowCounterRateLimiter(SharedCounts(tmp_path / "counts"))
        admitted.extend(limiter.hit(rate, "ann") for _ in range(40))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(admitted), sum(admitted)) == (160, 50)


def test_requests_are_answered_while_nothing_can_be_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    limiter = SlidingWindowCounterRateLimiter(SharedCounts(tmp_path / "missing" / "counts"))
    assert limiter.hit(parse("1/hour"), "ann")
    assert limiter.hit(parse("1/hour"), "ann")
    assert "the rate is not limited: unable to open database file" in caplog.text
