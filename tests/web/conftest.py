"""Fixtures of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fitcard.web.options import Options
from helpers.project import project_rules
from helpers.served import InThread, Served, end_service, start_in_thread, start_service
from helpers.workplace import Workplace


@pytest.fixture
def serve(small: Workplace) -> Iterator[Callable[..., Served]]:
    """Starts services of the small rulebook; they are ended after the test."""
    started: list[Served] = []

    def start(*options: str, **keywords: object) -> Served:
        started.append(start_service(small, *options, **keywords))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for served in started:
        end_service(served)


@pytest.fixture
def listen() -> Iterator[Callable[..., InThread]]:
    """Starts services of the project's rules in threads, with limits of connections; they end after the test."""
    started: list[InThread] = []

    def start(options: Options | None = None, **limits: float) -> InThread:
        started.append(start_in_thread(project_rules(), options or Options(), **limits))
        return started[-1]

    yield start
    for service in started:
        service.stop()
