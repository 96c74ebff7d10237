"""What Prometheus may read of a service: requests, how long they took, answers from the cache, and the rules."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from fitcard.web.access import ServedRequest
from fitcard.web.cache import ResponseCache
from fitcard.web.reload import ReloadingRulebook

EXTENSION = "metrics"
MIMETYPE = "text/plain; version=0.0.4"


class Metrics:
    """The counters of one application."""

    def __init__(self, live: ReloadingRulebook, cache: ResponseCache) -> None:
        self.registry = CollectorRegistry()
        requests = Counter("fitcard_requests", "Requests by route and status", ["route", "status"], registry=None)
        duration = Histogram("fitcard_request_duration_seconds", "Duration of requests", ["route"], registry=None)
        cached = Counter("fitcard_cache", "Answers by cache result", ["outcome"], registry=None)
        for collector in (requests, duration, cached, _Rules(live, cache)):
            self.registry.register(collector)
        self._requests = functools.cache(requests.labels)
        self._duration = functools.cache(duration.labels)
        self._cached = functools.cache(cached.labels)

    def page(self) -> bytes:
        """All of them in the text format of Prometheus."""
        return generate_latest(self.registry)

    def note(self, served: ServedRequest) -> None:
        """Counts a request that has been answered."""
        self._requests(served.route, served.status).inc()
        self._duration(served.route).observe(time.perf_counter() - served.started)
        if served.cached is not None:
            self._cached("hit" if served.cached else "miss").inc()


class _Rules(Collector):
    """What the rulebook and the cache know of themselves at the moment that they are asked."""

    def __init__(self, live: ReloadingRulebook, cache: ResponseCache) -> None:
        self.live, self.cache = live, cache

    def collect(self) -> Iterator[Metric]:
        """The families of figures."""
        live = self.live
        reloads = CounterMetricFamily("fitcard_reloads", "Rule reloads by result", labels=["outcome"])
        reloads.add_metric(["succeeded"], live.succeeded)
        reloads.add_metric(["failed"], live.failed)
        yield reloads
        rules = {
            "version": live.rulebook.version,
            "sha256": live.rulebook.sha256,
            "profile": live.rulebook.default_profile,
        }
        yield InfoMetricFamily("fitcard_rules", "Rules in use", value=rules)
        at = live.loaded_at.timestamp()
        yield GaugeMetricFamily(
            "fitcard_rules_loaded_timestamp_seconds", "Time at which the rules were loaded", value=at
        )
        good = float(not live.last_attempt.problems)
        yield GaugeMetricFamily(
            "fitcard_rules_last_reload_successful", "Whether the files on disk are valid", value=good
        )
        yield GaugeMetricFamily("fitcard_cache_entries", "Cached answers", value=len(self.cache))
