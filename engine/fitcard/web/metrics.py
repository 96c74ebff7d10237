"""Metrics for Prometheus: of one process, or of all that share a folder."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from fitcard.reload import ReloadingEngine
from fitcard.web.logs import ServedRequest
from fitcard.web.options import METRICS_FOLDER

SUMMED = ("counter", "histogram")  # kinds of metrics that outlive their process
_File: Any = MmapedDict
ENDED = "0"  # in place of the id of a process: the sums of all that have ended


class Metrics:
    """The metrics of an application, in the text format of Prometheus.

    With `PROMETHEUS_MULTIPROC_DIR` in the environment before this module is imported, they are those of all processes
    that share that folder.
    """

    MEDIA = "text/plain; version=0.0.4"

    def __init__(self, rules: ReloadingEngine) -> None:
        requests = Counter("fitcard_requests", "Requests by route and status", ["route", "status"], registry=None)
        duration = Histogram("fitcard_request_duration_seconds", "Duration of requests", ["route"], registry=None)
        cached = Counter("fitcard_cache", "Answers by cache result", ["outcome"], registry=None)
        closed = Counter(
            "fitcard_connections_closed", "Connections closed by the server by reason", ["reason"], registry=None
        )
        lost = Counter("fitcard_decision_log_lost", "Decisions that could not be logged", registry=None)
        self._collectors: list[Collector] = [requests, duration, cached, closed, lost]
        self._state = _StateCollector(rules)
        self._gauges: list[tuple[Gauge, Callable[[], float]]] = []
        self._requests = functools.cache(requests.labels)
        self._duration = functools.cache(duration.labels)
        self._cached = functools.cache(cached.labels)
        self._closed = functools.cache(closed.labels)
        self._lost = lost

    def record(self, served: ServedRequest) -> None:
        """Counts a request."""
        self._requests(served.route, served.status).inc()
        self._duration(served.route).observe(time.perf_counter() - served.started)
        if served.cached is not None:
            self._cached("hit" if served.cached else "miss").inc()

    def count_closed(self, reason: str) -> None:
        """Counts a connection that the server has closed."""
        self._closed(reason).inc()

    def count_lost_decisions(self, count: int) -> None:
        """Counts decisions that could not be logged."""
        self._lost.inc(count)

    def add_gauge(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Adds a figure that `update` reads; of several processes the sum."""
        gauge = Gauge(f"fitcard_{name}", about, multiprocess_mode="livesum", registry=None)
        self._gauges.append((gauge, read))
        self._collectors.append(gauge)

    def update(self) -> None:
        """Reads the gauges of this process."""
        for gauge, read in self._gauges:
            gauge.set(read())

    def exposition(self) -> bytes:
        """All metrics as text."""
        self.update()
        registry, folder = CollectorRegistry(), os.environ.get(METRICS_FOLDER)
        registry.register(self._state)
        if folder:
            MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
            with _locked(Path(folder), shared=True):
                return generate_latest(registry)
        for collector in self._collectors:
            registry.register(collector)
        return generate_latest(registry)


def process_ended(folder: Path, process: int) -> None:
    """Removes the files of a process that has ended; its counts are added to those of others that have."""
    with _locked(folder, shared=False):
        mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]
        for kind in SUMMED:
            ended = folder / f"{kind}_{process}.db"
            if not ended.exists():
                continue
            sums: Any = _File(str(folder / f"{kind}_{ENDED}.db"))
            counted: Any = _File(str(ended), read_mode=True)
            for key, value, timestamp, *_ in list(counted.read_all_values()):
                sums.write_value(key, sums.read_value(key)[0] + value, timestamp)
            sums.close()
            counted.close()
            ended.unlink()


@contextmanager
def _locked(folder: Path, *, shared: bool) -> Iterator[None]:
    """Holds the lock of a folder of metrics, so that no count is read twice or not at all."""
    import fcntl  # noqa: PLC0415 - not on Windows, which has no workers

    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


class _StateCollector(Collector):
    """The rules in use, and what is known about their files."""

    def __init__(self, rules: ReloadingEngine) -> None:
        self.rules = rules

    def collect(self) -> Iterator[Metric]:
        """The metric families."""
        rulebook, state = self.rules.rulebook, self.rules.state
        reloads = CounterMetricFamily("fitcard_reloads", "Rule reloads by result", labels=["outcome"])
        reloads.add_metric(["succeeded"], state.succeeded)
        reloads.add_metric(["failed"], state.failed)
        yield reloads
        info = {"version": rulebook.version, "sha256": rulebook.sha256, "profile": rulebook.default_profile}
        yield InfoMetricFamily("fitcard_rules", "Rules in use", value=info)
        failing_since = state.failing_since.timestamp() if state.failing_since else 0
        for name, about, value in (
            ("loaded_timestamp_seconds", "Time at which the rules were loaded", state.loaded_at.timestamp()),
            ("last_reload_successful", "Whether the last attempt to load rules succeeded", not state.problems),
            ("failing_since_timestamp_seconds", "Time since which changed rules cannot be loaded, or 0", failing_since),
            ("polled_timestamp_seconds", "Time at which the files were last looked at", state.polled_at.timestamp()),
        ):
            yield GaugeMetricFamily(f"fitcard_rules_{name}", about, value=float(value))
